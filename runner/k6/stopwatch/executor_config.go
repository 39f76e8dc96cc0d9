package stopwatch

import (
	"fmt"
	"strings"
	"time"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/k6/stopwatch/arrivals"
	"github.com/photofinish/photofinish/runner/k6/stopwatch/heat"
	"github.com/photofinish/photofinish/runner/k6/stream"
	"github.com/sirupsen/logrus"
	"go.k6.io/k6/lib"
	"go.k6.io/k6/lib/executor"
	"go.k6.io/k6/lib/types"
	"gopkg.in/guregu/null.v3"
)

// shortestDuration is k6's own lower limit for a scenario.
const shortestDuration = time.Second

// ExecutorConfig is a scenario of the executor `photofinish-arrivals`.
type ExecutorConfig struct {
	executor.BaseConfig
	// Arrivals is how arrivals are spread: uniform (default), poisson or even.
	Arrivals null.String `json:"arrivals"`
	// Rate is iterations per second, at the beginning where there are Stages.
	Rate null.Float `json:"rate"`
	// Stages change the rate along the time in which the lane is given load.
	Stages []ExecutorStage `json:"stages,omitempty"`
	// Duration is the longest that the scenario lasts, warm-up included. It ends earlier, after the lane's last block.
	Duration        types.NullDuration `json:"duration"`
	PreAllocatedVUs null.Int           `json:"preAllocatedVUs"`
	MaxVUs          null.Int           `json:"maxVUs"`

	source heatSource
}

// ExecutorStage is a linear change of the rate to Target (iterations per second) within Duration.
type ExecutorStage struct {
	Duration types.NullDuration `json:"duration"`
	Target   null.Float         `json:"target"`
}

var _ lib.ExecutorConfig = (*ExecutorConfig)(nil)

func parseExecutor(source heatSource, name string, raw []byte) (lib.ExecutorConfig, error) {
	c := &ExecutorConfig{BaseConfig: executor.NewBaseConfig(name, ExecutorType), source: source}
	if err := lib.StrictJSONUnmarshal(raw, c); err != nil {
		return nil, fmt.Errorf("scenario %s: %w", name, err)
	}
	if !c.MaxVUs.Valid {
		c.MaxVUs = c.PreAllocatedVUs
	}
	return c, nil
}

// Validate implements lib.ExecutorConfig.
func (c *ExecutorConfig) Validate() []error {
	errs := c.BaseConfig.Validate()
	fail := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	switch c.kind() {
	case race.Uniform, race.Poisson, race.Even:
	default:
		fail("arrivals must be uniform, poisson or even, not %q", c.Arrivals.String)
	}
	if c.Rate.Float64 < 0 {
		fail("the rate must not be negative")
	}
	for i, s := range c.Stages {
		if !s.Duration.Valid || s.Duration.Duration < 0 || !s.Target.Valid || s.Target.Float64 < 0 {
			fail("stage %d needs a duration and a target that are not negative", i+1)
		}
	}
	if c.profile().Peak() <= 0 {
		fail("the rate must be more than 0 iterations per second, at the beginning or in a stage")
	}
	if c.Duration.TimeDuration() < shortestDuration {
		fail("the duration must be at least %s", shortestDuration)
	}
	if !c.PreAllocatedVUs.Valid || c.PreAllocatedVUs.Int64 < 0 {
		fail("preAllocatedVUs must be given and not be negative")
	}
	if c.MaxVUs.Int64 < max(1, c.PreAllocatedVUs.Int64) {
		fail("maxVUs must be at least 1 and not less than preAllocatedVUs")
	}
	return errs
}

// GetExecutionRequirements implements lib.ExecutorConfig.
func (c *ExecutorConfig) GetExecutionRequirements(et *lib.ExecutionTuple) []lib.ExecutionStep {
	planned, most := et.ScaleInt64(c.PreAllocatedVUs.Int64), et.ScaleInt64(c.MaxVUs.Int64)
	return []lib.ExecutionStep{
		{PlannedVUs: uint64(planned), MaxUnplannedVUs: uint64(most - planned)},
		{TimeOffset: c.Duration.TimeDuration() + c.GracefulStop.TimeDuration()},
	}
}

// GetDescription implements lib.ExecutorConfig.
func (c *ExecutorConfig) GetDescription(*lib.ExecutionTuple) string {
	facts := []string{fmt.Sprintf("maxVUs: %d-%d", c.PreAllocatedVUs.Int64, c.MaxVUs.Int64)}
	if app := c.Tags[heat.AppTag]; app != "" {
		facts = append(facts, "app: "+app)
	}
	if c.Exec.Valid {
		facts = append(facts, "exec: "+c.Exec.String)
	}
	return fmt.Sprintf("%.2f iterations/s, %s arrivals, for up to %s (%s)",
		c.profile().Peak(), c.kind(), c.Duration.Duration, strings.Join(facts, ", "))
}

// HasWork implements lib.ExecutorConfig.
func (c *ExecutorConfig) HasWork(et *lib.ExecutionTuple) bool {
	return et.ScaleInt64(c.MaxVUs.Int64) > 0
}

// NewExecutor implements lib.ExecutorConfig.
func (c *ExecutorConfig) NewExecutor(state *lib.ExecutionState, logger *logrus.Entry) (lib.Executor, error) {
	e := &Executor{BaseExecutor: executor.NewBaseExecutor(c, state, logger), config: c, state: state, logger: logger}
	h, err := c.source.Heat()
	if err != nil {
		return nil, err
	}
	app := c.Tags[heat.AppTag]
	if h == nil || h.Config.Probe {
		// k6 on its own: all of the scenario is one block, and nothing is counted.
		e.lane = &heat.Lane{App: app, Blocks: []stream.Block{{End: c.Duration.TimeDuration()}}}
		return e, nil
	}
	if e.lane = h.Lane(app); e.lane == nil {
		return nil, race.Errorf(race.Invalid, "tag the scenario with an app of the race", "scenario %s has the tag app=%q, which is no lane of the race", c.Name, app)
	}
	e.heat = h
	return e, nil
}

func (c *ExecutorConfig) kind() race.Arrivals {
	if !c.Arrivals.Valid {
		return race.Uniform
	}
	return race.Arrivals(c.Arrivals.String)
}

func (c *ExecutorConfig) profile() arrivals.Profile {
	p := arrivals.Profile{Start: c.Rate.Float64}
	for _, s := range c.Stages {
		p.Stages = append(p.Stages, arrivals.Stage{Duration: s.Duration.TimeDuration(), Target: s.Target.Float64})
	}
	return p
}
