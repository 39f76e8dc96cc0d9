package definition

import (
	"encoding/json"
	"slices"
	"strings"

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
	exec, err := text(m, where, "exec")
	if err != nil {
		return s, err
	}
	s.Exec = first(exec, s.Exec)
	tags, _, err := value[map[string]string](m, where, "tags", "an object of strings")
	if err != nil {
		return s, err
	}
	if _, _, err := value[map[string]string](m, where, "env", "an object of strings"); err != nil {
		return s, err
	}
	s.App = tags["app"]
	s.Config = map[string]json.RawMessage{}
	for key, v := range m {
		if key != "executor" && key != "exec" && !isNull(v) {
			s.Config[key] = v
		}
	}
	return s, checkNumbers(s, where)
}

// checkNumbers looks at the numbers that are handed to k6 or planned with.
func checkNumbers(s race.Scenario, where string) error {
	for _, key := range []string{"vus", "startVUs", "iterations", "preAllocatedVUs", "maxVUs"} {
		n, err := integer(s.Config, where, key)
		if err != nil {
			return err
		}
		if n != nil && (*n < 0 || (key != "iterations" && *n > maxVUs)) {
			return invalid(where+"."+key, "is %d; that is not possible", *n)
		}
	}
	if _, err := TimesOf(s); err != nil {
		return err
	}
	_, err := RampOf(s)
	return err
}
