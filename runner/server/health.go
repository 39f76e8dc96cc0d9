package server

import (
	"net/http"
)

// engineState is how an engine stands.
type engineState struct {
	State  string `json:"state"` // ok or unavailable
	Detail string `json:"detail"`
}

func (a *api) healthz(w http.ResponseWriter, _ *http.Request) {
	engines := map[string]engineState{}
	for _, k := range a.Engines {
		detail, err := k.State()
		if err != nil {
			engines[k.Name] = engineState{State: "unavailable", Detail: err.Error()}
			continue
		}
		engines[k.Name] = engineState{State: "ok", Detail: detail}
	}
	tell(w, http.StatusOK, struct {
		Status  string                 `json:"status"`
		Version string                 `json:"version"`
		Engines map[string]engineState `json:"engines"`
	}{"ok", a.Version, engines})
}
