package definition

import "github.com/photofinish/photofinish/pkg/race"

// Peaks are the most VUs and the highest rate (iterations per second) that a lane's scenarios can reach together.
func Peaks(scenarios []race.Scenario, app string) (vus int64, rate float64, err error) {
	for _, s := range Of(scenarios, app) {
		r, err := RampOf(s)
		if err != nil {
			return 0, 0, err
		}
		if !s.Open() {
			vus += int64(r.Peak())
			continue
		}
		rate += r.Peak()
		most := int64(0)
		for _, key := range []string{"preAllocatedVUs", "maxVUs"} {
			n, err := integer(s.Config, "options.scenarios."+s.Name, key)
			if err != nil {
				return 0, 0, err
			}
			if n != nil {
				most = max(most, *n)
			}
		}
		vus += most
	}
	return vus, rate, nil
}
