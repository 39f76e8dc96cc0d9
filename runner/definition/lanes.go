package definition

import (
	"slices"
	"strings"

	"github.com/photofinish/photofinish/pkg/race"
)

// overrideLanes puts lanes of the form NAME=URL in the place of the lanes with these names, or behind all others.
func overrideLanes(lanes []race.LaneSpec, overrides []string) ([]race.LaneSpec, error) {
	lanes = slices.Clone(lanes)
	given := map[string]bool{}
	for _, o := range overrides {
		app, address, ok := strings.Cut(o, "=")
		if !ok {
			return nil, race.Errorf(race.Invalid, "write it like --lane control=http://localhost:4000/", "lane %q is not NAME=URL", o)
		}
		if given[app] {
			return nil, race.Errorf(race.Invalid, "", "lane %s is given twice", app)
		}
		given[app] = true
		if err := validURL("lane "+app, address); err != nil {
			return nil, err
		}
		replaced := race.LaneSpec{App: app, URL: address}
		if i := slices.IndexFunc(lanes, func(l race.LaneSpec) bool { return l.App == app }); i >= 0 {
			replaced.Health = lanes[i].Health
			lanes[i] = replaced
		} else {
			lanes = append(lanes, replaced)
		}
	}
	return lanes, nil
}

func checkLanes(lanes []race.LaneSpec) error {
	const hint = "name two apps in options.ext.photofinish.lanes of the script, with --lane NAME=URL, or as lanes of a request to the API"
	switch len(lanes) {
	case 0:
		return race.Errorf(race.Invalid, hint, "the race has no lanes").At("lanes")
	case 1:
		return race.Errorf(race.Invalid, hint, "the race has one lane, %s; it takes two to race", lanes[0].App).At("lanes")
	}
	ports, queues := map[int]race.LaneSpec{}, map[string]string{}
	for _, l := range lanes {
		if !race.ValidApp(l.App) {
			return race.Errorf(race.Invalid, "use 1 to 63 of the letters A-Z and a-z, digits, _ and -", "lane name %q is not possible", l.App).At("lanes")
		}
		if other, taken := ports[l.Port]; taken && l.Port != 0 && (!contained(other) || !contained(l)) {
			return race.Errorf(race.Invalid, "give each app a port of its own", "lanes %s and %s both have port %d", other.App, l.App, l.Port).At("lanes")
		}
		ports[l.Port] = l
		if l.Queue == nil {
			continue
		}
		for _, q := range []string{l.Queue.Requests, l.Queue.Replies} {
			if other, taken := queues[q]; taken {
				return race.Errorf(race.Invalid, "give each worker queues of its own, or they take each other's messages", "lanes %s and %s both have the queue %s", other, l.App, q).At("lanes")
			}
			queues[q] = l.App
		}
	}
	return nil
}

// contained says whether an app may run in a container, where it has all ports to itself. As local processes such lanes are refused by their engine.
func contained(l race.LaneSpec) bool { return l.Image != "" || l.Build != "" || l.Compose != "" }
