package promserver_test

import (
	"log/slog"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/client_golang/exp/api/remote"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/prompb"
	writev2 "github.com/prometheus/prometheus/prompb/io/prometheus/write/v2"
	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/runner/metrics/promserver"
)

// Factors of a native histogram's buckets: what k6 uses (schema 3) and what Photofinish's own output uses (schema 8).
const (
	factorK6  = 1.1
	factorOur = 1.0028
)

func startServer(tb testing.TB, o promserver.Options) *promserver.Server {
	tb.Helper()
	if o.Dir == "" {
		o.Dir = tb.TempDir()
	}
	s, err := promserver.Start(tb.Context(), o)
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, s.Close()) })
	return s
}

func newWriter(tb testing.TB, s *promserver.Server) *remote.API {
	tb.Helper()
	w, err := remote.NewAPI(s.URL(), remote.WithAPIPath("api/v1/write"), remote.WithAPILogger(slog.New(slog.DiscardHandler)))
	require.NoError(tb, err)
	return w
}

// observe makes a native histogram of some values in seconds.
func observe(tb testing.TB, factor float64, values ...float64) *histogram.Histogram {
	tb.Helper()
	h := prometheus.NewHistogram(prometheus.HistogramOpts{Name: "x", NativeHistogramBucketFactor: factor, NativeHistogramMaxBucketNumber: 10_000})
	for _, v := range values {
		h.Observe(v)
	}
	var m dto.Metric
	require.NoError(tb, h.Write(&m))
	d := m.GetHistogram()
	return &histogram.Histogram{
		Schema: d.GetSchema(), ZeroThreshold: d.GetZeroThreshold(), ZeroCount: d.GetZeroCount(), Count: d.GetSampleCount(), Sum: d.GetSampleSum(),
		PositiveSpans: spans(d.GetPositiveSpan()), PositiveBuckets: d.GetPositiveDelta(),
	}
}

func spans(in []*dto.BucketSpan) []histogram.Span {
	var out []histogram.Span
	for _, s := range in {
		out = append(out, histogram.Span{Offset: s.GetOffset(), Length: s.GetLength()})
	}
	return out
}

func protoLabels(name string, pairs ...string) []prompb.Label {
	out := []prompb.Label{{Name: "__name__", Value: name}}
	for pair := range slices.Chunk(pairs, 2) {
		out = append(out, prompb.Label{Name: pair[0], Value: pair[1]})
	}
	return out
}

func floats(labels []prompb.Label, at time.Time, v float64) prompb.TimeSeries {
	return prompb.TimeSeries{Labels: labels, Samples: []prompb.Sample{{Timestamp: at.UnixMilli(), Value: v}}}
}

func histograms(labels []prompb.Label, at time.Time, h *histogram.Histogram) prompb.TimeSeries {
	return prompb.TimeSeries{Labels: labels, Histograms: []prompb.Histogram{prompb.FromIntHistogram(at.UnixMilli(), h)}}
}

func stale() float64 { return math.Float64frombits(value.StaleNaN) }

func push(tb testing.TB, w *remote.API, series ...prompb.TimeSeries) {
	tb.Helper()
	_, err := w.Write(tb.Context(), remote.WriteV1MessageType, &prompb.WriteRequest{Timeseries: series})
	require.NoError(tb, err)
}

// pushV2 writes the same by remote write 2.0.
func pushV2(tb testing.TB, w *remote.API, series ...prompb.TimeSeries) {
	tb.Helper()
	symbols := writev2.NewSymbolTable()
	var req writev2.Request
	for _, s := range series {
		var out writev2.TimeSeries
		for _, l := range s.Labels {
			out.LabelsRefs = append(out.LabelsRefs, symbols.Symbolize(l.Name), symbols.Symbolize(l.Value))
		}
		for _, x := range s.Samples {
			out.Samples = append(out.Samples, writev2.Sample{Timestamp: x.Timestamp, Value: x.Value})
		}
		for _, h := range s.Histograms {
			out.Histograms = append(out.Histograms, writev2.FromIntHistogram(0, h.Timestamp, h.ToIntHistogram()))
		}
		req.Timeseries = append(req.Timeseries, out)
	}
	req.Symbols = symbols.Symbols()
	_, err := w.Write(tb.Context(), remote.WriteV2MessageType, &req)
	require.NoError(tb, err)
}
