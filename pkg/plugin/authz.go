package plugin

import (
	"github.com/grafana/grafana-plugin-sdk-go/backend"
)

// The roles of Grafana that may start, stop and override races.
const (
	roleEditor = "Editor"
	roleAdmin  = "Admin"
)

// mayStart decides who may start, stop and override races, for every way to do so; why is what a refused user reads, "" for one who may.
// Grafana 12.2 does not keep a Viewer from posting to a resource. An anonymous user is not nil: it has an empty login and may bear any role.
// Reading is everybody's: who may query the data source was decided by Grafana.
func mayStart(user *backend.User) (why string) {
	switch {
	case user == nil || user.Login == "":
		return "log in to start, stop or override races"
	case user.Role != roleEditor && user.Role != roleAdmin:
		return "starting, stopping and overriding races needs the role Editor or Admin"
	}
	return ""
}
