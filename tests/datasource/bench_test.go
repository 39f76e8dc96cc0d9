package datasource_test

import (
	"encoding/json"
	"syscall"
	"testing"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/plugin"
	"github.com/photofinish/photofinish/tests/datasource/generated"
)

// twelve are the measures of the benchmarks: those of a dashboard, from k6, from cAdvisor and from both.
func twelve() []string {
	return []string{
		"latency_mean", "latency_p50", "latency_p95", "latency_p99", "latency_max", "request_rate", "error_rate", "cpu_cores", "cpu_throttled_ratio",
		"memory_working_set", "cpu_ms_per_request", "throttled_ms_per_request",
	}
}

func fourApps(stock bool) generated.Race {
	if stock {
		return generated.Race{ID: "four", Start: t0(), Apps: 4, Heats: 1, HeatLength: 10 * time.Minute, Rate: 100, Stock: true}
	}
	return generated.Race{ID: "four", Start: t0(), Apps: 4, Heats: 4, HeatLength: 150 * time.Second, Rate: 100}
}

// dashboard is one load of a dashboard with a panel for each measure, as Grafana sends it: each panel is a request of its own, all at once.
func dashboard(r generated.Race, step time.Duration) []*backend.QueryDataRequest {
	var panels []*backend.QueryDataRequest
	for _, id := range twelve() {
		query, _ := json.Marshal(map[string]any{"queryType": "timeseries", "races": []string{r.ID}, "measures": []string{id}})
		panels = append(panels, &backend.QueryDataRequest{Queries: []backend.DataQuery{{
			RefID: "A", JSON: query, Interval: step, MaxDataPoints: 1000, TimeRange: backend.TimeRange{From: r.Start, To: r.End()},
		}}})
	}
	return panels
}

func open(tb testing.TB, url string) *plugin.Datasource {
	tb.Helper()
	instance, err := plugin.New(tb.Context(), backend.DataSourceInstanceSettings{Type: plugin.ID, URL: url})
	require.NoError(tb, err)
	return instance.(*plugin.Datasource)
}

func BenchmarkFirstLoad(b *testing.B) {
	for _, stock := range []bool{false, true} {
		name := map[bool]string{false: "own", true: "stock"}[stock]
		b.Run(name, func(b *testing.B) {
			r := fourApps(stock)
			prom := generated.Prometheus(b, r)
			one := all(r, time.Second)
			b.ReportAllocs()
			for b.Loop() {
				response, err := open(b, prom.URL()).QueryData(b.Context(), one)
				require.NoError(b, err)
				require.NoError(b, response.Responses["A"].Error)
				require.Len(b, response.Responses["A"].Frames, 48)
				require.Equal(b, 600, response.Responses["A"].Frames[0].Rows())
			}
		})
	}
}

// all is one query for the twelve measures.
func all(r generated.Race, step time.Duration) *backend.QueryDataRequest {
	query, _ := json.Marshal(map[string]any{"queryType": "timeseries", "races": []string{r.ID}, "measures": twelve()})
	return &backend.QueryDataRequest{Queries: []backend.DataQuery{{
		RefID: "A", JSON: query, Interval: step, MaxDataPoints: 1000, TimeRange: backend.TimeRange{From: r.Start, To: r.End()},
	}}}
}

// cpu is what this process has taken so far.
func cpu() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
