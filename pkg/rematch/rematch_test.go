package rematch_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/pkg/rematch"
	"github.com/photofinish/photofinish/pkg/verdict"
)

// made is a finished race of 12 heats. Every heat of an app scatters by 0.5% around its p95, and all of it is moved by the machine's day.
func made(id string, day float64, p95 map[string]float64) race.Race {
	rng := rand.New(rand.NewPCG(7, uint64(len(id))+uint64(id[len(id)-1])))
	start := time.Date(2026, 3, 14, 9, 0, 0, 0, time.UTC)
	end := start.Add(10 * time.Minute)
	r := race.Race{
		Version: race.RecordVersion, ID: id, Name: "nightly", Status: race.Finished, StartedAt: &start, FinishedAt: &end, Baseline: "control", Engine: "process",
		Mode: race.Turns, Machine: &race.Machine{CPUModel: "a processor", CPUs: 2, Cgroup: "v1"}, PlannedHeats: 12, Audit: race.Audit{Fair: true, Findings: []race.Finding{}},
	}
	apps := []string{"control", "api", "new"}
	for n := range 12 {
		h := race.Heat{Number: n + 1, Lanes: map[string]race.HeatLane{}}
		for _, app := range apps {
			if ms, raced := p95[app]; raced {
				v := ms * day * math.Exp(.005*rng.NormFloat64())
				h.Lanes[app] = race.HeatLane{ActiveMS: 10_000, Measures: map[string]*float64{"latency_p95": &v}}
			}
		}
		r.Heats = append(r.Heats, h)
	}
	for _, app := range apps {
		if ms, raced := p95[app]; raced {
			v := ms * day
			r.Lanes = append(r.Lanes, race.Lane{App: app, Measures: map[string]*float64{"latency_p95": &v}})
		}
	}
	r.Verdicts = verdict.Judge(verdict.FromRace(r, []verdict.MeasureSpec{verdict.Spec("latency_p95", verdict.Lower)}))
	return r
}

func p95(t *testing.T, r race.Race, app string) race.Verdict {
	t.Helper()
	i := slices.IndexFunc(r.Verdicts, func(v race.Verdict) bool { return v.App == app && v.Measure == "latency_p95" })
	require.GreaterOrEqual(t, i, 0, "%s has no verdict", app)
	return r.Verdicts[i]
}

func kindsOf(r race.Race, s race.Severity) (kinds []race.FindingKind) {
	for _, f := range r.Audit.Findings {
		if f.Severity == s {
			kinds = append(kinds, f.Kind)
		}
	}
	return kinds
}

func TestAnAppIsComparedWithItselfThroughTheControl(t *testing.T) {
	for name, c := range map[string]struct {
		day  float64 // by how much everything moved in between
		by   float64 // by how much api alone did
		want race.Outcome
	}{
		"a slower app on the same day":                      {1, 1.1, race.Slower},
		"a slower app on a quicker day, which hides it":     {.73, 1.1, race.Slower},
		"a faster app on a slower day, which hides it":      {1.4, .9, race.Faster},
		"the same app on a day that moved all by a quarter": {.73, 1, race.Same},
		"an app on the edge of what counts is neither":      {1, 1.02, race.Inconclusive},
	} {
		t.Run(name, func(t *testing.T) {
			then := made("nightly-1", 1, map[string]float64{"control": .44, "api": 5})
			now := made("nightly-2", c.day, map[string]float64{"control": .44, "api": 5 * c.by, "new": 3})
			r, err := rematch.Judge(now, then, rematch.Options{})
			require.NoError(t, err)
			v := p95(t, r, "api")
			require.Equal(t, c.want, v.Outcome, "%+v", v)
			require.InEpsilon(t, c.by, *v.Ratio, .01)
			require.True(t, *v.Low < *v.Ratio && *v.Ratio < *v.High)
			require.Nil(t, v.HeatsNeeded, "the earlier race gets no more heats")
			require.Len(t, r.Verdicts, 1, "neither the control nor an app that is new is compared")
			require.True(t, r.Audit.Fair)
			require.Equal(t, []race.FindingKind{race.EarlierRace}, kindsOf(r, race.Warning), "what is in no interval is told")
			require.Equal(t, "control", r.BaselineRace.Control)
			require.InEpsilon(t, 5, *r.BaselineRace.Lanes["api"]["latency_p95"], 1e-9)
		})
	}
}

func TestWithoutAControlNothingIsFasterOrSlower(t *testing.T) {
	then := made("nightly-1", 1, map[string]float64{"control": .44, "api": 5})
	now := made("nightly-2", 1, map[string]float64{"new": 3, "api": 50})
	now.Baseline = "new"
	r, err := rematch.Judge(now, then, rematch.Options{})
	require.NoError(t, err)
	v := p95(t, r, "api")
	require.Equal(t, race.Inconclusive, v.Outcome)
	require.InEpsilon(t, 10, *v.Ratio, .01, "the numbers are told all the same")
	require.False(t, r.Audit.Fair)
	require.Equal(t, []race.FindingKind{race.EarlierRace}, kindsOf(r, race.Unfair))
	require.Contains(t, r.Audit.Findings[0].Detail, "no lane is known to have run unchanged in both races")

	by := "anna" // and no override of a race lets it stand
	now.Audit.Fair, now.Audit.OverriddenBy = false, &by
	r, err = rematch.Judge(now, then, rematch.Options{})
	require.NoError(t, err)
	require.Equal(t, race.Inconclusive, p95(t, r, "api").Outcome)
	require.Nil(t, r.Audit.OverriddenBy)
}

func TestABaselineThatNobodyChoseIsNoControl(t *testing.T) {
	then := made("nightly-1", 1, map[string]float64{"control": .44, "api": 5})
	now := made("nightly-2", 1, map[string]float64{"control": .44, "api": 50})
	r, err := rematch.Judge(now, then, rematch.Options{NoControl: true})
	require.NoError(t, err)
	require.Equal(t, race.Inconclusive, p95(t, r, "api").Outcome)
	require.Empty(t, r.BaselineRace.Control)
	r, err = rematch.Judge(now, then, rematch.Options{NoControl: true, Control: "control"})
	require.NoError(t, err)
	require.Equal(t, race.Slower, p95(t, r, "api").Outcome)
}

func TestRacesThatDifferAreNotMixed(t *testing.T) {
	cpus, by := .5, "anna"
	for name, c := range map[string]struct {
		change func(now, then *race.Race)
		says   string
	}{
		"another machine":        {func(now, _ *race.Race) { now.Machine = &race.Machine{CPUModel: "another"} }, "race nightly-1 was run otherwise than race nightly-2: another machine"},
		"a machine nobody knows": {func(_, then *race.Race) { then.Machine = nil }, "of nightly-1 nothing is known but what Prometheus holds"},
		"two machines nobody knows": {
			func(now, then *race.Race) { now.Machine, then.Machine = nil, nil },
			"of nightly-2 and nightly-1 nothing is known but what Prometheus holds",
		},
		"another warm-up":        {func(now, _ *race.Race) { now.WarmupMS = 1 }, "another warm-up"},
		"another way of racing":  {func(now, _ *race.Race) { now.Mode = race.Together }, "another way of racing"},
		"other limits of a lane": {func(now, _ *race.Race) { now.Lanes[1].Resources.CPUs = &cpus }, "had other limits in race nightly-1"},
		"a control of another image": {func(now, then *race.Race) {
			now.Lanes[0].Image, then.Lanes[0].Image = &race.Image{ID: "sha256:2"}, &race.Image{ID: "sha256:1"}
		}, "is no control: its image was another in race nightly-1 (sha256:1, now sha256:2)"},
		"an earlier race that was not fair": {func(_, then *race.Race) {
			then.Audit = race.Audit{Findings: []race.Finding{{Kind: race.OtherLoad, Severity: race.Unfair, Detail: "somebody compiled"}}}
		}, "in race nightly-1: somebody compiled"},
		"one overridden, the other not": {func(now, then *race.Race) {
			now.Audit = race.Audit{OverriddenBy: &by, Findings: []race.Finding{{Kind: race.OtherLoad, Severity: race.Unfair, Detail: "the backup"}}}
			then.Audit = race.Audit{Findings: []race.Finding{{Kind: race.OtherLoad, Severity: race.Unfair, Detail: "somebody compiled"}}}
		}, "in race nightly-1: somebody compiled"},
	} {
		t.Run(name, func(t *testing.T) {
			then := made("nightly-1", 1, map[string]float64{"control": .44, "api": 5})
			now := made("nightly-2", 1, map[string]float64{"control": .44, "api": 50})
			c.change(&now, &then)
			r, err := rematch.Judge(now, then, rematch.Options{})
			require.NoError(t, err)
			require.Equal(t, race.Inconclusive, p95(t, r, "api").Outcome)
			require.False(t, r.Audit.Fair)
			said := ""
			for _, f := range r.Audit.Findings {
				said += f.Detail + "\n"
			}
			require.Contains(t, said, c.says)
		})
	}
}

func TestAnEditedScriptIsAWarningOnly(t *testing.T) {
	then := made("nightly-1", 1, map[string]float64{"control": .44, "api": 5})
	now := made("nightly-2", 1, map[string]float64{"control": .44, "api": 50})
	then.ScriptSHA256, now.ScriptSHA256 = "aa", "bb"
	r, err := rematch.Judge(now, then, rematch.Options{})
	require.NoError(t, err)
	require.Equal(t, race.Slower, p95(t, r, "api").Outcome)
	require.Len(t, kindsOf(r, race.Warning), 2)
	require.Contains(t, r.Audit.Findings[1].Detail, "race nightly-2 was run with an edited script since race nightly-1")
}

func TestAnOverriddenRaceIsComparedAndSaysSo(t *testing.T) {
	then := made("nightly-1", 1, map[string]float64{"control": .44, "api": 5})
	now := made("nightly-2", 1, map[string]float64{"control": .44, "api": 50})
	by, at := "anna", time.Date(2026, 3, 14, 10, 0, 0, 0, time.UTC)
	then.Audit = race.Audit{OverriddenBy: &by, OverriddenAt: &at, OverrideReason: "it was the backup", Findings: []race.Finding{{Kind: race.OtherLoad, Severity: race.Unfair}}}
	r, err := rematch.Judge(now, then, rematch.Options{})
	require.NoError(t, err)
	v := p95(t, r, "api")
	require.Equal(t, race.Slower, v.Outcome)
	require.Contains(t, v.Warnings, "the race failed its audit; the verdict stands because it was overridden")
	require.Equal(t, []any{&by, &at, "it was the backup"}, []any{r.Audit.OverriddenBy, r.Audit.OverriddenAt, r.Audit.OverrideReason})
}

func TestOfTwoSmallestEffectsTheLargerCountsUnlessAsked(t *testing.T) {
	then := made("nightly-1", 1, map[string]float64{"control": .44, "api": 5})
	now := made("nightly-2", 1, map[string]float64{"control": .44, "api": 5.4})
	outcome := func(asked race.Effects) race.Verdict {
		r, err := rematch.Judge(now, then, rematch.Options{Effects: asked})
		require.NoError(t, err)
		return p95(t, r, "api")
	}
	require.Equal(t, race.Slower, outcome(race.Effects{}).Outcome)
	then.Verdicts[0].MinimumEffect = .12
	require.Equal(t, race.Same, outcome(race.Effects{}).Outcome)
	require.Equal(t, race.Slower, outcome(race.Effects{Of: map[string]float64{"latency_p95": .03}}).Outcome)
	then.Verdicts[0].MinimumEffect = verdict.StockPercentileEffect
	require.InDelta(t, verdict.StockPercentileEffect, outcome(race.Effects{All: .03}).MinimumEffect, 1e-9, "a stock k6 cannot tell less apart")
}

func TestWhatCannotBeCompared(t *testing.T) {
	then := made("nightly-1", 1, map[string]float64{"control": .44, "api": 5})
	now := made("nightly-2", 1, map[string]float64{"control": .44, "api": 5})
	_, err := rematch.Judge(now, now, rematch.Options{})
	require.ErrorContains(t, err, "cannot be compared with itself")
	_, err = rematch.Judge(now, then, rematch.Options{Control: "new"})
	require.ErrorContains(t, err, `the control "new" did not run in both races nightly-2 and nightly-1; control, api did`)
	_, err = rematch.Judge(now, made("nightly-3", 1, map[string]float64{"control": .44, "new": 5}), rematch.Options{})
	require.ErrorContains(t, err, "have no app in common to be compared")
	then.Status = race.Interrupted
	_, err = rematch.Judge(now, then, rematch.Options{})
	require.ErrorContains(t, err, "race nightly-1 is interrupted, and only finished races are compared")
	require.Equal(t, race.Invalid, race.CodeOf(err))
}

// Two races of the same app on two days must not be told apart more often than the level allows.
func TestFalseAlarmsOfTwoRaces(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	const races, heats = 2000, 12
	log := func(sd float64) *float64 { v := math.Exp(sd * rng.NormFloat64()); return &v }
	heatsOf := func(day, sd float64, n int) (all []verdict.Heat) {
		for range n {
			c, a := log(sd), log(sd)
			*c, *a = *c*day, *a*day
			all = append(all, verdict.Heat{Values: map[string]map[string]*float64{"control": {"latency_p95": c}, "api": {"latency_p95": a}}})
		}
		return all
	}
	spec := verdict.Spec("latency_p95", verdict.Lower)
	spec.MinimumEffect = 1e-9
	wrong, covered := 0, 0
	for range races {
		v := verdict.Judge(verdict.Input{
			Baseline: "control", Apps: []string{"control", "api"}, Measures: []verdict.MeasureSpec{spec}, RaceSeconds: 120,
			Heats: heatsOf(1.3, .05, heats), Earlier: heatsOf(1, .02, 8), // neither spreads nor numbers are equal
		})[0]
		if v.Outcome == race.Slower || v.Outcome == race.Faster {
			wrong++
		}
		if *v.Low <= 1 && 1 <= *v.High {
			covered++
		}
	}
	require.LessOrEqual(t, float64(wrong)/races, .05+3*math.Sqrt(.05*.95/races))
	require.GreaterOrEqual(t, float64(covered)/races, .95-3*math.Sqrt(.05*.95/races), "the interval is no narrower than it says")
	require.Positive(t, wrong, "and it is no test that never speaks")
}
