package stopwatch_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/photofinish/photofinish/runner/k6/stream"
	"github.com/stretchr/testify/require"
)

// scenario makes the scenario of a lane as the runner's wrapper does.
func scenario(app, url, settings string) string {
	return fmt.Sprintf(`%q: {executor: 'photofinish-arrivals', exec: 'go', tags: {app: %q}, env: {APP_URL: %q}, gracefulStop: '5s', %s}`, app, app, url, settings)
}

func script(body string, scenarios ...string) string {
	return `import http from 'k6/http';
import { check, sleep } from 'k6';
import exec from 'k6/execution';
import { arrive } from 'k6/x/photofinish';
export const options = { summaryTrendStats: ['count'], thresholds: {'http_reqs{app:slow}': [], 'http_reqs{app:fast}': [], 'checks{app:fast}': [], 'http_req_failed{app:fast}': []},
  scenarios: {` + strings.Join(scenarios, ",\n") + `} };
export function go() { if (!arrive()) { return; } ` + body + ` }
`
}

const visit = `check(http.get(__ENV.APP_URL), {'is ok': (r) => r.status === 200});`

func TestARaceInTurnsIsCountedExactlyAndKeepsToItsBlocks(t *testing.T) {
	t.Parallel()
	fast, slow := app(t, true), app(t, false)
	store := newReceiver(t)
	settings := `rate: 150, duration: '20s', preAllocatedVUs: 10, maxVUs: 20`
	r := &heatRun{
		script: script(visit, scenario("fast", fast.URL, settings), scenario("slow", slow.URL, settings+`, arrivals: 'poisson'`)),
		config: &stream.Config{
			RaceID: "r1", Heat: 3, Warmup: time.Second, Seed: 7, RemoteWriteURL: store.URL,
			Lanes: []stream.Lane{
				{App: "fast", URL: fast.URL, Blocks: []stream.Block{block(0, time.Second), block(2200*time.Millisecond, 3200*time.Millisecond)}},
				{App: "slow", URL: slow.URL, Blocks: []stream.Block{block(1100*time.Millisecond, 2100*time.Millisecond), block(3300*time.Millisecond, 4300*time.Millisecond)}},
			},
		},
	}
	r.args, r.json = []string{"--out", "photofinish"}, true
	r.run(t)
	require.NoError(t, r.err, r.output.String())
	result := r.result(t)
	require.Less(t, result.At.Sub(r.raceStart), 6*time.Second, "k6 ends when the blocks are over, not when the scenario's duration is")

	t.Run("the counts are those of k6's own summary", func(t *testing.T) {
		summary := r.summary(t)
		for app, lane := range result.Result {
			require.Equal(t, summary["http_reqs{app:"+app+"}"].Count, lane.Warmup.Requests+lane.Race.Requests, app)
		}
		lane := result.Result["fast"]
		require.Positive(t, lane.Race.Failed)
		require.Equal(t, summary["http_req_failed{app:fast}"].Passes, lane.Warmup.Failed+lane.Race.Failed)
		require.Equal(t, summary["checks{app:fast}"].Passes, lane.Warmup.ChecksPassed+lane.Race.ChecksPassed)
		require.Equal(t, summary["checks{app:fast}"].Fails, lane.Warmup.ChecksFailed+lane.Race.ChecksFailed)
		require.Equal(t, lane.Race.Requests, lane.Race.Iterations)
		require.Zero(t, result.Foreign)
		require.Positive(t, lane.Race.DataReceived)
		require.Positive(t, lane.Race.MaxVUs)
	})

	t.Run("as many requests are sent as the rate says", func(t *testing.T) {
		require.InDelta(t, 300, result.Result["fast"].Race.Requests+result.Result["fast"].Race.Dropped, 2)
		require.InDelta(t, 300, result.Result["slow"].Race.Requests+result.Result["slow"].Race.Dropped, 5*math.Sqrt(300))
		require.InDelta(t, 150, result.Result["fast"].Warmup.Requests+result.Result["fast"].Warmup.Dropped, 4)
	})

	points := r.points(t, "http_req_duration")
	t.Run("the percentiles are those of k6's raw samples", func(t *testing.T) {
		for app, lane := range result.Result {
			var values []float64
			for _, p := range points {
				if p.Data.Tags["app"] == app && p.Data.Tags["phase"] == "race" {
					values = append(values, p.Data.Value/1000)
				}
			}
			slices.Sort(values)
			require.Len(t, values, int(lane.Race.Requests))
			for _, q := range []float64{0.5, 0.9, 0.95, 0.99} {
				require.InEpsilon(t, values[int(math.Ceil(q*float64(len(values))))-1], lane.Race.Latency.Quantile(q), 0.003)
			}
			require.InDelta(t, values[len(values)-1], lane.Race.Latency.Max, 1e-9)
			require.EqualValues(t, lane.Race.Requests-lane.Race.Failed, lane.Race.LatencyPassed.Count)
		}
	})

	t.Run("requests of the race begin in their lane's blocks only, those before it in the warm-up", func(t *testing.T) {
		const slack = 300 * time.Millisecond // for a machine that is busy; a lane's blocks are 1.2 s apart
		for _, p := range points {
			begin := p.Data.Time.Add(-time.Duration(p.Data.Value * float64(time.Millisecond))).Sub(r.raceStart)
			if p.Data.Tags["phase"] == "warmup" {
				require.Less(t, begin, slack)
				continue
			}
			require.Equal(t, "race", p.Data.Tags["phase"])
			inside := false
			for _, l := range r.config.Lanes {
				for _, b := range l.Blocks {
					inside = inside || l.App == p.Data.Tags["app"] && begin >= b.Start-time.Millisecond && begin < b.End+slack
				}
			}
			require.True(t, inside, "%s at %s", p.Data.Tags["app"], begin)
		}
	})

	t.Run("the events tell the story in order", func(t *testing.T) {
		require.Equal(t, stream.Started, r.events[0].Type)
		var before int64
		live := 0
		for _, e := range r.events[1 : len(r.events)-1] {
			require.Equal(t, stream.Progress, e.Type)
			require.GreaterOrEqual(t, e.Progress["fast"].Requests, before)
			before = e.Progress["fast"].Requests
			if e.Progress["fast"].Rate > 100 && e.Progress["fast"].P50MS > 0 && e.Progress["fast"].P95MS >= e.Progress["fast"].P50MS {
				live++
			}
		}
		require.Positive(t, live)
		require.GreaterOrEqual(t, len(r.events), 20, "about five a second")
	})

	t.Run("the series in Prometheus begin at zero, end at the result and are ended", func(t *testing.T) {
		store.check(t, r, result)
	})
	for app, lane := range result.Result {
		require.Equal(t, lane.Race.Iterations, lane.Race.Response.Count, app)
		require.GreaterOrEqual(t, lane.Race.Response.Sum, lane.Race.StartLag.Sum+lane.Race.Latency.Sum, "%s: from the planned start, not from the first byte", app)
		t.Logf("%s: start lag p50 %.3f ms, p99 %.3f ms, max %.3f ms", app, 1e3*lane.Race.StartLag.Quantile(0.5), 1e3*lane.Race.StartLag.Quantile(0.99), 1e3*lane.Race.StartLag.Max)
	}
}
