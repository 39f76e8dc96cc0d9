package pyroscope_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime/pprof"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/flame"
	"github.com/photofinish/photofinish/runner/pyroscope"
)

func heap(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, pprof.Lookup("heap").WriteTo(&b, 0))
	return b.Bytes()
}

func TestAProfileIsSentWithItsLabels(t *testing.T) {
	sent := heap(t)
	from := time.Unix(1773480000, 5e8)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		name, password, _ := r.BasicAuth()
		require.Equal(t, "user secret", name+" "+password)
		require.Equal(t, "POST /pyro/ingest", r.Method+" "+r.URL.Path)
		q := r.URL.Query()
		require.Equal(t, "control{app=control,heat=13,race=r1}", q.Get("name"))
		require.Equal(t, []string{"1773480000", "1773480010"}, []string{q.Get("from"), q.Get("until")})
		require.Empty(t, q.Get("format"), "a server takes a form for a profile itself where pprof is said")
		file := func(field string) []byte {
			f, _, err := r.FormFile(field)
			require.NoError(t, err)
			data, err := io.ReadAll(f)
			require.NoError(t, err)
			return data
		}
		_, err := flame.Parse(file("profile"))
		require.NoError(t, err)
		var types map[string]struct{ Cumulative bool }
		require.NoError(t, json.Unmarshal(file("sample_type_config"), &types))
		require.Contains(t, types, "alloc_space")
		require.False(t, types["alloc_space"].Cumulative)
	}))
	t.Cleanup(server.Close)
	s := pyroscope.Server(strings.Replace(server.URL, "http://", "http://user:secret@", 1) + "/pyro/")
	require.NoError(t, s.Push(t.Context(), pyroscope.Profile{
		App: "control", Labels: pyroscope.Labels("r1", "control", 13), From: from, To: from.Add(10 * time.Second), Data: sent,
	}))
	require.NotContains(t, s.Link("r1", "control", from, from), "secret")
}

func TestAServerThatRefusesIsNamed(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "too old\n", http.StatusUnprocessableEntity)
	}))
	s := pyroscope.Server(strings.Replace(server.URL, "http://", "http://user:secret@", 1))
	err := s.Push(t.Context(), pyroscope.Profile{App: "a", Data: heap(t)})
	require.EqualError(t, err, "the Pyroscope at "+server.URL+" answered 422 Unprocessable Entity: too old")
	server.Close()
	err = s.Push(t.Context(), pyroscope.Profile{App: "a", Data: heap(t)})
	require.ErrorContains(t, err, "the Pyroscope at "+server.URL+" cannot be reached: dial tcp")
	require.NotContains(t, err.Error(), "secret")
}

func TestAnAppsOwnProfilerIsToldWhereToSend(t *testing.T) {
	require.Equal(t, map[string]string{
		"PYROSCOPE_SERVER_ADDRESS": "http://p:4040", "PYROSCOPE_APPLICATION_NAME": "java", "PYROSCOPE_LABELS": "app=java,heat=2,race=r1",
	}, pyroscope.Server("http://p:4040").Environment("java", pyroscope.Labels("r1", "java", 2)))
	at := time.Unix(1773480000, 0)
	require.Equal(t, "http://p:4040?from=1773480000&query=process_cpu%3Acpu%3Ananoseconds%3Acpu%3Ananoseconds%7Brace%3D%22r1%22%2Cservice_name%3D%22java%22%7D&until=1773480061",
		pyroscope.Server("http://p:4040").Link("r1", "java", at, at.Add(time.Minute)))
}
