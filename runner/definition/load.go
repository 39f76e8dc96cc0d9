package definition

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/photofinish/photofinish/pkg/race"
)

// The load of a script that says nothing. k6's own default, one iteration, is no race.
const (
	defaultRate     = 50 // iterations per second and lane
	defaultDuration = race.DefaultDuration
)

// load fills the scenarios, the duration and the summary of the load.
func load(d *race.Definition, options map[string]json.RawMessage, s Script, o Overrides, leftOut []string) error {
	scenarios, err := parseScenarios(options)
	if err != nil {
		return err
	}
	scenarios = slices.DeleteFunc(scenarios, func(s race.Scenario) bool { return slices.Contains(leftOut, s.App) })
	for i := range scenarios {
		if err := checkExec(scenarios[i], s); err != nil {
			return err
		}
	}
	if err := checkApps(scenarios, d.Lanes); err != nil {
		return err
	}
	if err := overrideLoad(scenarios, d.Lanes, o); err != nil {
		return err
	}
	if d.Duration, err = overrideDuration(scenarios, o.Duration, o.MostDuration); err != nil {
		return err
	}
	d.Scenarios = scenarios
	d.Load, err = summary(scenarios, d.Lanes[0].App, d.Duration)
	return err
}

func parseScenarios(options map[string]json.RawMessage) ([]race.Scenario, error) {
	m, err := object(options, "options", "scenarios")
	if err != nil {
		return nil, err
	}
	if len(m) == 0 {
		if m, err = fromShortcuts(options); err != nil {
			return nil, err
		}
	}
	var scenarios []race.Scenario
	for _, name := range slices.Sorted(maps.Keys(m)) {
		s, err := parseScenario(name, m[name])
		if err != nil {
			return nil, err
		}
		scenarios = append(scenarios, s)
	}
	return scenarios, nil
}

// fromShortcuts builds the one scenario of a script without scenarios from vus, duration, iterations and stages, as k6 does.
func fromShortcuts(options map[string]json.RawMessage) (map[string]json.RawMessage, error) {
	config := map[string]any{}
	keep := func(from, to string) {
		if !isNull(options[from]) {
			config[to] = options[from]
		}
	}
	given := func(key string) bool { return !isNull(options[key]) }
	switch {
	case given("stages"):
		config["executor"] = rampingVUs
		keep("stages", "stages")
		keep("vus", "startVUs")
	case given("iterations"):
		config["executor"] = sharedIterations
		keep("iterations", "iterations")
		keep("vus", "vus")
		keep("duration", "maxDuration")
	case given("vus"), given("duration"):
		config["executor"], config["vus"] = constantVUs, 1
		config["duration"] = defaultDuration.String()
		keep("vus", "vus")
		keep("duration", "duration")
	default:
		config["executor"], config["rate"] = constantArrivals, defaultRate
		config["duration"] = defaultDuration.String()
	}
	raw, err := json.Marshal(config)
	if err != nil {
		return nil, invalid("options", "the load is not readable: %v", err)
	}
	return map[string]json.RawMessage{"default": raw}, nil
}

func checkExec(s race.Scenario, script Script) error {
	where := "options.scenarios." + s.Name
	switch {
	case s.Exec == "default" && !script.HasDefault:
		return race.Errorf(race.Invalid, "export default a function, or name one in the scenario's exec",
			"%s: the script has no default function", where)
	case s.Exec != "default" && !slices.Contains(script.Exports, s.Exec):
		return race.Errorf(race.Invalid, first(didYouMean(s.Exec, script.Exports), "the script exports "+strings.Join(script.Exports, ", ")),
			"%s: exec names %q, which the script does not export", where, s.Exec)
	}
	return nil
}

// checkApps sees to it that every scenario has a lane and every lane a scenario.
func checkApps(scenarios []race.Scenario, lanes []race.LaneSpec) error {
	apps := appsOf(lanes)
	for _, s := range scenarios {
		if s.App != "" && !slices.Contains(apps, s.App) {
			return race.Errorf(race.Invalid, first(didYouMean(s.App, apps), "the lanes are "+strings.Join(apps, ", ")),
				"options.scenarios.%s: is tagged app %q, which is no lane", s.Name, s.App)
		}
	}
	for _, app := range apps {
		if len(Of(scenarios, app)) == 0 {
			return race.Errorf(race.Invalid, "tag a scenario with app: '"+app+"', or leave the tag app out to run a scenario for every lane",
				"lane %s has no scenario", app)
		}
	}
	return nil
}

// Of are the scenarios that are run for an app: its own and those without an app.
func Of(scenarios []race.Scenario, app string) []race.Scenario {
	var own []race.Scenario
	for _, s := range scenarios {
		if s.App == "" || s.App == app {
			own = append(own, s)
		}
	}
	return own
}

// overrideDuration scales the scenarios so that the longest ends at the asked time, and tells that time.
func overrideDuration(scenarios []race.Scenario, asked *time.Duration, most time.Duration) (time.Duration, error) {
	var longest time.Duration
	for _, s := range scenarios {
		t, err := TimesOf(s)
		if err != nil {
			return 0, err
		}
		longest = max(longest, t.End())
	}
	if asked == nil {
		return longest, checkDuration("the load of the script", longest, most)
	}
	if err := checkDuration("the load", *asked, most); err != nil {
		return 0, err
	}
	for _, s := range scenarios {
		if err := scale(s, float64(*asked)/float64(longest)); err != nil {
			return 0, err
		}
	}
	return *asked, nil
}

func checkDuration(what string, d, most time.Duration) error {
	if d < MinDuration || d > MaxDuration {
		return race.Errorf(race.Invalid, "", "%s lasts %v in each heat; it must be %v to %v", what, d, MinDuration, lower(MaxDuration, most)).At("load.duration")
	}
	return nil
}
