package verdict

import (
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/race"
)

// The bounds are those that ldbounds (R) and Lan and DeMets print for five equally spaced looks at 5%, two-sided.
func TestBoundariesAreThoseOfTheLiterature(t *testing.T) {
	want := []float64{4.8769, 3.3569, 2.6803, 2.2898, 2.0310}
	got := boundaries(.05, []float64{.2, .4, .6, .8, 1})
	for i := range want {
		require.InDelta(t, want[i], got[i], 5e-4, "look %d", i+1)
	}
	require.InDelta(t, 1.95996, boundaries(.05, []float64{1})[0], 1e-4)
}

func TestARaceIsLookedAtFromTheFirstHeatThatMayDecide(t *testing.T) {
	looks := Looks(12)
	require.Len(t, looks, 7)
	require.Less(t, looks[6], .006)
	require.Greater(t, looks[12], .03)
	require.Equal(t, map[int]float64{2: 1 - Confidence}, rounded(Looks(2)), "too few heats decide nothing, at whatever level")
	many := Looks(1000)
	require.LessOrEqual(t, len(many), maxLooks)
	require.Contains(t, many, 1000)
	require.Empty(t, Looks(0))
}

func TestBeforeTheFirstLookALongRaceIsJudgedAsStrictlyAsASingleLookThere(t *testing.T) {
	for planned, first := range map[int]int{57: 7, 200: 8, 1000: 20} {
		looks := Looks(planned)
		require.Equal(t, first, slices.Min(slices.Collect(maps.Keys(looks))))
		for _, heat := range []int{MinHeats, first - 1} {
			level := lookLevel(planned, heat)
			require.Positive(t, level, "0 would be read as 5%")
			require.LessOrEqual(t, level, looks[first])
		}
		require.InDelta(t, looks[first], lookLevel(planned, first), 0)
		require.InDelta(t, looks[planned], lookLevel(planned, planned), 0)
		require.Zero(t, lookLevel(planned, MinHeats-1), "nothing is decided")
	}
	spent := 4 * standard.Survival(standard.Quantile(1-spendable/4)/math.Sqrt(6./57))
	require.InEpsilon(t, spent, lookLevel(57, 6), 1e-4)
	require.InDelta(t, leastLevel, lookLevel(1000, 6), 0)
	quantile := studentQuantiles()
	for _, df := range []int{1, 5, 19, 100} { // with Holm's correction for twenty members
		require.InEpsilon(t, leastLevel/20, studentTails(df, quantile(df, leastLevel/20)), 1e-3, "%d degrees of freedom", df)
	}
}

func rounded(levels map[int]float64) map[int]float64 {
	for n, level := range levels {
		levels[n] = math.Round(level*1e6) / 1e6
	}
	return levels
}

// Of races without a difference that are looked at after every heat, at most 5% shall be called different, however few heats estimate the spread.
func TestLookingOftenIsNotWrongMoreOften(t *testing.T) {
	const races = 300_000
	quantile := studentQuantiles()
	for _, planned := range []int{7, 10, 12, 16, 24} {
		beyond := map[int]float64{} // |t| that decides
		for n, level := range Looks(planned) {
			beyond[n] = quantile(n-1, level)
		}
		rng := rand.New(rand.NewPCG(1, 2))
		wrong := 0
		for range races {
			var sum, squares float64
			for n := 1; n <= planned; n++ {
				x := rng.NormFloat64()
				sum, squares = sum+x, squares+x*x
				if limit, look := beyond[n]; look && math.Abs(sum) > limit*math.Sqrt((float64(n)*squares-sum*sum)/float64(n-1)) {
					wrong++
					break
				}
			}
		}
		require.Less(t, float64(wrong)/races, .051, "of %d heats; 5%% and what chance adds to it", planned)
		require.Greater(t, float64(wrong)/races, .045, "of %d heats: nothing is given away", planned)
	}
}

// Judged at 5% after every heat it would be twice that and more, and who watches a race and waits for its end where it does not please him is wrong more often, too.
func TestWhoLooksAtFivePercentIsWrongMoreOften(t *testing.T) {
	const races, planned = 20_000, 24
	looks := Looks(planned)
	rng := rand.New(rand.NewPCG(1, 2))
	quantile := studentQuantiles()
	wrong, naive, watched := 0, 0, 0
	for range races {
		var q question
		spent, plain, early := false, false, false
		for n := 1; n <= planned; n++ {
			q.d = append(q.d, rng.NormFloat64())
			if n < MinHeats {
				continue
			}
			q.summarise()
			early = spent // at a look before this one
			low, high := q.interval(looks[n], quantile)
			spent = spent || low > 0 || high < 0
			low, high = q.interval(1-Confidence, quantile)
			plain = plain || low > 0 || high < 0
		}
		// Who watches, stops the race as soon as it is decided, and else lets it come to its end, where it is judged at 5%.
		if low, high := q.interval(1-Confidence, quantile); early || low > 0 || high < 0 {
			watched++
		}
		if spent {
			wrong++
		}
		if plain {
			naive++
		}
	}
	require.InDelta(t, .05, float64(wrong)/races, .005)
	require.Greater(t, float64(naive)/races, .10)
	require.InDelta(t, .067, float64(watched)/races, .005, "docs/verdict.md says so")
}

func TestARaceIsDecidedWhenItsPrimaryFamilyIs(t *testing.T) {
	decided := race.Verdict{Primary: true, Outcome: race.Same}
	require.True(t, Decided([]race.Verdict{decided, {Outcome: race.Inconclusive}}))
	require.False(t, Decided([]race.Verdict{decided, {Primary: true, Outcome: race.Inconclusive}}))
	require.False(t, Decided([]race.Verdict{{Outcome: race.Same}}), "nobody asked")
	require.False(t, Decided(nil))
}
