package alarm_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/photofinish/photofinish/runner/k6/stopwatch/alarm"
	"github.com/stretchr/testify/require"
)

func newAlarm(t *testing.T, ctx context.Context) *alarm.Alarm {
	t.Helper()
	a := alarm.New(ctx, false)
	t.Cleanup(func() { require.NoError(t, a.Close()) })
	return a
}

func TestAnAlarmNeverRingsEarlyAndSeldomLate(t *testing.T) {
	t.Parallel()
	a := newAlarm(t, t.Context())
	var late []time.Duration
	for i := range 100 {
		at := time.Now().Add(time.Duration(300+37*i) * time.Microsecond)
		require.True(t, a.Wait(at))
		late = append(late, time.Since(at))
	}
	slices.Sort(late)
	require.GreaterOrEqual(t, late[0], time.Duration(0))
	t.Logf("late by %s (median), %s (p90)", late[50], late[90])
	require.Less(t, late[50], 20*time.Millisecond) // a machine may be busy; this is about being woken at all
	require.True(t, a.Wait(time.Now().Add(-time.Second)), "what is due already is not waited for")
}

func TestAWaitIsGivenUpForSomethingElse(t *testing.T) {
	t.Parallel()
	a := newAlarm(t, t.Context())
	early := make(chan struct{})
	require.True(t, a.WaitUnless(time.Now().Add(2*time.Millisecond), early))
	close(early)
	require.False(t, a.WaitUnless(time.Now().Add(time.Hour), early))
	at := time.Now().Add(30 * time.Millisecond)
	require.True(t, a.Wait(at))
	require.False(t, time.Now().Before(at), "the former wait does not ring in the next one")
}

func TestAnAlarmEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Millisecond)
	defer cancel()
	a := newAlarm(t, ctx)
	require.False(t, a.Wait(time.Now().Add(time.Hour)))
	require.False(t, a.Wait(time.Now().Add(time.Hour)))
	require.False(t, a.Wait(time.Now().Add(-time.Second)), "not even for a time in the past")
	require.False(t, a.WaitUnless(time.Now().Add(time.Hour), nil))
}

func TestACoarseAlarmNeverRingsEarlyEither(t *testing.T) {
	t.Parallel()
	a := alarm.New(t.Context(), true)
	for i := range 10 {
		at := time.Now().Add(time.Duration(700*i) * time.Microsecond)
		require.True(t, a.Wait(at))
		require.False(t, time.Now().Before(at))
	}
	require.NoError(t, a.Close())
}
