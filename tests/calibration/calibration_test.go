package main

import (
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/stat/distuv"

	"github.com/photofinish/photofinish/runner/cmd"
	"github.com/photofinish/photofinish/runner/definition"
	"github.com/photofinish/photofinish/runner/k6/stream"
)

// TestMain lets the test binary be the k6 of its races.
func TestMain(m *testing.M) {
	if cmd.IsK6(os.Args) {
		os.Args = cmd.K6Args(os.Args)
		cmd.RunK6()
		return
	}
	os.Exit(m.Run())
}

func TestTheBarsHold(t *testing.T) {
	c, err := load("../../docs/calibration.json")
	require.NoError(t, err)
	require.Len(t, c.Synthetic, len(worlds())*len(ratios)*len(minimums))
	for _, cell := range c.Synthetic {
		require.GreaterOrEqual(t, cell.Races, 4000)
		for name, tally := range map[string]Tally{"p50": cell.P50, "p95": cell.P95} {
			require.InDelta(t, 95, cell.share(tally.Covered), 2, "%s: coverage of %s", cell, name)
			if cell.MinimumEffect > 0 && cell.Ratio == 1+cell.MinimumEffect {
				require.LessOrEqual(t, cell.share(tally.Slower), 3.2, "%s: 2.5%% and what chance adds to it (99.9%%)", cell)
				require.LessOrEqual(t, cell.share(tally.Same), 3.2, "%s", cell)
			}
		}
		if cell.Ratio == 1 {
			require.LessOrEqual(t, cell.share(cell.Wrong), 5.8, "%s: 5%% and what chance adds to it (99%%)", cell)
		}
		require.LessOrEqual(t, cell.share(cell.UntilDecided.Wrong), 5.8, "%s: the same with --until-decided, whatever the truth", cell)
		require.GreaterOrEqual(t, cell.meanHeats(), 6.0)
	}
	for _, r := range c.Real {
		require.GreaterOrEqual(t, atLeast(r.Same.Wrong, r.Same.Races, .05), .01, "%s: wrong more often than in 5%%", r.Engine)
		require.GreaterOrEqual(t, coin(r.Same.Behind, r.Same.Races), .01, "%s: one lane is behind more often than by chance", r.Engine)
		require.LessOrEqual(t, r.Same.P50Noise, 1.25, r.Engine)
		require.LessOrEqual(t, r.Same.P95Noise, 1.25, r.Engine)
	}
}

// atLeast is how likely k or more of n are, where each is with a probability of p.
func atLeast(k, n int, p float64) float64 {
	return 1 - distuv.Binomial{N: float64(n), P: p}.CDF(float64(k-1))
}

// TestTheNumbersAreOfThisCode judges the first races of each world again.
func TestTheNumbersAreOfThisCode(t *testing.T) {
	c, err := load("../../docs/calibration.json")
	require.NoError(t, err)
	for world := range worlds() {
		for _, cell := range measure(world, firstRaces, ratios, minimums) {
			require.Contains(t, c.First, cell, "races are judged otherwise than in the numbers of docs/verdict.md: go tool mage calibrate measures them anew")
		}
	}
}

func TestThePageShowsTheNumbers(t *testing.T) {
	c, err := load("../../docs/calibration.json")
	require.NoError(t, err)
	page, err := os.ReadFile("../../docs/verdict.md")
	require.NoError(t, err)
	require.Contains(t, string(page), pageStart+c.tables()+pageEnd, "go tool mage calibrate writes it anew")
}

func TestThePlotsShowTheNumbers(t *testing.T) {
	c, err := load("../../docs/calibration.json")
	require.NoError(t, err)
	dir := t.TempDir()
	require.NoError(t, c.draw(dir))
	drawn, err := filepath.Glob(filepath.Join(dir, "*.svg"))
	require.NoError(t, err)
	require.Len(t, drawn, 3)
	page, err := os.ReadFile("../../docs/verdict.md")
	require.NoError(t, err)
	for _, path := range drawn {
		fresh, err := os.ReadFile(path)
		require.NoError(t, err)
		kept, err := os.ReadFile(filepath.Join("../../docs/img", filepath.Base(path)))
		require.NoError(t, err)
		require.Equal(t, string(kept), string(fresh), "go tool mage calibrate draws it anew")
		require.Contains(t, string(page), "](img/"+filepath.Base(path)+")")
	}
}

func TestWilsonsInterval(t *testing.T) {
	low, high := wilson(3805, 4000)
	require.InDelta(t, .9441, low, 1e-4)
	require.InDelta(t, .9575, high, 1e-4)
	low, high = wilson(0, 10)
	require.InDelta(t, 0, low, 1e-9)
	require.InDelta(t, .2775, high, 1e-4)
}

func TestWhatIsMeasuredIsNotMeasuredAgain(t *testing.T) {
	dir := t.TempDir()
	numbers, page := filepath.Join(dir, "calibration.json"), filepath.Join(dir, "verdict.md")
	require.NoError(t, os.WriteFile(page, []byte("before\n"+pageStart+"old\n"+pageEnd+"after\n"), 0o600))
	require.NoError(t, calibrate(io.Discard, numbers, page, 8))
	c, err := load(numbers)
	require.NoError(t, err)
	again := measure("light", 8, ratios, minimums)
	for _, cell := range again {
		require.True(t, slices.Contains(c.Synthetic, cell), "the same seed, the same races: %s", cell)
	}
	c.Synthetic[0].Wrong = 7 // to be told from what would be measured
	require.NoError(t, save(numbers, c))
	require.NoError(t, calibrate(io.Discard, numbers, page, 8))
	kept, err := load(numbers)
	require.NoError(t, err)
	require.Equal(t, c, kept)
	kept.First[0].Wrong++ // as if races had been judged otherwise
	require.NoError(t, save(numbers, kept))
	require.NoError(t, calibrate(io.Discard, numbers, page, 8))
	kept, err = load(numbers)
	require.NoError(t, err)
	require.Zero(t, kept.Synthetic[slices.IndexFunc(kept.Synthetic, func(o Cell) bool { return o.kind() == c.Synthetic[0].kind() })].Wrong, "measured anew")
	c = kept
	text, err := os.ReadFile(page)
	require.NoError(t, err)
	require.Equal(t, "before\n"+pageStart+c.tables()+pageEnd+"after\n", string(text))
}

func TestTheRankTestAndTheNaiveRuleSeeWhatIsThere(t *testing.T) {
	r := draw(random("light", 1), worlds()["light"]())
	for ratio, side := range map[float64]int{0.5: -1, 2: 1} {
		require.Equal(t, side, r.naive(ratio))
		require.Equal(t, side, r.ranks().test(ratio))
	}
	require.Zero(t, ranks{[]float64{1, 2, 3, 4}, []float64{1.5, 2.5, 2.6, 3.5}}.test(1))
	require.InEpsilon(t, r.p95(0), earlier(random("light", -2), worlds()["light"]()), .02)
}

// TestTheRankTestOfHistograms compares with what is counted by hand, and with the test of single values.
func TestTheRankTestOfHistograms(t *testing.T) {
	histogram := func(seconds ...float64) (h stream.Histogram) {
		for _, s := range seconds {
			h.Observe(s)
		}
		return h
	}
	base, app := histogram(0, 1, 2, 4), histogram(0, 3, 4, 5, 6)
	// Pairs in which the app's is longer: of 3, 5 and 6 and of the tied 4 and 0: 3 + 4 + 4 + 3.5 + 0.5.
	variance := 4 * 5 / 12. * (10 - (2*(8-2))/(9*8.))
	require.InDelta(t, (15-10)/math.Sqrt(variance), rankDeviate(base, app), 1e-9)
	require.InDelta(t, -rankDeviate(base, app), rankDeviate(app, base), 1e-9)
	require.Zero(t, rankDeviate(base, base))
	rng := rand.New(rand.NewPCG(3, 4))
	var one, other stream.Histogram
	exactly := ranks{}
	for range 2000 {
		a, b := math.Exp(rng.NormFloat64()), 1.1*math.Exp(rng.NormFloat64())
		one.Observe(a)
		other.Observe(b)
		exactly.base, exactly.app = append(exactly.base, a), append(exactly.app, b)
	}
	slices.Sort(exactly.base)
	slices.Sort(exactly.app)
	require.Equal(t, exactly.test(1), significant(rankDeviate(one, other)))
}

func TestRealRacesAreBankedAndSummedUp(t *testing.T) {
	two, second := 2, time.Second
	r := races{
		bank: filepath.Join(t.TempDir(), "bank.jsonl"), script: "race.js", engine: "process",
		length: definition.Overrides{Heats: &two, Duration: &second, Warmup: &second}, next: calibrating(1),
	}
	require.NoError(t, r.run(t.Context(), io.Discard))
	require.NoError(t, r.run(t.Context(), io.Discard), "what is there is not raced again")
	all, err := loadBank(r.bank)
	require.NoError(t, err)
	require.Len(t, all, 2, "a slower one, and one that counts")
	require.Equal(t, []string{slowed, identical}, []string{all[0].Sort, all[1].Sort})
	require.Len(t, all[0].Heats, 2)
	for _, h := range all[0].Heats {
		require.Len(t, h, 2)
		for app, f := range h {
			require.Positive(t, f.P50, app)
			require.Greater(t, f.P95, f.P50, app)
			require.Positive(t, f.P95Noise, app)
			require.Positive(t, f.CPU, app)
			require.Zero(t, f.Errors, app)
		}
	}
	require.Len(t, all[0].Pooled, 2)
	require.Positive(t, all[0].Pooled[slower].P95)
	require.NotZero(t, all[0].Pooled[slower].RankDeviate)
	require.Zero(t, all[0].Pooled[baseline].RankDeviate)
}

func TestWhatABankLacksIsRacedFirst(t *testing.T) {
	next := calibrating(12)
	raced := []Banked{{Sort: identical}, {Sort: identical}, {Sort: identical}}
	count := map[string]int{identical: 3}
	for kind, more := next(raced); more; kind, more = next(raced) {
		raced = append(raced, Banked{Sort: kind.sort})
		count[kind.sort]++
		if len(raced) == 5 {
			require.Equal(t, map[string]int{identical: 3, slowed: 1, besideBurner: 1}, count)
		}
	}
	require.Equal(t, map[string]int{identical: 11, slowed: 2, besideBurner: 1}, count)
}

func TestSomeOfTheRealRacesCanBeAskedFor(t *testing.T) {
	all, err := wantedRaces("bank", "steps", "")
	require.NoError(t, err)
	require.Len(t, all, 3)
	for _, r := range all {
		some, err := wantedRaces("bank", "steps", r.name)
		require.NoError(t, err)
		require.Len(t, some, 1)
		require.Equal(t, r.name, some[0].name)
	}
	_, err = wantedRaces("bank", "steps", "step")
	require.ErrorContains(t, err, "process, docker or steps")
}

func TestRacesThatCannotBeRunDoNotKeepTheOthersFromIt(t *testing.T) {
	broken := filepath.Join(t.TempDir(), "bank.jsonl")
	require.NoError(t, os.WriteFile(broken, []byte("{"), 0o600))
	asked := false
	err := runFor(0, io.Discard, []races{
		{name: "first", bank: broken},
		{name: "second", bank: filepath.Join(t.TempDir(), "none"), next: func([]Banked) (kindOf, bool) { asked = true; return kindOf{}, false }},
	})
	require.ErrorContains(t, err, "first: ")
	require.True(t, asked)
}

func TestStepsAreTriedInTurn(t *testing.T) {
	next := inTurn(2)
	var raced []Banked
	for kind, more := next(raced); more; kind, more = next(raced) {
		require.Equal(t, identical, kind.sort)
		raced = append(raced, Banked{Engine: "process", Step: kind.step, Fair: true})
		require.LessOrEqual(t, len(raced), 2*len(steps()))
	}
	require.Len(t, raced, 2*len(steps()))
	for round := range 2 {
		seen := map[string]bool{}
		for _, b := range raced[round*len(steps()) : (round+1)*len(steps())] {
			seen[b.Step] = true
		}
		require.Len(t, seen, len(steps()), "each once a round")
	}
	require.NotEqual(t, raced[0].Step, raced[len(steps())].Step, "each round begins with another")
	mode := func(step string) string { return steps()[step].Mode }
	require.Equal(t, "turns", mode("in turns"))
	require.Empty(t, mode(asByDefault))
	require.Len(t, sumSteps("process", raced), len(steps()))
	require.Equal(t, asByDefault, sumSteps("process", raced)[0].Name)
}

func TestFairnessShowsTheSteps(t *testing.T) {
	c, err := load("../../docs/calibration.json")
	require.NoError(t, err)
	page, err := os.ReadFile("../../docs/fairness.md")
	require.NoError(t, err)
	require.Contains(t, string(page), pageStart+c.stepsTable()+pageEnd, "go tool mage calibrate writes it anew")
}

func TestTheSumOfABank(t *testing.T) {
	const races, effect, sampling, own = 40, 1.05, .01, .004
	rng := rand.New(rand.NewPCG(1, 2))
	var all []Banked
	for i := range races {
		b := Banked{Engine: "process", Sort: besideBurner, Fair: i > 0}
		for range heats {
			h := BankedHeat{}
			for _, app := range []string{baseline, equal, slower} { // in one order, or each run would draw other races
				scale := map[string]float64{baseline: 1, equal: 1, slower: effect}[app]
				spread := math.Hypot(sampling, own)
				h[app] = Figures{
					P50: scale * math.Exp(spread*rng.NormFloat64()), P95: 2 * scale * math.Exp(spread*rng.NormFloat64()),
					P50Noise: sampling, P95Noise: sampling, CPU: math.Exp(own * rng.NormFloat64()),
				}
			}
			b.Heats = append(b.Heats, h)
		}
		b.Pooled = map[string]Pooled{baseline: {P95: 2}, equal: {P95: 2 + float64(i%2)/5, RankDeviate: 2}, slower: {P95: 2 * effect * 1.01}}
		other := b
		other.Sort = slowed
		all = append(all, b, other)
	}
	r := sum("process", append(all, Banked{Engine: "docker", Sort: identical, Fair: true}))
	require.Equal(t, 2*races, r.Races)
	require.Equal(t, 2, r.Unfair)
	require.Zero(t, r.Alone.Races)
	require.Equal(t, r.Same, r.BesideBurner)
	require.Equal(t, races-1, r.Slower.Races)
	require.Equal(t, races-1, r.Same.Races)
	require.InDelta(t, 1, r.Same.P95Truth, .003)
	require.InDelta(t, effect, r.Slower.P95Truth, .003)
	require.InDelta(t, math.Hypot(sampling, own)/sampling, r.Same.P95Noise, .08)
	require.LessOrEqual(t, r.Same.Wrong, 4)
	require.Greater(t, r.Slower.P50.Slower, races/2)
	require.Zero(t, r.Same.P50.Slower)
	require.Equal(t, Sides{Slower: 20}, r.Same.Naive, "every second")
	require.Equal(t, 19, r.Same.Threshold, "the first has no race before it")
	require.Equal(t, races-1, r.Same.RankTest.Slower)
	require.Equal(t, races-2, r.Slower.Threshold)
	require.Greater(t, coin(r.Same.Behind, r.Same.Races), .01)
	table := Calibration{Real: []Real{r}}.realTable()
	require.Contains(t, table, "| process, all identical | 39 |")
	require.Contains(t, table, "2 of the 80 races on process failed their audit")
}

func TestExactIntervals(t *testing.T) {
	low, high := exact(0, 60) // "rule of three": 1-0.025^(1/60)
	require.Zero(t, low)
	require.InDelta(t, .0596, high, 1e-4)
	low, high = exact(3, 60)
	require.InDelta(t, .0104, low, 1e-4)
	require.InDelta(t, .1392, high, 1e-4)
	require.InDelta(t, 1, coin(30, 60), 1e-9)
	require.InDelta(t, 0.0027, coin(18, 60), 1e-3)
}
