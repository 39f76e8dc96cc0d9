package promserver_test

import (
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/api"
	promv1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/client_golang/exp/api/remote"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/prompb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/metrics/promserver"
)

func client(tb testing.TB, s *promserver.Server) promv1.API {
	tb.Helper()
	c, err := api.NewClient(api.Config{Address: s.URL(), Client: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}})
	require.NoError(tb, err)
	return promv1.NewAPI(c)
}

func query(tb testing.TB, s *promserver.Server, at time.Time, format string, args ...any) model.Vector {
	tb.Helper()
	v, _, _, err := client(tb, s).Query(tb.Context(), fmt.Sprintf(format, args...), at)
	require.NoError(tb, err)
	vec, ok := v.(model.Vector)
	require.True(tb, ok, "%T", v)
	return vec
}

func TestNativeHistogramsGiveTheirPercentilesBackWithinOneBucket(t *testing.T) {
	var values []float64
	for i := 1; i <= 10_000; i++ {
		values = append(values, 0.001*math.Pow(1.0005, float64(i))) // 1 ms to 148 ms, several in each bucket
	}
	tests := map[string]struct {
		factor, bucket float64
		push           func(testing.TB, *remote.API, ...prompb.TimeSeries)
	}{
		"k6's schema 3 by remote write 1.0": {factorK6, math.Exp2(1.0 / 8), push},
		"our schema 8 by remote write 1.0":  {factorOur, math.Exp2(1.0 / 256), push},
		"our schema 8 by remote write 2.0":  {factorOur, math.Exp2(1.0 / 256), pushV2},
	}
	s := startServer(t, promserver.Options{})
	w := newWriter(t, s)
	start := time.Now().Add(-10 * time.Second).Truncate(time.Second)
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			labels := protoLabels("photofinish_http_req_duration_seconds", "app", "control", "test", name)
			tt.push(t, w, histograms(labels, start, observe(t, tt.factor)))
			tt.push(t, w, histograms(labels, start.Add(2*time.Second), observe(t, tt.factor, values...)))
			for _, q := range []float64{0.5, 0.95, 0.99} {
				got := query(t, s, start.Add(2*time.Second), `histogram_quantile(%g, last_over_time(photofinish_http_req_duration_seconds{test=%q}[5s]))`, q, name)
				require.Len(t, got, 1)
				want := values[int(q*10_000)-1]
				assert.InDelta(t, 1, float64(got[0].Value)/want, tt.bucket-1, "p%g", 100*q)
			}
			count := query(t, s, start.Add(2*time.Second), `histogram_count(increase(photofinish_http_req_duration_seconds{test=%q}[3s]))`, name)
			require.Len(t, count, 1)
			assert.Positive(t, float64(count[0].Value))
			mean := query(t, s, start.Add(2*time.Second), `histogram_avg(photofinish_http_req_duration_seconds{test=%q})`, name)
			require.Len(t, mean, 1)
			var sum float64
			for _, v := range values {
				sum += v
			}
			assert.InDelta(t, sum/10_000, float64(mean[0].Value), 1e-12)
		})
	}
}

func TestAStaleMarkerEndsASeries(t *testing.T) {
	s := startServer(t, promserver.Options{})
	w := newWriter(t, s)
	at := time.Now().Add(-5 * time.Second).Truncate(time.Second)
	reqs, lat := protoLabels("k6_http_reqs_total", "app", "control"), protoLabels("k6_http_req_duration_seconds", "app", "control")
	push(t, w, floats(reqs, at, 100), histograms(lat, at, observe(t, factorK6, 0.01, 0.02)))
	require.Len(t, query(t, s, at.Add(time.Second), `{app="control"}`), 2, "before the marker the samples live on for the lookback")

	end := observe(t, factorK6)
	end.Sum = stale()
	push(t, w, floats(reqs, at.Add(time.Second), stale()), histograms(lat, at.Add(time.Second), end))
	require.Empty(t, query(t, s, at.Add(time.Second), `{app="control"}`))
	require.Len(t, query(t, s, at, `{app="control"}`), 2, "what was before the marker stays")
}

func TestSamplesMayComeLateByTheWindowButNotByMore(t *testing.T) {
	s := startServer(t, promserver.Options{})
	w := newWriter(t, s)
	now := time.Now().Truncate(time.Second)
	labels := protoLabels("k6_vus", "app", "control")
	push(t, w, floats(labels, now, 3))
	push(t, w, floats(labels, now.Add(-5*time.Second), 1))
	got := query(t, s, now.Add(-5*time.Second), `k6_vus`)
	require.Len(t, got, 1)
	require.InDelta(t, 1, float64(got[0].Value), 0)

	_, err := w.Write(t.Context(), remote.WriteV1MessageType, &prompb.WriteRequest{Timeseries: []prompb.TimeSeries{floats(labels, now.Add(-time.Hour), 1)}})
	require.ErrorContains(t, err, "400")
}

func TestTheAPIAnswersWhatGrafanaAndPromtoolAsk(t *testing.T) {
	target := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "# HELP lane_up Whether it runs.\n# TYPE lane_up gauge\nlane_up 1\n")
	})
	s := startServer(t, promserver.Options{Targets: []promserver.ScrapeTarget{{Job: "lanes", Handler: target, Labels: map[string]string{"race": "r1"}}}})
	push(t, newWriter(t, s), floats(protoLabels("k6_vus", "app", "control", "testid", "r1"), time.Now(), 3))
	require.Eventually(t, func() bool { return len(query(t, s, time.Now(), `lane_up{job="lanes",race="r1"} == 1`)) == 1 }, 5*time.Second, 50*time.Millisecond)

	tests := map[string]string{
		"/-/healthy":                 "Healthy",
		"/-/ready":                   "Ready",
		"/api/v1/query?query=k6_vus": `"app":"control"`,
		"/api/v1/query_range?query=k6_vus&start=" + unix(-10) + "&end=" + unix(1) + "&step=1": `"matrix"`,
		"/api/v1/series?match[]=k6_vus":    `"testid":"r1"`,
		"/api/v1/labels":                   `"testid"`,
		"/api/v1/label/app/values":         `"control"`,
		"/api/v1/label/__name__/values":    `"k6_vus"`,
		"/api/v1/metadata?metric=lane_up":  "Whether it runs.",
		"/api/v1/targets":                  `"health":"up"`,
		"/api/v1/status/buildinfo":         `"version":"` + promserver.Version() + `"`,
		"/api/v1/status/config":            "track_timestamps_staleness: true",
		"/api/v1/status/flags":             `"query.lookback-delta":"5m"`,
		"/api/v1/status/runtimeinfo":       `"storageRetention":"15d"`,
		"/api/v1/status/tsdb":              `"numSeries"`,
		"/api/v1/rules":                    `"groups":[]`,
		"/api/v1/alertmanagers":            `"activeAlertmanagers"`,
		"/api/v1/features":                 `"promql"`,
		"/api/v1/notifications":            `"data":[]`,
		"/api/v1/parse_query?query=k6_vus": `"vectorSelector"`,
		"/scrape/lanes":                    "lane_up 1",
		"/metrics":                         "prometheus_tsdb_head_series",
	}
	for path, want := range tests {
		t.Run("GET "+path, func(t *testing.T) {
			require.Contains(t, get(t, s.URL()+path), want)
		})
	}
}

func unix(seconds int64) string { return fmt.Sprint(time.Now().Unix() + seconds) }

func get(t *testing.T, url string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	require.NoError(t, err)
	res, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(req)
	require.NoError(t, err)
	defer func() { require.NoError(t, res.Body.Close()) }()
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, res.StatusCode, "%s", body)
	return string(body)
}

func TestCloseFreesThePortTheGoroutinesAndTheFolderAndARestartFindsTheData(t *testing.T) {
	tmp := t.TempDir()
	t.Setenv("TMPDIR", tmp)
	before := goleak.IgnoreCurrent()
	dir := filepath.Join(tmp, "kept")
	at := time.Now().Truncate(time.Second)
	target := promserver.ScrapeTarget{Job: "self", Handler: http.NotFoundHandler()}

	first, err := promserver.Start(t.Context(), promserver.Options{Dir: dir, Targets: []promserver.ScrapeTarget{target}})
	require.NoError(t, err)
	push(t, newWriter(t, first), floats(protoLabels("k6_vus"), at, 7))
	require.True(t, first.Ready())
	require.NoError(t, first.Close())
	require.NoError(t, first.Close(), "closing again does nothing")
	require.False(t, first.Ready())

	address := strings.TrimPrefix(first.URL(), "http://")
	second, err := promserver.Start(t.Context(), promserver.Options{Dir: dir, Listen: address})
	require.NoError(t, err, "the port and the folder are free again")
	got := query(t, second, at, "k6_vus")
	require.Len(t, got, 1)
	require.InDelta(t, 7, float64(got[0].Value), 0)
	require.NoError(t, second.Close())

	temporary, err := promserver.Start(t.Context(), promserver.Options{})
	require.NoError(t, err)
	require.NoError(t, temporary.Close())
	left, err := os.ReadDir(tmp)
	require.NoError(t, err)
	require.Len(t, left, 1, "only the folder that was asked for stays: %v", left)

	http.DefaultClient.CloseIdleConnections()
	goleak.VerifyNone(t, before, goleak.IgnoreAnyFunction("net/http.(*persistConn).readLoop"), goleak.IgnoreAnyFunction("net/http.(*persistConn).writeLoop"))
}

func TestServersLiveSideBySide(t *testing.T) {
	a, b := startServer(t, promserver.Options{}), startServer(t, promserver.Options{})
	require.NotEqual(t, a.URL(), b.URL())
	at := time.Now()
	push(t, newWriter(t, a), floats(protoLabels("k6_vus"), at, 1))
	require.Len(t, query(t, a, at, "k6_vus"), 1)
	require.Empty(t, query(t, b, at, "k6_vus"))
}

func TestStartSaysWhatIsWrong(t *testing.T) {
	busy, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { require.NoError(t, busy.Close()) }()
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	taken := t.TempDir()
	startServer(t, promserver.Options{Dir: taken})

	tests := map[string]struct {
		o    promserver.Options
		code race.Code
		say  string
		hint string
	}{
		"a port in use":                    {promserver.Options{Listen: busy.Addr().String()}, race.Unavailable, busy.Addr().String() + " is already in use", "--listen"},
		"an address that is none":          {promserver.Options{Listen: "here"}, race.Invalid, `"here" is not host:port`, "127.0.0.1:9090"},
		"an address open to the network":   {promserver.Options{Listen: ":0"}, race.Invalid, "reachable from other machines", "127.0.0.1"},
		"a folder below a file":            {promserver.Options{Dir: filepath.Join(file, "db")}, race.Unavailable, filepath.Join(file, "db"), "another folder"},
		"a folder that another one uses":   {promserver.Options{Dir: taken}, race.Unavailable, taken, "Another runner"},
		"a target without an address":      {promserver.Options{Targets: []promserver.ScrapeTarget{{Job: "x"}}}, race.Invalid, `"x" needs either`, ""},
		"a target that is no http address": {promserver.Options{Targets: []promserver.ScrapeTarget{{Job: "x", URL: "localhost:1"}}}, race.Invalid, `"localhost:1"`, "http://"},
		"a scrape interval of nanoseconds": {promserver.Options{ScrapeInterval: 1}, race.Invalid, "1ns", "1s"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if tt.o.Dir == "" {
				tt.o.Dir = t.TempDir()
			}
			goroutines := runtime.NumGoroutine()
			_, err := promserver.Start(t.Context(), tt.o)
			require.ErrorContains(t, err, tt.say)
			require.Equal(t, tt.code, race.CodeOf(err))
			require.Contains(t, race.HintOf(err), tt.hint)
			require.Eventually(t, func() bool { return runtime.NumGoroutine() <= goroutines+1 }, time.Second, 10*time.Millisecond)
		})
	}
	t.Run("an unwritable folder", func(t *testing.T) {
		if os.Geteuid() == 0 {
			t.Skip("root may write everywhere")
		}
		dir := t.TempDir()
		require.NoError(t, os.Chmod(dir, 0o500))
		_, err := promserver.Start(t.Context(), promserver.Options{Dir: filepath.Join(dir, "db")})
		require.Contains(t, race.HintOf(err), "may write")
	})
}
