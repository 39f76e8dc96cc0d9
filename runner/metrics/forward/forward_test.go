package forward_test

import (
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/promql"
	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/metrics/forward"
	"github.com/photofinish/photofinish/runner/metrics/promserver"
)

const beat = 100 * time.Millisecond

// timed shows one counter with a time of its own, as cAdvisor does, until it is gone, and one that is not to be forwarded.
type timed struct {
	value atomic.Int64
	at    time.Time
	gone  atomic.Bool
}

func (c *timed) Describe(chan<- *prometheus.Desc) {}

func (c *timed) Collect(out chan<- prometheus.Metric) {
	if !c.gone.Load() {
		d := prometheus.NewDesc("container_cpu_usage_seconds_total", "CPU time.", []string{"id", "image"}, nil)
		out <- prometheus.NewMetricWithTimestamp(c.at, prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(c.value.Load()), "/race/a", ""))
	}
	out <- prometheus.MustNewConstMetric(prometheus.NewDesc("machine_cpu_cores", "Cores.", nil, nil), prometheus.GaugeValue, 2)
}

func gatherer(t *testing.T, c prometheus.Collector) prometheus.Gatherer {
	t.Helper()
	r := prometheus.NewRegistry()
	require.NoError(t, r.Register(c))
	return r
}

func server(t *testing.T) *promserver.Server {
	t.Helper()
	s, err := promserver.Start(t.Context(), promserver.Options{Dir: t.TempDir()})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

func ask(t *testing.T, s *promserver.Server, expr string) []promql.Series {
	t.Helper()
	q, err := promql.New(promql.Config{URL: s.URL()})
	require.NoError(t, err)
	got, err := q.Query(t.Context(), promql.At(expr, time.Now()))
	require.NoError(t, err)
	return got.Series
}

func TestASampleArrivesWithItsOwnTimeAndEndsWithAStaleMarker(t *testing.T) {
	s := server(t)
	c := &timed{at: time.Now().Add(-7 * time.Second).Truncate(time.Millisecond)}
	c.value.Store(42)
	f, err := forward.Start(t.Context(), forward.Options{
		URL: s.URL() + "/", Gatherer: gatherer(t, c), Prefix: "container_", Labels: map[string]string{"job": "cadvisor"}, Interval: beat,
	})
	require.NoError(t, err)
	require.Eventually(t, func() bool { return len(ask(t, s, "container_cpu_usage_seconds_total")) == 1 }, 5*time.Second, beat)
	got := ask(t, s, "container_cpu_usage_seconds_total[1m]")[0]
	require.Equal(t, map[string]string{"__name__": "container_cpu_usage_seconds_total", "id": "/race/a", "job": "cadvisor"}, got.Labels)
	require.Equal(t, []promql.Point{{At: c.at.UnixMilli(), Value: 42}}, got.Points)
	require.Empty(t, ask(t, s, "machine_cpu_cores"))

	c.gone.Store(true)
	require.Eventually(t, func() bool { return len(ask(t, s, "container_cpu_usage_seconds_total")) == 0 }, 5*time.Second, beat, "a container that is gone")
	c.at = time.Now()
	c.gone.Store(false)
	require.Eventually(t, func() bool { return len(ask(t, s, "container_cpu_usage_seconds_total")) == 1 }, 5*time.Second, beat, "and is back")
	require.NoError(t, f.Close())
	require.Empty(t, ask(t, s, "container_cpu_usage_seconds_total"), "the end of the race")
	require.NoError(t, f.Close())
}

func TestAPrometheusThatFailsIsToldOfOnceAndFilledLater(t *testing.T) {
	s := server(t)
	var broken atomic.Bool
	broken.Store(true)
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if broken.Load() {
			http.Error(w, "the disk is full", http.StatusServiceUnavailable)
			return
		}
		r2, _ := http.NewRequestWithContext(r.Context(), r.Method, s.URL()+r.URL.Path, r.Body)
		r2.Header = r.Header
		answer, err := http.DefaultClient.Do(r2)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		defer answer.Body.Close()
		w.WriteHeader(answer.StatusCode)
	}))
	defer front.Close()
	c := &timed{at: time.Now()}
	c.value.Store(1)
	warnings := make(chan string, 100)
	f, err := forward.Start(t.Context(), forward.Options{URL: front.URL, Gatherer: gatherer(t, c), Interval: beat, Warn: func(w string) { warnings <- w }})
	require.NoError(t, err)
	warning := <-warnings
	require.Contains(t, warning, front.URL)
	require.Contains(t, warning, "the disk is full")
	time.Sleep(8 * beat)
	require.Empty(t, warnings, "one warning is enough")
	broken.Store(false)
	require.Eventually(t, func() bool { return len(ask(t, s, "container_cpu_usage_seconds_total")) == 1 }, 5*time.Second, beat)
	require.NoError(t, f.Close())
}

func TestCheckTakesAPrometheusThatTakesWrites(t *testing.T) {
	s := server(t)
	require.NoError(t, forward.Check(t.Context(), s.URL()))
	require.NoError(t, forward.Check(t.Context(), s.URL()+"/"))
	require.Empty(t, ask(t, s, "{__name__=~'.+'}"), "a check writes nothing")
}

func TestCheckSaysWhatToDo(t *testing.T) {
	answer := func(status int, text string) string {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, text, status) }))
		t.Cleanup(s.Close)
		return s.URL
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	nobody := "http://user:secret@" + l.Addr().String()
	require.NoError(t, l.Close())
	for name, c := range map[string]struct {
		url, says, hint string
		code            race.Code
	}{
		"the receiver is off": {answer(404, "remote write receiver needs to be enabled with --web.enable-remote-write-receiver"), "does not take remote writes", "--web.enable-remote-write-receiver", race.Unavailable},
		"a password is asked": {answer(401, "who are you?"), "refuses remote writes", "open to this machine", race.Unavailable},
		"nobody listens":      {nobody, "cannot be reached", "correct --prometheus-url", race.Unavailable},
		"no address":          {"prometheus", `"prometheus" is not the address`, "http://host:9090", race.Invalid},
	} {
		t.Run(name, func(t *testing.T) {
			err := forward.Check(t.Context(), c.url)
			require.ErrorContains(t, err, c.says)
			require.Equal(t, c.code, race.CodeOf(err))
			require.Contains(t, race.HintOf(err), c.hint)
			require.NotContains(t, err.Error(), "secret")
		})
	}
}
