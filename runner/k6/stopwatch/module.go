package stopwatch

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/grafana/sobek"
	"github.com/photofinish/photofinish/runner/k6/stopwatch/heat"
	"go.k6.io/k6/js/common"
	"go.k6.io/k6/js/modules"
	"go.k6.io/k6/lib"
	"go.k6.io/k6/metrics"
)

// Module is `k6/x/photofinish`: the wrapper of every script calls its arrive() at the beginning of every iteration.
type Module struct{ source heatSource }

var (
	_ modules.Module   = (*Module)(nil)
	_ modules.Instance = (*instance)(nil)
)

// NewModuleInstance implements modules.Module.
func (m *Module) NewModuleInstance(vu modules.VU) modules.Instance {
	return &instance{vu: vu, source: m.source}
}

// instance is the module of one VU. Only that VU's event loop calls it.
type instance struct {
	vu     modules.VU
	source heatSource

	tagged *metrics.TagSet // what arrive left behind: as long as the VU's tags are these, lane and phase hold
	lane   *heat.Lane
	phase  heat.Phase
	visit  *visit
	now    sobek.Value // the answers, made once
	never  sobek.Value
}

// Exports implements modules.Instance.
func (i *instance) Exports() modules.Exports {
	return modules.Exports{Named: map[string]any{"arrive": i.arrive}}
}

// arrive says whether the iteration shall run the user's function. It tags the VU with the phase; in a closed model it first waits for
// the lane's turn.
func (i *instance) arrive(sobek.FunctionCall) sobek.Value {
	if i.now == nil {
		i.now, i.never = i.vu.Runtime().ToValue(true), i.vu.Runtime().ToValue(false)
	}
	state := i.vu.State()
	if state == nil {
		return i.now // in the init context nothing is measured
	}
	h, err := i.source.Heat()
	if err != nil {
		common.Throw(i.vu.Runtime(), err)
	}
	if h == nil {
		return i.now
	}
	ctx := i.vu.Context()
	if h.Config.Probe {
		start(ctx, h)
		return i.now
	}
	if planned, ok := ctx.Value(plannedKey{}).(*plannedIteration); ok {
		i.tag(h, state, planned.phase)
		return i.now
	}
	return i.join(ctx, h, state)
}

// join lets an iteration of a closed model run in its lane's blocks only.
func (i *instance) join(ctx context.Context, h *heat.Heat, state *lib.State) sobek.Value {
	if i.visit != nil {
		i.visit.end()
	}
	start(ctx, h)
	i.find(h, state)
	if i.lane == nil {
		return i.now // a scenario that is not raced
	}
	wait, ok := h.Wait(i.lane, time.Now())
	for ; ok && wait > 0; wait, ok = h.Wait(i.lane, time.Now()) {
		if !pause(ctx, wait) {
			return i.never
		}
	}
	if !ok {
		i.tag(h, state, heat.Done)
		pause(ctx, untilEnd(ctx, state))
		return i.never
	}
	phase := h.Phase(time.Now())
	i.tag(h, state, phase)
	i.visit = newVisit(ctx, i.lane, phase)
	return i.now
}

// find looks the lane up when the VU's tags are not those that arrive left behind: k6 gives a VU other tags with another scenario.
func (i *instance) find(h *heat.Heat, state *lib.State) *metrics.TagSet {
	tags := state.Tags.GetCurrentValues().Tags
	if tags != i.tagged {
		app, _ := tags.Get(heat.AppTag)
		i.lane, i.tagged = h.Lane(app), nil
	}
	return tags
}

// tag sets the VU's phase if it has another one.
func (i *instance) tag(h *heat.Heat, state *lib.State, phase heat.Phase) {
	tags := i.find(h, state)
	if i.tagged == tags && i.phase == phase {
		return
	}
	i.phase, i.tagged = phase, tags.With(heat.Tag, phase.String())
	state.Tags.Modify(func(t *metrics.TagsAndMeta) { t.Tags = i.tagged })
}

// start tells the runner that the first scenario has begun.
func start(ctx context.Context, h *heat.Heat) {
	if _, started := h.StartedAt(); started {
		return
	}
	if s := lib.GetScenarioState(ctx); s != nil {
		h.Start(s.StartTime)
	}
}

// visit is a closed-model VU's stay in an iteration, so that the lane's VUs can be counted.
type visit struct {
	lane *heat.Lane
	over atomic.Bool
}

func newVisit(ctx context.Context, lane *heat.Lane, phase heat.Phase) *visit {
	v := &visit{lane: lane}
	lane.Enter(phase)
	context.AfterFunc(ctx, v.end) // k6 ends the context of every iteration
	return v
}

func (v *visit) end() {
	if v.over.CompareAndSwap(false, true) {
		v.lane.Leave()
	}
}

// idle is how long an iteration without load lasts when the scenario should have ended already, so that it does not spin.
const idle = 20 * time.Millisecond

// untilEnd is how long the VU's scenario still lasts, its graceful stop aside. Waiting until then, and not until the context ends,
// lets k6 stop without using up that graceful stop.
func untilEnd(ctx context.Context, state *lib.State) time.Duration {
	s := lib.GetScenarioState(ctx)
	if s == nil {
		return idle
	}
	config, ok := state.Options.Scenarios[s.Name]
	if !ok {
		return idle
	}
	whole, err := lib.NewExecutionTuple(nil, nil)
	if err != nil {
		return idle
	}
	end, _ := lib.GetEndOffset(config.GetExecutionRequirements(whole))
	return max(idle, time.Until(s.StartTime.Add(end-config.GetGracefulStop())))
}

// pause waits; it is false when the context ended first.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
