package definition_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/definition"
	"github.com/stretchr/testify/require"
)

const twoLanes = `"lanes": {
  "control": {"command": ["control"], "image": "photofinish/control", "port": 4000, "path": "/control", "cpus": 0.5, "memory": "128m"},
  "slow": {"command": "slow --wait 100ms", "port": 4001, "path": "slow", "cpuset": "0-1,3", "memory": 67108864, "env": {"A": "b", "N": 1}, "health": {"path": "/up", "timeout": "5s"}}
}`

// script is a script with a default function whose options have the given keys and options.ext.photofinish.
func script(photofinish, options string) definition.Script {
	if options != "" {
		options += ","
	}
	return definition.Script{
		Options: json.RawMessage(fmt.Sprintf(`{%s "ext": {"photofinish": {%s}}}`, options, photofinish)),
		Exports: []string{"default", "browse"}, HasDefault: true,
	}
}

func parse(t *testing.T, photofinish, options string, o definition.Overrides) race.Definition {
	t.Helper()
	d, err := definition.Parse(script(photofinish, options), "tests/ab.test.js", o)
	require.NoError(t, err)
	return d
}

func ptr[T any](v T) *T { return &v }

func TestAScriptsLanesAndSettingsAreRead(t *testing.T) {
	s := script(twoLanes+`, "baseline": "slow", "heats": 8, "warmup": "1s", "mode": "turns", "arrivals": "poisson", "name": "nightly", "minimum_effect": 0.05, "primary": ["latency_p95"], "k6": {"image": "grafana/k6:2.2.0"}`,
		`"vus": null, "insecureSkipTLSVerify": true, "hosts": {"a": "1.2.3.4"}, "thresholds": {"http_req_failed": ["rate<0.1"]}`)
	s.LaneOrder = []string{"slow", "control"}
	d, err := definition.Parse(s, "tests/ab.js", definition.Overrides{})
	require.NoError(t, err)

	require.Equal(t, "nightly", d.Name)
	require.Equal(t, "slow", d.Baseline)
	require.Equal(t, 8, d.Heats)
	require.Equal(t, time.Second, d.Warmup)
	require.Equal(t, race.Turns, d.Mode)
	require.Equal(t, race.Poisson, d.Arrivals)
	require.Equal(t, race.Effects{All: 0.05}, d.MinimumEffect)
	require.Equal(t, []string{"latency_p95"}, d.Primary)
	require.Equal(t, "grafana/k6:2.2.0", d.K6.Image)
	require.Equal(t, map[string]json.RawMessage{"insecureSkipTLSVerify": []byte("true"), "hosts": []byte(`{"a": "1.2.3.4"}`)}, d.Options)
	require.JSONEq(t, `["rate<0.1"]`, string(d.Thresholds["http_req_failed"]))

	set, memory, cpus := "0-1,3", int64(64<<20), 0.5
	require.Equal(t, race.LaneSpec{
		App: "slow", Command: []string{"slow", "--wait", "100ms"}, Port: 4001, Path: "/slow",
		Resources: race.Resources{CPUSet: &set, Memory: &memory}, Env: map[string]string{"A": "b", "N": "1"},
		Health: race.Health{Path: "/up", Timeout: 5 * time.Second},
	}, d.Lanes[0], "the lanes are in the script's order")
	memory128 := int64(128 << 20)
	require.Equal(t, race.LaneSpec{
		App: "control", Command: []string{"control"}, Image: "photofinish/control", Port: 4000, Path: "/control",
		Resources: race.Resources{CPUs: &cpus, Memory: &memory128},
	}, d.Lanes[1])
}

func TestLanesSayWhereTheirProfilesComeFrom(t *testing.T) {
	profiled := lane(`"url": "http://localhost:1", "profile": {"pprof": "/debug/pprof", "pyroscope": "http://pyroscope:4040"}`)
	d := parse(t, profiled, "", definition.Overrides{})
	require.Equal(t, race.ProfileSpec{Pprof: "/debug/pprof", Pyroscope: "http://pyroscope:4040"}, d.Lanes[1].Profile)
	require.Equal(t, 1, d.ProfileHeats)
	require.Equal(t, 3, parse(t, profiled+`, "profile_heats": 3`, "", definition.Overrides{}).ProfileHeats)
	require.Zero(t, parse(t, profiled+`, "profile_heats": 0`, "", definition.Overrides{}).ProfileHeats)
	require.Zero(t, parse(t, twoLanes+`, "profile_heats": 3`, "", definition.Overrides{}).ProfileHeats, "nobody is to be profiled")
	require.Zero(t, parse(t, lane(`"url": "http://localhost:1", "profile": {"pyroscope": "http://pyroscope:4040"}`), "", definition.Overrides{}).ProfileHeats, "the app profiles itself")
}

func TestAK6InPodsSaysHowManyAndWhatEachMayUse(t *testing.T) {
	d := parse(t, twoLanes+`, "k6": {"image": "grafana/k6:1.8.0", "pods": 4, "cpus": 1.5, "memory": "1g"}`, "", definition.Overrides{})
	require.Equal(t, race.K6Spec{Image: "grafana/k6:1.8.0", Pods: 4, Resources: race.Resources{CPUs: ptr(1.5), Memory: ptr(int64(1 << 30))}}, d.K6)
	require.True(t, d.K6.Remote())
}

func TestAScriptThatSaysLittleGetsTheDefaults(t *testing.T) {
	d := parse(t, twoLanes, "", definition.Overrides{})
	require.Equal(t, "ab.test", d.Name)
	require.Equal(t, "control", d.Baseline)
	require.Equal(t, race.DefaultHeats, d.Heats)
	require.Equal(t, race.DefaultWarmup, d.Warmup)
	require.Equal(t, race.Auto, d.Mode)
	require.Equal(t, race.Uniform, d.Arrivals)
	require.True(t, d.K6.BuiltIn())
	require.Equal(t, 10*time.Second, d.Duration)
	require.Len(t, d.Scenarios, 1)
	require.True(t, d.Scenarios[0].Open())
	require.Equal(t, race.Load{Executor: "constant-arrival-rate", Rate: ptr(50.0), DurationMS: 10_000}, d.Load)
}

func TestFlagsOverrideTheScript(t *testing.T) {
	d := parse(t, twoLanes+`, "heats": 8, "warmup": "1s", "mode": "turns", "baseline": "slow"`, "", definition.Overrides{
		Heats: ptr(2), Warmup: ptr(time.Duration(0)), Mode: "together", Arrivals: "even", Baseline: "control", Name: "mine",
	})
	require.Equal(t, 2, d.Heats)
	require.Zero(t, d.Warmup)
	require.Equal(t, race.Together, d.Mode)
	require.Equal(t, race.Even, d.Arrivals)
	require.Equal(t, "control", d.Baseline)
	require.Equal(t, "mine", d.Name)
}

func TestALaneFlagReplacesHowAnAppIsReached(t *testing.T) {
	d := parse(t, twoLanes, "", definition.Overrides{Lanes: []string{"slow=http://10.0.0.1:80/x", "new=https://example.org"}})
	require.Len(t, d.Lanes, 3)
	require.Equal(t, "control", d.Lanes[0].App)
	require.Equal(t, []string{"control"}, d.Lanes[0].Command, "a lane that is not named is kept")
	require.Equal(t, race.LaneSpec{App: "slow", URL: "http://10.0.0.1:80/x", Health: race.Health{Path: "/up", Timeout: 5 * time.Second}}, d.Lanes[1])
	require.Equal(t, race.LaneSpec{App: "new", URL: "https://example.org"}, d.Lanes[2])

	alone := parse(t, "", "", definition.Overrides{Lanes: []string{"a=http://localhost:1", "b=http://localhost:2"}})
	require.Equal(t, "a", alone.Baseline)
}

func TestAWorkerHasQueuesAndNoAddress(t *testing.T) {
	d := parse(t, `"lanes": {
		"short": {"command": "w", "queue": "jobs", "cpus": 0.5},
		"long": {"image": "w", "port": 8080, "queue": {"requests": "http://q/1/a", "replies": "b"}, "health": "/up"},
		"running": {"queue": {"requests": "http://q/1/c"}}
	}`, "", definition.Overrides{})
	require.Equal(t, race.LaneSpec{App: "short", Command: []string{"w"}, Queue: &race.Queue{Requests: "jobs", Replies: "jobs-replies"}, Resources: race.Resources{CPUs: ptr(0.5)}}, d.Lanes[2])
	long := d.Lanes[0]
	require.Equal(t, &race.Queue{Requests: "http://q/1/a", Replies: "b"}, long.Queue)
	require.Equal(t, 8080, long.Port)
	require.False(t, long.Elsewhere())
	require.Equal(t, race.LaneSpec{App: "running", Queue: &race.Queue{Requests: "http://q/1/c", Replies: "http://q/1/c-replies"}}, d.Lanes[1])
	require.True(t, d.Lanes[1].Elsewhere())
}

func TestTheLoadIsSummedUp(t *testing.T) {
	for name, c := range map[string]struct {
		options string
		o       definition.Overrides
		want    race.Load
	}{
		"vus and duration are constant-vus":           {`"vus": 3, "duration": "20s"`, definition.Overrides{}, race.Load{Executor: "constant-vus", VUs: ptr(int64(3)), DurationMS: 20_000}},
		"stages are ramping-vus":                      {`"stages": [{"duration": "5s", "target": 4}, {"duration": "1s", "target": 0}]`, definition.Overrides{}, race.Load{Executor: "ramping-vus", VUs: ptr(int64(4)), DurationMS: 6_000}},
		"iterations are shared-iterations":            {`"iterations": 100, "vus": 2, "duration": "30s"`, definition.Overrides{}, race.Load{Executor: "shared-iterations", VUs: ptr(int64(2)), DurationMS: 30_000}},
		"a rate counts in its time unit":              {open(`"rate": 600, "timeUnit": "1m", "duration": "30s"`), definition.Overrides{}, race.Load{Executor: "constant-arrival-rate", Rate: ptr(10.0), DurationMS: 30_000}},
		"a ramp's rate is its mean":                   {`"scenarios": {"s": {"executor": "ramping-arrival-rate", "startRate": 0, "stages": [{"duration": "10s", "target": 100}]}}`, definition.Overrides{}, race.Load{Executor: "ramping-arrival-rate", Rate: ptr(50.0), DurationMS: 10_000}},
		"a duration stretches":                        {open(`"rate": 10, "duration": "30s"`), definition.Overrides{Duration: ptr(5 * time.Second)}, race.Load{Executor: "constant-arrival-rate", Rate: ptr(10.0), DurationMS: 5_000}},
		"a duration stretches a ramp":                 {`"stages": [{"duration": "5s", "target": 4}, {"duration": "5s", "target": 0}]`, definition.Overrides{Duration: ptr(4 * time.Second)}, race.Load{Executor: "ramping-vus", VUs: ptr(int64(4)), DurationMS: 4_000}},
		"a rate makes any model open":                 {`"vus": 3, "duration": "20s"`, definition.Overrides{Rate: ptr(12.5)}, race.Load{Executor: "constant-arrival-rate", Rate: ptr(12.5), DurationMS: 20_000}},
		"vus close an open model":                     {open(`"rate": 10, "duration": "30s"`), definition.Overrides{VUs: ptr(int64(7))}, race.Load{Executor: "constant-vus", VUs: ptr(int64(7)), DurationMS: 30_000}},
		"vus are the peak of a ramp":                  {`"stages": [{"duration": "5s", "target": 4}, {"duration": "5s", "target": 2}]`, definition.Overrides{VUs: ptr(int64(8))}, race.Load{Executor: "ramping-vus", VUs: ptr(int64(8)), DurationMS: 10_000}},
		"the longest scenario tells the duration":     {`"scenarios": {"a": {"executor": "constant-vus", "duration": "5s"}, "b": {"executor": "constant-vus", "vus": 2, "startTime": "4s", "duration": "5s"}}`, definition.Overrides{}, race.Load{Executor: "constant-vus", VUs: ptr(int64(3)), DurationMS: 9_000}},
		"only the first lane's scenarios are counted": {`"scenarios": {"a": {"executor": "constant-vus", "vus": 2, "tags": {"app": "control"}}, "b": {"executor": "constant-vus", "vus": 5, "tags": {"app": "slow"}}}`, definition.Overrides{}, race.Load{Executor: "constant-vus", VUs: ptr(int64(2)), DurationMS: 10_000}},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, c.want, parse(t, twoLanes, c.options, c.o).Load)
		})
	}
}

func open(config string) string {
	return `"scenarios": {"s": {"executor": "constant-arrival-rate", ` + config + `}}`
}

func TestAHigherRateBringsMoreVUs(t *testing.T) {
	d := parse(t, twoLanes, open(`"rate": 10, "duration": "5s", "preAllocatedVUs": 4, "maxVUs": 6`), definition.Overrides{Rate: ptr(25.0)})
	require.JSONEq(t, "10", string(d.Scenarios[0].Config["preAllocatedVUs"]))
	require.JSONEq(t, "15", string(d.Scenarios[0].Config["maxVUs"]))
	d = parse(t, twoLanes, open(`"rate": 10, "duration": "5s", "preAllocatedVUs": 4`), definition.Overrides{Rate: ptr(25.0), VUs: ptr(int64(3))})
	require.JSONEq(t, "3", string(d.Scenarios[0].Config["preAllocatedVUs"]))
}

func TestAScenarioKeepsWhatItSays(t *testing.T) {
	d := parse(t, twoLanes, `"scenarios": {"s": {"executor": "constant-vus", "exec": "browse", "gracefulStop": "3s", "startTime": null, "env": {"X": "1"}, "tags": {"team": "a"}}}`, definition.Overrides{})
	s := d.Scenarios[0]
	require.Equal(t, "browse", s.Exec)
	require.Empty(t, s.App)
	require.NotContains(t, s.Config, "startTime")
	require.JSONEq(t, `{"X": "1"}`, string(s.Config["env"]))
	require.JSONEq(t, `"3s"`, string(s.Config["gracefulStop"]))
}
