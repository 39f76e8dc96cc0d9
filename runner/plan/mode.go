package plan

import (
	"fmt"
	"net"
	"net/url"
	"slices"

	"github.com/photofinish/photofinish/pkg/race"
)

// k6CPUs is what k6 is counted for: one CPU carries some thousand requests a second, and the stopwatch must never wait for one.
const k6CPUs = 1.0

// choose says which mode and why. Together is fair only where every lane and k6 have CPUs of their own.
func choose(def race.Definition, cpus int) (race.Mode, string) {
	switch def.Mode {
	case race.Together, race.Turns:
		return def.Mode, "as asked"
	case race.Auto:
	}
	if len(def.Lanes) == 1 {
		return race.Together, "one app needs no turns"
	}
	if need := need(def.Lanes); need > float64(cpus) {
		if cpus == 1 {
			return race.Turns, "1 CPU is too few to race together"
		}
		return race.Turns, fmt.Sprintf("%d CPUs are too few to race together", cpus)
	}
	if !slices.ContainsFunc(def.Lanes, func(l race.LaneSpec) bool { return !l.Remote }) {
		return race.Together, "no app runs on this machine"
	}
	return race.Together, fmt.Sprintf("%d CPUs suffice for every app and k6", cpus)
}

// need is how many CPUs lanes and k6 want at the same time.
func need(lanes []race.LaneSpec) float64 {
	sum := k6CPUs
	for _, l := range lanes {
		sum += laneCPUs(l)
	}
	return sum
}

// laneCPUs is what a lane takes of this machine: its limit, one where it has none, and nothing for an app on another machine.
func laneCPUs(l race.LaneSpec) float64 {
	switch {
	case l.Remote:
		return 0
	case l.CPUs != nil:
		return *l.CPUs
	case l.URL != "" && !onThisMachine(l.URL):
		return 0
	}
	return 1
}

// onThisMachine says whether an address is a loopback one. Names are not looked up: a plan asks nobody.
func onThisMachine(address string) bool {
	u, err := url.Parse(address)
	if err != nil {
		return false
	}
	host := u.Hostname()
	return host == "localhost" || net.ParseIP(host).IsLoopback()
}
