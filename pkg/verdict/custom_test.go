package verdict_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/measure"
	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/pkg/verdict"
)

func TestAMeasureOfARacesOwnIsJudgedByItsUnitAndDirection(t *testing.T) {
	own := []race.CustomMeasure{
		{ID: "wait_p95", Unit: "ms", Better: "lower", Type: race.Trend, Metric: "wait", Stat: "p95"},
		{ID: "wait_mean", Unit: "ms", Better: "lower", Type: race.Trend, Metric: "wait", Stat: "mean"},
		{ID: "fast", Unit: "percentunit", Better: "higher", Type: race.Rate, Metric: "fast"},
		{ID: "memory_of_mine", Unit: "decbytes", Type: race.Expression, Expr: "x"},
	}
	specs := map[string]verdict.MeasureSpec{}
	for _, s := range verdict.Catalogue(own...)[len(measure.IDs()):] {
		specs[s.ID] = s
	}
	require.Len(t, specs, 4)
	require.Equal(t, verdict.MeasureSpec{ID: "wait_p95", Better: verdict.Lower, MinimumEffect: verdict.DefaultMinimumEffect, Percentile: true}, specs["wait_p95"])
	require.Equal(t, verdict.MeasureSpec{ID: "fast", Better: verdict.Higher, MinimumEffect: verdict.ErrorMargin, Difference: true}, specs["fast"], "shares may be zero")
	require.Equal(t, verdict.MeasureSpec{ID: "memory_of_mine", MinimumEffect: verdict.DefaultMinimumEffect}, specs["memory_of_mine"], "its name says nothing")
	require.InDelta(t, verdict.StockPercentileEffect, specs["wait_p95"].FromStock().MinimumEffect, 0)
	require.InDelta(t, verdict.DefaultMinimumEffect, specs["wait_mean"].FromStock().MinimumEffect, 0)

	d := race.Definition{Primary: []string{"wait_p95"}, MinimumEffect: race.Effects{Of: map[string]float64{"wait_p95": .1}}}
	require.True(t, specs["wait_p95"].For(d).Primary)
	require.InDelta(t, .1, specs["wait_p95"].For(d).MinimumEffect, 0)
	require.False(t, specs["wait_mean"].For(d).Primary)
	require.False(t, verdict.Spec("latency_p95", verdict.Lower).For(d).Primary, "the family is what the script names")
}

func TestARecordIsJudgedAgainWithItsOwnMeasures(t *testing.T) {
	fast, slow := 0.9, 0.5
	r := race.Race{
		Baseline: "a", CustomMeasures: []race.CustomMeasure{{ID: "fast", Name: "Fast", Unit: "percentunit", Better: "higher", Type: race.Rate, Metric: "fast"}},
		Lanes: []race.Lane{{App: "a"}, {App: "b"}}, Audit: race.Audit{Fair: true},
	}
	for n := range 8 {
		r.Heats = append(r.Heats, race.Heat{Number: n + 1, Lanes: map[string]race.HeatLane{
			"a": {ActiveMS: 1e4, Measures: map[string]*float64{"fast": &fast}}, "b": {ActiveMS: 1e4, Measures: map[string]*float64{"fast": &slow}},
		}})
	}
	r.Verdicts = verdict.Judge(verdict.FromRace(r, verdict.Catalogue(r.CustomMeasures...)))
	require.Len(t, r.Verdicts, 1)
	require.Equal(t, race.Slower, r.Verdicts[0].Outcome, "less of it is worse")
	require.Equal(t, r.Verdicts, verdict.Again(r, race.Effects{}))
	r.Baseline = "b"
	require.Equal(t, race.Faster, verdict.Again(r, race.Effects{})[0].Outcome)
}

func TestTheThroughputDecidesWhereTheLoadDependsOnTheAnswers(t *testing.T) {
	rate := verdict.Spec("request_rate", verdict.Higher)
	closed := race.Definition{Scenarios: []race.Scenario{{Executor: "constant-vus"}}}
	require.True(t, rate.For(closed).Primary)
	require.True(t, verdict.Spec("latency_p95", verdict.Lower).For(closed).Primary)
	require.False(t, verdict.Spec("latency_p50", verdict.Lower).For(closed).Primary)
	require.False(t, rate.For(race.Definition{Scenarios: []race.Scenario{{Executor: "constant-arrival-rate"}}}).Primary)
	closed.Primary = []string{"latency_p95"}
	require.False(t, rate.For(closed).Primary, "what the script names")
}
