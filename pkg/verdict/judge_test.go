package verdict_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/pkg/verdict"
)

// heats makes heats of "base" and "app" in one measure.
func heats(measure string, base, app []float64) []verdict.Heat {
	out := make([]verdict.Heat, len(base))
	for i := range base {
		out[i] = verdict.Heat{Values: map[string]map[string]*float64{"base": {measure: &base[i]}, "app": {measure: &app[i]}}}
	}
	return out
}

func repeat(values []float64, n int) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i] = values[i%len(values)]
	}
	return out
}

func scale(values []float64, by float64) []float64 {
	out := make([]float64, len(values))
	for i, v := range values {
		out[i] = v * by * (1 + 0.001*float64(i%3-1)) // a little spread between the heats
	}
	return out
}

func judge(t *testing.T, spec verdict.MeasureSpec, hs []verdict.Heat, change func(*verdict.Input)) race.Verdict {
	t.Helper()
	in := verdict.Input{Baseline: "base", Apps: []string{"base", "app"}, Measures: []verdict.MeasureSpec{spec}, Heats: hs, RaceSeconds: 120}
	if change != nil {
		change(&in)
	}
	vs := verdict.Judge(in)
	require.Len(t, vs, 1)
	return vs[0]
}

var drifting = []float64{10, 14, 9, 20, 12, 11, 13, 30}

func TestOutcomeOfARatio(t *testing.T) {
	for name, c := range map[string]struct {
		id     string
		better verdict.Better
		by     float64
		want   race.Outcome
	}{
		"twice the latency is slower, however the heats drift": {"latency_p95", verdict.Lower, 2, race.Slower},
		"half the latency is faster":                           {"latency_p95", verdict.Lower, .5, race.Faster},
		"equal latency is the same":                            {"latency_p95", verdict.Lower, 1, race.Same},
		"1% more is within the minimum effect":                 {"latency_p95", verdict.Lower, 1.01, race.Same},
		"2% more lies on the mark and cannot be decided":       {"latency_p95", verdict.Lower, 1.02, race.Inconclusive},
		"more throughput is faster":                            {"request_rate", verdict.Higher, 1.5, race.Faster},
		"less throughput is slower":                            {"request_rate", verdict.Higher, .7, race.Slower},
	} {
		t.Run(name, func(t *testing.T) {
			v := judge(t, verdict.Spec(c.id, c.better), heats(c.id, drifting, scale(drifting, c.by)), nil)
			require.Equal(t, c.want, v.Outcome, "%+v", v)
			require.InDelta(t, c.by, *v.Ratio, 0.002)
			require.Equal(t, 8, v.Heats)
			require.LessOrEqual(t, *v.Low, *v.Ratio)
			require.GreaterOrEqual(t, *v.High, *v.Ratio)
		})
	}
}

func TestTheIntervalIsStudents(t *testing.T) {
	// d = ln 1.1, ln 1.2 … : mean and sd by hand; t(5, 0.975) = 2.570582 from tables.
	base := []float64{1, 1, 1, 1, 1, 1}
	v := judge(t, verdict.Spec("latency_mean", verdict.Lower), heats("latency_mean", base, []float64{1.1, 1.2, 1.3, 1.1, 1.2, 1.3}), nil)
	require.InDelta(t, 1.197216, *v.Ratio, 1e-6)
	require.InDelta(t, 1.106912, *v.Low, 1e-6)
	require.InDelta(t, 1.294887, *v.High, 1e-6)
	require.Equal(t, race.Slower, v.Outcome)
	require.Equal(t, 0.95, v.Confidence)
}

func TestBelowSixHeatsNothingIsDecided(t *testing.T) {
	for n := 1; n < verdict.MinHeats; n++ {
		base := repeat(drifting, n)
		v := judge(t, verdict.Spec("latency_p95", verdict.Lower), heats("latency_p95", base, scale(base, 3)), nil)
		require.Equal(t, race.Inconclusive, v.Outcome)
		require.NotNil(t, v.Ratio)
		require.Contains(t, strings.Join(v.Warnings, ";"), "need at least 6")
		if n == 1 {
			require.Nil(t, v.Low)
			require.Nil(t, v.HeatsNeeded, "one heat tells nothing of the spread")
		} else {
			require.Equal(t, 6, *v.HeatsNeeded)
		}
	}
}

func TestHeatsNeededDecideAtTheSameSpread(t *testing.T) {
	base := repeat([]float64{10}, 8)
	app := []float64{10.0, 11.2, 9.6, 11.8, 10.2, 11.4, 9.9, 11.6}
	spec := verdict.Spec("latency_p50", verdict.Lower)
	v := judge(t, spec, heats("latency_p50", base, app), nil)
	require.Equal(t, race.Inconclusive, v.Outcome)
	require.NotNil(t, v.HeatsNeeded)
	require.Greater(t, *v.HeatsNeeded, 8)
	n := (*v.HeatsNeeded + 7) / 8 * 8 // whole repetitions keep mean and spread
	more := judge(t, spec, heats("latency_p50", repeat(base, n), repeat(app, n)), nil)
	require.Equal(t, race.Slower, more.Outcome)
	require.Nil(t, more.HeatsNeeded)
	fewer := judge(t, spec, heats("latency_p50", repeat(base, n-8), repeat(app, n-8)), nil)
	require.Equal(t, race.Inconclusive, fewer.Outcome)
}

func TestHeatsNeededIsNullWhereMoreHeatsWouldNotHelp(t *testing.T) {
	base, app := repeat([]float64{10}, 8), []float64{10.2, 8, 13, 10.2, 8, 13, 10.2, 10.3}
	onTheMark := judge(t, verdict.Spec("latency_p50", verdict.Lower), heats("latency_p50", base, app), nil)
	require.Equal(t, race.Inconclusive, onTheMark.Outcome)
	require.Nil(t, onTheMark.HeatsNeeded)
	unfair := judge(t, verdict.Spec("latency_p50", verdict.Lower), heats("latency_p50", base, []float64{10, 11.2, 9.6, 11.8, 10.2, 11.4, 9.9, 11.6}),
		func(in *verdict.Input) { in.Unfair = true })
	require.Nil(t, unfair.HeatsNeeded)
}

func TestErrorRatesAreComparedByDifference(t *testing.T) {
	spec := verdict.Spec("error_rate", verdict.Lower)
	for name, c := range map[string]struct {
		base, app float64
		want      race.Outcome
		ratio     bool
	}{
		"none at all is the same, without a ratio":          {0, 0, race.Same, false},
		"all requests failing is slower than none failing":  {0, 1, race.Slower, false},
		"a fixed app is faster":                             {0.2, 0, race.Faster, true},
		"half a per mille is not counted":                   {0, 0.0005, race.Same, false},
		"equally bad is the same, and has a ratio":          {0.3, 0.3, race.Same, true},
		"twice the errors is slower, by a ratio of about 2": {0.1, 0.2, race.Slower, true},
	} {
		t.Run(name, func(t *testing.T) {
			base := repeat([]float64{c.base}, 8)
			v := judge(t, spec, heats("error_rate", base, repeat([]float64{c.app}, 8)), nil)
			require.Equal(t, c.want, v.Outcome, "%+v", v)
			require.Equal(t, c.ratio, v.Ratio != nil)
			if c.ratio {
				require.InDelta(t, c.app/c.base, *v.Ratio, 1e-9)
			}
		})
	}
}

func TestANegativeSlopeOfMemoryHasAVerdictAndNoRatio(t *testing.T) {
	base := []float64{-1000, 2000, -500, 0, 100, -300, 50, 10}
	app := []float64{5e6, 5.1e6, 4.9e6, 5e6, 5.2e6, 5e6, 5e6, 4.8e6}
	v := judge(t, verdict.Spec("memory_slope", verdict.Lower), heats("memory_slope", base, app), nil)
	require.Equal(t, race.Slower, v.Outcome)
	require.Nil(t, v.Ratio)
	require.Contains(t, strings.Join(v.Warnings, ";"), "judged by the difference")
}

func TestMemoryIsNotJudgedBeforeAMinuteOfRacing(t *testing.T) {
	for id, want := range map[string]race.Outcome{"memory_working_set": race.Inconclusive, "memory_slope": race.Inconclusive, "cpu_ms_per_request": race.Slower} {
		v := judge(t, verdict.Spec(id, verdict.Lower), heats(id, drifting, scale(scale(drifting, 1e6), 1e6)), func(in *verdict.Input) {
			in.RaceSeconds = 59.9
			in.Heats = heats(id, drifting, scale(drifting, 1e6))
		})
		require.Equal(t, want, v.Outcome, id)
	}
}

func TestWhoFailsMoreIsNeverCalledBetter(t *testing.T) {
	errorRates := func(in *verdict.Input, base, app float64) {
		for _, h := range in.Heats {
			h.Values["base"]["error_rate"], h.Values["app"]["error_rate"] = &base, &app
		}
	}
	for name, c := range map[string]struct {
		by, baseErrors, appErrors float64
		want                      race.Outcome
	}{
		"quick because it fails":                      {.5, 0, .1, race.Inconclusive},
		"quick while the baseline fails":              {.5, .1, 0, race.Inconclusive},
		"slow and failing is slower":                  {2, 0, .1, race.Slower},
		"slow beside a baseline that fails quickly":   {2, .1, 0, race.Inconclusive},
		"equally failing may be faster":               {.5, .1, .1, race.Faster},
		"a handful of errors in a hundred thousand":   {.5, 0, .0002, race.Faster},
		"the same stays the same while errors differ": {1, 0, .1, race.Same},
	} {
		t.Run(name, func(t *testing.T) {
			v := judge(t, verdict.Spec("latency_p95", verdict.Lower), heats("latency_p95", drifting, scale(drifting, c.by)),
				func(in *verdict.Input) { errorRates(in, c.baseErrors, c.appErrors) })
			require.Equal(t, c.want, v.Outcome, "%+v", v)
		})
	}
}

// A k6 that waits for answers leaves out the requests that would have waited longest (coordinated omission).
func TestWhoWasSparedRequestsIsNeverCalledBetter(t *testing.T) {
	for name, c := range map[string]struct {
		id                 string
		by, baseLost, lost float64
		want               race.Outcome
	}{
		"quick because half a percent was never sent":       {"latency_p95", .5, 0, .005, race.Inconclusive},
		"the same but for what was never sent":              {"latency_p95", 1, 0, .005, race.Inconclusive},
		"the same but for what the baseline was never sent": {"latency_p95", 1, .005, 0, race.Inconclusive},
		"slower even so":                                      {"latency_p95", 2, 0, .005, race.Slower},
		"slower than a baseline that was spared":              {"latency_p95", 2, .005, 0, race.Inconclusive},
		"both were spared alike":                              {"latency_p95", .5, .005, .005, race.Faster},
		"a handful in ten thousand":                           {"latency_p95", .5, 0, .0005, race.Faster},
		"its CPU per request is that of those that were sent": {"cpu_ms_per_request", .5, 0, .005, race.Faster},
	} {
		t.Run(name, func(t *testing.T) {
			v := judge(t, verdict.Spec(c.id, verdict.Lower), heats(c.id, drifting, scale(drifting, c.by)), func(in *verdict.Input) {
				for i := range in.Heats {
					in.Heats[i].Dropped = map[string]float64{"base": c.baseLost, "app": c.lost}
				}
			})
			require.Equal(t, c.want, v.Outcome, "%+v", v)
			if c.want == race.Inconclusive {
				require.Contains(t, v.Warnings[0], "0.50 percentage points more")
			}
		})
	}
}

func TestAnUnfairRaceIsInconclusiveUnlessOverridden(t *testing.T) {
	hs := heats("latency_p95", drifting, scale(drifting, 2))
	spec := verdict.Spec("latency_p95", verdict.Lower)
	v := judge(t, spec, hs, func(in *verdict.Input) { in.Unfair = true })
	require.Equal(t, race.Inconclusive, v.Outcome)
	require.NotNil(t, v.Low, "the estimate is still shown")
	v = judge(t, spec, hs, func(in *verdict.Input) { in.Unfair, in.Overridden = true, true })
	require.Equal(t, race.Slower, v.Outcome)
	require.Contains(t, v.Warnings[0], "overridden")
}

func TestOnlyPairsCount(t *testing.T) {
	hs := heats("latency_p95", drifting, scale(drifting, 2))
	delete(hs[3].Values, "app")
	hs[5].Values["base"]["latency_p95"] = nil
	v := judge(t, verdict.Spec("latency_p95", verdict.Lower), hs, nil)
	require.Equal(t, 6, v.Heats)
	require.Equal(t, race.Slower, v.Outcome)
	require.Contains(t, v.Warnings[0], "paired in 6 of 8 heats")
}

func TestZerosHaveNoRatio(t *testing.T) {
	spec := verdict.Spec("data_sent_rate", verdict.Lower)
	v := judge(t, spec, heats("data_sent_rate", make([]float64, 8), make([]float64, 8)), nil)
	require.Equal(t, race.Same, v.Outcome)
	require.Nil(t, v.Ratio)
	v = judge(t, spec, heats("data_sent_rate", make([]float64, 8), repeat([]float64{5}, 8)), nil)
	require.Equal(t, race.Inconclusive, v.Outcome)
	require.Zero(t, v.Heats)
	require.Contains(t, v.Warnings[0], "left out 8 heats")
}

func TestWhatIsNotJudged(t *testing.T) {
	in := verdict.Input{Baseline: "base", Apps: []string{"base", "app"}, Heats: heats("vus", drifting, drifting), Measures: []verdict.MeasureSpec{
		verdict.Spec("vus", verdict.None), verdict.Spec("network_bytes_per_request", verdict.Lower),
	}}
	require.Empty(t, verdict.Judge(in), "no direction, and no value at all")
	require.Empty(t, verdict.Judge(verdict.Input{}))
}

func TestEachMeasureHasItsOwnMinimumEffect(t *testing.T) {
	asked := race.Effects{All: .01, Of: map[string]float64{"latency_p95": .05, "error_rate": .02}}
	for name, c := range map[string]struct {
		id        string
		base, app []float64
		asked     race.Effects
		effect    float64
		want      race.Outcome
	}{
		"3% is slower by default":            {"latency_p95", drifting, scale(drifting, 1.03), race.Effects{}, .02, race.Slower},
		"3% is the same where 5% counts":     {"latency_p95", drifting, scale(drifting, 1.03), asked, .05, race.Same},
		"the others have what all have":      {"latency_p50", drifting, scale(drifting, 1.03), asked, .01, race.Slower},
		"a difference has its own, in units": {"error_rate", repeat([]float64{0}, 8), scale(repeat([]float64{.01}, 8), 1), asked, .02, race.Same},
		"of all says nothing of differences": {"error_rate", repeat([]float64{0}, 8), scale(repeat([]float64{.01}, 8), 1), race.Effects{All: .5}, .001, race.Slower},
	} {
		t.Run(name, func(t *testing.T) {
			v := judge(t, verdict.Spec(c.id, verdict.Lower).With(c.asked), heats(c.id, c.base, c.app), nil)
			require.Equal(t, c.effect, v.MinimumEffect)
			require.Equal(t, c.want, v.Outcome, "%+v", v)
		})
	}
	require.Equal(t, verdict.StockPercentileEffect, verdict.Spec("latency_p95", verdict.Lower).With(asked).FromStock().MinimumEffect)
}

func TestAStockPercentileNeedsABucketOfDifference(t *testing.T) {
	hs := heats("latency_p95", drifting, scale(drifting, 1.05))
	require.Equal(t, race.Slower, judge(t, verdict.Spec("latency_p95", verdict.Lower), hs, nil).Outcome)
	v := judge(t, verdict.Spec("latency_p95", verdict.Lower).FromStock(), hs, nil)
	require.Equal(t, race.Same, v.Outcome)
	require.InDelta(t, 0.091, v.MinimumEffect, 1e-9)
	require.InDelta(t, 0.02, verdict.Spec("latency_mean", verdict.Lower).FromStock().MinimumEffect, 1e-9, "the mean is exact")
}
