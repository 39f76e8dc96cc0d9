package enginetest

import (
	"context"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/engine"
)

func answers(t *testing.T, w *world) {
	t.Helper()
	require.NotEmpty(t, w.engine.Name())
	spec := w.lane(t, Control)
	l := w.healthy(t, spec)
	get(t, l.Address()+spec.Path)
	require.Equal(t, spec.App, l.App())
	require.True(t, strings.HasPrefix(l.Address(), "http://"), l.Address())
	require.Equal(t, race.Running, l.Exit().Reason)
	select {
	case <-l.Done():
		t.Fatal("it is done, and runs")
	default:
	}
}

func countersGrow(t *testing.T, w *world) {
	t.Helper()
	spec := w.lane(t, Burner)
	l := w.healthy(t, spec)
	var seen []engine.Counters
	for range 3 {
		c, err := l.Counters(t.Context())
		require.NoError(t, err)
		require.WithinDuration(t, time.Now(), c.At, time.Second)
		seen = append(seen, c)
		for range 5 {
			get(t, l.Address()+spec.Path)
		}
		time.Sleep(50 * time.Millisecond)
	}
	for i := 1; i < len(seen); i++ {
		require.Greater(t, seen[i].CPU, seen[i-1].CPU)
		require.True(t, seen[i].At.After(seen[i-1].At))
	}
	require.True(t, seen[0].Enforced, "no limits were asked for, so all that were are in force")
	require.NoError(t, l.Stop(t.Context()))
	last, err := l.Counters(t.Context())
	require.NoError(t, err, "what an app spent is known after its end")
	require.GreaterOrEqual(t, last.CPU, seen[2].CPU)
}

func stops(t *testing.T, w *world) {
	t.Helper()
	spec := w.lane(t, Control)
	l := w.healthy(t, spec)
	require.NoError(t, l.Stop(t.Context()))
	require.Equal(t, race.Stopped, ended(t, l).Reason)
	requireFree(t, spec.Port)
	require.NoError(t, l.Stop(t.Context()), "again")
	require.Equal(t, race.Stopped, l.Exit().Reason)
}

func stopsDeaf(t *testing.T, w *world) {
	t.Helper()
	spec := w.lane(t, Deaf)
	l := w.healthy(t, spec)
	require.NoError(t, l.Stop(t.Context()))
	require.Equal(t, race.Stopped, ended(t, l).Reason)
	requireFree(t, spec.Port)
}

func crashes(t *testing.T, w *world) {
	t.Helper()
	l := w.start(t, w.lane(t, Crasher))
	e := ended(t, l)
	require.Equal(t, race.Exited, e.Reason)
	require.NotNil(t, e.Code)
	require.Equal(t, CrashCode, *e.Code)
	require.Contains(t, l.Logs(), LastWords)
	require.NoError(t, l.Stop(t.Context()), "after its own end")
	require.Equal(t, race.Exited, l.Exit().Reason, "Stop does not change how it ended")
}

func crashesUnhealthy(t *testing.T, w *world) {
	t.Helper()
	spec := w.lane(t, Crasher)
	l := w.start(t, spec)
	began := time.Now()
	err := engine.WaitHealthy(t.Context(), l, spec)
	require.Less(t, time.Since(began), 10*time.Second)
	require.Equal(t, race.Unavailable, race.CodeOf(err), err)
	for _, part := range []string{spec.App, LastWords, fmt.Sprint("code ", CrashCode)} {
		require.ErrorContains(t, err, part)
	}
}

func boundsOutput(t *testing.T, w *world) {
	t.Helper()
	l := w.healthy(t, w.lane(t, Chatty))
	require.Eventually(t, func() bool {
		lines := l.Logs()
		return len(lines) > 0 && strings.HasPrefix(lines[len(lines)-1], fmt.Sprint("line ", chattyLines))
	}, 10*time.Second, 10*time.Millisecond)
	lines := l.Logs()
	require.LessOrEqual(t, len(lines), engine.LogLines)
	require.Contains(t, lines, fmt.Sprint("line ", chattyLines-1))
	for _, line := range lines {
		require.Less(t, len(line), longLine/10)
	}
}

func startsAgain(t *testing.T, w *world) {
	t.Helper()
	spec := w.lane(t, Control)
	w.prepare(t, spec)
	for heat := 1; heat <= 3; heat++ {
		l, err := w.engine.Start(t.Context(), w.id, heat, spec)
		require.NoError(t, err)
		require.NoError(t, engine.WaitHealthy(t.Context(), l, spec))
		c, err := l.Counters(t.Context())
		require.NoError(t, err)
		require.Less(t, c.CPU, 2*time.Second, "counters begin at zero in every heat")
		require.NoError(t, l.Stop(t.Context()))
	}
}

func portInUse(t *testing.T, w *world) {
	t.Helper()
	taken, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // closed at the end of the test
	require.NoError(t, err)
	defer func() { _ = taken.Close() }()
	spec := w.lane(t, Control)
	spec.Port = taken.Addr().(*net.TCPAddr).Port
	err = w.engine.Prepare(t.Context(), w.id, []race.LaneSpec{spec}, func(string) {})
	if err == nil {
		_, err = w.engine.Start(t.Context(), w.id, 1, spec)
	}
	require.Equal(t, race.Unavailable, race.CodeOf(err), err)
	require.ErrorContains(t, err, fmt.Sprint("port ", spec.Port))
	require.ErrorContains(t, err, spec.App)
}

func cleansUp(t *testing.T, w *world) {
	t.Helper()
	specs := []race.LaneSpec{w.lane(t, Forker), w.lane(t, Deaf), w.lane(t, Control)}
	w.prepare(t, specs...)
	var lanes []engine.Lane
	for _, spec := range specs {
		l, err := w.engine.Start(t.Context(), w.id, 1, spec)
		require.NoError(t, err)
		require.NoError(t, engine.WaitHealthy(t.Context(), l, spec))
		lanes = append(lanes, l)
	}
	require.NoError(t, w.engine.Cleanup(t.Context(), w.id))
	require.Empty(t, w.Left(t, w.id))
	for i, l := range lanes {
		require.Equal(t, race.Stopped, ended(t, l).Reason)
		requireFree(t, specs[i].Port)
		require.NoError(t, l.Stop(t.Context()), "after Cleanup")
	}
}

func cleansNothing(t *testing.T, w *world) {
	t.Helper()
	require.NoError(t, w.engine.Cleanup(t.Context(), newID()))
}

func cancels(t *testing.T, w *world) {
	t.Helper()
	spec := w.lane(t, Deaf)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	began := time.Now()
	other := newID()
	require.ErrorIs(t, w.engine.Prepare(ended, other, []race.LaneSpec{spec}, func(string) {}), context.Canceled)
	_, err := w.engine.Start(ended, other, 1, spec)
	require.ErrorIs(t, err, context.Canceled)
	require.NoError(t, w.engine.Cleanup(t.Context(), other))

	l := w.start(t, spec)
	require.ErrorIs(t, engine.WaitHealthy(ended, l, spec), context.Canceled)
	_, err = l.Counters(ended)
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorIs(t, l.Stop(ended), context.Canceled)
	_ = w.engine.Cleanup(ended, w.id) // it may have had nothing left to do
	_, err = w.engine.Sweep(ended)
	if err != nil {
		require.ErrorIs(t, err, context.Canceled)
	}
	require.Less(t, time.Since(began), 5*time.Second)
}

func sweepsNothing(t *testing.T, w *world) {
	t.Helper()
	spec := w.lane(t, Control)
	l := w.healthy(t, spec)
	swept, err := w.New(t).Sweep(t.Context())
	require.NoError(t, err)
	require.NotContains(t, swept, w.id)
	get(t, l.Address())
}

func halfCPU(t *testing.T, w *world) {
	t.Helper()
	spec := w.lane(t, Burner)
	half := 0.5
	spec.CPUs = &half
	l := w.healthy(t, spec)
	var used float64
	for range 3 { // a busy machine may not have half a CPU to give, but never gives more
		before, err := l.Counters(t.Context())
		require.NoError(t, err)
		require.True(t, before.Enforced)
		time.Sleep(1500 * time.Millisecond)
		after, err := l.Counters(t.Context())
		require.NoError(t, err)
		require.NotNil(t, after.Throttled)
		require.Greater(t, *after.Periods, *before.Periods)
		used = float64(after.CPU-before.CPU) / float64(after.At.Sub(before.At))
		require.Less(t, used, half*1.15)
		if used > half*0.85 {
			require.Greater(t, *after.Throttled, *before.Throttled)
			require.Greater(t, *after.ThrottledPeriod, *before.ThrottledPeriod)
			return
		}
	}
	t.Fatalf("a lane with %v CPUs used %.2f", half, used)
}

func outOfMemory(t *testing.T, w *world) {
	t.Helper()
	spec := w.lane(t, Eater)
	limit := int64(64 << 20)
	spec.Memory = &limit
	l := w.healthy(t, spec)
	e := ended(t, l)
	require.Equal(t, race.OOM, e.Reason)
	require.Nil(t, e.Code)
	c, err := l.Counters(t.Context())
	require.NoError(t, err)
	require.EqualValues(t, 1, c.OOMKills)
}
