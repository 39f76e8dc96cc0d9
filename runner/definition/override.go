package definition

import (
	"encoding/json"
	"math"

	"github.com/photofinish/photofinish/pkg/race"
)

// The bounds of --vus and --rate: what one k6 process can be asked for on any machine.
const (
	maxVUs  = 100_000
	maxRate = 1_000_000 // per second
)

// overrideLoad puts --vus and --rate in the place of the script's.
func overrideLoad(scenarios []race.Scenario, lanes []race.LaneSpec, o Overrides) error {
	if o.VUs == nil && o.Rate == nil {
		return nil
	}
	if o.VUs != nil && (*o.VUs < 1 || *o.VUs > maxVUs) {
		return race.Errorf(race.Invalid, "", "vus is %d; it must be 1 to %d", *o.VUs, maxVUs)
	}
	if o.Rate != nil && (math.IsNaN(*o.Rate) || *o.Rate <= 0 || *o.Rate > maxRate) {
		return race.Errorf(race.Invalid, "", "rate is %v; it must be above 0 and at most %d", *o.Rate, maxRate)
	}
	for _, l := range lanes {
		if n := len(Of(scenarios, l.App)); n > 1 {
			return race.Errorf(race.Invalid, "change the rates and VUs in the script instead",
				"--vus and --rate set the load of a lane's one scenario, but lane %s has %d", l.App, n)
		}
	}
	for i := range scenarios {
		if err := overrideScenario(&scenarios[i], o); err != nil {
			return err
		}
	}
	return nil
}

func overrideScenario(s *race.Scenario, o Overrides) error {
	switch {
	case o.Rate != nil:
		if err := become(s, constantArrivals); err != nil {
			return err
		}
		set(s.Config, "rate", *o.Rate)
		if o.VUs != nil {
			set(s.Config, "preAllocatedVUs", *o.VUs)
			set(s.Config, "maxVUs", *o.VUs)
		}
	case s.Open():
		if err := become(s, constantVUs); err != nil {
			return err
		}
		set(s.Config, "vus", *o.VUs)
	case s.Executor == rampingVUs:
		return rampTo(s, *o.VUs)
	default:
		set(s.Config, "vus", *o.VUs)
	}
	return nil
}

// become keeps of a scenario what every executor has, and how long it lasts.
func become(s *race.Scenario, executor string) error {
	length, err := Length(*s)
	if err != nil {
		return err
	}
	kept := map[string]json.RawMessage{}
	for _, key := range []string{"startTime", "gracefulStop", "env", "tags", "options"} {
		if !isNull(s.Config[key]) {
			kept[key] = s.Config[key]
		}
	}
	if executor == s.Executor { // the same model with another rate keeps its VUs
		for _, key := range []string{"preAllocatedVUs", "maxVUs"} {
			if !isNull(s.Config[key]) {
				kept[key] = s.Config[key]
			}
		}
	}
	s.Executor, s.Config = executor, kept
	set(s.Config, "duration", length.String())
	return nil
}

// rampTo keeps the shape of a ramp and sets its peak.
func rampTo(s *race.Scenario, peak int64) error {
	most, err := mostVUs(*s)
	if err != nil {
		return err
	}
	list, err := stages(*s)
	if err != nil {
		return err
	}
	start, err := integer(s.Config, "options.scenarios."+s.Name, "startVUs")
	if err != nil {
		return err
	}
	factor := float64(peak) / float64(max(1, most))
	for i := range list {
		list[i].Target = math.Round(list[i].Target * factor)
	}
	set(s.Config, "stages", list)
	if start != nil {
		set(s.Config, "startVUs", int64(math.Round(float64(*start)*factor)))
	}
	return nil
}
