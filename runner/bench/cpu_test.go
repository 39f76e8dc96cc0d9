package bench

import (
	"math"
	"os"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

// rounds is how often each variant runs. PHOTOFINISH_BENCH_ROUNDS overrides it, for a quick look.
func rounds(b *testing.B) int {
	b.Helper()
	text := os.Getenv("PHOTOFINISH_BENCH_ROUNDS")
	if text == "" {
		return 5
	}
	n, err := strconv.Atoi(text)
	require.NoError(b, err)
	return n
}

// BenchmarkK6CPU compares the CPU per request of k6 in a race with that of a stock k6, in turn, four lanes at 250 requests a second each.
// The stock one pushes every 5 s, its default, or every second (stock-1s), as a race does. Every ratio is of two neighbouring runs.
func BenchmarkK6CPU(b *testing.B) {
	t := newTrack(b, build(b), 250, "a", "b", "c", "d")
	for b.Loop() {
		used := alternate(b, []way{
			{"stock", func() cost { return t.stockRun(b) }},
			{"race", func() cost { c, _ := t.raceRun(b, variant{}); return c }},
			{"stock-1s", func() cost { return t.stockRun(b, "K6_PROMETHEUS_RW_PUSH_INTERVAL=1s") }},
		})
		report(b, "ratio", ratios(used["race"], used["stock"]))
		report(b, "ratio-1s", ratios(used["race"], used["stock-1s"]))
	}
	b.ReportMetric(0, "ns/op") // means nothing here
}

// BenchmarkK6CPUOtherwise compares other ways to run both with the stock k6, in turn: the stock one on one CPU, ours
// on all, and with a process for each lane.
func BenchmarkK6CPUOtherwise(b *testing.B) {
	t := newTrack(b, build(b), 250, "a", "b", "c", "d")
	for b.Loop() {
		ways := []way{
			{"stock", func() cost { return t.stockRun(b) }},
			{"stock-1cpu", func() cost { return t.stockRun(b, "GOMAXPROCS=1") }},
			{"race-allcpus", func() cost { c, _ := t.raceRun(b, variant{allCPUs: true}); return c }},
			{"race-perlane", func() cost { c, _ := t.raceRun(b, variant{perLane: true}); return c }},
		}
		used := alternate(b, ways)
		for _, w := range ways[1:] {
			report(b, w.name+"-ratio", ratios(used[w.name], used["stock"]))
		}
	}
	b.ReportMetric(0, "ns/op")
}

// way is a way to run k6.
type way struct {
	name string
	run  func() cost
}

// alternate runs the ways in turn, again and again, and gives the CPU of each in microseconds per request.
func alternate(b *testing.B, ways []way) map[string][]float64 {
	b.Helper()
	used := map[string][]float64{}
	for range rounds(b) {
		for _, w := range ways {
			us := w.run().perRequest()
			used[w.name] = append(used[w.name], us)
			b.Logf("%s: %.0f us/request", w.name, us)
		}
		sayLoad(b)
	}
	for name, us := range used {
		b.ReportMetric(median(us), name+"-us/req")
	}
	return used
}

func ratios(a, b []float64) []float64 {
	var r []float64
	for i := range a {
		r = append(r, a[i]/b[i])
	}
	return r
}

// report reports a median and its range.
func report(b *testing.B, unit string, values []float64) {
	b.Helper()
	b.ReportMetric(median(values), unit)
	b.ReportMetric(slices.Min(values), unit+"-min")
	b.ReportMetric(slices.Max(values), unit+"-max")
}

func median(values []float64) float64 {
	s := slices.Sorted(slices.Values(values))
	n := len(s)
	return (s[(n-1)/2] + s[n/2]) / 2
}

// deviation is the standard deviation of a sample.
func deviation(values []float64) float64 {
	var mean, sum float64
	for _, v := range values {
		mean += v / float64(len(values))
	}
	for _, v := range values {
		sum += (v - mean) * (v - mean)
	}
	return math.Sqrt(sum / float64(len(values)-1))
}
