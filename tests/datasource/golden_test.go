// Package datasource_test holds the Grafana data source against a real Prometheus.
package datasource_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/grafana/grafana-plugin-sdk-go/experimental"
	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/plugin"
)

// record rewrites what pkg/plugin's tests play back, and the golden frames that both hold the back end to.
var record = flag.Bool("record", false, "record the answers of Prometheus and the golden frames for pkg/plugin")

const testdata = "../../pkg/plugin/testdata"

// TestTheFramesOfARealPrometheusAreTheGoldenOnes answers each query of testdata/queries.json from a real Prometheus. pkg/plugin's tests
// hold the same queries to the same frames over what Prometheus answered here.
func TestTheFramesOfARealPrometheusAreTheGoldenOnes(t *testing.T) {
	prom := startPrometheus(t)
	tape := &tape{target: prom.URL(), answers: map[string]json.RawMessage{}}
	server := httptest.NewServer(tape)
	t.Cleanup(server.Close)
	for name, query := range recordedQueries(t) {
		t.Run(name, func(t *testing.T) {
			response := ask(t, server.URL, query)
			require.NoError(t, response.Error)
			experimental.CheckGoldenJSONResponse(t, testdata, name, &response, *record)
		})
	}
	if *record && !t.Failed() {
		answers, err := json.MarshalIndent(tape.answers, "", " ")
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(testdata, "prometheus.json"), append(answers, '\n'), 0o644))
	}
}

// ask sends one query to a new data source over a quarter of an hour around the scene.
func ask(t *testing.T, url string, query json.RawMessage) backend.DataResponse {
	t.Helper()
	instance, err := plugin.New(t.Context(), backend.DataSourceInstanceSettings{Type: plugin.ID, URL: url})
	require.NoError(t, err)
	response, err := instance.(*plugin.Datasource).QueryData(t.Context(), &backend.QueryDataRequest{Queries: []backend.DataQuery{{
		RefID: "A", JSON: query, Interval: time.Second, MaxDataPoints: 1000,
		TimeRange: backend.TimeRange{From: t0().Add(-5 * time.Minute), To: t0().Add(10 * time.Minute)},
	}}})
	require.NoError(t, err)
	return response.Responses["A"]
}

// tape passes questions on to Prometheus and keeps its answers.
type tape struct {
	target  string
	mu      sync.Mutex
	answers map[string]json.RawMessage
	hear    func(*http.Request) // what else listens; may be nil
}

func (p *tape) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	form, _ := io.ReadAll(r.Body)
	req, _ := http.NewRequestWithContext(r.Context(), r.Method, p.target+r.URL.Path, bytes.NewReader(form))
	req.Header.Set("Content-Type", r.Header.Get("Content-Type"))
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer res.Body.Close()
	body, _ := io.ReadAll(res.Body)
	p.mu.Lock()
	p.answers[r.URL.Path+"?"+string(form)] = body
	if p.hear != nil {
		p.hear(r)
	}
	p.mu.Unlock()
	w.WriteHeader(res.StatusCode)
	_, _ = w.Write(body)
}
