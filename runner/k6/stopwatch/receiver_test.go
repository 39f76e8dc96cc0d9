package stopwatch_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sort"
	"strings"
	"sync"
	"testing"

	"github.com/golang/snappy"
	"github.com/photofinish/photofinish/runner/k6/stream"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/prompb"
	"github.com/stretchr/testify/require"
)

// receiver takes remote writes as Prometheus does; it refuses every series whose time runs backwards.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	series map[string]*received
	pushes int
	fail   int // so many pushes fail first
}

type received struct {
	samples    []prompb.Sample
	histograms []prompb.Histogram
}

func newReceiver(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{series: map[string]*received{}, fail: 1}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.pushes++; r.pushes <= r.fail {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		body, err := io.ReadAll(request.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		text, err := snappy.Decode(nil, body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		var message prompb.WriteRequest
		if err := message.Unmarshal(text); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		for _, ts := range message.Timeseries {
			r.take(ts)
		}
		w.WriteHeader(http.StatusNoContent)
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) take(ts prompb.TimeSeries) {
	var key []string
	for _, l := range ts.Labels {
		key = append(key, l.Name+"="+l.Value)
	}
	name := strings.Join(key, ",")
	s, ok := r.series[name]
	if !ok {
		s = &received{}
		r.series[name] = s
	}
	s.samples = append(s.samples, ts.Samples...)
	s.histograms = append(s.histograms, ts.Histograms...)
}

// key is a series' name here; labels come sorted.
func key(name, app, phase, extra string) string {
	labels := []string{"__name__=" + name, "app=" + app, "heat=3", "phase=" + phase, "testid=r1"}
	if extra != "" {
		labels = append(labels, extra)
	}
	sort.Strings(labels)
	return strings.Join(labels, ",")
}

func (r *receiver) check(t *testing.T, run *heatRun, result stream.Event) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	for app, lane := range result.Result {
		r.counter(t, key("photofinish_http_reqs_total", app, "race", "expected_response=true"), run.raceStart.UnixMilli()-1, float64(lane.Race.Requests-lane.Race.Failed))
		r.counter(t, key("photofinish_http_reqs_total", app, "race", "expected_response=false"), run.raceStart.UnixMilli()-1, float64(lane.Race.Failed))
		r.counter(t, key("photofinish_http_reqs_total", app, "warmup", "expected_response=true"), run.events[0].At.UnixMilli()-1, float64(lane.Warmup.Requests-lane.Warmup.Failed))
		r.counter(t, key("photofinish_checks_total", app, "race", "result=pass"), run.raceStart.UnixMilli()-1, float64(lane.Race.ChecksPassed))
		r.counter(t, key("photofinish_data_received_bytes_total", app, "race", ""), run.raceStart.UnixMilli()-1, lane.Race.DataReceived)
		r.histogram(t, key("photofinish_http_req_duration_seconds", app, "race", ""), run.raceStart.UnixMilli()-1, lane.Race.Latency)
		r.counter(t, key("photofinish_http_req_duration_seconds_total", app, "race", ""), run.raceStart.UnixMilli()-1, lane.Race.Latency.Sum)
		r.histogram(t, key("photofinish_start_lag_seconds", app, "race", ""), run.raceStart.UnixMilli()-1, lane.Race.StartLag)
		r.histogram(t, key("photofinish_response_seconds", app, "race", ""), run.raceStart.UnixMilli()-1, lane.Race.Response)
		slowest, most := 0.0, 0.0
		for _, s := range r.series[key("photofinish_http_req_duration_max_seconds", app, "race", "")].samples {
			if !value.IsStaleNaN(s.Value) {
				slowest = max(slowest, s.Value)
			}
		}
		require.InDelta(t, lane.Race.Latency.Max, slowest, 1e-9)
		for _, s := range r.series[key("photofinish_vus", app, "race", "")].samples {
			if !value.IsStaleNaN(s.Value) {
				most = max(most, s.Value)
			}
		}
		require.InDelta(t, lane.Race.MaxVUs, most, 0)
	}
}

func (r *receiver) counter(t *testing.T, name string, begin int64, last float64) {
	t.Helper()
	require.Contains(t, r.series, name)
	s := r.series[name].samples
	require.Greater(t, len(s), 2, name)
	require.True(t, value.IsStaleNaN(s[len(s)-1].Value), name)
	require.Equal(t, prompb.Sample{Timestamp: begin, Value: 0}, s[0], name)
	require.InDelta(t, last, s[len(s)-2].Value, 1e-9, name)
	require.True(t, slices.IsSortedFunc(s, func(a, b prompb.Sample) int { return int(a.Timestamp - b.Timestamp) }), name)
	require.True(t, slices.IsSortedFunc(s[:len(s)-1], func(a, b prompb.Sample) int { return int(a.Value - b.Value) }), name)
}

func (r *receiver) histogram(t *testing.T, name string, begin int64, last stream.Histogram) {
	t.Helper()
	require.Contains(t, r.series, name)
	s := r.series[name].histograms
	require.Greater(t, len(s), 2, name)
	require.True(t, value.IsStaleNaN(s[len(s)-1].Sum), name)
	require.Equal(t, begin, s[0].Timestamp, name)
	require.Zero(t, s[0].GetCountInt(), name)
	written := s[len(s)-2].ToIntHistogram()
	require.NoError(t, written.Validate(), name)
	require.EqualValues(t, last.Count, written.Count, name)
	require.InDelta(t, last.Sum, written.Sum, 1e-9, name)
	counts := map[int]int64{}
	it := written.PositiveBucketIterator()
	for it.Next() {
		b := it.At()
		counts[int(b.Index)] = int64(b.Count)
	}
	require.Equal(t, last.Buckets, counts, name)
}
