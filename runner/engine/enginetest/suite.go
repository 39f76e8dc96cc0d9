// Package enginetest is what every engine must do, as one suite of tests.
package enginetest

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/engine"
)

// Suite says how to test an engine.
type Suite struct {
	// New makes the engine; each test has its own.
	New func(t *testing.T) engine.Engine
	// Lane says how the engine is to start an app. App, Port and Health are set by the suite.
	Lane func(kind Kind) race.LaneSpec
	// Limits says whether the engine puts limits in force here.
	Limits bool
	// OwnPorts says that apps have ports of their own: those of this machine are in nobody's way.
	OwnPorts bool
	// Parallel runs the tests at the same time, but for those of limits: for an engine that waits for others more than it works.
	Parallel bool
	// Left lists what is left of a race on this machine: processes, cgroups, containers.
	Left func(t *testing.T, raceID string) []string
}

var races atomic.Int64

// newID is a race id that no other test has.
func newID() string { return fmt.Sprintf("enginetest-%d-%d", os.Getpid(), races.Add(1)) }

// Run runs the suite.
func Run(t *testing.T, s Suite) {
	t.Helper()
	for name, test := range map[string]func(*testing.T, *world){
		"a started lane answers at its address and tells who it is":       answers,
		"counters grow with the work":                                     countersGrow,
		"a stopped lane says so, and may be stopped again":                stops,
		"an app that takes no notice of SIGTERM is stopped all the same":  stopsDeaf,
		"a crashed app says its code and its last words":                  crashes,
		"an app that crashes while it is waited for ends the waiting":     crashesUnhealthy,
		"the output that is kept is bounded":                              boundsOutput,
		"a lane can be started again in the next heat":                    startsAgain,
		"Cleanup ends what runs, with all it forked, and may be repeated": cleansUp,
		"Cleanup of a race that never was is no error":                    cleansNothing,
		"an ended context is answered promptly by every call":             cancels,
		"Sweep touches no race that is under way":                         sweepsNothing,
	} {
		t.Run(name, func(t *testing.T) {
			if s.Parallel {
				t.Parallel()
			}
			test(t, newWorld(t, s))
		})
	}
	if !s.OwnPorts {
		t.Run("a port in use is told before anything is started", func(t *testing.T) { portInUse(t, newWorld(t, s)) })
	}
	if !s.Limits {
		t.Log("this engine puts no limits in force here: nothing is tested about them")
		return
	}
	t.Run("half a CPU is half a CPU", func(t *testing.T) { halfCPU(t, newWorld(t, s)) })
	t.Run("an app beyond its memory is ended, and says why", func(t *testing.T) { outOfMemory(t, newWorld(t, s)) })
}

// world is one race of one test.
type world struct {
	Suite
	engine engine.Engine
	id     string
}

func newWorld(t *testing.T, s Suite) *world {
	t.Helper()
	w := &world{Suite: s, engine: s.New(t), id: newID()}
	t.Cleanup(func() {
		ctx := context.Background() // the test's own has ended
		require.NoError(t, w.engine.Cleanup(ctx, w.id))
		require.NoError(t, w.engine.Cleanup(ctx, w.id), "again")
		require.Empty(t, w.Left(t, w.id), "nothing is left of the race")
	})
	return w
}

// lane is a lane of the race with a port of its own.
func (w *world) lane(t *testing.T, kind Kind) race.LaneSpec {
	t.Helper()
	spec := w.Lane(kind)
	spec.App = string(kind)
	spec.Port = FreePort(t)
	spec.Path = "/" + spec.App
	spec.Health.Timeout = 20 * time.Second
	return spec
}

func (w *world) prepare(t *testing.T, specs ...race.LaneSpec) {
	t.Helper()
	require.NoError(t, w.engine.Prepare(t.Context(), w.id, specs, func(string) {}))
}

// start prepares the race for one lane and starts it.
func (w *world) start(t *testing.T, spec race.LaneSpec) engine.Lane {
	t.Helper()
	w.prepare(t, spec)
	l, err := w.engine.Start(t.Context(), w.id, 1, spec)
	require.NoError(t, err)
	return l
}

// healthy starts a lane and waits for its health.
func (w *world) healthy(t *testing.T, spec race.LaneSpec) engine.Lane {
	t.Helper()
	l := w.start(t, spec)
	require.NoError(t, engine.WaitHealthy(t.Context(), l, spec))
	return l
}

func get(t *testing.T, address string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	require.NoError(t, err)
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	_, err = io.Copy(io.Discard, resp.Body)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, http.StatusOK, resp.StatusCode)
}

// requireFree makes sure that nobody listens on the port.
func requireFree(t *testing.T, port int) {
	t.Helper()
	l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port)) //nolint:noctx // it is closed at once
	require.NoError(t, err)
	require.NoError(t, l.Close())
}

func ended(t *testing.T, l engine.Lane) race.Exit {
	t.Helper()
	select {
	case <-l.Done():
	case <-time.After(20 * time.Second):
		t.Fatalf("lane %s does not end: %s", l.App(), strings.Join(l.Logs(), "\n"))
	}
	e := l.Exit()
	require.NotNil(t, e.At)
	require.WithinDuration(t, time.Now(), *e.At, 20*time.Second)
	return e
}
