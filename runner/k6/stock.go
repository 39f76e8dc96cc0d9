package k6

import (
	"encoding/json"
	"math"
	"slices"
	"time"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/definition"
	"github.com/photofinish/photofinish/runner/k6/stream"
)

// stockPlan is what the wrapper of a stock k6 knows of a scenario; see stock.js.
type stockPlan struct {
	app string

	// Of an open model: the rate per second at the scenario's start and its stages (ms and target), as k6 has them, and when the lane's
	// load ends for a while (ms of the race).
	Rate   float64      `json:"rate,omitempty"`
	Stages [][2]float64 `json:"stages,omitempty"`
	Ends   []float64    `json:"ends,omitempty"`
	Even   bool         `json:"even,omitempty"` // no waiting within the tick

	// Of a closed model: the lane's blocks (ms of the race), and how long the scenario lasts (ms).
	Closed bool         `json:"closed,omitempty"`
	Blocks [][2]float64 `json:"blocks,omitempty"`
	Lasts  float64      `json:"lasts,omitempty"`
}

func (p placement) stockPlan(s race.Scenario, lane stream.Lane) (stockPlan, error) {
	plan := stockPlan{app: lane.App, Closed: !s.Open()}
	t, err := definition.TimesOf(s)
	if err != nil {
		return plan, err
	}
	if plan.Closed {
		begin, end := p.span(t, lane)
		plan.Lasts = ms(end - begin)
		for _, b := range lane.Blocks {
			plan.Blocks = append(plan.Blocks, [2]float64{ms(b.Start), ms(b.End)})
		}
		return plan, nil
	}
	r, err := definition.RampOf(s)
	if err != nil {
		return plan, err
	}
	wall := p.onTheWall(activeRamp(r, t, p.def.Duration), lane)
	plan.Rate, plan.Even = wall.Start, p.def.Arrivals == race.Even
	for _, st := range wall.Stages {
		plan.Stages = append(plan.Stages, [2]float64{ms(st.Duration), st.Target})
	}
	if len(lane.Blocks) > 0 && lane.Blocks[0].Start > 0 {
		plan.Ends = append(plan.Ends, 0) // of the warm-up
	}
	for _, b := range lane.Blocks {
		plan.Ends = append(plan.Ends, ms(b.End))
	}
	return plan, nil
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// onTheWall puts a rate over a lane's active time into the time of the heat: the warm-up at the first rate above 0, then the lane's blocks,
// and nothing between them.
func (p placement) onTheWall(active definition.Ramp, lane stream.Lane) definition.Ramp {
	w := wallRamp{Ramp: definition.Ramp{Start: active.First()}}
	w.rate = w.Start
	w.lead(p.cfg.Warmup, w.Start)
	var at, done time.Duration // of the race, and active
	for _, b := range lane.Blocks {
		if b.Start > at {
			w.jump(0)
			w.lead(b.Start-at, 0)
		}
		w.cut(active, done, done+b.End-b.Start)
		done += b.End - b.Start
		at = b.End
	}
	return w.Ramp
}

// wallRamp is a ramp that is being written; rate is what it has come to.
type wallRamp struct {
	definition.Ramp
	rate float64
}

func (w *wallRamp) jump(to float64) {
	if to != w.rate {
		w.lead(0, to)
	}
}

func (w *wallRamp) lead(within time.Duration, to float64) {
	w.Stages = append(w.Stages, definition.Stage{Duration: within, Target: to})
	w.rate = to
}

// cut copies a part of another ramp. Its last target goes on and on.
func (w *wallRamp) cut(of definition.Ramp, from, to time.Duration) {
	var begin time.Duration
	rate := of.Start
	for _, s := range append(slices.Clone(of.Stages), definition.Stage{Duration: math.MaxInt64, Target: math.NaN()}) {
		end := begin + s.Duration
		if s.Duration == math.MaxInt64 {
			end, s.Target = math.MaxInt64, rate
		}
		if lo, hi := max(from, begin), min(to, end); lo < hi {
			at := func(t time.Duration) float64 {
				return rate + (s.Target-rate)*(t-begin).Seconds()/(end-begin).Seconds()
			}
			w.jump(at(lo))
			w.lead(hi-lo, at(hi))
		}
		begin, rate = end, s.Target
	}
}

// timeUnit of the rates that a stock k6 is told: k6 wants whole numbers, and rates may be fractions.
const timeUnit = 1000 * time.Second

func perUnit(rate float64) float64 { return math.Round(rate * timeUnit.Seconds()) }

// stockOpen makes a scenario of k6's own executor for changing rates, which is 0 while other lanes have their turn.
func (p placement) stockOpen(c map[string]any, active definition.Ramp, lane stream.Lane) {
	wall := p.onTheWall(active, lane)
	stages := []stage{}
	for _, st := range wall.Stages {
		stages = append(stages, stage{st.Duration.String(), perUnit(st.Target)})
	}
	c["executor"], c["timeUnit"] = "ramping-arrival-rate", timeUnit.String()
	c["startRate"], c["stages"] = perUnit(wall.Start), stages
}

// stockOptions are what a stock k6 has to count for the runner, since there is nobody else to do it.
func stockOptions(options map[string]any, def race.Definition, apps []string, plans map[string]stockPlan) error {
	thresholds, _ := options["thresholds"].(map[string][]any)
	count := func(name string) {
		if thresholds[name] == nil {
			thresholds[name] = []any{} // without conditions: k6 then counts them apart in its summary
		}
	}
	for _, app := range apps {
		for _, metric := range []string{latencyMetric, checksMetric, iterationsMetric, sentMetric, receivedMetric} {
			count(submetric(metric, app))
		}
	}
	for name := range plans {
		count(droppedMetric(name))
	}
	stats := []string{"avg", "min", "med", "max", "p(90)", "p(95)"} // k6's own
	if raw := def.Options["summaryTrendStats"]; len(raw) > 0 {
		if err := json.Unmarshal(raw, &stats); err != nil {
			return race.Errorf(race.Invalid, "", "options.summaryTrendStats must be a list of strings: %w", err)
		}
	}
	for _, needed := range []string{"avg", "min", "max", "count"} {
		if !slices.Contains(stats, needed) {
			stats = append(stats, needed)
		}
	}
	options["summaryTrendStats"] = stats
	delete(options, "noSetup") // ours has to run; the wrapper leaves the script's out
	return nil
}
