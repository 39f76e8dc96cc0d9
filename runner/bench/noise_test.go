package bench

import (
	"math"
	"testing"

	"github.com/photofinish/photofinish/runner/k6/stream"
)

// BenchmarkOneCPU races two identical apps, by turns with k6 on one CPU and on all, and reports for both what is measured: the latency, how
// late requests are sent, and how much the lanes' ratio differs from heat to heat. The loads are of both lanes together.
func BenchmarkOneCPU(b *testing.B) {
	programs := build(b)
	for _, load := range []struct {
		name string
		rate int
	}{{"400", 200}, {"1000", 500}} {
		b.Run(load.name, func(b *testing.B) {
			t := newTrack(b, programs, load.rate, "a", "b")
			for b.Loop() {
				seen := map[string][]map[string]stream.LaneResult{}
				for range rounds(b) + 1 { // a map's order is random, and so is which comes first
					for name, v := range map[string]variant{"1cpu": {}, "allcpus": {allCPUs: true}} {
						_, results := t.raceRun(b, v)
						seen[name] = append(seen[name], results)
					}
				}
				sayLoad(b)
				for name, heats := range seen {
					describe(b, name, heats)
				}
			}
			b.ReportMetric(0, "ns/op")
		})
	}
}

// describe reports the medians over heats and lanes, and the deviation of the log-ratio over heats.
func describe(b *testing.B, name string, heats []map[string]stream.LaneResult) {
	b.Helper()
	for _, q := range []struct {
		name string
		of   float64
	}{{"p50", 0.50}, {"p95", 0.95}, {"p99", 0.99}} {
		var all, ratio []float64
		for _, h := range heats {
			x, y := h["a"].Race.Latency, h["b"].Race.Latency
			all = append(all, 1000*x.Quantile(q.of), 1000*y.Quantile(q.of))
			ratio = append(ratio, math.Log(x.Quantile(q.of)/y.Quantile(q.of)))
		}
		b.ReportMetric(median(all), name+"-"+q.name+"-ms")
		b.ReportMetric(deviation(ratio), name+"-"+q.name+"-sd")
	}
	var lag []float64
	for _, h := range heats {
		x, y := h["a"].Race.StartLag, h["b"].Race.StartLag
		lag = append(lag, 1000*x.Quantile(0.99), 1000*y.Quantile(0.99))
	}
	b.ReportMetric(median(lag), name+"-lag-p99-ms")
}
