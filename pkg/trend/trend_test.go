package trend_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/trend"
)

// steps is a history that changes its level after each stretch of n values, with so much noise.
func steps(seed uint64, n int, noise float64, levels ...float64) (series []float64) {
	rng := rand.New(rand.NewPCG(seed, 1))
	for _, level := range levels {
		for range n {
			series = append(series, level*(1+noise*rng.NormFloat64()))
		}
	}
	return series
}

func indexes(changes []trend.Change) (at []int) {
	for _, c := range changes {
		at = append(at, c.Index)
	}
	return at
}

func TestStepsAreFoundWhereTheyAre(t *testing.T) {
	for seed := range uint64(20) {
		found := trend.Changes(steps(seed, 20, .01, 1, 1.05, 1.05, .9), trend.Options{})
		require.Len(t, found, 2, "seed %d: %v", seed, found)
		require.InDelta(t, 20, found[0].Index, 1)
		require.InDelta(t, 60, found[1].Index, 1)
		require.InDelta(t, 1.05, found[0].Ratio(), .01)
		require.InDelta(t, .9/1.05, found[1].Ratio(), .01)
		require.Equal(t, found[1].Index-found[0].Index, found[0].After.N)
		require.Less(t, found[0].P, 1e-3)
	}
}

func TestNoiseIsNoChange(t *testing.T) {
	alarms := 0
	for seed := range uint64(300) {
		alarms += len(trend.Changes(steps(seed, 60, .02, 1), trend.Options{}))
	}
	require.Less(t, alarms, 15, "in 300 histories of 60 races")
}

func TestASlowDriftIsSeenThatNoTwoNeighboursShow(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 1))
	var series []float64
	for i := range 60 {
		series = append(series, (1+.002*float64(i))*(1+.01*rng.NormFloat64())) // 0.2% a race
	}
	found := trend.Changes(series, trend.Options{})
	require.NotEmpty(t, found)
	for _, c := range found {
		require.Greater(t, c.Ratio(), 1.0)
	}
}

func TestSmallChangesCanBeLeftOut(t *testing.T) {
	series := steps(1, 30, .002, 1, 1.01, 1.2)
	require.Equal(t, []int{30, 60}, indexes(trend.Changes(series, trend.Options{})))
	require.Equal(t, []int{60}, indexes(trend.Changes(series, trend.Options{MinMagnitude: .05})))
}

func TestShortAndFlatHistories(t *testing.T) {
	for _, series := range [][]float64{nil, {1}, {1, 2}, {1, 1, 1, 1, 1, 1}, {0, 0, 0, 0}} {
		require.Empty(t, trend.Changes(series, trend.Options{}), series)
	}
	require.Equal(t, []int{5}, indexes(trend.Changes([]float64{1, 1, 1, 1, 1, 2, 2, 2, 2, 2}, trend.Options{})), "without any spread a step is sure")
	require.Equal(t, []int{4}, indexes(trend.Changes([]float64{0, 0, 0, 0, 3, 3, 3, 3}, trend.Options{})), "from nothing to something")
}

// TestTheBestCandidateIsThatOfTheFormula compares the search for a window's first change with the formula itself, summed pair by pair.
func TestTheBestCandidateIsThatOfTheFormula(t *testing.T) {
	for seed := range uint64(10) {
		series := steps(seed, 8, .05, 1, 3)
		best, at := math.Inf(-1), 0
		for a := 1; a < len(series); a++ {
			for b := a + 1; b <= len(series); b++ {
				if q := energy(series[:a], series[a:b]); q > best {
					best, at = q, a
				}
			}
		}
		require.Equal(t, []int{at}, indexes(trend.Changes(series, trend.Options{})))
	}
}

func energy(x, y []float64) float64 {
	n, m := float64(len(x)), float64(len(y))
	sum := func(a, b []float64) (s float64) {
		for _, v := range a {
			for _, w := range b {
				s += math.Abs(v - w)
			}
		}
		return s
	}
	q := 2 / (n + m) * sum(x, y)
	if n > 1 {
		q -= 2 * m / (n + m) / (n - 1) * sum(x, x) / 2
	}
	if m > 1 {
		q -= 2 * n / (n + m) / (m - 1) * sum(y, y) / 2
	}
	return q
}

func BenchmarkAYearOfNights(b *testing.B) {
	series := steps(1, 73, .02, 1, 1.02, 1.1, 1.05, .95)
	for b.Loop() {
		trend.Changes(series, trend.Options{})
	}
}
