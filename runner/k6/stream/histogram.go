package stream

import (
	"math"
	"slices"
)

// bucketsPerOctave is 2^Schema: so many buckets lie between a value and its double, each 0.27% wide.
const bucketsPerOctave = 1 << Schema

// Schema is the Prometheus native histogram schema of a Histogram that is not Coarse.
const Schema = 8

// Bucket finds the index of the bucket that counts a duration of so many seconds (> 0).
// Only powers of two lie on a bound exactly (every other bound is irrational), and for those math.Log2 is exact.
func Bucket(seconds float64) int {
	frac, exp := math.Frexp(seconds)
	return int(math.Ceil(math.Log2(frac)*bucketsPerOctave)) + exp*bucketsPerOctave
}

// Bounds are the limits in seconds of a bucket: it counts durations in (lower, upper].
func Bounds(bucket int) (lower, upper float64) {
	return math.Exp2(float64(bucket-1) / bucketsPerOctave), math.Exp2(float64(bucket) / bucketsPerOctave)
}

// Fine are the buckets of schema 8 that make up a bucket of this histogram, from the first to the last.
func (h *Histogram) Fine(bucket int) (first, last int) {
	return (bucket-1)<<h.Coarse + 1, bucket << h.Coarse
}

// Observe counts one duration. Not-a-number and infinities are no durations and are left out.
// A Histogram is not safe for concurrent use.
func (h *Histogram) Observe(seconds float64) {
	if math.IsNaN(seconds) || math.IsInf(seconds, 0) {
		return
	}
	h.widen(seconds, seconds)
	h.Count++
	h.Sum += seconds
	if seconds <= 0 {
		h.Zero++
		return
	}
	if h.Buckets == nil {
		h.Buckets = make(map[int]int64)
	}
	h.Buckets[coarsen(Bucket(seconds), h.Coarse)]++
}

// Merge adds what another histogram counted. The coarser buckets of the two are those of the sum.
func (h *Histogram) Merge(other Histogram) {
	if other.Count == 0 {
		return
	}
	if h.Count == 0 {
		h.Coarse = other.Coarse
	}
	if other.Coarse > h.Coarse {
		fine, by := h.Buckets, other.Coarse-h.Coarse
		h.Buckets, h.Coarse = make(map[int]int64, len(fine)), other.Coarse
		for i, n := range fine {
			h.Buckets[coarsen(i, by)] += n
		}
	}
	h.widen(other.Min, other.Max)
	h.Count += other.Count
	h.Zero += other.Zero
	h.Sum += other.Sum
	if h.Buckets == nil {
		h.Buckets = make(map[int]int64, len(other.Buckets))
	}
	for i, n := range other.Buckets {
		h.Buckets[coarsen(i, h.Coarse-other.Coarse)] += n
	}
}

// coarsen finds the bucket that a bucket lies in when the resolution is halved so many times.
func coarsen(bucket, times int) int { return (bucket-1)>>times + 1 }

// Clone copies the histogram, so that the original may be observed on.
func (h *Histogram) Clone() Histogram {
	var c Histogram
	c.Merge(*h)
	return c
}

// Reset empties the histogram and keeps its memory.
func (h *Histogram) Reset() {
	clear(h.Buckets)
	*h = Histogram{Buckets: h.Buckets, Coarse: h.Coarse}
}

// Mean is the exact mean in seconds, not-a-number when nothing was observed.
func (h *Histogram) Mean() float64 {
	if h.Count == 0 {
		return math.NaN()
	}
	return h.Sum / float64(h.Count)
}

// Quantile estimates the q-quantile in seconds (0 <= q <= 1); not-a-number when nothing was observed or q is no share.
// It finds the bucket of rank q*Count and interpolates in it on a logarithmic scale, as Prometheus does for native
// histograms, then keeps the answer within the exact minimum and maximum. It is off by less than a bucket's width, 0.27% unless it is Coarse.
func (h *Histogram) Quantile(q float64) float64 {
	if h.Count == 0 || math.IsNaN(q) || q < 0 || q > 1 {
		return math.NaN()
	}
	rank := q * float64(h.Count)
	below := float64(h.Zero)
	if below >= rank && h.Zero > 0 {
		return h.clamp(0)
	}
	for _, i := range h.Indexes() {
		n := float64(h.Buckets[i])
		if below+n >= rank {
			position := float64(i-1) + (rank-below)/n
			return h.clamp(math.Exp2(math.Ldexp(position, h.Coarse) / bucketsPerOctave))
		}
		below += n
	}
	return h.Max
}

// Indexes lists the buckets in use, ascending.
func (h *Histogram) Indexes() []int {
	indexes := make([]int, 0, len(h.Buckets))
	for i, n := range h.Buckets {
		if n != 0 {
			indexes = append(indexes, i)
		}
	}
	slices.Sort(indexes)
	return indexes
}

func (h *Histogram) widen(low, high float64) {
	if h.Count == 0 {
		h.Min, h.Max = low, high
		return
	}
	h.Min, h.Max = min(h.Min, low), max(h.Max, high)
}

func (h *Histogram) clamp(seconds float64) float64 { return min(max(seconds, h.Min), h.Max) }
