package arrivals_test

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/k6/stopwatch/arrivals"
	"github.com/photofinish/photofinish/runner/k6/stream"
	"github.com/stretchr/testify/require"
)

// until lists the arrivals before a time, in seconds.
func until(t *testing.T, kind race.Arrivals, p arrivals.Profile, seed uint64, end time.Duration) []float64 {
	t.Helper()
	s, err := arrivals.NewSchedule(kind, p, arrivals.Source(seed, "test"))
	require.NoError(t, err)
	var list []float64
	for {
		offset, ok := s.Next()
		if !ok || offset >= end {
			return list
		}
		list = append(list, offset.Seconds())
	}
}

func TestUniformPutsOneArrivalSomewhereInEachTick(t *testing.T) {
	t.Parallel()
	list := until(t, race.Uniform, arrivals.Profile{Start: 100}, 1, 60*time.Second)
	require.Len(t, list, 6000)
	var parts []float64
	for i, at := range list {
		tick, part := math.Modf(at * 100)
		require.InDelta(t, i, tick, 0)
		parts = append(parts, part)
	}
	// Kolmogorov-Smirnov distance to the uniform distribution; 1.95/sqrt(n) is passed once in a thousand seeds.
	slices.Sort(parts)
	var distance float64
	for i, part := range parts {
		distance = max(distance, math.Abs(part-float64(i)/6000), math.Abs(part-float64(i+1)/6000))
	}
	require.Less(t, distance, 1.95/math.Sqrt(6000))
}

func TestUniformWaitsASecondAtMostInALongTick(t *testing.T) {
	t.Parallel()
	for i, at := range until(t, race.Uniform, arrivals.Profile{Start: 0.1}, 1, 300*time.Second) {
		require.GreaterOrEqual(t, at, float64(i)*10)
		require.Less(t, at, float64(i)*10+1)
	}
}

func TestPoissonHasExponentialGaps(t *testing.T) {
	t.Parallel()
	list := until(t, race.Poisson, arrivals.Profile{Start: 100}, 2, 200*time.Second)
	require.InDelta(t, 20000, len(list), 4*math.Sqrt(20000))
	var sum, squares, long float64
	for i := 1; i < len(list); i++ {
		gap := list[i] - list[i-1]
		require.GreaterOrEqual(t, gap, 0.0)
		sum += gap
		squares += gap * gap
		if gap > 0.02 {
			long++
		}
	}
	n := float64(len(list) - 1)
	mean := sum / n
	require.InEpsilon(t, mean, math.Sqrt(squares/n-mean*mean), 0.03, "an exponential's deviation is its mean")
	require.InEpsilon(t, math.Exp(-2), long/n, 0.1, "gaps of more than two means")
}

func TestEvenSendsAtTheTickAsStockK6Does(t *testing.T) {
	t.Parallel()
	list := until(t, race.Even, arrivals.Profile{Start: 50}, 3, time.Second)
	require.Len(t, list, 50)
	for i, at := range list {
		require.InDelta(t, float64(i)*0.02, at, 1e-8)
	}
}

func TestTheSameSeedGivesTheSameArrivalsAndAnotherPurposeOthers(t *testing.T) {
	t.Parallel()
	for _, kind := range []race.Arrivals{race.Uniform, race.Poisson} {
		p := arrivals.Profile{Start: 10, Stages: []arrivals.Stage{{Duration: 5 * time.Second, Target: 40}}}
		require.Equal(t, until(t, kind, p, 9, 8*time.Second), until(t, kind, p, 9, 8*time.Second))
		require.NotEqual(t, until(t, kind, p, 9, 8*time.Second), until(t, kind, p, 10, 8*time.Second))
		one, err := arrivals.NewSchedule(kind, p, arrivals.Source(9, 1, "control"))
		require.NoError(t, err)
		other, err := arrivals.NewSchedule(kind, p, arrivals.Source(9, 1, "slow"))
		require.NoError(t, err)
		a, _ := one.Next()
		b, _ := other.Next()
		require.NotEqual(t, a, b)
	}
}

func TestARampGivesAsManyArrivalsAsTheAreaUnderIt(t *testing.T) {
	t.Parallel()
	p := arrivals.Profile{Stages: []arrivals.Stage{
		{Duration: 10 * time.Second, Target: 100}, // 500
		{Duration: 5 * time.Second, Target: 100},  // 500
		{Duration: 0, Target: 20},
		{Duration: 10 * time.Second, Target: 20}, // 200
		{Duration: 4 * time.Second, Target: 0},   // 40
	}}
	count := func(list []float64, from, to float64) (n int) {
		for _, at := range list {
			if at >= from && at < to {
				n++
			}
		}
		return n
	}
	for kind, deviations := range map[race.Arrivals]float64{race.Uniform: 0.2, race.Even: 0.1, race.Poisson: 4} {
		list := until(t, kind, p, 4, time.Minute)
		require.True(t, slices.IsSorted(list), kind)
		for _, want := range []struct{ from, to, n float64 }{{0, 10, 500}, {0, 5, 125}, {10, 15, 500}, {15, 25, 200}, {25, 60, 40}} {
			require.InDelta(t, want.n, count(list, want.from, want.to), deviations*math.Sqrt(want.n)+1.01, "%s from %v to %v s", kind, want.from, want.to)
		}
	}
	require.InDelta(t, 100, p.Peak(), 0)
	require.InDelta(t, 100, p.WarmupRate(), 0)
	require.InDelta(t, 7, arrivals.Profile{Start: 7}.WarmupRate(), 0)
	require.Zero(t, arrivals.Profile{}.WarmupRate())
}

func TestAnIdleBeginningDelaysTheFirstArrival(t *testing.T) {
	t.Parallel()
	p := arrivals.Profile{Stages: []arrivals.Stage{{Duration: 3 * time.Second}, {Target: 10}}}
	list := until(t, race.Even, p, 1, 4*time.Second)
	require.Len(t, list, 10)
	require.InDelta(t, 3, list[0], 1e-9)
	require.Empty(t, until(t, race.Uniform, arrivals.Profile{}, 1, time.Hour))
}

func TestUnknownArrivalsAreNamed(t *testing.T) {
	t.Parallel()
	_, err := arrivals.NewSchedule("bursts", arrivals.Profile{Start: 1}, arrivals.Source(1))
	require.ErrorContains(t, err, `"bursts"`)
}

func TestTurnsGiveTheSameProfileAsTogether(t *testing.T) {
	t.Parallel()
	blocks := []stream.Block{{Start: time.Second, End: 3 * time.Second}, {Start: 10 * time.Second, End: 11 * time.Second}}
	for active, want := range map[time.Duration]time.Duration{
		0: time.Second, 1999 * time.Millisecond: 2999 * time.Millisecond, 2 * time.Second: 10 * time.Second, 2999 * time.Millisecond: 10999 * time.Millisecond,
	} {
		offset, ok := arrivals.Place(blocks, active)
		require.True(t, ok)
		require.Equal(t, want, offset)
	}
	_, ok := arrivals.Place(blocks, 3*time.Second)
	require.False(t, ok, "a lane is never active longer than its blocks")
}

func TestAClosedModelWaitsForItsBlock(t *testing.T) {
	t.Parallel()
	blocks := []stream.Block{{Start: time.Second, End: 3 * time.Second}, {Start: 10 * time.Second, End: 11 * time.Second}}
	for offset, want := range map[time.Duration]time.Duration{
		0: time.Second, time.Second: 0, 2999 * time.Millisecond: 0, 3 * time.Second: 7 * time.Second, 10500 * time.Millisecond: 0,
	} {
		wait, ok := arrivals.Wait(blocks, offset)
		require.True(t, ok)
		require.Equal(t, want, wait, offset)
	}
	_, ok := arrivals.Wait(blocks, 11*time.Second)
	require.False(t, ok)
}
