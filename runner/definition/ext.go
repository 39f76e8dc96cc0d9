package definition

import (
	"encoding/json"
	"maps"
	"slices"
	"time"

	"github.com/photofinish/photofinish/pkg/measure"
	"github.com/photofinish/photofinish/pkg/race"
)

// ext is options.ext.photofinish.
type ext struct {
	name, baseline, mode, arrivals string
	heats                          *int
	profileHeats                   *int64
	untilDecided                   bool
	warmup                         *time.Duration
	measures                       []race.DeclaredMeasure
	minimumEffect                  race.Effects
	primary                        []string
	k6Image                        string
	findCapacity                   string
	lanes                          []race.LaneSpec
	leftOut                        []string // lanes of the script that do not race
}

const extPath = "options.ext.photofinish"

func parseExt(raw json.RawMessage, order []string, chosen []Choice) (ext, error) {
	var x ext
	all, err := fields("options.ext", raw)
	if err != nil {
		return x, err
	}
	m, err := fields(extPath, all["photofinish"])
	if err != nil {
		return x, err
	}
	if err := onlyKeys(extPath, m, "name", "baseline", "lanes", "heats", "until_decided", "warmup", "mode", "arrivals", "measures", "minimum_effect", "primary", "k6", "profile_heats", "find_capacity"); err != nil {
		return x, err
	}
	for key, into := range map[string]*string{"name": &x.name, "baseline": &x.baseline, "mode": &x.mode, "arrivals": &x.arrivals, "find_capacity": &x.findCapacity} {
		if *into, err = text(m, extPath, key); err != nil {
			return x, err
		}
	}
	heats, err := integer(m, extPath, "heats")
	if err != nil {
		return x, err
	}
	if heats != nil {
		n := int(max(-1, min(*heats, MaxHeats+1))) // what is out of bounds stays so
		x.heats = &n
	}
	if x.profileHeats, err = integer(m, extPath, "profile_heats"); err != nil {
		return x, err
	}
	if x.untilDecided, _, err = value[bool](m, extPath, "until_decided", "true or false"); err != nil {
		return x, err
	}
	if x.warmup, err = duration(m, extPath, "warmup"); err != nil {
		return x, err
	}
	if x.measures, err = parseMeasures(m["measures"]); err != nil {
		return x, err
	}
	set := measure.Of(measure.Possible(x.measures)...)
	if x.minimumEffect, err = minimumEffect(m["minimum_effect"], set); err != nil {
		return x, err
	}
	if x.primary, err = primary(m, set); err != nil {
		return x, err
	}
	if x.k6Image, err = k6Image(m["k6"]); err != nil {
		return x, err
	}
	lanes, err := fields(extPath+".lanes", m["lanes"])
	if err != nil {
		return x, err
	}
	where := extPath + ".lanes"
	if chosen != nil {
		where = "lanes"
		if lanes, order, x.leftOut, err = choose(lanes, chosen); err != nil {
			return x, err
		}
	}
	x.lanes, err = parseLanes(where, lanes, order)
	return x, err
}

// k6Image reads which k6 is to be raced with.
func k6Image(raw json.RawMessage) (string, error) {
	const where = extPath + ".k6"
	if isNull(raw) {
		return "", nil
	}
	m, err := fields(where, raw)
	if err != nil {
		return "", race.Errorf(race.Invalid, "write k6: { image: 'grafana/k6:2.2.0' }, or leave it out for the k6 that is built in", "%w", err)
	}
	if err := onlyKeys(where, m, "image"); err != nil {
		return "", err
	}
	return text(m, where, "image")
}

func parseLanes(where string, m map[string]json.RawMessage, order []string) ([]race.LaneSpec, error) {
	var lanes []race.LaneSpec
	for _, app := range inOrder(m, order) {
		l, err := parseLane(where+"."+app, app, m[app])
		if err != nil {
			return nil, err
		}
		lanes = append(lanes, l)
	}
	return lanes, nil
}

// inOrder lists the keys of m in the given order; those that it does not name follow by the alphabet.
func inOrder(m map[string]json.RawMessage, order []string) []string {
	var keys []string
	for _, k := range append(slices.Clone(order), slices.Sorted(maps.Keys(m))...) {
		if _, known := m[k]; known && !slices.Contains(keys, k) {
			keys = append(keys, k)
		}
	}
	return keys
}
