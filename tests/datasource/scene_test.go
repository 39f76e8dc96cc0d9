package datasource_test

import (
	"log/slog"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/prometheus/client_golang/exp/api/remote"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/prompb"
	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/runner/metrics/promserver"
)

// t0 is when the scene's first race begins.
func t0() time.Time { return time.Date(2026, 3, 14, 9, 0, 0, 0, time.UTC) }

// The shape of the scene's races.
const (
	heats   = 6
	pushes  = 5 // one a second
	rate    = 20
	heatGap = 8 * time.Second
)

// startPrometheus starts the embedded Prometheus and fills it with two races: "golden", run by photofinish with six heats and cAdvisor beside it,
// and "by-hand" a minute and a half later, run by a stock k6 without any container.
func startPrometheus(tb testing.TB) *promserver.Server {
	tb.Helper()
	server, err := promserver.Start(tb.Context(), promserver.Options{Dir: tb.TempDir()})
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, server.Close()) })
	api, err := remote.NewAPI(server.URL(), remote.WithAPIPath("api/v1/write"), remote.WithAPILogger(slog.New(slog.DiscardHandler)))
	require.NoError(tb, err)
	s := &scene{tb: tb, rng: rand.New(rand.NewPCG(3, 4))}
	s.golden()
	s.byHand(t0().Add(150 * time.Second))
	_, err = api.Write(tb.Context(), remote.WriteV1MessageType, &prompb.WriteRequest{Timeseries: s.series})
	require.NoError(tb, err)
	return server
}

// scene collects series with all their samples.
type scene struct {
	tb     testing.TB
	rng    *rand.Rand
	series []prompb.TimeSeries
}

// contestant is how an app behaves.
type contestant struct {
	app    string
	median float64 // seconds
	cores  float64
}

func contestants() []contestant { return []contestant{{"control", .010, .2}, {"slow", .015, .3}} }

func (s *scene) golden() {
	for heat := range heats {
		for _, c := range contestants() {
			s.ownHeat(c, strconv.Itoa(heat+1), t0().Add(time.Duration(heat)*heatGap))
		}
	}
	for _, c := range contestants() {
		s.container(c)
	}
}

// ownHeat writes a heat as our output extension does: explicit zeros, a push each second, and a stale marker.
func (s *scene) ownHeat(c contestant, heat string, start time.Time) {
	labels := func(name string, more ...string) []prompb.Label {
		return labelsOf(append([]string{"__name__", name, "testid", "golden", "app", c.app, "heat", heat, "phase", "race"}, more...)...)
	}
	drift := math.Exp(.02 * s.rng.NormFloat64())
	latencies := prometheus.NewHistogram(prometheus.HistogramOpts{Name: "x", NativeHistogramBucketFactor: 1.0028, NativeHistogramMaxBucketNumber: 10_000})
	duration := prompb.TimeSeries{Labels: labels("photofinish_http_req_duration_seconds")}
	waited := prompb.TimeSeries{Labels: labels("photofinish_http_req_duration_seconds_total")}
	ok := prompb.TimeSeries{Labels: labels("photofinish_http_reqs_total", "expected_response", "true")}
	bad := prompb.TimeSeries{Labels: labels("photofinish_http_reqs_total", "expected_response", "false")}
	highest := prompb.TimeSeries{Labels: labels("photofinish_http_req_duration_max_seconds")}
	vus := prompb.TimeSeries{Labels: labels("photofinish_vus")}
	for push := range pushes + 1 {
		at := start.Add(time.Duration(push) * time.Second).UnixMilli()
		top := 0.0
		for range min(push, 1) * rate {
			v := c.median * drift * math.Exp(.2*s.rng.NormFloat64())
			latencies.Observe(v)
			top = max(top, v)
		}
		counted := native(s.tb, latencies)
		duration.Histograms = append(duration.Histograms, prompb.FromIntHistogram(at, counted))
		waited.Samples = append(waited.Samples, prompb.Sample{Timestamp: at, Value: counted.Sum})
		ok.Samples = append(ok.Samples, prompb.Sample{Timestamp: at, Value: float64(push * rate)})
		bad.Samples = append(bad.Samples, prompb.Sample{Timestamp: at})
		vus.Samples = append(vus.Samples, prompb.Sample{Timestamp: at, Value: 2})
		if push > 0 {
			highest.Samples = append(highest.Samples, prompb.Sample{Timestamp: at, Value: top})
		}
	}
	end := start.Add(pushes*time.Second + time.Millisecond).UnixMilli()
	ours := []*prompb.TimeSeries{&duration, &waited, &ok, &bad, &vus, &highest}
	for _, one := range append(ours, s.ownMetrics(c, labels, start)...) {
		one.Samples = append(one.Samples, prompb.Sample{Timestamp: end, Value: math.Float64frombits(value.StaleNaN)})
		s.series = append(s.series, *one)
	}
}

// ownMetrics are those of the script's own: a checkout takes three times what a request does, every fourth is not fast, and sells two items.
func (s *scene) ownMetrics(c contestant, labels func(name string, more ...string) []prompb.Label, start time.Time) []*prompb.TimeSeries {
	checkout := prometheus.NewHistogram(prometheus.HistogramOpts{Name: "x", NativeHistogramBucketFactor: 1.0028, NativeHistogramMaxBucketNumber: 10_000})
	series := func(name string, more ...string) *prompb.TimeSeries {
		return &prompb.TimeSeries{Labels: labels(name, more...)}
	}
	trend, top := series("photofinish_custom_trend", "metric", "checkout_time"), series("photofinish_custom_trend_max", "metric", "checkout_time", "contains", "time")
	fast, slow := series("photofinish_custom_rate_total", "metric", "checkout_fast", "result", "pass"), series("photofinish_custom_rate_total", "metric", "checkout_fast", "result", "fail")
	sold := series("photofinish_custom_counter_total", "metric", "items_sold")
	for push := range pushes + 1 {
		at := start.Add(time.Duration(push) * time.Second).UnixMilli()
		for i := range min(push, 1) * rate {
			checkout.Observe(checkoutMS(c, i))
		}
		trend.Histograms = append(trend.Histograms, prompb.FromIntHistogram(at, native(s.tb, checkout)))
		fast.Samples = append(fast.Samples, prompb.Sample{Timestamp: at, Value: float64(push * rate * 3 / 4)})
		slow.Samples = append(slow.Samples, prompb.Sample{Timestamp: at, Value: float64(push * rate / 4)})
		sold.Samples = append(sold.Samples, prompb.Sample{Timestamp: at, Value: float64(2 * push * rate)})
		if push > 0 {
			top.Samples = append(top.Samples, prompb.Sample{Timestamp: at, Value: checkoutMS(c, rate-1)})
		}
	}
	return []*prompb.TimeSeries{trend, top, fast, slow, sold}
}

func checkoutMS(c contestant, i int) float64 { return 3000 * c.median * (1 + float64(i)/rate) }

// container writes what cAdvisor samples of an app from before the race until after it.
func (s *scene) container(c contestant) {
	labels := func(name string) []prompb.Label {
		return labelsOf("__name__", name, "id", "/photofinish/"+c.app, "instance", "here", "job", "cadvisor",
			"container_label_photofinish_app", c.app, "container_label_photofinish_race", "golden")
	}
	cpu, memory := prompb.TimeSeries{Labels: labels("container_cpu_usage_seconds_total")}, prompb.TimeSeries{Labels: labels("container_memory_working_set_bytes")}
	for i := range int(heatGap.Seconds())*heats + 4 {
		at := t0().Add(time.Duration(i-2)*time.Second + 300*time.Millisecond).UnixMilli()
		cpu.Samples = append(cpu.Samples, prompb.Sample{Timestamp: at, Value: 7 + c.cores*float64(i)})
		memory.Samples = append(memory.Samples, prompb.Sample{Timestamp: at, Value: 1e7 + 4096*float64(i)})
	}
	s.series = append(s.series, cpu, memory)
}

// byHand writes a race as a stock k6 does: no heats, no phases, coarse histograms, nothing before the first push.
func (s *scene) byHand(start time.Time) {
	for _, c := range contestants() {
		labels := func(name string) []prompb.Label {
			return labelsOf("__name__", name, "testid", "by-hand", "app", c.app, "status", "200", "expected_response", "true")
		}
		latencies := prometheus.NewHistogram(prometheus.HistogramOpts{Name: "x", NativeHistogramBucketFactor: 1.1, NativeHistogramMaxBucketNumber: 10_000})
		checkout := prometheus.NewHistogram(prometheus.HistogramOpts{Name: "x", NativeHistogramBucketFactor: 1.1, NativeHistogramMaxBucketNumber: 10_000})
		trend, sold := prompb.TimeSeries{Labels: labels("k6_checkout_time_seconds")}, prompb.TimeSeries{Labels: labels("k6_items_sold_total")}
		duration, requests := prompb.TimeSeries{Labels: labels("k6_http_req_duration_seconds")}, prompb.TimeSeries{Labels: labels("k6_http_reqs_total")}
		for push := range 2 * pushes {
			at := start.Add(time.Duration(push+1) * time.Second).UnixMilli()
			for i := range rate {
				latencies.Observe(c.median * math.Exp(.2*s.rng.NormFloat64()))
				checkout.Observe(checkoutMS(c, i) / 1000)
			}
			duration.Histograms = append(duration.Histograms, prompb.FromIntHistogram(at, native(s.tb, latencies)))
			trend.Histograms = append(trend.Histograms, prompb.FromIntHistogram(at, native(s.tb, checkout)))
			sold.Samples = append(sold.Samples, prompb.Sample{Timestamp: at, Value: float64(2 * (push + 1) * rate)})
			requests.Samples = append(requests.Samples, prompb.Sample{Timestamp: at, Value: float64((push + 1) * rate)})
		}
		s.series = append(s.series, duration, requests, trend, sold)
	}
}

func labelsOf(pairs ...string) []prompb.Label {
	var out []prompb.Label
	for pair := range slices.Chunk(pairs, 2) {
		out = append(out, prompb.Label{Name: pair[0], Value: pair[1]})
	}
	slices.SortFunc(out, func(a, b prompb.Label) int {
		if a.Name < b.Name {
			return -1
		}
		return 1
	})
	return out
}

func native(tb testing.TB, h prometheus.Histogram) *histogram.Histogram {
	tb.Helper()
	var m dto.Metric
	require.NoError(tb, h.Write(&m))
	d := m.GetHistogram()
	var spans []histogram.Span
	for _, s := range d.GetPositiveSpan() {
		spans = append(spans, histogram.Span{Offset: s.GetOffset(), Length: s.GetLength()})
	}
	return &histogram.Histogram{
		Schema: d.GetSchema(), ZeroThreshold: d.GetZeroThreshold(), ZeroCount: d.GetZeroCount(), Count: d.GetSampleCount(), Sum: d.GetSampleSum(),
		PositiveSpans: spans, PositiveBuckets: d.GetPositiveDelta(),
	}
}
