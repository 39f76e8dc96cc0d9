package promserver_test

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/prompb"
	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/runner/metrics/promserver"
)

// The size of a race with four lanes at 1,000 requests/s together.
const (
	benchHistograms = 60
	benchCounters   = 250
	benchScraped    = 200
)

// BenchmarkOneSecondOfARace stores what four lanes write in one second: two pushes with native histograms, one scrape. Its ns/op over 1e9 is
// the share of a core that the store takes, the writer's encoding included; run it with -benchtime=600x for the memory of a ten-minute race.
func BenchmarkOneSecondOfARace(b *testing.B) {
	s := startServer(b, promserver.Options{})
	w := newWriter(b, s)
	load := newLoad(b)
	start := time.Now().Add(-time.Duration(b.N) * time.Second)
	heap := heapMB()
	cpu := cpuSeconds(b)
	b.ResetTimer()
	for i := range b.N {
		at := start.Add(time.Duration(i) * time.Second)
		push(b, w, load.histograms(b, at)...)
		push(b, w, load.counters(at)...)
	}
	b.StopTimer()
	b.ReportMetric((cpuSeconds(b)-cpu)/float64(b.N), "cores")
	b.ReportMetric(heapMB()-heap, "heap-MB")
	b.ReportMetric(residentMB(b), "rss-MB")
}

// BenchmarkLiveSeconds does the same at the pace of the clock, with the scrape, for b.N seconds: run it with -benchtime=20x.
func BenchmarkLiveSeconds(b *testing.B) {
	var seconds atomic.Int64
	target := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, exposition(seconds.Load())) })
	s := startServer(b, promserver.Options{Targets: []promserver.ScrapeTarget{{Job: "cadvisor", Handler: target}}})
	w := newWriter(b, s)
	load := newLoad(b)
	cpu := cpuSeconds(b)
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	b.ResetTimer()
	for range b.N {
		at := <-tick.C
		seconds.Add(1)
		push(b, w, load.histograms(b, at)...)
		push(b, w, load.counters(at)...)
	}
	b.StopTimer()
	b.ReportMetric((cpuSeconds(b)-cpu)/float64(b.N), "cores")
	b.ReportMetric(residentMB(b), "rss-MB")
	if b.N > 3 {
		require.Len(b, query(b, s, time.Now(), `count(container_metric) == %d`, benchScraped), 1)
	}
}

type load struct {
	hists []prometheus.Histogram
	total float64
}

func newLoad(b *testing.B) *load {
	b.Helper()
	l := &load{}
	for i := range benchHistograms {
		factor := factorOur
		if i%2 == 0 {
			factor = factorK6
		}
		l.hists = append(l.hists, prometheus.NewHistogram(prometheus.HistogramOpts{Name: "x", NativeHistogramBucketFactor: factor, NativeHistogramMaxBucketNumber: 10_000}))
	}
	return l
}

// histograms adds a second's requests, log-normal around 1 ms, and shows all cumulative histograms.
func (l *load) histograms(b *testing.B, at time.Time) []prompb.TimeSeries {
	b.Helper()
	out := make([]prompb.TimeSeries, 0, len(l.hists))
	for i, h := range l.hists {
		for range 250 {
			h.Observe(0.001 * (1 + rand.ExpFloat64()))
		}
		var m dto.Metric
		if err := h.Write(&m); err != nil {
			b.Fatal(err)
		}
		d := m.GetHistogram()
		native := &histogram.Histogram{
			Schema: d.GetSchema(), ZeroThreshold: d.GetZeroThreshold(), Count: d.GetSampleCount(), Sum: d.GetSampleSum(),
			PositiveSpans: spans(d.GetPositiveSpan()), PositiveBuckets: d.GetPositiveDelta(),
		}
		out = append(out, histograms(protoLabels(fmt.Sprintf("hist_%d", i), "app", "control", "testid", "bench"), at, native))
	}
	return out
}

func (l *load) counters(at time.Time) []prompb.TimeSeries {
	l.total += 250
	out := make([]prompb.TimeSeries, 0, benchCounters)
	for i := range benchCounters {
		out = append(out, floats(protoLabels(fmt.Sprintf("counter_%d", i), "app", "control", "testid", "bench"), at, l.total+float64(i)))
	}
	return out
}

func exposition(second int64) string {
	var text strings.Builder
	text.WriteString("# TYPE container_metric counter\n")
	for i := range benchScraped {
		fmt.Fprintf(&text, "container_metric{id=\"/photofinish/bench/%d\",app=\"control\"} %d %d\n", i, second*int64(i), time.Now().UnixMilli())
	}
	return text.String()
}

func cpuSeconds(b *testing.B) float64 {
	b.Helper()
	var u syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()).Seconds()
}

func residentMB(b *testing.B) float64 {
	b.Helper()
	var u syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return float64(u.Maxrss) / 1024
}

func heapMB() float64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc) / (1 << 20)
}
