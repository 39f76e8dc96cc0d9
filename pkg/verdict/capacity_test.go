package verdict_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/measure"
	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/pkg/verdict"
)

func held(app string, rate, low, high float64) race.LaneCapacity {
	l := race.LaneCapacity{App: app, Limit: race.LimitApp}
	for to, v := range map[**float64]float64{&l.Rate: rate, &l.Low: low, &l.High: high} {
		if v > 0 {
			*to = &v
		}
	}
	return l
}

func searched(lanes ...race.LaneCapacity) race.Race {
	r := race.Race{
		Baseline: "base", Audit: race.Audit{Fair: true}, CustomMeasures: []race.CustomMeasure{measure.Capacity(1)},
		Capacity: &race.Capacity{Confidence: .95, Lanes: lanes},
	}
	for _, l := range lanes {
		r.Lanes = append(r.Lanes, race.Lane{App: l.App})
	}
	return r
}

func capacityVerdict(t *testing.T, r race.Race) race.Verdict {
	t.Helper()
	verdicts := verdict.JudgeRace(r, verdict.Catalogue(r.CustomMeasures...))
	require.NotEmpty(t, verdicts)
	return verdicts[0]
}

func TestACapacityIsComparedByTheIntervalsOfBothApps(t *testing.T) {
	v := capacityVerdict(t, searched(held("base", 200, 196, 204), held("app", 300, 294, 306)))
	require.Equal(t, race.CapacityMeasure, v.Measure)
	require.True(t, v.Primary)
	require.InDelta(t, verdict.CapacityEffect, v.MinimumEffect, 0)
	require.InDelta(t, 1.5, *v.Ratio, 1e-9)
	// MOVER by hand: the half-widths of both logarithms, squared and added.
	require.InDelta(t, 1.5*math.Exp(-math.Hypot(math.Log(300./294), math.Log(204./200))), *v.Low, 1e-9)
	require.InDelta(t, 1.5*math.Exp(math.Hypot(math.Log(306./300), math.Log(200./196))), *v.High, 1e-9)
	require.InDelta(t, *v.Low, *v.DecisionLow, 1e-9, "a family of one")
	require.Equal(t, race.Faster, v.Outcome, "more is better")

	family := searched(held("base", 200, 196, 204), held("app", 300, 294, 306), held("other", 200, 196, 204), held("third", 200, 196, 204))
	wider := capacityVerdict(t, family)
	require.InDelta(t, *v.Low, *wider.Low, 1e-9)
	require.InDelta(t, 2.394/1.96, math.Log(*wider.DecisionLow / *v.Ratio)/math.Log(*v.Low / *v.Ratio), 1e-3, "Bonferroni of three: 1 - .05/3")
}

func TestCapacitiesHaveTheFourOutcomes(t *testing.T) {
	for name, c := range map[string]struct {
		base, app race.LaneCapacity
		want      race.Outcome
		warning   string
	}{
		"less is slower":                          {held("base", 200, 196, 204), held("app", 150, 148, 152), race.Slower, ""},
		"near to each other":                      {held("base", 200, 198, 202), held("app", 201, 199, 203), race.Same, ""},
		"not sure":                                {held("base", 200, 180, 220), held("app", 215, 190, 230), race.Inconclusive, ""},
		"at least more than the baseline":         {held("base", 200, 196, 204), held("app", 300, 300, 0), race.Faster, "app holds at least 300/s, and maybe more"},
		"at least as much as the baseline":        {held("base", 200, 196, 204), held("app", 205, 205, 0), race.Inconclusive, "app holds at least 205/s"},
		"less than what the baseline surely does": {held("base", 300, 300, 0), held("app", 200, 196, 204), race.Slower, "base holds at least 300/s"},
		"both open":                               {held("base", 300, 300, 0), held("app", 600, 600, 0), race.Inconclusive, "app holds at least 600/s"},
		"none held":                               {held("base", 200, 196, 204), held("app", 0, 0, 0), race.Inconclusive, "the capacity of app is not known"},
	} {
		t.Run(name, func(t *testing.T) {
			v := capacityVerdict(t, searched(c.base, c.app))
			require.Equal(t, c.want, v.Outcome)
			if c.warning == "" {
				require.Empty(t, v.Warnings)
				return
			}
			require.Contains(t, v.Warnings[0], c.warning)
		})
	}
}

func TestACapacityOfAnUnfairRaceIsInconclusiveUntilItIsOverridden(t *testing.T) {
	r := searched(held("base", 200, 196, 204), held("app", 300, 294, 306))
	r.Audit.Fair = false
	v := capacityVerdict(t, r)
	require.Equal(t, race.Inconclusive, v.Outcome)
	require.Contains(t, v.Warnings, "the race failed its audit")
	r.Verdicts = []race.Verdict{v}
	by := "anna"
	r.Audit.OverriddenBy = &by
	again := verdict.Again(r, race.Effects{})
	require.Len(t, again, 1)
	require.Equal(t, race.Faster, again[0].Outcome)
	again = verdict.Again(r, race.Effects{Of: map[string]float64{"capacity": .6}})
	require.Equal(t, race.Same, again[0].Outcome, "somebody asks for 60%")
}

func TestASearchThatIsNotOverHasNoVerdict(t *testing.T) {
	open := race.LaneCapacity{App: "app"}
	r := searched(held("base", 200, 196, 204), open)
	require.Empty(t, verdict.JudgeRace(r, verdict.Catalogue(r.CustomMeasures...)))
}

func TestTheSentenceOfACapacityTellsItFirst(t *testing.T) {
	for _, c := range []struct {
		base, app race.LaneCapacity
		want      string
	}{
		{held("base", 200, 196, 204), held("app", 300, 294, 306), "app holds more load than base: capacity × 1.50 [1.46, 1.54]"},
		{held("base", 200, 196, 204), held("app", 150, 148, 152), "app holds less load than base: capacity × 0.75 [0.73, 0.77]"},
		{held("base", 200, 198, 202), held("app", 200, 198, 202), "app holds as much load as base: capacity × 1.00 [0.99, 1.01]"},
		{held("base", 200, 196, 204), held("app", 300, 300, 0), "app holds more load than base: capacity at least × 1.5"},
		{held("base", 300, 300, 0), held("app", 200, 196, 204), "app holds less load than base: capacity at most × 0.68"},
		{held("base", 200, 196, 204), held("app", 0, 0, 0), "which of app and base holds more load is inconclusive: the capacity of app is not known"},
	} {
		require.Equal(t, c.want, verdict.Sentence([]race.Verdict{capacityVerdict(t, searched(c.base, c.app))}, "app", "base"))
	}
}
