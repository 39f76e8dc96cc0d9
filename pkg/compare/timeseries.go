package compare

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/photofinish/photofinish/pkg/measure"
	"github.com/photofinish/photofinish/pkg/promql"
	"github.com/photofinish/photofinish/pkg/race"
)

// Request asks for measures over time.
type Request struct {
	Races    []RaceInfo
	Apps     []string // none: all
	Measures []string // ids; none: all
	// Start and End clip absolute time; zero is the whole of the races. Elapsed time always shows whole races.
	Start, End time.Time
	// Step is the shortest step wanted. It is raised to the slowest source's period, and where the points would be too many.
	Step time.Duration
	// Elapsed counts time from each race's start (from each heat's with HeatsEach), so that races and heats lie over each other.
	Elapsed bool
	// HeatsEach makes a series of each heat instead of joining them.
	HeatsEach bool
	Join      Join
}

// Result is a set of series on one grid.
type Result struct {
	// Times are the ends of the steps; empty where Elapsed is used.
	Times []time.Time
	// Elapsed are the ends of the steps in seconds since the start.
	Elapsed []float64
	Step    time.Duration
	Series  []Series
	Queries []ExecutedQuery
	Notices []string
}

// Series is one measure of one app. Values has the length of the grid, in the measure's unit; NaN is a gap, and there are no infinities.
type Series struct {
	App     string
	Measure measure.Measure
	Race    string
	Heat    string // "" where the heats are joined
	Values  []float64
	// Coverage is the share of the race's part of the grid at which there is a value, 0-1.
	Coverage float64
	// sparse: the gaps are more than the edges of the heats.
	sparse bool
}

// TimeSeries computes measures of several apps, and of several races, step by step on one grid.
// A race without cAdvisor series (or without histograms …) still gives its other measures: the rest is all gaps, and a notice says why.
func TimeSeries(ctx context.Context, q promql.Querier, req Request) (Result, error) {
	if len(req.Races) == 0 {
		return Result{}, race.Errorf(race.Invalid, "choose a race", "there is no race to show")
	}
	a := &asker{q: q}
	var err error
	if req.Races, err = knowOwn(ctx, a, req.Races, req.Measures); err != nil {
		return Result{}, err
	}
	measures, err := ownOf(req.Races).ByIDs(req.Measures)
	if err != nil {
		return Result{}, err
	}
	need := needsOf(measures)
	atOnce := func() bool { return false }
	if len(need.latencies) > 0 {
		atOnce = sync.OnceValue(quantilesAtOnce(ctx, q))
	}
	guess := need
	a.hurry(ctx, func() []*task {
		guess.atOnce = atOnce()
		return likely(req, guess)
	})
	defer a.settle(nil)
	plans, err := plan(ctx, a, req, need)
	if err != nil {
		return Result{}, err
	}
	result := Result{Step: req.Step}
	for _, p := range plans {
		result.Step = max(result.Step, p.sources.slowest())
	}
	result.Step = req.fit(a, result.Step)
	need.atOnce = atOnce()
	if err := fetch(ctx, a, plans, req, need, result.Step); err != nil {
		return Result{}, err
	}
	shown := req.grid(result.Step)
	if shown.n == 0 && len(plans) > 0 {
		a.notice("there is no whole step of %s in what the time range shows of it yet; choose a shorter interval or a longer range", result.Step)
	}
	for _, p := range plans {
		result.Series = append(result.Series, p.series(req, need, shown)...)
		if shown.n == 0 {
			continue
		}
		p.explain(a, need, p.samples.histograms())
		p.explainMean(a, need)
	}
	for i := range shown.n {
		if req.Elapsed {
			result.Elapsed = append(result.Elapsed, float64(int64(i+1)*shown.step)/1000)
		} else {
			result.Times = append(result.Times, req.clip(time.UnixMilli(shown.at(i))).UTC())
		}
	}
	noticeCoverage(a, result.Series)
	result.Queries, result.Notices = a.executed, a.notices
	return result, nil
}

// racePlan is one race of a request on its way to series.
type racePlan struct {
	race    RaceInfo
	apps    []string
	sources sources
	join    Join
	samples *samples
}

// plan checks the request and looks at the sources of each race.
func plan(ctx context.Context, a *asker, req Request, need needs) ([]*racePlan, error) {
	var plans []*racePlan
	var unknown error
	for _, r := range req.Races {
		apps, err := r.choose(req.Apps)
		if err != nil && len(req.Races) > 1 && len(r.Apps) > 0 {
			unknown = err // an app may be in some of the races only
			apps = slices.DeleteFunc(slices.Clone(req.Apps), func(app string) bool { return !slices.Contains(r.Apps, app) })
		} else if err != nil {
			return nil, err
		}
		if len(apps) == 0 {
			continue
		}
		found, err := discover(ctx, a, r, apps, req.Join, need)
		if err != nil {
			return nil, err
		}
		plans = append(plans, &racePlan{race: r, apps: apps, sources: found, join: req.Join})
	}
	for _, app := range req.Apps {
		if unknown != nil && !slices.ContainsFunc(req.Races, func(r RaceInfo) bool { return slices.Contains(r.Apps, app) }) {
			return nil, unknown
		}
	}
	return plans, nil
}

// extent is the time that an absolute request shows.
func (req Request) extent() (from, to time.Time) {
	for i, r := range req.Races {
		if i == 0 || r.Start.Before(from) {
			from = r.Start
		}
		to = later(to, r.End)
	}
	if !req.Start.IsZero() {
		from = later(from, req.Start)
	}
	if !req.End.IsZero() && req.End.Before(to) {
		to = req.End
	}
	return from, to
}

// longest is the longest stretch of elapsed time.
func (req Request) longest() time.Duration {
	var longest time.Duration
	for _, r := range req.Races {
		if !req.HeatsEach {
			longest = max(longest, r.length())
			continue
		}
		for _, h := range r.Heats {
			longest = max(longest, h.End.Sub(h.Start))
		}
	}
	return longest
}

// grid is what is shown. Elapsed grids start at zero.
func (req Request) grid(step time.Duration) grid {
	if req.Elapsed {
		zero := time.UnixMilli(0)
		return gridOver(zero, zero.Add(req.longest()), step, false)
	}
	from, to := req.extent()
	g := gridOver(from, to, step, true)
	if g.n > 0 && to.Equal(req.End) && g.at(g.n-1) > to.UnixMilli() {
		g.n-- // the races go on: the step that the range cuts is no whole one
	}
	return g
}

// clip keeps the last step of races that are over within the range, also where it reaches beyond it.
func (req Request) clip(t time.Time) time.Time {
	if !req.End.IsZero() && t.After(req.End) {
		return req.End
	}
	return t
}

// fit raises the step where one query would have too many points.
func (req Request) fit(a *asker, step time.Duration) time.Duration {
	length := req.longest()
	if !req.Elapsed {
		from, to := req.extent()
		length = to.Sub(from)
	}
	for _, r := range req.Races {
		if req.Elapsed {
			length = max(length, r.length())
		}
	}
	if least := length / maxPoints; least > step {
		step = (least + time.Second).Truncate(time.Second)
		a.notice("the step was raised to %s, so that there are at most %d points", step, maxPoints)
	}
	return step
}

// gridOf is the grid on which a race is asked for: the shown one where time is absolute, its own from its start where time is elapsed. A point before it
// tells what a counter had reached by then; slopes look back farther on a race that had begun, over steps of good milliseconds or less.
func (req Request) gridOf(r RaceInfo, step time.Duration, need needs, good int64) grid {
	if req.Elapsed {
		return gridOver(r.Start, r.End, step, false).early(1)
	}
	g := req.grid(step)
	if !need.slopes {
		return g.early(1)
	}
	begun := g.start - g.step - r.Start.UnixMilli()
	back := min(begun, slopeWindow*min(g.step, good))
	return g.early(max(1, (back+g.step-1)/g.step))
}

// noticeCoverage tells where a source covers less of a race than it should. A source is judged by its measure with the fewest gaps:
// a measure of its own may have none (latencies without requests, a quota that is not set).
func noticeCoverage(a *asker, series []Series) {
	type part struct {
		source    measure.Source
		race, app string
	}
	best := map[part]Series{}
	var order []part
	for _, s := range series {
		key := part{s.Measure.Source, s.Race, s.App}
		if s.Coverage == 0 || s.Measure.Source == measure.Joined || s.Measure.Source == measure.Script {
			continue
		}
		other, ok := best[key]
		if !ok {
			order = append(order, key)
		}
		if !ok || s.Coverage > other.Coverage {
			best[key] = s
		}
	}
	names := map[measure.Source]string{measure.Client: "k6", measure.Container: "cAdvisor"}
	for _, p := range order {
		if s := best[p]; s.sparse {
			a.notice("race %s: %s's samples cover %.0f%% of the steps of %s", p.race, names[p.source], s.Coverage*100, p.app)
		}
	}
}
