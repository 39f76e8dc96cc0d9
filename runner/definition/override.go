package definition

import (
	"encoding/json"
	"math"
	"strconv"

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
		return race.Errorf(race.Invalid, "", "vus is %d; it must be 1 to %d", *o.VUs, lower(maxVUs, o.Most.VUs)).At("load.vus")
	}
	if o.Rate != nil && (math.IsNaN(*o.Rate) || *o.Rate <= 0 || *o.Rate > maxRate) {
		return race.Errorf(race.Invalid, "", "rate is %v; it must be above 0 and at most %s", *o.Rate, strconv.FormatFloat(lower(maxRate, o.Most.Rate), 'f', -1, 64)).At("load.rate")
	}
	for _, l := range lanes {
		if n := len(Of(scenarios, l.App)); n > 1 {
			return race.Errorf(race.Invalid, "change the rates and VUs in the script instead",
				"vus and rate set the load of a lane's one scenario, but lane %s has %d", l.App, n).At(loadField(o))
		}
	}
	for i := range scenarios {
		if err := overrideScenario(&scenarios[i], o); err != nil {
			return err
		}
	}
	return nil
}

// loadField is the key that an override of the load comes from; of both the rate decides.
func loadField(o Overrides) string {
	if o.Rate != nil {
		return "load.rate"
	}
	return "load.vus"
}

func overrideScenario(s *race.Scenario, o Overrides) error {
	switch {
	case o.Rate != nil:
		vus, err := moreVUs(*s, *o.Rate)
		if err != nil {
			return err
		}
		if err := become(s, constantArrivals); err != nil {
			return err
		}
		set(s.Config, "rate", *o.Rate)
		for key, n := range vus {
			set(s.Config, key, n)
		}
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
	t, err := TimesOf(*s)
	if err != nil {
		return err
	}
	kept := map[string]json.RawMessage{}
	for _, key := range []string{"startTime", "gracefulStop", "env", "tags", "options"} {
		if !isNull(s.Config[key]) {
			kept[key] = s.Config[key]
		}
	}
	s.Executor, s.Config = executor, kept
	set(s.Config, "duration", t.Length.String())
	return nil
}

// moreVUs are the script's VUs of an open model, raised in proportion where the rate was raised.
func moreVUs(s race.Scenario, rate float64) (map[string]int64, error) {
	r, err := RampOf(s)
	if err != nil || !s.Open() {
		return nil, err
	}
	vus := map[string]int64{}
	for _, key := range []string{"preAllocatedVUs", "maxVUs"} {
		n, err := integer(s.Config, "options.scenarios."+s.Name, key)
		if err != nil {
			return nil, err
		}
		if n != nil {
			vus[key] = min(maxVUs, int64(math.Ceil(float64(*n)*max(1, rate/r.Peak()))))
		}
	}
	return vus, nil
}
