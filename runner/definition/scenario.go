package definition

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/photofinish/photofinish/pkg/race"
)

// The executors of k6 that can be raced. externally-controlled cannot: nobody is there to control it.
const (
	constantArrivals = "constant-arrival-rate"
	rampingArrivals  = "ramping-arrival-rate"
	constantVUs      = "constant-vus"
	rampingVUs       = "ramping-vus"
	sharedIterations = "shared-iterations"
	perVUIterations  = "per-vu-iterations"
)

func executors() []string {
	return []string{constantArrivals, rampingArrivals, constantVUs, rampingVUs, sharedIterations, perVUIterations}
}

// stage is one stage of a ramping executor as k6 writes it.
type stage struct {
	Duration string  `json:"duration"`
	Target   float64 `json:"target"`
}

func parseScenario(name string, raw json.RawMessage) (race.Scenario, error) {
	where := "options.scenarios." + name
	s := race.Scenario{Name: name, Exec: "default"}
	m, err := fields(where, raw)
	if err != nil {
		return s, err
	}
	if s.Executor, err = text(m, where, "executor"); err != nil {
		return s, err
	}
	if !slices.Contains(executors(), s.Executor) {
		return s, race.Errorf(race.Invalid, first(didYouMean(s.Executor, executors()), "choose "+strings.Join(executors(), ", ")),
			"%s: executor %q cannot be raced", where, s.Executor)
	}
	if exec, err := text(m, where, "exec"); err != nil {
		return s, err
	} else if exec != "" {
		s.Exec = exec
	}
	tags, _, err := value[map[string]string](m, where, "tags", "an object of strings")
	if err != nil {
		return s, err
	}
	s.App = tags["app"]
	s.Config = map[string]json.RawMessage{}
	for key, v := range m {
		if key != "executor" && key != "exec" && !isNull(v) {
			s.Config[key] = v
		}
	}
	return s, checkScenario(s, where)
}

// checkScenario looks at the numbers that the race is planned with.
func checkScenario(s race.Scenario, where string) error {
	if _, err := duration(s.Config, where, "startTime"); err != nil {
		return err
	}
	if _, err := end(s); err != nil {
		return err
	}
	if s.Executor == constantArrivals {
		rate, err := perSecond(s, "rate")
		if err != nil {
			return err
		}
		if rate <= 0 {
			return invalid(where, "the rate must be above 0")
		}
	}
	for _, key := range []string{"vus", "startVUs", "iterations", "preAllocatedVUs", "maxVUs"} {
		n, err := integer(s.Config, where, key)
		if err != nil {
			return err
		}
		if n != nil && *n < 0 {
			return invalid(where+"."+key, "is %d; it must not be negative", *n)
		}
	}
	_, err := stages(s)
	return err
}

// end is when the scenario's load ends, counted from the start of the race.
func end(s race.Scenario) (time.Duration, error) {
	where := "options.scenarios." + s.Name
	begin, err := duration(s.Config, where, "startTime")
	if err != nil {
		return 0, err
	}
	lasts, err := Length(s)
	if err != nil {
		return 0, err
	}
	if begin != nil {
		lasts += *begin
	}
	return lasts, nil
}

// Length is how long the scenario gives load: its duration, the sum of its stages, or for a number of iterations its maxDuration.
// A scenario that says nothing lasts the default of 10 s.
func Length(s race.Scenario) (time.Duration, error) {
	where := "options.scenarios." + s.Name
	key := "duration"
	switch s.Executor {
	case rampingArrivals, rampingVUs:
		list, err := stages(s)
		if err != nil {
			return 0, err
		}
		var sum time.Duration
		for i := range list {
			d, err := stageLength(list[i], where)
			if err != nil {
				return 0, err
			}
			sum += d
		}
		if sum <= 0 || sum > MaxDuration {
			return 0, invalid(where+".stages", "last %v together; they must last above 0 and at most %v", sum, MaxDuration)
		}
		return sum, nil
	case sharedIterations, perVUIterations:
		key = "maxDuration"
	}
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

func stages(s race.Scenario) ([]stage, error) {
	where := "options.scenarios." + s.Name
	raw, _, err := value[[]map[string]json.RawMessage](s.Config, where, "stages", "a list of {duration, target}")
	if err != nil {
		return nil, err
	}
	var list []stage
	for _, m := range raw {
		d, err := duration(m, where+".stages", "duration")
		if err != nil {
			return nil, err
		}
		if d == nil {
			return nil, invalid(where+".stages", "a stage has no duration")
		}
		target, _, err := value[float64](m, where+".stages", "target", "a number")
		if err != nil {
			return nil, err
		}
		if target < 0 {
			return nil, invalid(where+".stages", "the target %v is negative", target)
		}
		list = append(list, stage{Duration: d.String(), Target: target})
	}
	return list, nil
}

func stageLength(s stage, where string) (time.Duration, error) {
	d, err := time.ParseDuration(s.Duration)
	if err != nil {
		return 0, invalid(where+".stages", "the duration %q is not readable", s.Duration)
	}
	return d, nil
}
