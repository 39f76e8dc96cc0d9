// Package alarm wakes a goroutine at a time, to some ten microseconds where the kernel allows it. Go's own timers wait in whole
// milliseconds when the process is idle (the poller rounds up), which would make every planned request up to a millisecond late.
package alarm

import (
	"context"
	"time"
)

// Alarm is for one goroutine. Close frees it.
type Alarm struct {
	ctx   context.Context //nolint:containedctx // it ends every wait; passing it to each would cost a registration a wait
	timer *time.Timer
	exact *exact // nil where it is not wanted or the kernel has no such timer
}

// New makes an alarm whose waits end with ctx. A coarse one is exact to the millisecond only, which takes less CPU.
func New(ctx context.Context, coarse bool) *Alarm {
	a := &Alarm{ctx: ctx, timer: time.NewTimer(time.Hour)}
	if !coarse {
		a.exact = newExact(ctx)
	}
	return a
}

// Wait waits until a time; false when the context ended first.
func (a *Alarm) Wait(at time.Time) bool {
	if a.exact == nil {
		return a.WaitUnless(at, nil)
	}
	return a.exact.wait(at) && a.ctx.Err() == nil
}

// WaitUnless waits as Wait does, to the millisecond; false also when early ended first.
func (a *Alarm) WaitUnless(at time.Time, early <-chan struct{}) bool {
	a.timer.Reset(time.Until(at))
	select {
	case <-a.timer.C:
		return a.ctx.Err() == nil
	case <-early:
		return false
	case <-a.ctx.Done():
		return false
	}
}

// Close frees the alarm; no wait may be under way.
func (a *Alarm) Close() error {
	a.timer.Stop()
	if a.exact == nil {
		return nil
	}
	return a.exact.close()
}
