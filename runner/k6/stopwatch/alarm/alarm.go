// Package alarm wakes a goroutine at a time, to some ten microseconds where the kernel allows it. Go's own timers wait in whole
// milliseconds when the process is idle (netpoll rounds up), which would make every planned request up to a millisecond late.
package alarm

import (
	"context"
	"time"
)

// Alarm is for one goroutine at a time. Close frees it.
type Alarm struct {
	timer *time.Timer
	exact exact
}

// exact is a kernel timer. Its zero value never rings.
type exact struct {
	rings <-chan struct{}
	set   func(time.Duration)
	close func() error
}

// New makes an alarm.
func New() *Alarm {
	timer := time.NewTimer(time.Hour)
	return &Alarm{timer: timer, exact: newExact()}
}

// Wait waits until a time; false when ctx or early (which may be nil) ended first.
func (a *Alarm) Wait(ctx context.Context, at time.Time, early <-chan struct{}) bool {
	for {
		left := time.Until(at)
		if left <= 0 {
			return ctx.Err() == nil
		}
		// Both are set: the kernel's is exact when the process is idle, Go's is looked at more often when it is busy.
		a.timer.Reset(left)
		if a.exact.set != nil {
			a.exact.set(left)
		}
		select {
		case <-a.timer.C:
		case <-a.exact.rings: // perhaps late, from an earlier setting: the loop looks at the time
		case <-early:
			return false
		case <-ctx.Done():
			return false
		}
	}
}

// Close frees the alarm; no Wait may be under way.
func (a *Alarm) Close() error {
	a.timer.Stop()
	if a.exact.close == nil {
		return nil
	}
	return a.exact.close()
}
