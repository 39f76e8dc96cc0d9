package audit

import (
	"cmp"
	"fmt"

	"github.com/photofinish/photofinish/pkg/race"
)

// Capacity is a lane of which the highest rate that it holds is not known, or only a lower bound of it.
type Capacity struct {
	App   string
	Found race.LaneCapacity
	Why   string // it could not be tried any more; "" where that is not the reason
}

// capacities tells of which lanes the capacity is open, and why.
func capacities(o Observations, r *report) {
	for _, c := range o.Capacities {
		why := c.Why
		if why == "" {
			why = openBecause(c.Found)
		}
		if c.Found.Rate == nil {
			r.add(c.App, race.CapacityUnknown, race.Warning, "its capacity is not known: %s", cmp.Or(why, "no rate was held"))
			continue
		}
		r.add(c.App, race.CapacityUnknown, race.Warning, "it holds at least %.4g/s, and maybe more: %s", *c.Found.Rate, why)
	}
}

func openBecause(l race.LaneCapacity) string {
	switch l.Limit {
	case race.LimitK6:
		return "k6 itself ran out of CPU at higher rates; give k6 more CPUs, or the app fewer"
	case race.LimitVUs:
		return "no VU was free at higher rates, though every condition was kept; raise preAllocatedVUs or maxVUs"
	case race.LimitRate:
		return "no higher rate may be asked for"
	case race.LimitTries:
		return "no more rates were tried; start nearer to it with --rate"
	case race.LimitStart:
		return "the app did not start again"
	case race.LimitApp, "":
	}
	if len(l.Tries) == 0 {
		return "no rate was tried"
	}
	last := l.Tries[len(l.Tries)-1]
	sentence := fmt.Sprintf("already the lowest rate that was tried, %.4g/s, was not held", last.Rate)
	if len(last.Broke) > 0 {
		sentence += " (" + last.Broke[0] + ")"
	}
	return sentence + "; start lower with --rate, or ask less of it"
}
