package cmd_test

import (
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/race"
)

// elsewhere is an app that runs already, and knows one path; asked counts the requests to it.
func elsewhere(t *testing.T, path string, wait time.Duration) (url string, asked *atomic.Int64) {
	t.Helper()
	asked = &atomic.Int64{}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != path {
			http.NotFound(w, r)
			return
		}
		asked.Add(1)
		time.Sleep(wait)
	}))
	t.Cleanup(s.Close)
	return s.URL + path, asked
}

// scriptWithoutLanes is a plain k6 script that asks APP_URL.
func scriptWithoutLanes(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "script.js")
	require.NoError(t, os.WriteFile(path, []byte(`import http from 'k6/http';
export const options = {
  scenarios: { load: { executor: 'constant-arrival-rate', rate: 50, timeUnit: '1s', duration: '1s', preAllocatedVUs: 10 } },
};
export default function () { http.get(__ENV.APP_URL); }
`), 0o600))
	return path
}

func TestAppsThatAlreadyRunAreRacedByTheirAddresses(t *testing.T) {
	old, askedOld := elsewhere(t, "/api/v1", 0)
	fresh, askedNew := elsewhere(t, "/api/v2", 20*time.Millisecond)
	f := runRace(t.Context(), t, scriptWithoutLanes(t), "--lane", "old="+old, "--lane", "new="+fresh, "--heats", "2", "--warmup", "200ms")
	require.Equal(t, 0, f.code)
	require.Equal(t, "old", f.record.Baseline, "the first lane")
	require.Greater(t, askedOld.Load(), int64(100))
	require.Greater(t, askedNew.Load(), int64(100))
	for app, url := range map[string]string{"old": old, "new": fresh} {
		l := f.lane(t, app)
		require.Equal(t, url, l.URL)
		require.InDelta(t, 100, l.Client.Requests, 5)
		require.Zero(t, l.Client.Failed)
		require.Equal(t, race.Container{}, *l.Container, "what an app elsewhere spends is not known")
		require.Equal(t, race.Joined{}, *l.Joined)
		for _, id := range []string{"cpu_cores", "cpu_ms_per_request", "memory_working_set", "memory_slope", "network_receive_rate"} {
			value, there := l.Measures[id]
			require.True(t, there, id)
			require.Nil(t, value, id)
		}
	}
	require.Greater(t, *f.lane(t, "new").Measures["latency_p50"], 20.0)
	nothingLeft(t)
}

func TestAnAppThatIsSaidToRunAndDoesNotIsNamed(t *testing.T) {
	old, _ := elsewhere(t, "/", 0)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	nobody := "http://" + l.Addr().String() + "/api"
	require.NoError(t, l.Close())
	start := time.Now()
	f := runRace(t.Context(), t, scriptWithoutLanes(t), "--lane", "old="+old, "--lane", "new="+nobody)
	require.Equal(t, 3, f.code)
	require.Contains(t, f.stderr, "lane new did not get healthy within 5s: http://"+l.Addr().String())
	require.Contains(t, f.stderr, "nobody listens")
	require.Less(t, time.Since(start), 10*time.Second, "an app that runs already needs no time to start")
	nothingLeft(t)
}
