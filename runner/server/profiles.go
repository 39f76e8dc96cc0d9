package server

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"

	"github.com/photofinish/photofinish/pkg/race"
)

// appProfile is a profile in the list of a race's.
type appProfile struct {
	App string `json:"app"`
	race.Profile
}

// profiles lists the profiles of a race.
func (a *api) profiles(w http.ResponseWriter, r *http.Request) {
	k, err := a.Races.Kept(r.Context(), r.PathValue("id"))
	if err != nil {
		refuseFor(w, err)
		return
	}
	var record struct{ Lanes []race.Lane }
	if err := json.Unmarshal(k.Record, &record); err != nil {
		refuseFor(w, fmt.Errorf("read race %s: %w", k.ID, err))
		return
	}
	list := struct {
		Profiles []appProfile `json:"profiles"`
	}{Profiles: []appProfile{}}
	for _, l := range record.Lanes {
		for _, p := range l.Profiles {
			list.Profiles = append(list.Profiles, appProfile{l.App, p})
		}
	}
	tell(w, http.StatusOK, list)
}

// profile is one profile, for pprof and the like.
func (a *api) profile(w http.ResponseWriter, r *http.Request) {
	id, app, kind := r.PathValue("id"), r.PathValue("app"), race.ProfileKind(r.PathValue("kind"))
	data, err := a.Races.Profile(r.Context(), id, app, kind)
	if err != nil {
		refuseFor(w, err)
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Content-Disposition", fmt.Sprintf(`attachment; filename="%s-%s-%s.pb.gz"`, id, app, kind)) // it was found, so these are plain names
	w.Header().Set("Content-Length", strconv.Itoa(len(data)))
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	_, _ = w.Write(data) // the caller's own loss
}
