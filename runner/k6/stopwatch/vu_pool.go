package stopwatch

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/photofinish/photofinish/runner/k6/stopwatch/heat"
	"github.com/sirupsen/logrus"
	"go.k6.io/k6/errext"
	"go.k6.io/k6/lib"
)

// arrival is one planned iteration.
type arrival struct {
	at    time.Time
	phase heat.Phase
}

// plannedKey is the key of a VU's *plannedIteration in its context.
type plannedKey struct{}

// plannedIteration tells the script's wrapper in a VU for which phase the iteration it runs was planned. The worker sets it before the
// iteration, the VU reads it within.
type plannedIteration struct{ phase heat.Phase }

// vuPool hands arrivals to the VUs that are free, as k6's own arrival-rate executors do.
type vuPool struct {
	state   *lib.ExecutionState
	lane    *heat.Lane
	logger  *logrus.Entry
	aborted func(error) // the script asked for the end of the test

	arrivals chan arrival
	workers  sync.WaitGroup
	active   atomic.Int64
	running  atomic.Int64
}

func newVUPool(e *Executor, aborted func(error)) *vuPool {
	return &vuPool{state: e.state, lane: e.lane, logger: e.logger, aborted: aborted, arrivals: make(chan arrival)}
}

// tryRun hands an arrival to a free VU; false if there is none.
func (p *vuPool) tryRun(a arrival) bool {
	select {
	case p.arrivals <- a:
		return true
	default:
		return false
	}
}

// add lets a VU take arrivals until close.
func (p *vuPool) add(ctx context.Context, vu lib.ActiveVU, planned *plannedIteration) {
	p.active.Add(1)
	p.workers.Add(1)
	ready := make(chan struct{})
	go func() {
		defer p.workers.Done()
		close(ready)
		for a := range p.arrivals {
			p.run(ctx, vu, planned, a)
		}
	}()
	<-ready
}

// close waits for the iterations under way.
func (p *vuPool) close() {
	close(p.arrivals)
	p.workers.Wait()
}

func (p *vuPool) run(ctx context.Context, vu lib.ActiveVU, planned *plannedIteration, a arrival) {
	planned.phase = a.phase
	p.lane.Late(a.phase, time.Since(a.at))
	p.lane.Enter(a.phase)
	p.running.Add(1)
	p.state.ModCurrentlyActiveVUsCount(+1)
	defer func() {
		p.state.ModCurrentlyActiveVUsCount(-1)
		p.running.Add(-1)
		p.lane.Leave()
	}()
	err := vu.RunOnce()
	switch {
	case ctx.Err() != nil:
		p.state.AddInterruptedIterations(1) // k6 logs nothing of an iteration that was cancelled
	case errext.IsInterruptError(err):
		p.state.AddInterruptedIterations(1)
		p.aborted(err)
	default:
		p.lane.Ended(a.phase, time.Since(a.at))
		p.log(err)
		p.state.AddFullIterations(1)
	}
}

// log tells of an iteration's error as k6 does: an exception with its stack trace.
func (p *vuPool) log(err error) {
	if err == nil {
		return
	}
	var exception errext.Exception
	if errors.As(err, &exception) {
		p.logger.WithField("source", "stacktrace").Error(exception.StackTrace())
		return
	}
	p.logger.Error(err.Error())
}
