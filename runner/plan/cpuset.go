package plan

import (
	"strconv"
	"strings"

	"github.com/photofinish/photofinish/pkg/race"
)

// CheckSets says which lane asks for a CPU beyond the last one of this machine. Lanes on other machines may ask for others.
func CheckSets(lanes []race.LaneSpec, last int) error {
	for _, l := range lanes {
		if l.Remote || l.CPUSet == nil {
			continue
		}
		if n := highest(*l.CPUSet); n > last {
			return race.Errorf(race.Invalid, "name CPUs from 0 to "+strconv.Itoa(last), "lane %s: the cpuset %q names CPU %d, and the last one of this machine is %d",
				l.App, *l.CPUSet, n, last).At("lanes." + l.App + ".cpuset")
		}
	}
	return nil
}

// highest is the highest number in the kernel's list format ("0-1,3").
func highest(set string) int {
	most := 0
	for number := range strings.FieldsFuncSeq(set, func(r rune) bool { return r == ',' || r == '-' }) {
		n, _ := strconv.Atoi(number) // a definition has digits only; too many are the highest number
		most = max(most, n)
	}
	return most
}
