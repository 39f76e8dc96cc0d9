package stopwatch

import (
	"context"
	"sync"

	"go.k6.io/k6/lib"
)

// activation gets VUs ready for the pool: those that are preallocated, and more when the pool runs short.
type activation struct {
	ctx      context.Context //nolint:containedctx // the run's, for VUs that are made while it lasts
	executor *Executor
	pool     *vuPool

	left     int64 // VUs that may still be made
	wanted   chan struct{}
	made     chan struct{}  // closed when no VU is being made any more
	returned sync.WaitGroup // VUs that k6 has not taken back
}

func newActivation(ctx context.Context, e *Executor, pool *vuPool) *activation {
	c := e.config
	a := &activation{
		ctx: ctx, executor: e, pool: pool, wanted: make(chan struct{}), made: make(chan struct{}),
		left: e.state.ExecutionTuple.ScaleInt64(c.MaxVUs.Int64) - e.state.ExecutionTuple.ScaleInt64(c.PreAllocatedVUs.Int64),
	}
	go a.make() //nolint:contextcheck // it has the context
	return a
}

// preallocate adds the VUs that k6 made before the test.
func (a *activation) preallocate() error {
	for range a.executor.state.ExecutionTuple.ScaleInt64(a.executor.config.PreAllocatedVUs.Int64) {
		vu, err := a.executor.state.GetPlannedVU(a.executor.logger, false)
		if err != nil {
			return err
		}
		a.activate(vu)
	}
	return nil
}

// request asks for one more VU, unless one is being made already; false if the scenario may have no more.
func (a *activation) request() bool {
	if a.left == 0 {
		return false
	}
	select {
	case a.wanted <- struct{}{}:
		a.left--
	default:
	}
	return true
}

// close waits for a VU that is being made.
func (a *activation) close() {
	close(a.wanted)
	<-a.made
}

func (a *activation) make() {
	defer close(a.made)
	for range a.wanted {
		vu, err := a.executor.state.GetUnplannedVU(a.ctx, a.executor.logger)
		if err != nil {
			a.executor.logger.WithError(err).Error("Error while allocating unplanned VU")
			continue
		}
		a.activate(vu)
	}
}

func (a *activation) activate(vu lib.InitializedVU) {
	c := a.executor.config
	planned := &plannedIteration{}
	ctx := a.ctx
	if a.executor.heat != nil {
		ctx = context.WithValue(ctx, plannedKey{}, planned)
	}
	a.returned.Add(1)
	active := vu.Activate(&lib.VUActivationParams{
		RunContext: ctx, Scenario: c.Name, Exec: c.GetExec(), Env: c.GetEnv(), Tags: c.GetTags(),
		GetNextIterationCounters: a.executor.nextIteration,
		DeactivateCallback: func(vu lib.InitializedVU) {
			a.executor.state.ReturnVU(vu, false) // the pool counts the active VUs
			a.returned.Done()
		},
	})
	a.pool.add(ctx, active, planned)
}
