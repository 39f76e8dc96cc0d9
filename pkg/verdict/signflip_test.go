package verdict

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSignFlipCountsAsByHand(t *testing.T) {
	require.InDelta(t, 1.0/64, exactSignFlip([]float64{1, 1, 1, 1, 1, 1}), 1e-12, "only one of 64 combinations is as large")
	require.InDelta(t, 7.0/64, exactSignFlip([]float64{1, 1, 1, 1, 1, -1}), 1e-12)
	require.InDelta(t, 1.0, exactSignFlip([]float64{0, 0, 0, 0}), 1e-12)
	require.InDelta(t, 2.0/8, exactSignFlip([]float64{3, 2, -1}), 1e-12, "3+2-1 = 4 and 3+2+1 = 6")
}

func TestSignFlipSampledAgreesWithExact(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for range 20 {
		x := make([]float64, 6+rng.IntN(14))
		for i := range x {
			x[i] = rng.NormFloat64() + .5
		}
		require.InDelta(t, bruteSignFlip(x), exactSignFlip(x), 1e-12)
		require.InDelta(t, exactSignFlip(x), sampledSignFlip(x), 0.02)
	}
}

// bruteSignFlip is the definition.
func bruteSignFlip(x []float64) float64 {
	observed, size := sumAndSize(x)
	count := 0
	for mask := range 1 << len(x) {
		sum := 0.0
		for i, v := range x {
			if mask>>i&1 == 1 {
				v = -v
			}
			sum += v
		}
		if sum >= observed-1e-12*size {
			count++
		}
	}
	return float64(count) / float64(int(1)<<len(x))
}

func TestManyHeatsAreSampled(t *testing.T) {
	q := question{d: make([]float64, 40), mean: .1}
	for i := range q.d {
		q.d[i] = .1
	}
	require.InDelta(t, 1.0/(sampledFlips+1), q.signFlip(), 1e-12)
}

func TestStudentQuantilesAsInTables(t *testing.T) {
	quantile := studentQuantiles()
	require.InDelta(t, 2.5706, quantile(5, .05), 1e-4)
	require.InDelta(t, 2.2010, quantile(11, .05), 1e-4)
	require.InDelta(t, 4.0322, quantile(5, .01), 1e-4)
	require.InDelta(t, .05, studentTails(11, 2.2010), 1e-5)
}
