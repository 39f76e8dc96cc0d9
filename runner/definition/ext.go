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
	k6                             race.K6Spec
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
	if x.k6, err = parseK6(m["k6"]); err != nil {
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

// maxPods is how many pods may share a load: more than a cluster's k6-operator was ever asked for here.
const maxPods = 1000

// parseK6 reads which k6 is to be raced with, and in how many pods.
func parseK6(raw json.RawMessage) (k race.K6Spec, err error) {
	const where = extPath + ".k6"
	if isNull(raw) {
		return k, nil
	}
	m, err := fields(where, raw)
	if err != nil {
		return k, race.Errorf(race.Invalid, "write k6: { image: 'grafana/k6:2.2.0' }, or leave it out for the k6 that is built in", "%w", err)
	}
	if err := onlyKeys(where, m, "image", "pods", "cpus", "memory"); err != nil {
		return k, err
	}
	if k.Image, err = text(m, where, "image"); err != nil {
		return k, err
	}
	pods, err := integer(m, where, "pods")
	if err != nil {
		return k, err
	}
	if pods != nil {
		if *pods < 1 || *pods > maxPods {
			return k, invalid(where+".pods", "is %d; it must be 1 to %d", *pods, maxPods)
		}
		k.Pods = int(*pods)
	}
	if k.Resources, err = resources(m, where); err != nil {
		return k, err
	}
	if k.Pods > 0 && k.Image == "" {
		return k, race.Errorf(race.Invalid, "name the image, as k6: { image: 'grafana/k6:2.2.0', pods: 4 }", "%s.pods: says how many pods of an image share the load, and there is none", where).At("k6")
	}
	if k.Pods == 0 && k.Resources != (race.Resources{}) {
		return k, race.Errorf(race.Invalid, "leave them out: the plan gives a k6 on this machine its CPUs; or say with pods how many share the load on a cluster",
			"%s.cpus and memory are those of a pod", where).At("k6")
	}
	return k, nil
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
