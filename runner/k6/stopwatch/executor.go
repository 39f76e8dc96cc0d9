package stopwatch

import (
	"context"
	"fmt"
	"maps"
	"sync"
	"time"

	"github.com/photofinish/photofinish/runner/k6/stopwatch/heat"
	"github.com/sirupsen/logrus"
	"go.k6.io/k6/lib"
	"go.k6.io/k6/lib/executor"
	"go.k6.io/k6/metrics"
)

// Executor is `photofinish-arrivals`: an open model whose arrivals are spread within their ticks, and which gives its lane load in the
// lane's blocks only. Stock k6 begins the iterations of all lanes in step, which slows down the same lane again and again.
type Executor struct {
	*executor.BaseExecutor
	config *ExecutorConfig
	state  *lib.ExecutionState
	logger *logrus.Entry
	heat   *heat.Heat // nil: k6 on its own
	lane   *heat.Lane

	iterations sync.Mutex
	index      *lib.SegmentedIndex
}

var _ lib.Executor = (*Executor)(nil)

// Init implements lib.Executor.
func (e *Executor) Init(context.Context) error {
	et, err := e.state.ExecutionTuple.GetNewExecutionTupleFromValue(e.config.MaxVUs.Int64)
	if err != nil {
		return fmt.Errorf("scenario %s: %w", e.config.Name, err)
	}
	e.index = lib.NewSegmentedIndex(et)
	return nil
}

func (e *Executor) nextIteration() (local, global uint64) {
	e.iterations.Lock()
	defer e.iterations.Unlock()
	scaled, unscaled := e.index.Next()
	return uint64(scaled - 1), uint64(unscaled - 1)
}

// Run implements lib.Executor. It ends when the lane's last block and its iterations are over, or when ctx ends.
func (e *Executor) Run(parent context.Context, out chan<- metrics.SampleContainer) error {
	begin := time.Now()
	end := begin.Add(e.config.Duration.TimeDuration())
	ctx, cancel := context.WithDeadline(parent, end.Add(e.config.GracefulStop.TimeDuration()))
	defer cancel()
	planning, stopPlanning := context.WithDeadlineCause(ctx, end, nil)
	defer stopPlanning()

	var aborted error
	var abort sync.Once
	pool := newVUPool(e, func(err error) {
		abort.Do(func() {
			aborted = err
			stopPlanning()
		})
	})
	ctx = lib.WithScenarioState(ctx, &lib.ScenarioState{
		Name: e.config.Name, Executor: e.config.Type, StartTime: begin, ProgressFn: e.progress(begin, pool),
	})
	vus := newActivation(ctx, e, pool)
	err := vus.preallocate() //nolint:contextcheck // it has the context
	if err == nil {
		if e.heat != nil {
			e.heat.Start(begin)
		}
		err = e.plan(planning, parent, out, pool, vus, begin)
	}
	vus.close()  // no VU is added any more
	pool.close() // the iterations under way are over, or ctx is
	cancel()     // k6 takes the VUs back
	vus.returned.Wait()
	if err != nil {
		return err
	}
	return aborted
}

// plan hands out arrivals until there are no more or ctx ends.
func (e *Executor) plan(ctx, parent context.Context, out chan<- metrics.SampleContainer, pool *vuPool, vus *activation, begin time.Time) error {
	planner, err := newPlanner(ctx, e, begin)
	if err != nil {
		return err
	}
	defer planner.close() //nolint:errcheck // a timer that cannot be closed is the kernel's loss
	dropped := e.droppedSamples()
	short := false
	for {
		a, ok := planner.next()
		if !ok {
			return nil
		}
		if pool.tryRun(a) {
			continue
		}
		// No VU is free: the iteration is dropped, never made up for, and another VU is got ready if one is left.
		e.lane.Drop(a.phase)
		sample := dropped[a.phase]
		sample.Time = time.Now()
		metrics.PushIfNotDone(parent, out, sample)
		if !vus.request() && !short {
			short = true
			e.logger.Warnf("Insufficient VUs, reached %d active VUs and cannot initialize more", e.config.MaxVUs.Int64)
		}
	}
}

// droppedSamples are k6's dropped_iterations by phase, with the tags of the scenario: stock k6 leaves those out, so that lanes could
// not be told apart.
func (e *Executor) droppedSamples() [heat.Measured]metrics.Sample {
	test := e.state.Test
	tags := maps.Clone(e.config.Tags)
	if tags == nil {
		tags = make(map[string]string)
	}
	if test.Options.SystemTags.Has(metrics.TagScenario) {
		tags[metrics.TagScenario.String()] = e.config.Name
	}
	base := test.RunTags.WithTagsFromMap(tags)
	var samples [heat.Measured]metrics.Sample
	for phase := range samples {
		set := base
		if e.heat != nil {
			set = base.With(heat.Tag, heat.Phase(phase).String())
		}
		samples[phase] = metrics.Sample{TimeSeries: metrics.TimeSeries{Metric: test.BuiltinMetrics.DroppedIterations, Tags: set}, Value: 1}
	}
	return samples
}

// progress is what the script's `exec.scenario.progress` reads: the share of the duration that is over, and facts for people.
func (e *Executor) progress(begin time.Time, pool *vuPool) func() (float64, []string) {
	whole := e.config.Duration.TimeDuration()
	return func() (float64, []string) {
		spent := min(time.Since(begin), whole)
		return float64(spent) / float64(whole), []string{
			fmt.Sprintf("%d/%d VUs", pool.running.Load(), pool.active.Load()),
			fmt.Sprintf("%s/%s", spent.Truncate(time.Second/10), whole),
		}
	}
}
