package alarm_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/photofinish/photofinish/runner/k6/stopwatch/alarm"
	"github.com/stretchr/testify/require"
)

func newAlarm(t *testing.T) *alarm.Alarm {
	t.Helper()
	a := alarm.New()
	t.Cleanup(func() { require.NoError(t, a.Close()) })
	return a
}

func TestAnAlarmNeverRingsEarlyAndSeldomLate(t *testing.T) {
	t.Parallel()
	a := newAlarm(t)
	var late []time.Duration
	for i := range 100 {
		at := time.Now().Add(time.Duration(300+37*i) * time.Microsecond)
		require.True(t, a.Wait(t.Context(), at, nil))
		late = append(late, time.Since(at))
	}
	slices.Sort(late)
	require.GreaterOrEqual(t, late[0], time.Duration(0))
	t.Logf("late by %s (median), %s (p90)", late[50], late[90])
	require.Less(t, late[50], 20*time.Millisecond) // a machine may be busy; this is about being woken at all
}

func TestAnAlarmSetAgainAfterAnEarlyEndDoesNotRingForTheFormerTime(t *testing.T) {
	t.Parallel()
	a := newAlarm(t)
	early := make(chan struct{})
	close(early)
	require.False(t, a.Wait(t.Context(), time.Now().Add(2*time.Millisecond), early))
	at := time.Now().Add(30 * time.Millisecond)
	require.True(t, a.Wait(t.Context(), at, nil))
	require.False(t, time.Now().Before(at))
}

func TestAnAlarmEndsWithItsContext(t *testing.T) {
	t.Parallel()
	a := newAlarm(t)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Millisecond)
	defer cancel()
	require.False(t, a.Wait(ctx, time.Now().Add(time.Hour), nil))
	require.False(t, a.Wait(ctx, time.Now().Add(-time.Second), nil), "not even for a time in the past")
}
