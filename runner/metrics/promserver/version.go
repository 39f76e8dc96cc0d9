package promserver

import (
	"regexp"
	"runtime/debug"
	"strings"
)

const module = "github.com/prometheus/prometheus"

// Version is the release of the Prometheus packages in this binary, such as "3.16.0"; "unknown" where the binary was built without module information.
func Version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, d := range info.Deps {
		if d.Path != module {
			continue
		}
		if d.Replace != nil {
			d = d.Replace
		}
		return release(d.Version)
	}
	return "unknown"
}

// release turns the version of Prometheus' Go module into that of its releases: a server 3.16.0 is the module v0.316.0
// (two digits for the minor version), because its maintainers promise no stable Go API.
func release(module string) string {
	m := modulePattern.FindStringSubmatch(module)
	if m == nil {
		return strings.TrimPrefix(module, "v")
	}
	return m[1] + "." + m[2] + "." + m[3]
}

var modulePattern = regexp.MustCompile(`^v0\.(\d)0?(\d+)\.(.+)$`)
