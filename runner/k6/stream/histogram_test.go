package stream_test

import (
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/photofinish/photofinish/runner/k6/stream"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/stretchr/testify/require"
)

func TestQuantilesLieWithinABucketOfTheExactOnes(t *testing.T) {
	t.Parallel()
	for name, draw := range map[string]func(*rand.Rand) float64{
		"milliseconds around 0.4":   func(r *rand.Rand) float64 { return 0.0004 * math.Exp(0.3*r.NormFloat64()) },
		"two peaks 100 ms apart":    func(r *rand.Rand) float64 { return 0.0005 + 0.1*float64(r.IntN(2)) + 0.0001*r.Float64() },
		"a long tail":               func(r *rand.Rand) float64 { return 0.001 / math.Pow(1-r.Float64(), 0.8) },
		"one value again and again": func(*rand.Rand) float64 { return 0.0173 },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			random := rand.New(rand.NewPCG(1, 2))
			var h stream.Histogram
			values := make([]float64, 5000)
			for i := range values {
				values[i] = draw(random)
				h.Observe(values[i])
			}
			slices.Sort(values)
			for _, q := range []float64{0.001, 0.1, 0.5, 0.9, 0.95, 0.99, 0.999} {
				exact := values[int(math.Ceil(q*float64(len(values))))-1]
				require.InEpsilonf(t, exact, h.Quantile(q), 0.003, "quantile %v", q)
			}
			require.Equal(t, values[0], h.Min)
			require.Equal(t, values[len(values)-1], h.Max)
			require.Equal(t, h.Max, h.Quantile(1))
			require.InDelta(t, values[0], h.Quantile(0), values[0]*0.003)
		})
	}
}

func TestBucketsAreThoseOfPrometheus(t *testing.T) {
	t.Parallel()
	theirs := prometheus.NewHistogram(prometheus.HistogramOpts{Name: "x", Help: "x", NativeHistogramBucketFactor: 1.0028, NativeHistogramZeroThreshold: 1e-12})
	var ours stream.Histogram
	random := rand.New(rand.NewPCG(3, 4))
	for range 3000 {
		v := math.Exp(12*random.Float64() - 10)
		theirs.Observe(v)
		ours.Observe(v)
	}
	for _, v := range []float64{0.25, 0.5, 1, 2, 4} {
		theirs.Observe(v)
		ours.Observe(v)
	}
	var m dto.Metric
	require.NoError(t, theirs.Write(&m))
	require.EqualValues(t, stream.Schema, m.GetHistogram().GetSchema())
	require.True(t, maps.Equal(unfold(m.GetHistogram()), ours.Buckets), "the buckets differ")
}

// unfold turns spans and deltas into counts by bucket index.
func unfold(h *dto.Histogram) map[int]int64 {
	counts := map[int]int64{}
	var index, next int
	var count int64
	for _, span := range h.GetPositiveSpan() {
		index += int(span.GetOffset())
		for range span.GetLength() {
			count += h.GetPositiveDelta()[next]
			if count != 0 {
				counts[index] = count
			}
			next++
			index++
		}
	}
	return counts
}

func TestBoundsHoldTheValuesOfTheirBucket(t *testing.T) {
	t.Parallel()
	for _, v := range []float64{1e-9, 0.00037, 0.5, 1, 1.0000001, 3, 4096} {
		lower, upper := stream.Bounds(stream.Bucket(v))
		require.Less(t, lower, v)
		require.GreaterOrEqual(t, upper, v)
		require.InEpsilon(t, lower*1.00271, upper, 1e-5)
	}
}

func TestMergingIsAsIfAllHadBeenObservedByOne(t *testing.T) {
	t.Parallel()
	var a, b, all stream.Histogram
	for i, v := range []float64{0.01, 0.02, 0, 0.5, 0.0101, 7} {
		all.Observe(v)
		if i%2 == 0 {
			a.Observe(v)
		} else {
			b.Observe(v)
		}
	}
	var merged stream.Histogram
	merged.Merge(stream.Histogram{})
	merged.Merge(a)
	merged.Merge(b)
	require.Equal(t, all.Buckets, merged.Buckets)
	require.Equal(t, all.Count, merged.Count)
	require.Equal(t, all.Zero, merged.Zero)
	require.InDelta(t, all.Sum, merged.Sum, 1e-12)
	require.InDelta(t, all.Mean(), merged.Mean(), 1e-12)
	require.Equal(t, []float64{0, 7}, []float64{merged.Min, merged.Max})
	copied := merged.Clone()
	merged.Reset()
	require.Zero(t, merged.Count)
	require.Equal(t, all.Buckets, copied.Buckets)
}

func TestACoarseHistogramIsAFineOneOfWhichBucketsWereJoined(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(5, 6))
	fine, coarse := stream.Histogram{}, stream.Histogram{Coarse: 5}
	for range 3000 {
		v := math.Exp(2*random.NormFloat64() - 4)
		fine.Observe(v)
		coarse.Observe(v)
	}
	for _, q := range []float64{0, .1, .5, .95, .99, 1} {
		require.InEpsilonf(t, fine.Quantile(q), coarse.Quantile(q), 0.091, "quantile %v", q)
	}
	for bucket := range coarse.Buckets {
		first, last := coarse.Fine(bucket)
		require.Equal(t, 31, last-first)
		var n int64
		for i := first; i <= last; i++ {
			n += fine.Buckets[i]
		}
		require.Equal(t, coarse.Buckets[bucket], n)
	}
	joined := fine.Clone()
	joined.Merge(coarse)
	require.Equal(t, 5, joined.Coarse)
	require.Equal(t, int64(6000), joined.Count)
	for bucket, n := range coarse.Buckets {
		require.Equal(t, 2*n, joined.Buckets[bucket])
	}
	into := coarse.Clone()
	into.Merge(fine)
	require.Equal(t, joined.Buckets, into.Buckets)
}

func TestAnEmptyHistogramHasNoQuantileAndNoMean(t *testing.T) {
	t.Parallel()
	var h stream.Histogram
	h.Observe(math.NaN())
	h.Observe(math.Inf(1))
	require.True(t, math.IsNaN(h.Quantile(0.5)))
	require.True(t, math.IsNaN(h.Mean()))
	h.Observe(1)
	require.True(t, math.IsNaN(h.Quantile(1.5)))
}

func BenchmarkObserve(b *testing.B) {
	random := rand.New(rand.NewPCG(1, 2))
	values := make([]float64, 1024)
	for i := range values {
		values[i] = 0.0004 * math.Exp(0.5*random.NormFloat64())
	}
	var h stream.Histogram
	for i := 0; b.Loop(); i++ {
		h.Observe(values[i%len(values)])
	}
}
