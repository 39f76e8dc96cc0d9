package verdict_test

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/pkg/verdict"
)

func verdictOf(measure string, o race.Outcome, ratio, low, high float64) race.Verdict {
	v := race.Verdict{App: "app", Measure: measure, Outcome: o}
	if ratio != 0 {
		v.Ratio, v.Low, v.High = &ratio, &low, &high
	}
	return v
}

func TestSentence(t *testing.T) {
	needed := 34
	inconclusive := verdictOf("latency_p95", race.Inconclusive, 1.02, .97, 1.08)
	inconclusive.HeatsNeeded = &needed
	fewer := verdictOf("request_rate", race.Slower, .5, .49, .51)
	fewer.Primary = true
	for want, vs := range map[string][]race.Verdict{
		"app is slower than control: p95 × 24.1 [23.6, 24.7], same CPU per request": {
			verdictOf("latency_p95", race.Slower, 24.13, 23.6, 24.7), verdictOf("cpu_ms_per_request", race.Same, 1, .99, 1.01), verdictOf("error_rate", race.Same, 0, 0, 0),
		},
		"app is as fast as control: p95 × 1.00 [0.99, 1.01], CPU per request × 0.500 [0.499, 0.501], memory × 3.4 [3.0, 3.9]": {
			verdictOf("latency_p95", race.Same, 1, .99, 1.01), verdictOf("cpu_ms_per_request", race.Faster, .5, .499, .501),
			verdictOf("memory_working_set", race.Slower, 3.42, 3, 3.9),
		},
		"app is as fast as control: p95 × 1.00 [0.99, 1.01], worse growth of memory": {
			verdictOf("latency_p95", race.Same, 1, .99, 1.01), verdictOf("memory_slope", race.Slower, 0, 0, 0),
		},
		"app against control is inconclusive: p95 × 1.02 [0.97, 1.08] (about 34 heats would decide), CPU per request × 1.0 [0.70, 1.4] (inconclusive), more errors": {
			inconclusive, verdictOf("cpu_ms_per_request", race.Inconclusive, 1, .7, 1.4), verdictOf("error_rate", race.Slower, 0, 0, 0),
		},
		"app is faster than control: p95 × 0.62 [0.57, 0.67], fewer errors": {
			verdictOf("latency_p95", race.Faster, .62, .57, .67), verdictOf("error_rate", race.Faster, 0, 0, 0),
		},
		"app answers fewer requests than control: throughput × 0.50 [0.49, 0.51], p95 × 2.00 [1.98, 2.02]": {
			verdictOf("latency_p95", race.Slower, 2, 1.98, 2.02), fewer,
		},
		"app cannot be compared with control: no latency of both was measured": {verdictOf("cpu_ms_per_request", race.Same, 1, 1, 1)},
	} {
		require.Equal(t, want, verdict.Sentence(vs, "app", "control"))
	}
}

func TestDigitsFollowTheInterval(t *testing.T) {
	for _, c := range []struct {
		low, high float64
		want      int
	}{{23.6, 24.7, 1}, {.99, 1.01, 2}, {.998, 1.006, 3}, {.99999, 1.00001, 3}, {1200, 1260, 0}, {1, 1, 2}} {
		require.Equal(t, c.want, verdict.Decimals(c.low, c.high), "%v", c)
	}
	require.Empty(t, verdict.FormatRatio(race.Verdict{}))
}

// The panels write ratios by the same table (src/shared/ratio.test.ts).
func TestARatioIsNeitherZeroNorOneForWantOfDigits(t *testing.T) {
	file, err := os.ReadFile("testdata/ratios.json")
	require.NoError(t, err)
	var ratios []struct {
		Ratio, Low, High *float64
		Text             string
	}
	require.NoError(t, json.Unmarshal(file, &ratios))
	for _, r := range ratios {
		require.Equal(t, r.Text, verdict.FormatRatio(race.Verdict{Ratio: r.Ratio, Low: r.Low, High: r.High}))
	}
}

func TestARecordIsJudgedAsItWasRaced(t *testing.T) {
	r := race.Race{Baseline: "base", Lanes: []race.Lane{{App: "base"}, {App: "app"}}, Audit: race.Audit{Fair: true}}
	for i := range drifting {
		twice := 2 * drifting[i]
		r.Heats = append(r.Heats, race.Heat{Lanes: map[string]race.HeatLane{
			"base": {ActiveMS: 10_000, Measures: map[string]*float64{"latency_p95": &drifting[i]}},
			"app":  {ActiveMS: 10_000, Measures: map[string]*float64{"latency_p95": &twice}},
		}})
	}
	specs := []verdict.MeasureSpec{verdict.Spec("latency_p95", verdict.Lower)}
	in := verdict.FromRace(r, specs)
	require.InDelta(t, 80, in.RaceSeconds, 1e-9)
	require.Equal(t, race.Slower, verdict.Judge(in)[0].Outcome)
	r.Audit.Fair = false
	require.Equal(t, race.Inconclusive, verdict.Judge(verdict.FromRace(r, specs))[0].Outcome)
	by := "ana"
	r.Audit.OverriddenBy = &by
	require.Equal(t, race.Slower, verdict.Judge(verdict.FromRace(r, specs))[0].Outcome)
}
