package definition

import (
	"encoding/json"
	"net/url"
	"path"

	"github.com/photofinish/photofinish/pkg/race"
)

// maxProfileHeats: a profile of some heats is as fine as it gets.
const maxProfileHeats = 10

// profile reads where a lane's profiles come from.
func profile(m map[string]json.RawMessage, where string) (race.ProfileSpec, error) {
	var p race.ProfileSpec
	if isNull(m["profile"]) {
		return p, nil
	}
	where += ".profile"
	parts, err := fields(where, m["profile"])
	if err != nil {
		return p, race.Errorf(race.Invalid, "write profile: { pprof: '/debug/pprof' }", "%w", err).At(fieldOf(where))
	}
	if err := onlyKeys(where, parts, "pprof", "pyroscope"); err != nil {
		return p, err
	}
	for key, into := range map[string]*string{"pprof": &p.Pprof, "pyroscope": &p.Pyroscope} {
		if *into, err = text(parts, where, key); err != nil {
			return p, err
		}
	}
	if p.Pprof != "" && !plainPath(p.Pprof) {
		return p, race.Errorf(race.Invalid, "write the path under which the app serves net/http/pprof, like /debug/pprof: it is asked at the lane's own address",
			"%s.pprof: %q is no path", where, p.Pprof).At(fieldOf(where + ".pprof"))
	}
	if p.Pyroscope != "" {
		return p, validURL(where+".pyroscope", p.Pyroscope)
	}
	return p, nil
}

// plainPath says whether s is a path and nothing else: no host, no query, no way out of it.
func plainPath(s string) bool {
	u, err := url.Parse(s)
	return err == nil && u.Path == s && path.IsAbs(s) && path.Clean(s) == s
}

// profileHeats is how many heats are run for profiles: those asked for, one where a lane has profiles to be taken.
func profileHeats(lanes []race.LaneSpec, asked *int64) (int, error) {
	if asked != nil && (*asked < 0 || *asked > maxProfileHeats) {
		return 0, race.Errorf(race.Invalid, "", "profile_heats is %d; it must be 0 to %d", *asked, maxProfileHeats).At("profile_heats")
	}
	for _, l := range lanes {
		switch {
		case l.Profile.Pprof == "":
		case asked != nil:
			return int(*asked), nil
		default:
			return 1, nil
		}
	}
	return 0, nil
}
