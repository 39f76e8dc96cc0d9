package coordinator

import (
	"context"
	"sync"
	"time"

	"github.com/photofinish/photofinish/runner/audit"
	"github.com/photofinish/photofinish/runner/machine"
)

// machineWatch reads the machine's own CPU counters at both ends of the race part of a heat.
type machineWatch struct {
	mu         sync.Mutex
	timer      *time.Timer
	start, end machine.Use
	known      bool
}

func (w *machineWatch) startAt(ctx context.Context, t time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.timer = time.AfterFunc(time.Until(t), func() {
		use, ok := machine.Read(ctx)
		w.mu.Lock()
		defer w.mu.Unlock()
		w.start, w.known = use, ok
	})
}

func (w *machineWatch) stop(ctx context.Context) {
	use, ok := machine.Read(ctx)
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.timer != nil {
		w.timer.Stop()
	}
	w.end, w.known = use, ok && w.known
}

// heat is what the audit wants to know; nothing where the system has no such counters.
func (w *machineWatch) heat() audit.Machine {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.known {
		return audit.Machine{}
	}
	busy, steal := w.end.Busy-w.start.Busy, w.end.Steal-w.start.Steal
	return audit.Machine{Busy: &busy, Steal: &steal, Own: w.end.Own - w.start.Own}
}
