package plan

import (
	"fmt"
	"math"

	"github.com/photofinish/photofinish/pkg/race"
)

// pinFrom: with fewer CPUs pinning gained nothing where it was tried.
const pinFrom = 4

// CPUPlan says on which CPUs k6 and the lanes run, in the kernel's list format ("0-1,3"). Empty where nothing is pinned.
type CPUPlan struct {
	K6    string
	Lanes map[string]string // by app; lanes on another machine are absent
	k6    int               // how many CPUs K6 lists
}

// Pinned says whether k6 and the lanes have CPUs of their own.
func (c CPUPlan) Pinned() bool { return c.K6 != "" }

// K6Count is how many CPUs k6 has for itself, 0 where it is not pinned and may use all.
func (c CPUPlan) K6Count() float64 { return float64(c.k6) }

// pin gives every lane whole CPUs of its own, from the highest number down, and k6 what is left: the lowest numbers, where most
// kernels serve interrupts, and at least one. Lanes without a limit and k6 share equally what the limited ones leave, so that such a lane is not held to
// the single CPU that it was counted for. If there is not enough for all, or a lane brings its own CPU set, nothing is pinned.
func pin(lanes []race.LaneSpec, cpus int) CPUPlan {
	if cpus < pinFrom {
		return CPUPlan{}
	}
	left, unlimited := cpus, 0
	for _, l := range lanes {
		switch {
		case l.Remote:
		case l.CPUSet != nil || laneCPUs(l) > float64(cpus):
			return CPUPlan{}
		case l.CPUs != nil:
			left -= int(math.Ceil(*l.CPUs))
		case laneCPUs(l) > 0:
			unlimited++
		}
	}
	share := left / (unlimited + 1)
	if share < int(k6CPUs) {
		return CPUPlan{}
	}
	plan := CPUPlan{Lanes: map[string]string{}}
	free := cpus // CPUs 0..free-1 are not given away
	for _, l := range lanes {
		take := share
		if l.CPUs != nil {
			take = int(math.Ceil(*l.CPUs))
		}
		if laneCPUs(l) == 0 {
			continue
		}
		plan.Lanes[l.App] = list(free-take, free-1)
		free -= take
	}
	plan.K6, plan.k6 = list(0, free-1), free
	return plan
}

func list(from, to int) string {
	if from == to {
		return fmt.Sprint(from)
	}
	return fmt.Sprintf("%d-%d", from, to)
}
