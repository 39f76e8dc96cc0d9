package fake_test

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/engine"
	"github.com/photofinish/photofinish/runner/engine/enginetest"
	"github.com/photofinish/photofinish/runner/engine/fake"
)

func TestSuite(t *testing.T) {
	code := enginetest.CrashCode
	lines := make([]string, engine.LogLines)
	lines[len(lines)-2], lines[len(lines)-1] = "line 999", "line 1000"
	enginetest.Run(t, enginetest.Suite{
		New: func(*testing.T) engine.Engine {
			return &fake.Engine{Faults: map[string]fake.Fault{
				string(enginetest.Crasher): {DiesAfter: 20 * time.Millisecond, Exit: race.Exit{Reason: race.Exited, Code: &code}, Logs: []string{enginetest.LastWords}, Unhealthy: true},
				string(enginetest.Deaf):    {StopTakes: 50 * time.Millisecond},
				string(enginetest.Chatty):  {Logs: lines},
			}}
		},
		Lane: func(enginetest.Kind) race.LaneSpec { return race.LaneSpec{} },
		Left: func(*testing.T, string) []string { return nil }, // it is all in this process
	})
}

func TestFaults(t *testing.T) {
	broken := errors.New("broken")
	t.Run("Prepare fails as told", func(t *testing.T) {
		e := &fake.Engine{PrepareError: broken}
		require.ErrorIs(t, e.Prepare(t.Context(), "r", nil, nil), broken)
	})
	t.Run("Start fails from a heat on", func(t *testing.T) {
		e := &fake.Engine{Faults: map[string]fake.Fault{"a": {Start: broken, FromHeat: 2}}}
		l, err := e.Start(t.Context(), "r", 1, race.LaneSpec{App: "a"})
		require.NoError(t, err)
		require.NoError(t, l.Stop(t.Context()))
		_, err = e.Start(t.Context(), "r", 2, race.LaneSpec{App: "a"})
		require.ErrorIs(t, err, broken)
		require.Equal(t, []string{"start heat 1 a", "stop a", "start heat 2 a"}, e.Calls())
	})
	t.Run("a lane that never gets healthy is told with its URL and last answer", func(t *testing.T) {
		e := &fake.Engine{Faults: map[string]fake.Fault{"a": {Unhealthy: true, Logs: []string{"waiting for godot"}}}}
		spec := race.LaneSpec{App: "a", Health: race.Health{Timeout: 50 * time.Millisecond}}
		l, err := e.Start(t.Context(), "r", 1, spec)
		require.NoError(t, err)
		err = engine.WaitHealthy(t.Context(), l, spec)
		require.Equal(t, race.Unavailable, race.CodeOf(err))
		for _, part := range []string{"lane a", l.Address() + "/healthz", "status 503", "50ms", "waiting for godot"} {
			require.ErrorContains(t, err, part)
		}
		require.NoError(t, e.Cleanup(t.Context(), "r"))
	})
	t.Run("a lane runs out of memory", func(t *testing.T) {
		e := &fake.Engine{Faults: map[string]fake.Fault{"a": {DiesAfter: time.Millisecond, Exit: race.Exit{Reason: race.OOM}}}}
		l, err := e.Start(t.Context(), "r", 1, race.LaneSpec{App: "a"})
		require.NoError(t, err)
		<-l.Done()
		require.Equal(t, race.OOM, l.Exit().Reason)
		c, err := l.Counters(t.Context())
		require.NoError(t, err)
		require.EqualValues(t, 1, c.OOMKills)
	})
	t.Run("an app without /healthz is healthy when its own path answers", func(t *testing.T) {
		mux := http.NewServeMux()
		mux.Handle("/work", http.RedirectHandler("/elsewhere", http.StatusFound))
		e := &fake.Engine{Faults: map[string]fake.Fault{"a": {Handler: mux}}}
		spec := race.LaneSpec{App: "a", Path: "/work", Health: race.Health{Timeout: time.Second}}
		l, err := e.Start(t.Context(), "r", 1, spec)
		require.NoError(t, err)
		require.NoError(t, engine.WaitHealthy(t.Context(), l, spec))
		require.NoError(t, e.Cleanup(t.Context(), "r"))
	})
	t.Run("an app that does not know the health path it was given is not taken for healthy elsewhere", func(t *testing.T) {
		mux := http.NewServeMux()
		mux.HandleFunc("/ready", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) })
		e := &fake.Engine{Faults: map[string]fake.Fault{"a": {Handler: mux}}}
		spec := race.LaneSpec{App: "a", Health: race.Health{Path: "/ready", Timeout: 50 * time.Millisecond}}
		l, err := e.Start(t.Context(), "r", 1, spec)
		require.NoError(t, err)
		require.ErrorContains(t, engine.WaitHealthy(t.Context(), l, spec), "/ready: status 500")
		require.NoError(t, e.Cleanup(t.Context(), "r"))
	})
}
