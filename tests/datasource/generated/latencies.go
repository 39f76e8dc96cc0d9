package generated

import (
	"math"

	"github.com/prometheus/prometheus/model/histogram"
)

// latencies is a cumulative native histogram that is shown once a second. client_golang's would sort its buckets each time, which takes
// minutes for the hour of a hundred apps.
type latencies struct {
	schema      int32
	count       uint64
	sum         float64
	buckets     []int64 // from reach*2^schema octaves below 1 s on
	first, last int
}

// reach is how many doublings below and above one second are kept: 61 µs to 16,000 s.
const reach = 14

func newLatencies(schema int32) *latencies {
	return &latencies{schema: schema, buckets: make([]int64, 2*reach<<schema), first: math.MaxInt}
}

func (l *latencies) observe(seconds float64) {
	i := int(math.Ceil(math.Log2(seconds)*math.Exp2(float64(l.schema)))) + reach<<l.schema
	i = min(max(i, 0), len(l.buckets)-1)
	l.buckets[i]++
	l.first, l.last = min(l.first, i), max(l.last, i)
	l.count++
	l.sum += seconds
}

func (l *latencies) native() *histogram.Histogram {
	h := &histogram.Histogram{Schema: l.schema, ZeroThreshold: 1e-128, Count: l.count, Sum: l.sum}
	before, end := int64(0), 0 // end is where the last span ended, as an index of the histogram
	for i := l.first; i <= l.last; i++ {
		n := l.buckets[i]
		if n == 0 {
			continue
		}
		index := i - reach<<l.schema
		if spans := len(h.PositiveSpans); spans > 0 && index == end {
			h.PositiveSpans[spans-1].Length++
		} else {
			h.PositiveSpans = append(h.PositiveSpans, histogram.Span{Offset: int32(index - end), Length: 1})
		}
		h.PositiveBuckets = append(h.PositiveBuckets, n-before)
		before, end = n, index+1
	}
	return h
}
