package definition

import (
	"encoding/json"
	"math"
	"time"

	"github.com/photofinish/photofinish/pkg/race"
)

// timeUnit is what an open model's rates are counted in; k6's default is a second.
func timeUnit(s race.Scenario) (time.Duration, error) {
	where := "options.scenarios." + s.Name
	unit, err := duration(s.Config, where, "timeUnit")
	if err != nil {
		return 0, err
	}
	if unit == nil {
		return time.Second, nil
	}
	if *unit == 0 {
		return 0, invalid(where+".timeUnit", "must be above 0")
	}
	return *unit, nil
}

// perSecond reads a rate of an open model, in iterations per second; 0 if the key is not there.
func perSecond(s race.Scenario, key string) (float64, error) {
	where := "options.scenarios." + s.Name
	rate, _, err := value[float64](s.Config, where, key, "a number")
	if err != nil {
		return 0, err
	}
	if rate < 0 {
		return 0, invalid(where+"."+key, "is %v; it must not be negative", rate)
	}
	unit, err := timeUnit(s)
	if err != nil {
		return 0, err
	}
	return rate / unit.Seconds(), nil
}

// summary says in a few numbers what load a lane gets: the sum over its scenarios, rates as the mean over the heat.
// The executor is that of the lane's first scenario.
func summary(scenarios []race.Scenario, app string, whole time.Duration) (race.Load, error) {
	l := race.Load{DurationMS: float64(whole) / float64(time.Millisecond)}
	var rate float64
	var vus int64
	for _, s := range Of(scenarios, app) {
		if l.Executor == "" {
			l.Executor = s.Executor
		}
		if s.Open() {
			n, err := planned(s)
			if err != nil {
				return l, err
			}
			rate += n / whole.Seconds()
			continue
		}
		n, err := mostVUs(s)
		if err != nil {
			return l, err
		}
		vus += n
	}
	if rate > 0 {
		l.Rate = &rate
	}
	if vus > 0 {
		l.VUs = &vus
	}
	return l, nil
}

// planned is how many iterations an open scenario begins.
func planned(s race.Scenario) (float64, error) {
	length, err := Length(s)
	if err != nil {
		return 0, err
	}
	if s.Executor == constantArrivals {
		rate, err := perSecond(s, "rate")
		return rate * length.Seconds(), err
	}
	rate, err := perSecond(s, "startRate")
	if err != nil {
		return 0, err
	}
	unit, err := timeUnit(s)
	if err != nil {
		return 0, err
	}
	list, err := stages(s)
	if err != nil {
		return 0, err
	}
	var n float64
	for _, st := range list {
		d, err := stageLength(st, "options.scenarios."+s.Name)
		if err != nil {
			return 0, err
		}
		target := st.Target / unit.Seconds()
		n += (rate + target) / 2 * d.Seconds()
		rate = target
	}
	return n, nil
}

// mostVUs is the highest number of VUs that a closed scenario has at once; k6's default is 1.
func mostVUs(s race.Scenario) (int64, error) {
	where := "options.scenarios." + s.Name
	key := "vus"
	if s.Executor == rampingVUs {
		key = "startVUs"
	}
	n, err := integer(s.Config, where, key)
	if err != nil {
		return 0, err
	}
	most := int64(1)
	if n != nil {
		most = *n
	}
	list, err := stages(s)
	for _, st := range list {
		most = max(most, int64(math.Ceil(st.Target)))
	}
	return most, err
}

// scale stretches a scenario in time.
func scale(s race.Scenario, factor float64) error {
	where := "options.scenarios." + s.Name
	stretch := func(d time.Duration) string { return time.Duration(math.Round(float64(d) * factor)).String() }
	for _, key := range []string{"startTime", "duration", "maxDuration"} {
		d, err := duration(s.Config, where, key)
		if err != nil {
			return err
		}
		if d != nil {
			set(s.Config, key, stretch(*d))
		}
	}
	list, err := stages(s)
	if err != nil {
		return err
	}
	for i := range list {
		d, err := stageLength(list[i], where)
		if err != nil {
			return err
		}
		list[i].Duration = stretch(d)
	}
	if len(list) > 0 {
		set(s.Config, "stages", list)
		return nil
	}
	key := "duration"
	if s.Executor == sharedIterations || s.Executor == perVUIterations {
		key = "maxDuration"
	}
	if isNull(s.Config[key]) {
		set(s.Config, key, stretch(defaultDuration))
	}
	return nil
}

// set stores what JSON can always hold: texts, numbers and stages.
func set(m map[string]json.RawMessage, key string, v any) {
	if raw, err := json.Marshal(v); err == nil {
		m[key] = raw
	}
}
