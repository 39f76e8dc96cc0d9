package compare_test

import (
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/compare"
)

// BenchmarkTimeSeries: 4 apps, 12 measures, 10 minutes at 1 s, on Prometheus's engine and storage in this process.
func BenchmarkTimeSeries(b *testing.B) {
	w := newWorld(b)
	s := newScene(w, "bench", true)
	for i := range 4 {
		app := "app" + strconv.Itoa(i)
		s.run(load{app: app, heat: "1", median: 0.01, rate: 20}, t0, 600)
		s.sample(cage{id: "/" + app, naming: []string{"container_label_photofinish_app", app, "container_label_photofinish_race", "bench"}, cores: 0.3, quota: true},
			t0.Add(-300*time.Millisecond), time.Second, 601)
	}
	r, _, err := compare.Lookup(b.Context(), w, "bench", day(t0))
	require.NoError(b, err)
	req := compare.Request{Races: []compare.RaceInfo{r}, Measures: []string{
		"latency_mean", "latency_p50", "latency_p95", "latency_p99", "latency_max", "request_rate", "error_rate", "cpu_cores", "cpu_throttled_ratio",
		"memory_working_set", "cpu_ms_per_request", "throttled_ms_per_request",
	}}
	b.ReportAllocs()
	for b.Loop() {
		result, err := compare.TimeSeries(b.Context(), w, req)
		if err != nil || len(result.Series) != 48 || len(result.Times) != 601 || result.Series[0].Coverage < 0.99 {
			b.Fatalf("%v, %d series of %d points", err, len(result.Series), len(result.Times))
		}
	}
}
