package verdict_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/pkg/verdict"
)

// member is an app and measure with a true log-ratio and a spread of its heats.
type member struct{ effect, sd float64 }

var primaries = []string{"latency_p95", "cpu_ms_per_request"}

// simulated draws a race of n heats: baseline 1 (plus drift that both share), apps by their effects; share correlates an app's measures.
func simulated(rng *rand.Rand, n int, apps []member, share float64) verdict.Input {
	in := verdict.Input{Baseline: "base", Apps: []string{"base"}, Heats: make([]verdict.Heat, n), RaceSeconds: 120}
	for _, id := range primaries {
		in.Measures = append(in.Measures, verdict.Spec(id, verdict.Lower))
	}
	for i := range apps {
		in.Apps = append(in.Apps, fmt.Sprint("app", i))
	}
	for h := range in.Heats {
		drift := math.Exp(rng.NormFloat64())
		values := map[string]map[string]*float64{"base": {}}
		for _, id := range primaries {
			values["base"][id] = &drift
		}
		for i, a := range apps {
			common := rng.NormFloat64()
			lane := map[string]*float64{}
			for _, id := range primaries {
				noise := math.Sqrt(share)*common + math.Sqrt(1-share)*rng.NormFloat64()
				v := drift * math.Exp(a.effect+a.sd*noise)
				lane[id] = &v
			}
			values[in.Apps[i+1]] = lane
		}
		in.Heats[h] = verdict.Heat{Values: values}
	}
	return in
}

// wrong says whether an outcome is wrong for a true log-ratio: anything but the region in which the truth lies (its edge belongs to both).
func wrong(o race.Outcome, truth, delta float64) bool {
	const edge = 1e-9
	switch o {
	case race.Slower:
		return truth <= delta+edge
	case race.Faster:
		return truth >= -delta-edge
	case race.Same:
		return math.Abs(truth) > delta+edge
	case race.Inconclusive:
	}
	return false
}

func TestThePlainIntervalCovers95Percent(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 7))
	const races = 1200
	covered, total := 0, 0
	for range races {
		for _, v := range verdict.Judge(simulated(rng, 8, []member{{math.Log(1.05), .02}}, 0)) {
			total++
			if *v.Low <= 1.05 && 1.05 <= *v.High {
				covered++
			}
		}
	}
	require.InDelta(t, 0.95, float64(covered)/float64(total), 0.017, "3 standard errors") // sqrt(.95*.05/3000) = 0.004, members are pairs
}

func TestTheFamilyIsWrongInAtMostFivePercentOfRaces(t *testing.T) {
	e := math.Log1p(verdict.DefaultMinimumEffect)
	for name, c := range map[string]struct {
		apps  []member
		share float64
	}{
		"all the same, noisy":                     {[]member{{0, .06}, {0, .06}, {0, .06}}, 0},
		"all on the mark":                         {[]member{{e, .02}, {e, .02}, {e, .02}}, 0},
		"all on the mark, measures correlated":    {[]member{{e, .02}, {e, .02}, {e, .02}}, .9},
		"one clearly slower, others on the mark":  {[]member{{1, .02}, {e, .02}, {-e, .02}}, .5},
		"some the same and calm, others noisy":    {[]member{{0, .001}, {0, .1}, {e, .03}}, .5},
		"just beyond the mark, tempting to equal": {[]member{{e * 1.001, .005}, {-e * 1.001, .005}, {e * 1.001, .005}}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rng := rand.New(rand.NewPCG(11, 13))
			const races = 400
			bad := 0
			for range races {
				in := simulated(rng, 12, c.apps, c.share)
				for _, v := range verdict.Judge(in) {
					if wrong(v.Outcome, c.apps[v.App[len("app")]-'0'].effect, e) {
						bad++
						break
					}
				}
			}
			rate := float64(bad) / races
			t.Logf("wrong in %.1f%% of races", 100*rate)
			require.LessOrEqual(t, rate, 0.05+3*math.Sqrt(.05*.95/races))
		})
	}
}

func TestTheFamilyIsLookedAtInOrderOfSureness(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 5))
	in := simulated(rng, 12, []member{{1, .02}, {0, .3}, {0, .3}}, 0)
	widths := map[string]float64{}
	for _, v := range verdict.Judge(in) {
		plain, decision := math.Log(*v.High / *v.Low), math.Log(*v.DecisionHigh / *v.DecisionLow)
		widths[v.App+v.Measure] = decision / plain
		if v.App == "app0" {
			require.Equal(t, race.Slower, v.Outcome)
		}
	}
	// t(11): alpha .05 -> 2.2010, .05/6 -> 3.2081 (first), .05/5 -> 3.1058 (second), .05/4 -> 2.9809 (all that are inconclusive)
	for _, id := range primaries {
		require.InDelta(t, 2.9809/2.2010, widths["app1"+id], 1e-3)
		require.InDelta(t, 2.9809/2.2010, widths["app2"+id], 1e-3)
	}
	first, second := max(widths["app0"+primaries[0]], widths["app0"+primaries[1]]), min(widths["app0"+primaries[0]], widths["app0"+primaries[1]])
	require.InDelta(t, 3.2081/2.2010, first, 1e-3)
	require.InDelta(t, 3.1058/2.2010, second, 1e-3)
}

func TestMeasuresOutsideTheFamilyAreReadFromThePlainInterval(t *testing.T) {
	hs := heats("latency_p50", drifting, scale(drifting, 1.5))
	v := judge(t, verdict.Spec("latency_p50", verdict.Lower), hs, nil)
	require.False(t, v.Primary)
	require.InDelta(t, *v.Low, *v.DecisionLow, 1e-12)
	require.InDelta(t, *v.High, *v.DecisionHigh, 1e-12)
}

func TestALookThatMaySpendLessIsWider(t *testing.T) {
	hs := heats("latency_p95", drifting, scale(drifting, 1.5))
	v := judge(t, verdict.Spec("latency_p95", verdict.Lower), hs, func(in *verdict.Input) { in.Alpha = 0.001 })
	require.Less(t, *v.DecisionLow, *v.Low)
	require.Greater(t, *v.DecisionHigh, *v.High)
}

// Properties that hold for any data.
func TestSwappingAppAndBaselineMirrorsTheVerdict(t *testing.T) {
	rng := rand.New(rand.NewPCG(17, 19))
	mirror := map[race.Outcome]race.Outcome{race.Faster: race.Slower, race.Slower: race.Faster, race.Same: race.Same, race.Inconclusive: race.Inconclusive}
	seen := map[race.Outcome]int{}
	for range 400 {
		in := simulated(rng, 6+rng.IntN(10), []member{{.1 * (rng.Float64() - .5), .05 * rng.Float64()}}, rng.Float64())
		back := in
		back.Baseline = "app0"
		forth, reverse := verdict.Judge(in), verdict.Judge(back)
		require.Len(t, reverse, len(forth))
		for i := range forth {
			seen[forth[i].Outcome]++
			require.Equal(t, mirror[forth[i].Outcome], reverse[i].Outcome)
			require.InDelta(t, 1, *forth[i].Ratio**reverse[i].Ratio, 1e-9)
			require.InDelta(t, 1, *forth[i].DecisionLow**reverse[i].DecisionHigh, 1e-9)
		}
	}
	require.Len(t, seen, 4, "every outcome was tried: %v", seen)
}

func TestTheOutcomeCanBeReadFromTheDecisionInterval(t *testing.T) {
	rng := rand.New(rand.NewPCG(23, 29))
	for range 400 {
		in := simulated(rng, 6+rng.IntN(10), []member{{.2 * (rng.Float64() - .5), .05 * rng.Float64()}, {0, .01}}, rng.Float64())
		for _, v := range verdict.Judge(in) {
			switch e := v.MinimumEffect; v.Outcome {
			case race.Slower:
				require.Greater(t, *v.DecisionLow, 1+e)
			case race.Faster:
				require.Less(t, *v.DecisionHigh, 1/(1+e))
			case race.Same:
				require.GreaterOrEqual(t, *v.DecisionLow, 1/(1+e)-1e-12)
				require.LessOrEqual(t, *v.DecisionHigh, 1+e+1e-12)
			case race.Inconclusive:
				require.False(t, *v.DecisionLow >= 1/(1+e) && *v.DecisionHigh <= 1+e)
			}
			require.LessOrEqual(t, *v.DecisionLow, *v.Low+1e-12)
			require.GreaterOrEqual(t, *v.DecisionHigh, *v.High-1e-12)
			if v.Outcome != race.Inconclusive {
				require.Nil(t, v.HeatsNeeded)
			}
		}
	}
}

func BenchmarkJudge10Apps20Measures20Heats(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 2))
	in := verdict.Input{Baseline: "a0", RaceSeconds: 200}
	for m := range 20 {
		id := fmt.Sprint("m", m)
		if m < 3 {
			id = []string{"latency_p95", "cpu_ms_per_request", "error_rate"}[m]
		}
		in.Measures = append(in.Measures, verdict.Spec(id, verdict.Lower))
	}
	for a := range 10 {
		in.Apps = append(in.Apps, fmt.Sprint("a", a))
	}
	for range 20 {
		values := map[string]map[string]*float64{}
		for a, app := range in.Apps {
			values[app] = map[string]*float64{}
			for _, m := range in.Measures {
				v := math.Exp(.05*float64(a) + .02*rng.NormFloat64())
				if m.ID == "error_rate" {
					v = 0
				}
				values[app][m.ID] = &v
			}
		}
		in.Heats = append(in.Heats, verdict.Heat{Values: values})
	}
	for b.Loop() {
		verdict.Judge(in)
	}
	const limit = 100 * time.Millisecond
	if each := b.Elapsed() / time.Duration(b.N); each > limit {
		b.Errorf("judging one race took %v, more than %v", each, limit)
	}
}
