package compare_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/compare"
	"github.com/photofinish/photofinish/pkg/promql"
)

// recorded serves testdata/stock-k6.json: what a real Prometheus answered about a real race. The race was run by
// k6 v1.8 --out experimental-prometheus-rw --tag testid=by-hand (native histograms, 1 s push), 15 s of 60 requests/s
// against each of two of our test apps, every 20th request to a path that is not there. The answers that tell when samples came,
// which apps there are and that no containers are were derived from the raw samples of the same recording when the questions changed.
func recorded(t *testing.T) *promql.Client {
	t.Helper()
	file, err := os.ReadFile("testdata/stock-k6.json")
	require.NoError(t, err)
	var answers map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(file, &answers))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		form, _ := io.ReadAll(r.Body)
		answer, ok := answers[r.URL.Path+"?"+string(form)]
		if !ok {
			http.Error(w, "never asked before: "+string(form), http.StatusBadRequest)
			return
		}
		_, _ = w.Write(answer)
	}))
	t.Cleanup(server.Close)
	client, err := promql.New(promql.Config{URL: server.URL})
	require.NoError(t, err)
	return client
}

func TestARecordedRaceAgreesWithK6sOwnSummary(t *testing.T) {
	end := time.Unix(1_795_469_340, 0)
	r, totals, err := compare.Past(t.Context(), recorded(t), "by-hand", compare.Window{Start: end.Add(-10 * time.Minute), End: end}, compare.Join{})
	require.NoError(t, err)
	require.Equal(t, []string{"control", "high-cpu"}, r.Apps)
	// What k6 printed at its end, and the exact percentiles of its raw JSON output, in ms.
	want := map[string]map[string]float64{
		"control":  {"latency_mean": 0.60005504, "latency_p50": 0.304099, "latency_p90": 1.187904, "latency_p95": 1.844442, "latency_p99": 3.762197},
		"high-cpu": {"latency_mean": 3.8928461, "latency_p50": 3.861761, "latency_p90": 4.69718, "latency_p95": 4.914356, "latency_p99": 5.153723},
	}
	for app, latencies := range want {
		a := totals.Whole[app]
		require.Equal(t, 901.0, a.Requests, app)
		require.Equal(t, 40.0, *a.Failed, app)
		within(t, 40.0/901, a.Measures["error_rate"], 1e-9, app)
		within(t, 60.04, a.Measures["request_rate"], 0.01, app)
		for id, ms := range latencies {
			tolerance := 0.091
			if id == "latency_mean" {
				tolerance = 1e-6
			}
			within(t, ms, a.Measures[id], tolerance, app+" "+id)
		}
	}
}
