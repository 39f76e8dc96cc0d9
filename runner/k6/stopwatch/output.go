package stopwatch

import (
	"context"
	"errors"
	"time"

	"github.com/photofinish/photofinish/pkg/gctuner"
	"github.com/photofinish/photofinish/runner/k6/stopwatch/heat"
	"github.com/photofinish/photofinish/runner/k6/stopwatch/tally"
	"github.com/sirupsen/logrus"
	"go.k6.io/k6/metrics"
	"go.k6.io/k6/output"
)

// drainEvery is how often the samples that k6 measured are counted. It is well below a Slot of the live views.
const drainEvery = tally.Slot / 2

// roomyHeap is the heap (bytes) up to which k6's garbage is collected less often than by Go's default. Collecting disturbs the requests that are under
// way, and at 1,000 requests a second of a small script it takes some 8% of k6's CPU (docs/performance.md).
const roomyHeap = 256 << 20

// errRunnerLost stops k6: a heat whose runner is gone would go on loading apps for nobody.
var errRunnerLost = errors.New("the photofinish runner that started this k6 is gone")

// Output is k6's output `photofinish`. It counts in its own goroutine; AddMetricSamples only stores.
type Output struct {
	output.SampleBuffer

	heat    *heat.Heat // nil: there is no race, and nothing is done
	logger  logrus.FieldLogger
	builtin *metrics.BuiltinMetrics
	abort   func(error)

	tally *tally.Tally
	push  *pusher
	stop  chan struct{}
	done  chan struct{}
}

var (
	_ output.Output             = (*Output)(nil)
	_ output.WithBuiltinMetrics = (*Output)(nil)
	_ output.WithTestRunStop    = (*Output)(nil)
)

func newOutput(source heatSource, p output.Params) (*Output, error) {
	h, err := source.Heat()
	if err != nil {
		return nil, err
	}
	return &Output{heat: h, logger: p.Logger.WithField("output", OutputName), stop: make(chan struct{}), done: make(chan struct{})}, nil
}

// Description implements output.Output.
func (o *Output) Description() string {
	if o.heat == nil {
		return "photofinish (no race: does nothing)"
	}
	return "photofinish (race " + o.heat.Config.RaceID + ")"
}

// SetBuiltinMetrics implements output.WithBuiltinMetrics.
func (o *Output) SetBuiltinMetrics(builtin *metrics.BuiltinMetrics) { o.builtin = builtin }

// SetTestRunStopCallback implements output.WithTestRunStop.
func (o *Output) SetTestRunStopCallback(abort func(error)) { o.abort = abort }

// Start implements output.Output.
func (o *Output) Start() error {
	if o.heat == nil {
		return nil
	}
	o.tally = tally.New(o.heat, o.builtin)
	if o.heat.Config.RemoteWriteURL != "" && !o.heat.Config.Probe {
		o.push = startPusher(o.heat, o.tally, o.logger)
	}
	go o.count()
	return nil
}

// AddMetricSamples implements output.Output.
func (o *Output) AddMetricSamples(samples []metrics.SampleContainer) {
	if o.heat != nil {
		o.SampleBuffer.AddMetricSamples(samples)
	}
}

// Stop implements output.Output: everything measured is counted, told to the runner, and written.
func (o *Output) Stop() error {
	if o.heat == nil {
		return nil
	}
	close(o.stop)
	<-o.done
	err := o.heat.Finish(o.tally.Result(time.Now()))
	if o.push != nil {
		o.push.finish(context.Background())
	}
	return err
}

func (o *Output) count() {
	defer close(o.done)
	ticker := time.NewTicker(drainEvery)
	defer ticker.Stop()
	lost := o.heat.Lost()
	defer gctuner.Roomy(roomyHeap)()
	for beat := 1; ; beat++ {
		select {
		case <-o.stop:
			o.tally.Add(o.GetBufferedSamples())
			return
		case <-lost:
			lost = nil
			if o.abort != nil {
				o.abort(errRunnerLost)
			}
		case now := <-ticker.C:
			o.tally.Add(o.GetBufferedSamples())
			if _, started := o.heat.StartedAt(); started && beat%int(tally.Slot/drainEvery) == 0 {
				o.heat.Report(o.tally.Progress(now))
			}
		}
	}
}
