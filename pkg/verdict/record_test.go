package verdict_test

import (
	"encoding/json"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/pkg/verdict"
)

// tenPercent is a race of so many heats in which app takes about 10% longer than base, more in one heat and less in the next.
func tenPercent(heats int, spread float64) race.Race {
	r := race.Race{Status: race.Finished, PlannedHeats: heats, Baseline: "base", Lanes: []race.Lane{{App: "base"}, {App: "app"}}, Audit: race.Audit{Fair: true}}
	for n := range heats {
		base, app := 10., 10*math.Exp(.1+spread*float64(2*(n%2)-1))
		r.Heats = append(r.Heats, race.Heat{Number: n + 1, Lanes: map[string]race.HeatLane{
			"base": {ActiveMS: 10_000, Measures: map[string]*float64{"latency_p95": &base}},
			"app":  {ActiveMS: 10_000, Measures: map[string]*float64{"latency_p95": &app}},
		}})
	}
	return r
}

func p95Of(t *testing.T, r race.Race) race.Verdict {
	t.Helper()
	r.Verdicts = verdict.JudgeRace(r, []verdict.MeasureSpec{verdict.Spec("latency_p95", verdict.Lower)})
	require.Len(t, r.Verdicts, 1)
	require.Equal(t, r.Verdicts, verdict.Again(r, race.Effects{}), "a record is judged again as it was")
	return r.Verdicts[0]
}

func TestARaceThatSomebodyStoppedIsJudgedAsALookAtThatHeat(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*race.Race)
		strict bool
	}{
		"a whole race":              {func(*race.Race) {}, false},
		"one without a plan":        {func(r *race.Race) { r.PlannedHeats = 0 }, false},
		"one that lost a heat":      {func(r *race.Race) { r.PlannedHeats, r.Heats[7].Number = 9, 9 }, false},
		"one that was stopped":      {func(r *race.Race) { r.PlannedHeats, r.Status = 24, race.Cancelled }, true},
		"one that was interrupted":  {func(r *race.Race) { r.PlannedHeats, r.Status = 24, race.Interrupted }, true},
		"one that failed":           {func(r *race.Race) { r.PlannedHeats, r.Status = 24, race.Failed }, true},
		"one that lost its lanes":   {func(r *race.Race) { r.PlannedHeats = 24 }, true},
		"one that is decided early": {func(r *race.Race) { r.PlannedHeats, r.UntilDecided = 24, true }, true},
		"one before its first look": {func(r *race.Race) { r.PlannedHeats, r.Status, r.Heats = 200, race.Cancelled, r.Heats[:7] }, true},
		"one of too many heats":     {func(r *race.Race) { r.PlannedHeats, r.Status = 7, race.Cancelled }, false},
	} {
		t.Run(name, func(t *testing.T) {
			r := tenPercent(8, .06)
			plain := p95Of(t, r)
			require.Equal(t, race.Slower, plain.Outcome)
			c.change(&r)
			require.Equal(t, c.strict, verdict.EndedEarly(r))
			v := p95Of(t, r)
			if !c.strict {
				require.Equal(t, race.Slower, v.Outcome)
				require.InDelta(t, *v.Low, *v.DecisionLow, 1e-12, "5%, as ever")
				return
			}
			require.Equal(t, race.Inconclusive, v.Outcome, "%+v", v)
			require.Less(t, *v.DecisionLow, *plain.DecisionLow)
			if len(r.Heats) == 8 {
				require.Equal(t, plain.Low, v.Low, "the plain interval stays what it is")
			}
		})
	}
}

func TestAStoppedRaceStillFindsWhatIsPlain(t *testing.T) {
	r := tenPercent(8, .01)
	r.PlannedHeats, r.Status = 12, race.Cancelled
	require.Equal(t, race.Slower, p95Of(t, r).Outcome)
}

// At the level of a look that is far too early an interval may be wider than a number can say, and JSON has no infinity.
func TestAnIntervalWithoutAnEndCanBeRecorded(t *testing.T) {
	r := tenPercent(7, 20)
	r.PlannedHeats, r.Status = 1000, race.Cancelled
	v := p95Of(t, r)
	require.Equal(t, race.Inconclusive, v.Outcome)
	require.Nil(t, v.DecisionHigh)
	require.InDelta(t, 0, *v.DecisionLow, 1e-9)
	_, err := json.Marshal(v)
	require.NoError(t, err)
}
