package stopwatch_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/photofinish/photofinish/runner/k6/stream"
	"github.com/stretchr/testify/require"
)

func TestWithoutARaceK6IsAPlainK6(t *testing.T) {
	t.Parallel()
	server := app(t, false)
	for name, c := range map[string]struct {
		heatRun
		late float64 // how many of a second may come too late on a busy machine
	}{
		"a script without our parts": {heatRun: heatRun{script: fmt.Sprintf(`import http from 'k6/http';
export const options = { vus: 2, iterations: 10, summaryTrendStats: ['count'] };
export default function () { http.get(%q); }`, server.URL)}},
		"a script with all of our parts": {
			heatRun{
				args: []string{"--out", "photofinish"},
				script: script(`http.get(__ENV.APP_URL);`,
					scenario("fast", server.URL, `arrivals: 'even', rate: 10, duration: '1s', preAllocatedVUs: 2`)),
			}, 1,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := &c.heatRun
			r.run(t)
			require.NoError(t, r.err, r.output.String())
			require.NotContains(t, strings.ToLower(r.output.String()), "level=error")
			require.InDelta(t, 10, r.summary(t)["http_reqs"].Count, c.late)
		})
	}
}

func TestAConfigurationErrorNamesTheFieldAndStopsK6(t *testing.T) {
	t.Parallel()
	for complaint, settings := range map[string]string{
		"uniform, poisson or even":      `arrivals: 'bursts', rate: 1, duration: '2s', preAllocatedVUs: 1`,
		"rate must be more than 0":      `duration: '2s', preAllocatedVUs: 1`,
		"duration must be at least 1s":  `rate: 1, preAllocatedVUs: 1`,
		"preAllocatedVUs must be given": `rate: 1, duration: '2s'`,
		"not less than preAllocatedVUs": `rate: 1, duration: '2s', preAllocatedVUs: 3, maxVUs: 2`,
		"stage 1 needs":                 `rate: 1, duration: '2s', preAllocatedVUs: 3, stages: [{target: 3}]`,
		"timeUnit":                      `rate: 1, duration: '2s', preAllocatedVUs: 3, timeUnit: '1s'`,
	} {
		t.Run(complaint, func(t *testing.T) {
			t.Parallel()
			r := &heatRun{script: script(``, scenario("fast", "", settings))}
			r.run(t)
			require.Error(t, r.err)
			require.Contains(t, r.output.String(), complaint)
		})
	}
}

func TestAClosedModelTakesTurnsAndEndsWithItsDuration(t *testing.T) {
	t.Parallel()
	server := app(t, false)
	closed := func(app string) string {
		return fmt.Sprintf(`%q: {executor: 'constant-vus', vus: 3, duration: '3s', gracefulStop: '20s', exec: 'go', tags: {app: %q}, env: {APP_URL: %q}}`, app, app, server.URL)
	}
	r := &heatRun{
		args:   []string{"--out", "photofinish"},
		script: script(`http.get(__ENV.APP_URL); sleep(0.02);`, closed("fast"), closed("slow")),
		config: &stream.Config{RaceID: "r2", Heat: 1, Warmup: 500 * time.Millisecond, Lanes: []stream.Lane{
			{App: "fast", Blocks: []stream.Block{block(0, 500*time.Millisecond), block(1200*time.Millisecond, 1700*time.Millisecond)}},
			{App: "slow", Blocks: []stream.Block{block(600*time.Millisecond, 1100*time.Millisecond)}},
		}},
	}
	r.json = true
	began := time.Now()
	r.run(t)
	require.NoError(t, r.err, r.output.String())
	require.Less(t, time.Since(began), 12*time.Second, "the graceful stop is not used up")
	result := r.result(t)
	require.Equal(t, 3, result.Result["fast"].Race.MaxVUs)
	require.Equal(t, 3, result.Result["slow"].Warmup.MaxVUs)
	require.Equal(t, result.Result["fast"].Race.Requests, result.Result["fast"].Race.Iterations, "waiting VUs make no iterations of the race")
	require.Greater(t, result.Result["fast"].Race.Requests, result.Result["slow"].Race.Requests)
	require.Positive(t, result.Result["slow"].Race.Requests)
	for _, p := range r.points(t, "http_req_duration") {
		if p.Data.Tags["phase"] == "race" && p.Data.Tags["app"] == "slow" {
			at := p.Data.Time.Sub(r.raceStart)
			require.GreaterOrEqual(t, at, 600*time.Millisecond)
			require.Less(t, at, 1400*time.Millisecond)
		}
	}
	for _, e := range r.events {
		require.LessOrEqual(t, e.Progress["fast"].VUs, 3)
	}
}

func TestWhereNoWarmupWasAskedForNothingIsSentBeforeTheRace(t *testing.T) {
	t.Parallel()
	server := app(t, false)
	closed := fmt.Sprintf(`"closed": {executor: 'constant-vus', vus: 2, duration: '3s', exec: 'go', tags: {app: 'slow'}, env: {APP_URL: %q}}`, server.URL)
	lanes := []stream.Lane{{App: "fast", Blocks: []stream.Block{block(0, time.Second)}}, {App: "slow", Blocks: []stream.Block{block(0, time.Second)}}}
	r := &heatRun{
		args:   []string{"--out", "photofinish"},
		script: script(`http.get(__ENV.APP_URL); sleep(0.02);`, scenario("fast", server.URL, `rate: 100, duration: '10s', preAllocatedVUs: 5`), closed),
		config: &stream.Config{RaceID: "r9", Heat: 1, Lanes: lanes}, slow: 300 * time.Millisecond,
	}
	r.run(t)
	require.NoError(t, r.err, r.output.String())
	for app, lane := range r.result(t).Result {
		require.Zero(t, lane.Warmup.Iterations, app)
		require.Positive(t, lane.Race.Requests, app)
	}
	require.InDelta(t, 100, r.result(t).Result["fast"].Race.Requests, 1, "all of the race's load is sent")
}

func TestTooFewVUsDropIterationsThatAreCountedByLaneAndPhase(t *testing.T) {
	t.Parallel()
	slow := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { time.Sleep(100 * time.Millisecond) }))
	t.Cleanup(slow.Close)
	r := &heatRun{
		args:   []string{"--out", "photofinish"},
		script: script(`http.get(__ENV.APP_URL);`, scenario("slow", slow.URL, `rate: 50, duration: '10s', preAllocatedVUs: 1, maxVUs: 3`)),
		config: &stream.Config{RaceID: "r3", Heat: 1, Warmup: time.Second, Lanes: []stream.Lane{{App: "slow", Blocks: []stream.Block{block(0, 2*time.Second)}}}},
	}
	r.json = true
	r.run(t)
	require.NoError(t, r.err, r.output.String())
	race := r.result(t).Result["slow"].Race
	require.InDelta(t, 100, race.Requests+race.Dropped, 1, "every arrival is a request or dropped")
	require.Equal(t, 3, race.MaxVUs)
	require.Contains(t, r.output.String(), "Insufficient VUs")
	var dropped int64
	for _, p := range r.points(t, "dropped_iterations") {
		require.Equal(t, "slow", p.Data.Tags["app"])
		if p.Data.Tags["phase"] == "race" {
			dropped++
		}
	}
	require.Equal(t, race.Dropped, dropped)
}

func TestARampIsTheSameInItsBlocksAndWarmsUpAtItsFirstTarget(t *testing.T) {
	t.Parallel()
	server := app(t, false)
	r := &heatRun{
		args:   []string{"--out", "photofinish"},
		script: script(`http.get(__ENV.APP_URL);`, scenario("fast", server.URL, `rate: 0, stages: [{duration: '2s', target: 100}], duration: '10s', preAllocatedVUs: 10`)),
		config: &stream.Config{RaceID: "r4", Heat: 1, Warmup: time.Second, Lanes: []stream.Lane{
			{App: "fast", Blocks: []stream.Block{block(0, time.Second), block(1500*time.Millisecond, 2500*time.Millisecond)}},
		}},
	}
	r.json = true
	r.run(t)
	require.NoError(t, r.err, r.output.String())
	result := r.result(t).Result["fast"]
	require.InDelta(t, 100, result.Warmup.Requests+result.Warmup.Dropped, 3)
	first := 0
	for _, p := range r.points(t, "http_reqs") {
		if p.Data.Tags["phase"] == "race" && p.Data.Time.Sub(r.raceStart) < 1250*time.Millisecond {
			first++
		}
	}
	require.InDelta(t, 25, first, 3, "a quarter of the area lies in the first half")
	require.InDelta(t, 100, result.Race.Requests+result.Race.Dropped, 3)
}

func TestAProbeTellsWhichAddressesEachLaneReached(t *testing.T) {
	t.Parallel()
	fast, slow := app(t, false), app(t, false)
	once := func(app, url string) string {
		return fmt.Sprintf(`%q: {executor: 'per-vu-iterations', vus: 1, iterations: 1, exec: 'go', tags: {app: %q}, env: {APP_URL: %q}}`, app, app, url)
	}
	r := &heatRun{
		args:   []string{"--out", "photofinish"},
		script: script(`http.get(__ENV.APP_URL);`, once("fast", fast.URL), once("slow", slow.URL), once("stranger", fast.URL)),
		config: &stream.Config{RaceID: "r5", Probe: true, Lanes: []stream.Lane{{App: "fast"}, {App: "slow"}}},
	}
	r.run(t)
	require.NoError(t, r.err, r.output.String())
	result := r.result(t)
	require.Equal(t, map[string]int64{strings.TrimPrefix(fast.URL, "http://"): 1}, result.Result["fast"].Reached)
	require.Equal(t, map[string]int64{strings.TrimPrefix(slow.URL, "http://"): 1}, result.Result["slow"].Reached)
	require.EqualValues(t, 1, result.Foreign)
}

func TestK6StopsWhenItsRunnerIsGone(t *testing.T) {
	t.Parallel()
	server := app(t, false)
	r := &heatRun{
		hangUp: true,
		args:   []string{"--out", "photofinish"},
		script: script(`http.get(__ENV.APP_URL);`, scenario("fast", server.URL, `rate: 50, duration: '50s', preAllocatedVUs: 1`)),
		config: &stream.Config{RaceID: "r6", Heat: 1, Warmup: time.Second, Lanes: []stream.Lane{{App: "fast", Blocks: []stream.Block{block(0, 40*time.Second)}}}},
	}
	began := time.Now()
	r.run(t)
	require.Error(t, r.err)
	require.Less(t, time.Since(began), 20*time.Second)
	require.Contains(t, r.output.String(), "runner that started this k6 is gone")
}

func TestTheScriptMayAbortTheTest(t *testing.T) {
	t.Parallel()
	r := &heatRun{
		args:   []string{"--out", "photofinish"},
		script: script(`exec.test.abort('enough');`, scenario("fast", "", `rate: 50, duration: '50s', preAllocatedVUs: 1`)),
		config: &stream.Config{RaceID: "r7", Heat: 1, Warmup: time.Second, Lanes: []stream.Lane{{App: "fast", Blocks: []stream.Block{block(0, 40*time.Second)}}}},
	}
	began := time.Now()
	r.run(t)
	require.Error(t, r.err)
	require.Less(t, time.Since(began), 20*time.Second)
	require.Contains(t, r.output.String(), "enough")
	require.Contains(t, r.result(t).Result, "fast", "what was counted is told all the same")
}

func TestAnAppThatIsNoLaneIsRefused(t *testing.T) {
	t.Parallel()
	r := &heatRun{
		script: script(``, scenario("stranger", "", `rate: 50, duration: '5s', preAllocatedVUs: 1`)),
		config: &stream.Config{RaceID: "r8", Heat: 1, Lanes: []stream.Lane{{App: "fast", Blocks: []stream.Block{block(0, time.Second)}}}},
	}
	r.run(t)
	require.Error(t, r.err)
	require.Contains(t, r.output.String(), "app=\\\"stranger\\\"")
}

type summaryMetric struct{ Count, Passes, Fails int64 }

func (r *heatRun) summary(t *testing.T) map[string]summaryMetric {
	t.Helper()
	var summary struct {
		Metrics map[string]summaryMetric `json:"metrics"`
	}
	text, err := os.ReadFile(r.path("summary.json"))
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &summary))
	return summary.Metrics
}
