package plan

import (
	"slices"
	"strconv"

	"k8s.io/utils/cpuset"

	"github.com/photofinish/photofinish/pkg/race"
)

// CheckSets says which lane asks for a CPU beyond the last one of this machine. Lanes on other machines may ask for others.
func CheckSets(lanes []race.LaneSpec, last int) error {
	for _, l := range lanes {
		if l.Remote || l.CPUSet == nil {
			continue
		}
		at := "lanes." + l.App + ".cpuset"
		set, err := cpuset.Parse(*l.CPUSet)
		if err != nil {
			return race.Errorf(race.Invalid, "write a list of CPUs like '0-1,3'", "lane %s: the cpuset: %w", l.App, err).At(at)
		}
		if asked := set.List(); len(asked) > 0 && slices.Max(asked) > last {
			return race.Errorf(race.Invalid, "name CPUs from 0 to "+strconv.Itoa(last), "lane %s: the cpuset %q names CPU %d, and the last one of this machine is %d",
				l.App, *l.CPUSet, slices.Max(asked), last).At(at)
		}
	}
	return nil
}
