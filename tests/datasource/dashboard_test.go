package datasource_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/plugin"
	"github.com/photofinish/photofinish/tests/datasource/generated"
)

// twelve are the measures of a dashboard: from k6, from cAdvisor and from both.
func twelve() []string {
	return []string{
		"latency_mean", "latency_p50", "latency_p95", "latency_p99", "latency_max", "request_rate", "error_rate", "cpu_cores", "cpu_throttled_ratio",
		"memory_working_set", "cpu_ms_per_request", "throttled_ms_per_request",
	}
}

// panel asks for measures of a whole race over absolute time, as a panel of a dashboard does.
func panel(r generated.Race, step time.Duration, measures ...string) *backend.QueryDataRequest {
	query, _ := json.Marshal(map[string]any{"queryType": "timeseries", "races": []string{r.ID}, "measures": measures})
	return &backend.QueryDataRequest{Queries: []backend.DataQuery{{
		RefID: "A", JSON: query, Interval: step, MaxDataPoints: 1000, TimeRange: backend.TimeRange{From: r.Start, To: r.End()},
	}}}
}

// open makes a data source that has seen nothing yet.
func open(tb testing.TB, url string) *plugin.Datasource {
	tb.Helper()
	instance, err := plugin.New(tb.Context(), backend.DataSourceInstanceSettings{Type: plugin.ID, URL: url, JSONData: []byte(`{"timeout":120}`)})
	require.NoError(tb, err)
	return instance.(*plugin.Datasource)
}

// load answers a panel and checks that it has so many frames.
func load(tb testing.TB, d *plugin.Datasource, panel *backend.QueryDataRequest, frames int) {
	tb.Helper()
	response, err := d.QueryData(tb.Context(), panel)
	require.NoError(tb, err)
	require.NoError(tb, response.Responses["A"].Error)
	require.Len(tb, response.Responses["A"].Frames, frames)
}

// loadTogether loads a panel for each measure, all at once, as Grafana does with a dashboard.
func loadTogether(tb testing.TB, d *plugin.Datasource, r generated.Race, step time.Duration) {
	tb.Helper()
	var group sync.WaitGroup
	for _, id := range twelve() {
		group.Go(func() { load(tb, d, panel(r, step, id), 1) })
	}
	group.Wait()
}

// asked is a request to Prometheus.
type asked struct{ path, form string }

// counter passes requests on to Prometheus and remembers them.
type counter struct {
	mu    sync.Mutex
	asked []asked
}

func countRequests(tb testing.TB, target string) (*counter, string) {
	tb.Helper()
	to, err := url.Parse(target)
	require.NoError(tb, err)
	c := &counter{}
	proxy := httputil.NewSingleHostReverseProxy(to)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		form, _ := io.ReadAll(r.Body)
		c.mu.Lock()
		c.asked = append(c.asked, asked{r.URL.Path, string(form)})
		c.mu.Unlock()
		r.Body = io.NopCloser(strings.NewReader(string(form)))
		proxy.ServeHTTP(w, r)
	}))
	tb.Cleanup(server.Close)
	return c, server.URL
}

// take hands out what was asked and forgets it.
func (c *counter) take() []asked {
	c.mu.Lock()
	defer c.mu.Unlock()
	list := c.asked
	c.asked = nil
	return list
}

func TestThePanelsOfADashboardShareTheirWork(t *testing.T) {
	r := generated.Race{ID: "small", Start: t0(), Apps: 2, Heats: 2, HeatLength: 10 * time.Second, Rate: 10}
	requests, address := countRequests(t, generated.Prometheus(t, r).URL())
	alone := 0
	for _, id := range twelve() {
		load(t, open(t, address), panel(r, time.Second, id), 1)
		alone += len(requests.take())
	}
	loadTogether(t, open(t, address), r, time.Second)
	together := requests.take()
	distinct := map[asked]bool{}
	for _, one := range together {
		distinct[one] = true
	}
	t.Logf("%d requests by panels alone, %d by all at once, %d of them different", alone, len(together), len(distinct))
	require.Less(t, len(together), alone/2)
}
