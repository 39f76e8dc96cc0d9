package definition_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/definition"
)

const openLanes = `"ext": {"photofinish": {"find_capacity": "latency_p95<200, error_rate <= 0.01", "lanes": {"a": {"url": "http://h:1/"}, "b": {"url": "http://h:2/"}}}}`

func openScript(scenario, ext string) definition.Script {
	return definition.Script{Options: json.RawMessage(`{"scenarios": {"load": ` + scenario + `}, ` + ext + `}`), HasDefault: true, LaneOrder: []string{"a", "b"}}
}

const steady = `{"executor": "constant-arrival-rate", "rate": 600, "timeUnit": "1m", "duration": "10s", "preAllocatedVUs": 20, "maxVUs": 40, "env": {"X": "1"}, "tags": {"y": "2"}}`

func TestASearchForCapacitiesIsReadFromTheScriptOrAFlag(t *testing.T) {
	d, err := definition.Parse(openScript(steady, openLanes), "s.js", definition.Overrides{})
	require.NoError(t, err)
	require.Equal(t, []race.Condition{{Measure: "latency_p95", Op: "<", Value: 200}, {Measure: "error_rate", Op: "<=", Value: .01}}, d.Capacity)
	require.Equal(t, 1, d.Heats, "what is compared at one rate is not asked for")
	require.Equal(t, "latency_p95<200,error_rate<=0.01", race.Conditions(d.Capacity))

	heats := 12
	d, err = definition.Parse(openScript(steady, openLanes), "s.js", definition.Overrides{FindCapacity: "check_rate>0.99", Heats: &heats})
	require.NoError(t, err)
	require.Equal(t, []race.Condition{{Measure: "check_rate", Op: ">", Value: .99}}, d.Capacity)
	require.Equal(t, 12, d.Heats)
	rate, err := definition.RateOf(d, "b")
	require.NoError(t, err)
	require.InDelta(t, 10, rate, 0, "600 a minute")
}

func TestEachLaneRunsAtItsOwnRate(t *testing.T) {
	d, err := definition.Parse(openScript(steady, openLanes), "s.js", definition.Overrides{})
	require.NoError(t, err)
	at, err := definition.AtRates(d, map[string]float64{"b": 25})
	require.NoError(t, err)
	require.Len(t, at.Lanes, 1)
	require.Len(t, at.Scenarios, 1)
	s := at.Scenarios[0]
	require.Equal(t, []string{"b", "b-load", "constant-arrival-rate", "default"}, []string{s.App, s.Name, s.Executor, s.Exec})
	text, err := json.Marshal(s.Config)
	require.NoError(t, err)
	require.JSONEq(t, `{"rate": 25, "duration": "10s", "preAllocatedVUs": 50, "maxVUs": 100, "env": {"X": "1"}, "tags": {"y": "2"}}`, string(text), "VUs grow with the rate")
	require.Len(t, d.Lanes, 2)
	require.JSONEq(t, "600", string(d.Scenarios[0].Config["rate"]), "the race's own definition stays")

	at, err = definition.AtRates(d, map[string]float64{"b": 100_000})
	require.NoError(t, err)
	require.JSONEq(t, `[1000, 1000]`, "["+string(at.Scenarios[0].Config["preAllocatedVUs"])+", "+string(at.Scenarios[0].Config["maxVUs"])+"]", "what no app holds takes no more")
	d.Most.VUs = 30
	at, err = definition.AtRates(d, map[string]float64{"b": 25})
	require.NoError(t, err)
	require.JSONEq(t, `[30, 30]`, "["+string(at.Scenarios[0].Config["preAllocatedVUs"])+", "+string(at.Scenarios[0].Config["maxVUs"])+"]", "a service's limit")
	d.Most.VUs = 0

	both, err := definition.AtRates(d, map[string]float64{"a": 5, "b": 25})
	require.NoError(t, err)
	require.Len(t, both.Scenarios, 2)
	rate, err := definition.RateOf(both, "a")
	require.NoError(t, err)
	require.InDelta(t, 5, rate, 0)
}

func TestASearchThatCannotBeSaysWhatWould(t *testing.T) {
	for name, c := range map[string]struct {
		scenario, ext string
		says, hint    string
	}{
		"closed": {`{"executor": "constant-vus", "vus": 2, "duration": "10s"}`, openLanes, "the load of load (constant-vus) depends on the answers", "race with --rate N"},
		"ramp": {
			`{"executor": "ramping-arrival-rate", "startRate": 10, "stages": [{"duration": "10s", "target": 20}], "preAllocatedVUs": 5}`, openLanes, "the rate of load changes, so there is none to start from", "constant-arrival-rate",
		},
		"late":    {`{"executor": "constant-arrival-rate", "rate": 20, "startTime": "2s", "duration": "8s", "preAllocatedVUs": 5}`, openLanes, "load does not start with the heat", "startTime"},
		"too few": {`{"executor": "constant-arrival-rate", "rate": 2, "duration": "4s", "preAllocatedVUs": 5}`, openLanes, "fewer than 10 iterations in a heat of 4s", "higher rate"},
		"two scenarios": {
			steady + `, "more": ` + steady, openLanes, "lane a has 2", "one scenario",
		},
		"another k6": {
			steady, `"ext": {"photofinish": {"k6": {"image": "grafana/k6:2.2.0"}, "find_capacity": "latency_p95<1", "lanes": {"a": {"url": "http://h:1/"}, "b": {"url": "http://h:2/"}}}}`, "the k6 of an image cannot search a capacity", "leave k6 out",
		},
		"an expression": {
			steady, `"ext": {"photofinish": {"measures": {"x": {"expr": "sum by (app) (up)"}}, "find_capacity": "x<1", "lanes": {"a": {"url": "http://h:1/"}, "b": {"url": "http://h:2/"}}}}`, "x is asked of Prometheus", "measure of the contract",
		},
		"no text": {steady, `"ext": {"photofinish": {"find_capacity": ["latency_p95<1"], "lanes": {"a": {"url": "http://h:1/"}, "b": {"url": "http://h:2/"}}}}`, "find_capacity", ""},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := definition.Parse(openScript(c.scenario, c.ext), "s.js", definition.Overrides{})
			require.Error(t, err)
			require.Equal(t, race.Invalid, race.CodeOf(err))
			require.Contains(t, err.Error(), c.says)
			require.Contains(t, race.HintOf(err), c.hint)
		})
	}
}

func TestMetricsOfTheScriptMayBeConditionsOnceTheyAreDeclared(t *testing.T) {
	ext := `"ext": {"photofinish": {"measures": {"checkout": {"unit": "ms", "better": "lower"}}, "find_capacity": "checkout_p95<1", "minimum_effect": {"capacity": 0.1}, "lanes": {"a": {"url": "http://h:1/"}, "b": {"url": "http://h:2/"}}}}`
	d, err := definition.Parse(openScript(steady, ext), "s.js", definition.Overrides{})
	require.NoError(t, err)
	require.Equal(t, "checkout_p95", d.Capacity[0].Measure)
	require.InDelta(t, .1, d.MinimumEffect.Of["capacity"], 0)
}

func FuzzConditions(f *testing.F) {
	for _, text := range []string{"latency_p95<200,error_rate<0.01", "a<", ",", "latency_p95<NaN", "latency_p95 >= -1e3"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		list, err := definition.Conditions(text, nil)
		require.Error(t, err, "no measure is known: %v", list)
	})
}
