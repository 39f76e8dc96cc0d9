package stopwatch

import (
	"context"
	"time"

	"github.com/photofinish/photofinish/runner/k6/stopwatch/alarm"
	"github.com/photofinish/photofinish/runner/k6/stopwatch/arrivals"
	"github.com/photofinish/photofinish/runner/k6/stopwatch/heat"
)

// untilTold is the longest that an arrival waits for the runner to say when the race begins, where there is no warm-up meanwhile. The runner gives up sooner.
const untilTold = time.Hour

// planner gives a scenario's arrivals at their times: a warm-up at a constant rate until the race begins, then the race in the
// lane's blocks. Each part has random numbers of its own, so that the race's do not depend on how long the warm-up was.
type planner struct {
	heat   *heat.Heat // nil: there is no warm-up
	lane   *heat.Lane
	begin  time.Time
	warmup *arrivals.Schedule
	race   *arrivals.Schedule
	alarm  *alarm.Alarm
	racing bool
	start  time.Time // of the race; known when racing
}

func newPlanner(ctx context.Context, e *Executor, begin time.Time) (*planner, error) {
	profile, kind := e.config.profile(), e.config.kind()
	p := &planner{heat: e.heat, lane: e.lane, begin: begin, racing: e.heat == nil, start: begin}
	// k6 on its own has no seed to be reproduced with, but its arrivals are to differ from run to run.
	seed, number := uint64(begin.UnixNano()), 0
	if e.heat != nil {
		seed, number = e.heat.Config.Seed, e.heat.Config.Heat
	}
	schedule := func(phase heat.Phase, profile arrivals.Profile) (*arrivals.Schedule, error) {
		return arrivals.NewSchedule(kind, profile, arrivals.Source(seed, number, e.lane.App, e.config.Name, phase))
	}
	var err error
	if p.warmup, err = schedule(heat.Warmup, arrivals.Profile{Start: profile.WarmupRate()}); err != nil {
		return nil, err
	}
	if p.race, err = schedule(heat.Race, profile); err != nil {
		return nil, err
	}
	p.alarm = alarm.New(ctx, e.heat != nil && e.heat.Config.CoarseTimers)
	return p, nil
}

// next waits for the next arrival and returns it when it is due; ok is false after the last one, when the lane is retired, or when
// the context ended.
func (p *planner) next() (a arrival, ok bool) {
	if !p.racing {
		if p.heat.Config.Warmup == 0 {
			p.alarm.WaitUnless(p.begin.Add(untilTold), p.heat.Going())
		} else if a, ok := p.nextWarmup(); ok {
			return a, true
		}
		if p.start, p.racing = p.heat.RaceStart(); !p.racing {
			return arrival{}, false // the context ended
		}
	}
	active, ok := p.race.Next()
	if !ok {
		return arrival{}, false
	}
	offset, ok := arrivals.Place(p.lane.Blocks, active)
	if !ok {
		return arrival{}, false
	}
	a = arrival{at: p.start.Add(offset), phase: heat.Race}
	return a, p.alarm.Wait(a.at) && !p.lane.Retired()
}

// nextWarmup is false when the race begins before the next arrival of the warm-up, or when the context ended.
func (p *planner) nextWarmup() (arrival, bool) {
	offset, ok := p.warmup.Next()
	if !ok {
		return arrival{}, false
	}
	a := arrival{at: p.begin.Add(offset), phase: heat.Warmup}
	start, known := p.heat.RaceStart()
	if !known {
		if p.alarm.WaitUnless(a.at, p.heat.Going()) {
			return a, true
		}
		if start, known = p.heat.RaceStart(); !known {
			return arrival{}, false
		}
	}
	return a, a.at.Before(start) && p.alarm.Wait(a.at)
}

func (p *planner) close() error { return p.alarm.Close() }
