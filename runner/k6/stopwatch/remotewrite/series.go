package remotewrite

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/photofinish/photofinish/runner/k6/stream"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/prompb"
)

// zeroThreshold is the width of the zero bucket that Prometheus' own clients use by default.
const zeroThreshold = 0x1p-128

// series is one time series: what is known of it now and how much of it Prometheus has.
type series struct {
	labels    []prompb.Label
	histogram bool
	zero      int64 // ms; when the explicit zero is due, 0 for a gauge
	begun     bool  // Prometheus has the zero, or refused it
	written   bool  // Prometheus has at least one sample
	last      int64 // ms; timestamp of the newest sample that was sent

	fresh  bool // there is something to push
	number float64
	counts stream.Histogram
}

func newSeries(name string, labels []prompb.Label) *series {
	all := append([]prompb.Label{{Name: "__name__", Value: name}}, labels...)
	slices.SortFunc(all, func(a, b prompb.Label) int { return cmp.Compare(a.Name, b.Name) })
	return &series{labels: all}
}

// encode makes the samples to push at a time, later than every sample sent before.
func (s *series) encode(now time.Time) prompb.TimeSeries {
	ts := prompb.TimeSeries{Labels: s.labels}
	if !s.begun && s.zero != 0 {
		s.append(&ts, s.zero, 0, stream.Histogram{})
		s.last = max(s.last, s.zero)
	}
	s.last = max(s.last+1, now.UnixMilli())
	s.append(&ts, s.last, s.number, s.counts)
	return ts
}

// stale makes the marker that ends the series.
func (s *series) stale(now time.Time) prompb.TimeSeries {
	ts := prompb.TimeSeries{Labels: s.labels}
	s.last = max(s.last+1, now.UnixMilli())
	marker := math.Float64frombits(value.StaleNaN)
	s.append(&ts, s.last, marker, stream.Histogram{Sum: marker})
	return ts
}

func (s *series) append(ts *prompb.TimeSeries, at int64, number float64, counts stream.Histogram) {
	if s.histogram {
		ts.Histograms = append(ts.Histograms, encodeHistogram(at, counts))
		return
	}
	ts.Samples = append(ts.Samples, prompb.Sample{Timestamp: at, Value: number})
}

func encodeHistogram(at int64, h stream.Histogram) prompb.Histogram {
	p := prompb.Histogram{
		Count: &prompb.Histogram_CountInt{CountInt: uint64(h.Count)},
		Sum:   h.Sum, Schema: stream.Schema, ZeroThreshold: zeroThreshold,
		ZeroCount: &prompb.Histogram_ZeroCountInt{ZeroCountInt: uint64(h.Zero)},
		Timestamp: at,
	}
	next, before := 0, int64(0)
	for i, index := range h.Indexes() {
		if i == 0 || index != next {
			p.PositiveSpans = append(p.PositiveSpans, prompb.BucketSpan{Offset: int32(index - next)})
		}
		p.PositiveSpans[len(p.PositiveSpans)-1].Length++
		p.PositiveDeltas = append(p.PositiveDeltas, h.Buckets[index]-before)
		next, before = index+1, h.Buckets[index]
	}
	return p
}
