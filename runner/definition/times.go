package definition

import (
	"encoding/json"
	"time"

	"github.com/photofinish/photofinish/pkg/race"
)

// Times is when a scenario gives load, in the active time of its lane.
type Times struct {
	Start  time.Duration
	Length time.Duration
}

// End is when the load ends.
func (t Times) End() time.Duration { return t.Start + t.Length }

// TimesOf reads the times of a scenario. Its length is its duration, the sum of its stages, or for a number of iterations its
// maxDuration; a scenario that says nothing lasts the default of 10 s.
func TimesOf(s race.Scenario) (Times, error) {
	where := "options.scenarios." + s.Name
	var t Times
	begin, err := duration(s.Config, where, "startTime")
	if err != nil {
		return t, err
	}
	if begin != nil {
		t.Start = *begin
	}
	t.Length, err = length(s, where)
	return t, err
}

func length(s race.Scenario, where string) (time.Duration, error) {
	if ramps(s) {
		r, err := RampOf(s)
		if err != nil {
			return 0, err
		}
		var sum time.Duration
		for _, st := range r.Stages {
			if sum += st.Duration; sum > MaxDuration {
				break
			}
		}
		if sum <= 0 || sum > MaxDuration {
			return 0, invalid(where+".stages", "must last above 0 and at most %v together", MaxDuration)
		}
		return sum, nil
	}
	key := lengthKey(s)
	d, err := duration(s.Config, where, key)
	switch {
	case err != nil:
		return 0, err
	case d == nil:
		return defaultDuration, nil
	case *d == 0:
		return 0, invalid(where+"."+key, "must be above 0")
	}
	return *d, nil
}

func ramps(s race.Scenario) bool { return s.Executor == rampingArrivals || s.Executor == rampingVUs }

// lengthKey names the key that bounds a scenario without stages.
func lengthKey(s race.Scenario) string {
	if s.Executor == sharedIterations || s.Executor == perVUIterations {
		return "maxDuration"
	}
	return "duration"
}

// Ramp is a scenario's rate (iterations per second) or number of VUs over time: Start, then linear stages.
type Ramp struct {
	Start  float64
	Stages []Stage
}

// Stage is a linear change to Target within Duration; a Duration of 0 is a jump.
type Stage struct {
	Duration time.Duration
	Target   float64
}

// First is the first value above 0, 0 if there is none.
func (r Ramp) First() float64 {
	if r.Start > 0 {
		return r.Start
	}
	for _, s := range r.Stages {
		if s.Target > 0 {
			return s.Target
		}
	}
	return 0
}

// Peak is the highest value.
func (r Ramp) Peak() float64 {
	peak := r.Start
	for _, s := range r.Stages {
		peak = max(peak, s.Target)
	}
	return peak
}

// sum integrates over seconds.
func (r Ramp) sum() float64 {
	var n float64
	value := r.Start
	for _, s := range r.Stages {
		n += (value + s.Target) / 2 * s.Duration.Seconds()
		value = s.Target
	}
	return n
}

// RampOf reads how much load a scenario gives: rates of open models are per second whatever their timeUnit; k6's defaults are
// startRate 0, startVUs 1 and vus 1.
func RampOf(s race.Scenario) (Ramp, error) {
	where := "options.scenarios." + s.Name
	key, start, perSecond := "vus", 1.0, 1.0
	switch s.Executor {
	case constantArrivals:
		key, start = "rate", 0
	case rampingArrivals:
		key, start = "startRate", 0
	case rampingVUs:
		key = "startVUs"
	}
	if s.Open() {
		unit, err := duration(s.Config, where, "timeUnit")
		if err != nil {
			return Ramp{}, err
		}
		if unit != nil {
			if *unit == 0 {
				return Ramp{}, invalid(where+".timeUnit", "must be above 0")
			}
			perSecond = unit.Seconds()
		}
	}
	v, given, err := value[float64](s.Config, where, key, "a number")
	if err != nil {
		return Ramp{}, err
	}
	if given {
		start = v
	}
	r := Ramp{Start: start / perSecond}
	if !ramps(s) {
		return r, positive(r.Start, where+"."+key)
	}
	stages, _, err := value[[]map[string]json.RawMessage](s.Config, where, "stages", "a list of {duration, target}")
	if err != nil {
		return Ramp{}, err
	}
	for _, m := range stages {
		d, err := duration(m, where+".stages", "duration")
		if err != nil {
			return Ramp{}, err
		}
		if d == nil {
			return Ramp{}, invalid(where+".stages", "a stage has no duration")
		}
		target, _, err := value[float64](m, where+".stages", "target", "a number")
		if err != nil {
			return Ramp{}, err
		}
		if target < 0 {
			return Ramp{}, invalid(where+".stages", "the target %v is negative", target)
		}
		r.Stages = append(r.Stages, Stage{Duration: *d, Target: target / perSecond})
	}
	if r.Start < 0 {
		return Ramp{}, invalid(where+"."+key, "must not be negative")
	}
	return r, positive(r.Peak(), where)
}

func positive(v float64, where string) error {
	if v <= 0 {
		return invalid(where, "gives no load; it must be above 0 somewhere")
	}
	if v > maxRate {
		return invalid(where, "is %v; at most %d is possible", v, maxRate)
	}
	return nil
}
