package definition

import (
	"fmt"
	"maps"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/photofinish/photofinish/pkg/measure"
	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/capacity"
)

// maxConditions: what an app must keep to be fast enough are a few things.
const maxConditions = 10

// searchVUs is how many VUs a search may come to by itself, as many as an open model has that says nothing.
const searchVUs = 1000

const capacityForm = "write bounds on measures like 'latency_p95<200,error_rate<0.01', each in its measure's unit"

var conditionForm = regexp.MustCompile(`^\s*([A-Za-z_][A-Za-z0-9_]*)\s*(<=|>=|<|>)\s*(\S+)\s*$`)

// Conditions reads what a rate must keep to be held: "latency_p95<200,error_rate<0.01".
func Conditions(text string, set measure.Set) ([]race.Condition, error) {
	fail := func(hint, format string, args ...any) error {
		return race.Errorf(race.Invalid, hint, "find_capacity: %s", fmt.Sprintf(format, args...)).At("find_capacity")
	}
	var list []race.Condition
	for part := range strings.SplitSeq(text, ",") {
		parts := conditionForm.FindStringSubmatch(part)
		if parts == nil {
			return nil, fail(capacityForm, "%q is no MEASURE<NUMBER", strings.TrimSpace(part))
		}
		m, err := set.ByID(parts[1])
		switch {
		case err != nil:
			return nil, fail(race.HintOf(err), "%v", err)
		case m.ID == race.CapacityMeasure:
			return nil, fail(capacityForm, "the capacity cannot be its own condition")
		case m.Custom.Type == race.Expression:
			return nil, fail("choose a measure of the contract, or a metric of the script that its measures declare", "%s is asked of Prometheus, which is told nothing while capacities are searched", m.ID)
		}
		v, err := strconv.ParseFloat(parts[3], 64)
		if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, fail(capacityForm, "%q in %q is no number (of %s)", parts[3], strings.TrimSpace(part), m.Unit)
		}
		list = append(list, race.Condition{Measure: m.ID, Op: parts[2], Value: v})
	}
	if len(list) > maxConditions {
		return nil, fail("", "has %d conditions; at most %d", len(list), maxConditions)
	}
	return list, nil
}

// findCapacity reads the conditions that a flag, a request or the script asks for, and sees to it that the load can be searched by them.
func findCapacity(d *race.Definition, text string) (err error) {
	if text == "" {
		return nil
	}
	if d.Capacity, err = Conditions(text, measure.Of(measure.Possible(d.Measures)...)); err != nil {
		return err
	}
	fail := func(hint, format string, args ...any) error {
		return race.Errorf(race.Invalid, hint, "find_capacity: %s", fmt.Sprintf(format, args...)).At("find_capacity")
	}
	if !d.K6.BuiltIn() {
		return fail("leave k6 out of the script: the one that is built in tells the runner what it could not send", "the k6 of an image cannot search a capacity")
	}
	for _, l := range d.Lanes {
		own := Of(d.Scenarios, l.App)
		switch {
		case l.Queue != nil:
			return fail("race workers at rates of your own instead", "lane %s is a worker: what it does not hold stays in its queue, so that one rate would be judged by another's messages", l.App)
		case len(own) != 1:
			return fail("leave one scenario for each lane", "the rate of a lane's one scenario is searched, but lane %s has %d", l.App, len(own))
		case !own[0].Open():
			return fail("race with --rate N (load.rate), or with the executor constant-arrival-rate: its rate is where the search starts",
				"the load of %s (%s) depends on the answers, so it has no rate to be held", own[0].Name, own[0].Executor)
		case ramps(own[0]):
			return fail("race with --rate N (load.rate), or with the executor constant-arrival-rate: its rate is where the search starts", "the rate of %s changes, so there is none to start from", own[0].Name)
		case tooFew(own[0], d.Duration):
			return fail("race at a higher rate, or for longer", "%s comes to fewer than %d iterations in a heat of %v, which say too little of its rate", own[0].Name, capacity.FewestIterations, d.Duration)
		case startsLater(own[0]):
			return fail("leave startTime out", "%s does not start with the heat", own[0].Name)
		}
	}
	return nil
}

func tooFew(s race.Scenario, heat time.Duration) bool {
	r, err := RampOf(s)
	return err == nil && r.Start*heat.Seconds() < capacity.FewestIterations
}

func startsLater(s race.Scenario) bool {
	t, err := TimesOf(s)
	return err == nil && t.Start > 0
}

// RateOf is the rate of a lane's one scenario, in iterations per second.
func RateOf(d race.Definition, app string) (float64, error) {
	own := Of(d.Scenarios, app)
	if len(own) != 1 {
		return 0, race.Errorf(race.Internal, "", "lane %s has %d scenarios", app, len(own))
	}
	r, err := RampOf(own[0])
	return r.Start, err
}

// boundVUs holds the VUs of a scenario, which grow with the rate, to most and, without that, to those of a search or the script's own. A VU takes some MB of k6's
// memory, and a rate that no app holds would take any number of them.
func boundVUs(s *race.Scenario, script race.Scenario, most int64) error {
	for _, key := range []string{"preAllocatedVUs", "maxVUs"} {
		where := "options.scenarios." + s.Name
		own, err := integer(script.Config, where, key)
		if err != nil {
			return err
		}
		n, err := integer(s.Config, where, key)
		if err != nil {
			return err
		}
		bound := int64(searchVUs)
		if own != nil {
			bound = max(bound, *own)
		}
		if most > 0 {
			bound = min(bound, most)
		}
		if n != nil && *n > bound || n == nil && most > 0 && key == "maxVUs" && isNull(s.Config["preAllocatedVUs"]) {
			set(s.Config, key, bound)
		}
	}
	return nil
}

// AtRates is the definition of a race in which only some lanes run, each at a constant rate of its own (iterations per second). Their VUs grow with the rate, to a bound.
func AtRates(d race.Definition, rates map[string]float64) (race.Definition, error) {
	lanes, scenarios := d.Lanes, d.Scenarios
	d.Lanes, d.Scenarios = nil, nil
	for _, l := range lanes {
		rate, runs := rates[l.App]
		if !runs {
			continue
		}
		d.Lanes = append(d.Lanes, l)
		for _, script := range Of(scenarios, l.App) {
			s := script
			s.App, s.Name, s.Config = l.App, l.App+"-"+s.Name, maps.Clone(s.Config)
			if err := overrideScenario(&s, Overrides{Rate: &rate}); err != nil {
				return d, err
			}
			if err := boundVUs(&s, script, d.Most.VUs); err != nil {
				return d, err
			}
			d.Scenarios = append(d.Scenarios, s)
		}
	}
	return d, nil
}
