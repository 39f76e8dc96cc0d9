package k6

import (
	"encoding/json"
	"fmt"
	"maps"
	"time"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/definition"
	"github.com/photofinish/photofinish/runner/k6/stopwatch/arrivals"
	"github.com/photofinish/photofinish/runner/k6/stream"
)

// probeTimeout bounds one iteration of a probe.
const probeTimeout = time.Minute

// defaultGracefulStop is how long an iteration may go on after the lane's last block, where the script does not say. k6's own 30 s
// would let one frozen app hold up every heat.
const defaultGracefulStop = 10 * time.Second

// placement puts the script's scenarios into the time of a heat. The script's times are active time, in which the lane is given load;
// k6's are counted from the beginning of the warm-up and pass over the blocks of the other lanes.
type placement struct {
	def       race.Definition
	cfg       stream.Config
	slack     time.Duration
	functions map[string]string // names of the wrapped functions
	// plans are filled for the wrapper of a stock k6; nil for our own.
	plans map[string]stockPlan
}

func (p placement) apps() []string {
	var apps []string
	for _, l := range p.cfg.Lanes {
		apps = append(apps, l.App)
	}
	return apps
}

// dialect is that of the k6 that will run the wrapper, once the scenarios are placed.
func (p placement) dialect(starter string) (dialect, error) {
	switch {
	case p.plans == nil:
		return own(p.cfg.Probe), nil
	case p.cfg.Probe:
		return stockProbe(), nil
	}
	return stockHeat(p.plans, starter, string(p.def.Options["noSetup"]) == "true")
}

func (p placement) scenarios() (map[string]any, error) {
	all := map[string]any{}
	for i, lane := range p.cfg.Lanes {
		for _, s := range definition.Of(p.def.Scenarios, lane.App) {
			name := s.Name
			if s.App == "" {
				name = lane.App + "-" + s.Name
			}
			config, err := p.scenario(s, lane)
			if err != nil {
				return nil, err
			}
			name = fmt.Sprintf("%02d-%s", i+1, name)
			all[name] = config
			if p.plans != nil && !p.cfg.Probe {
				if p.plans[name], err = p.stockPlan(s, lane); err != nil {
					return nil, err
				}
			}
		}
	}
	return all, nil
}

func (p placement) scenario(s race.Scenario, lane stream.Lane) (map[string]any, error) {
	c, err := p.base(s, lane)
	if err != nil {
		return nil, err
	}
	if p.cfg.Probe {
		c["executor"], c["vus"], c["iterations"] = "per-vu-iterations", 1, 1
		c["maxDuration"], c["gracefulStop"] = probeTimeout.String(), "0s"
		return c, nil
	}
	t, err := definition.TimesOf(s)
	if err != nil {
		return nil, err
	}
	if s.Open() {
		return c, p.open(c, s, t, lane)
	}
	begin, end := p.span(t, lane)
	if begin > 0 {
		c["startTime"] = begin.String()
	}
	c["executor"] = s.Executor
	return c, p.closed(c, s, t, lane, end-begin)
}

// base is what every executor has: the wrapped function, the lane's tag and address, and what the script says beside these.
func (p placement) base(s race.Scenario, lane stream.Lane) (map[string]any, error) {
	tags, env, global := map[string]string{}, map[string]string{}, map[string]string{}
	for raw, into := range map[string]*map[string]string{
		string(p.def.Options["tags"]): &global, string(s.Config["tags"]): &tags, string(s.Config["env"]): &env,
	} {
		if raw == "" {
			continue
		}
		if err := json.Unmarshal([]byte(raw), into); err != nil {
			return nil, race.Errorf(race.Invalid, "", "options.scenarios.%s: tags and env must be objects of strings: %w", s.Name, err)
		}
	}
	maps.Copy(global, tags)
	for _, ours := range []string{"testid", "heat", "phase"} {
		delete(global, ours)
	}
	global["app"] = lane.App
	maps.Copy(env, LaneEnv(lane))
	c := map[string]any{"exec": p.functions[s.Exec], "tags": global, "env": env, "gracefulStop": defaultGracefulStop.String()}
	for _, key := range []string{"gracefulStop", "options"} {
		if v, given := s.Config[key]; given {
			c[key] = v
		}
	}
	return c, nil
}

// span is when a scenario begins and ends, from the beginning of the warm-up. One that begins with the race warms up too.
func (p placement) span(t definition.Times, lane stream.Lane) (begin, end time.Duration) {
	if t.Start > 0 {
		begin = p.cfg.Warmup + p.wall(lane, t.Start)
	}
	if t.End() >= p.def.Duration {
		return begin, p.whole()
	}
	return begin, p.cfg.Warmup + p.wall(lane, t.End())
}

// whole is the longest that the heat's load lasts.
func (p placement) whole() time.Duration { return p.cfg.Warmup + p.cfg.Span() + p.slack }

// wall is the offset from the start of the race at which a lane has been active for a time.
func (p placement) wall(lane stream.Lane, active time.Duration) time.Duration {
	if at, ok := arrivals.Place(lane.Blocks, active); ok {
		return at
	}
	return p.cfg.Span()
}

// stage is a stage of a ramping executor.
type stage struct {
	Duration string  `json:"duration"`
	Target   float64 `json:"target"`
}

// open makes a scenario of our own executor, which lasts as long as the heat and whose blocks bound it, or of a stock one.
func (p placement) open(c map[string]any, s race.Scenario, t definition.Times, lane stream.Lane) error {
	r, err := definition.RampOf(s)
	if err != nil {
		return err
	}
	c["preAllocatedVUs"], c["maxVUs"], err = arrivalVUs(s, r.Peak())
	if err != nil {
		return err
	}
	active := activeRamp(r, t, p.def.Duration)
	if p.plans != nil {
		p.stockOpen(c, active, lane)
		return nil
	}
	c["executor"], c["arrivals"] = "photofinish-arrivals", string(p.def.Arrivals)
	c["duration"] = p.whole().String()
	c["rate"] = active.Start
	var stages []stage
	for _, st := range active.Stages {
		stages = append(stages, stage{st.Duration.String(), st.Target})
	}
	if len(stages) > 0 {
		c["stages"] = stages
	}
	return nil
}

// activeRamp is a scenario's rate over the whole active time of its lane: what the script leaves idle before and behind it are stages of rate 0.
func activeRamp(r definition.Ramp, t definition.Times, whole time.Duration) definition.Ramp {
	active := definition.Ramp{Start: r.Start}
	if t.Start > 0 {
		active.Start = 0
		active.Stages = append(active.Stages, definition.Stage{Duration: t.Start}, definition.Stage{Target: r.Start})
	}
	active.Stages = append(active.Stages, r.Stages...)
	if t.End() < whole {
		if len(r.Stages) == 0 {
			active.Stages = append(active.Stages, definition.Stage{Duration: t.Length, Target: r.Start})
		}
		active.Stages = append(active.Stages, definition.Stage{})
	}
	return active
}

// closed fills in a closed model. Iterations of the warm-up count among those of shared-iterations and per-vu-iterations.
func (p placement) closed(c map[string]any, s race.Scenario, t definition.Times, lane stream.Lane, lasts time.Duration) error {
	for _, key := range []string{"vus", "iterations", "gracefulRampDown"} {
		if v, given := s.Config[key]; given {
			c[key] = v
		}
	}
	switch s.Executor {
	case "ramping-vus":
		r, err := definition.RampOf(s)
		if err != nil {
			return err
		}
		c["startVUs"], c["stages"] = p.ramp(r, t, lane)
	case "constant-vus":
		c["duration"] = lasts.String()
	default:
		c["maxDuration"] = lasts.String()
	}
	return nil
}

// ramp warms up at the first VUs that are not none, and puts the ends of the stages where the lane has been active for so long.
func (p placement) ramp(r definition.Ramp, t definition.Times, lane stream.Lane) (start float64, stages []stage) {
	start = r.Start
	at := t.Start
	if t.Start == 0 {
		start = r.First()
		stages = append(stages, stage{p.cfg.Warmup.String(), start}, stage{"0s", r.Start})
		if turn := p.wall(lane, 0); turn > 0 {
			stages = append(stages, stage{turn.String(), r.Start})
		}
	}
	target := r.Start
	for _, st := range r.Stages {
		from := p.wall(lane, at)
		at += st.Duration
		target = st.Target
		stages = append(stages, stage{(p.wall(lane, at) - from).String(), target})
	}
	if at >= p.def.Duration {
		stages = append(stages, stage{p.slack.String(), target})
	}
	return start, stages
}
