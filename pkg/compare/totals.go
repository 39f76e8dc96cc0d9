package compare

import (
	"context"
	"slices"
	"time"

	"github.com/photofinish/photofinish/pkg/measure"
	"github.com/photofinish/photofinish/pkg/promql"
	"github.com/photofinish/photofinish/pkg/race"
)

// Totals are a race's measures, reduced to one value for each heat and for the whole race, warm-up excluded.
type Totals struct {
	Heats []HeatTotals // in order of time
	Whole map[string]AppTotals
	// Custom are the measures that the race has of its own, as far as its series tell.
	Custom []race.CustomMeasure
	// Coarse: the percentiles come from a stock k6's histograms, whose buckets are 9% wide; a verdict on them uses StockPercentileEffect.
	Coarse  bool
	Queries []ExecutedQuery
	Notices []string
	// Warned: Prometheus warned of an answer, which may be incomplete now and whole the next time.
	Warned bool
}

// HeatTotals is one heat, by app.
type HeatTotals struct {
	Heat Heat
	Apps map[string]AppTotals
}

// AppTotals is one app's result. Requests, Failed and Checks are counts; Failed and Checks are nil where k6 did not tell: a stock k6 does not write how many checks there were.
// Measures holds every measure of the contract by id, nil where it is not known.
type AppTotals struct {
	Requests float64
	Failed   *float64
	Checks   *race.Checks
	Measures map[string]*float64
}

// totalPoints is about how many points of a grid a heat is looked at with: enough for a slope and for resets between two points.
const totalPoints = 200

// Reduce computes every measure of a race for each heat and as a whole. What a source does not have is nil, and a notice says why.
func Reduce(ctx context.Context, q promql.Querier, r RaceInfo, j Join) (Totals, error) {
	apps, err := r.choose(nil)
	if err != nil {
		return Totals{}, err
	}
	if why := r.Unmeasured(); why != "" {
		totals := Totals{Whole: map[string]AppTotals{}, Custom: r.Custom, Coarse: !r.Own, Notices: []string{why}}
		for _, app := range apps {
			totals.Whole[app] = tally{}.totals(r.Custom)
		}
		return totals, nil
	}
	a := &asker{q: q}
	known, err := knowOwn(ctx, a, []RaceInfo{r}, nil)
	if err != nil {
		return Totals{}, err
	}
	r = known[0]
	need := needsOf(measure.Of(r.Custom...))
	p := &racePlan{race: r, apps: apps, join: j}
	if p.sources, err = discover(ctx, a, r, apps, j, need); err != nil {
		return Totals{}, err
	}
	t := newTotaller(p, need)
	if err := a.run(ctx, t.tasks); err != nil {
		return Totals{}, err
	}
	t.read()
	p.explain(a, need, len(t.direct["latency_mean"]) > 0)
	totals := Totals{Whole: map[string]AppTotals{}, Custom: r.Custom, Coarse: !r.Own}
	for _, h := range r.Heats {
		heat := HeatTotals{Heat: h, Apps: map[string]AppTotals{}}
		for _, app := range apps {
			heat.Apps[app] = t.heat(app, h).totals(r.Custom)
		}
		totals.Heats = append(totals.Heats, heat)
	}
	for _, app := range apps {
		totals.Whole[app] = t.whole(app).totals(r.Custom)
	}
	t.explain(a)
	noticeCoverage(a, t.sampled())
	totals.Queries, totals.Notices, totals.Warned = a.executed, a.notices, a.warned
	return totals, nil
}

// Past is what `photofinish compare` knows of a past race: it looks the race up and reduces it. The notices are those of both.
func Past(ctx context.Context, q promql.Querier, id string, w Window, j Join) (RaceInfo, Totals, error) {
	r, notices, err := Lookup(ctx, q, id, w)
	if err != nil {
		return RaceInfo{}, Totals{}, err
	}
	totals, err := Reduce(ctx, q, r, j)
	if err != nil {
		return r, Totals{}, err
	}
	totals.Notices = slices.Concat(notices, totals.Notices)
	return r, totals, nil
}

// totaller fetches what totals are made of: values at the race's end, and a grid for spans, resets and slopes.
type totaller struct {
	plan    *racePlan
	tasks   []*task
	readers []func()
	// counts are the exact counts, direct the measures that Prometheus computed whole; both by lane, and for all heats together under merged.
	counts map[lane]map[string]float64
	direct map[string]map[lane]float64
	resets float64
}

func newTotaller(p *racePlan, need needs) *totaller {
	t := &totaller{plan: p, counts: map[lane]map[string]float64{}, direct: map[string]map[lane]float64{}}
	t.atEnd(need)
	t.onGrid(need)
	return t
}

func (t *totaller) ask(query promql.Query, measures []string, read func([]promql.Series)) {
	asked := &task{query: query, measures: measures}
	t.tasks = append(t.tasks, asked)
	t.readers = append(t.readers, func() { read(asked.result) })
}

func (t *totaller) read() {
	for _, read := range t.readers {
		read()
	}
}

// atEnd asks for what can be told at the race's end alone.
func (t *totaller) atEnd(need needs) {
	r, apps := t.plan.race, t.plan.apps
	direct := func(id string, factor float64, expr func(by ...string) string) {
		t.direct[id] = map[lane]float64{}
		read := func(heats ...func(promql.Series) string) func([]promql.Series) {
			return func(series []promql.Series) {
				for _, s := range series {
					for _, heat := range heats {
						if v := s.Last() * factor; known(v) {
							t.direct[id][lane{s.Labels["app"], heat(s)}] = v
						}
					}
				}
			}
		}
		each, all := func(s promql.Series) string { return s.Labels["heat"] }, func(promql.Series) string { return merged }
		if len(r.Heats) == 1 {
			t.ask(promql.At(expr("app", "heat"), r.End), []string{id}, read(each, all))
			return
		}
		t.ask(promql.At(expr("app", "heat"), r.End), []string{id}, read(each))
		t.ask(promql.At(expr("app"), r.End), []string{id}, read(all))
	}
	for _, m := range need.measures {
		if q, ok := need.latencies[m.ID]; ok {
			direct(m.ID, milli, func(by ...string) string { return quantileExpr(q, r.wholeHistogram(r.latencies(), apps, by...)) })
		}
	}
	direct("latency_mean", milli, func(by ...string) string { return meanExpr(r.wholeHistogram(r.latencies(), apps, by...)) })
	if r.Own {
		direct("latency_max", milli, func(by ...string) string { return r.highestExpr(ownLatencyMax, apps, r.length(), by) })
		direct("vus", 1, func(by ...string) string { return r.highestExpr(ownVUs, apps, r.length(), by) })
	}
	for _, c := range need.own {
		_, exact := r.ownMax(c, apps, r.length())
		switch h, factor := r.trendOf(c); {
		case c.Type != race.Trend:
		case c.Stat != "max":
			direct(c.ID, factor, func(by ...string) string { return statExpr(c, r.wholeHistogram(h, apps, by...)) })
		case exact:
			direct(c.ID, 1, func(by ...string) string { expr, _ := r.ownMax(c, apps, r.length(), by...); return expr })
		}
	}
	t.ask(promql.At(r.allCountersExpr(apps, r.length()), r.End), need.of(measure.Client), func(series []promql.Series) {
		for _, s := range series {
			for _, column := range columnsOf(s.Labels) {
				for _, key := range []lane{{s.Labels["app"], s.Labels["heat"]}, {s.Labels["app"], merged}} {
					if t.counts[key] == nil {
						t.counts[key] = map[string]float64{}
					}
					t.counts[key][column] += s.Last()
				}
			}
		}
		for _, counts := range t.counts {
			if _, ok := counts[colFailed]; !ok && knowsErrors(series) {
				counts[colFailed] = 0
			}
		}
	})
	t.ask(promql.At(r.resetsExpr(apps), r.End), nil, func(series []promql.Series) {
		for _, s := range series {
			t.resets = max(t.resets, s.Last())
		}
	})
}

// onGrid asks for the samples that spans, resets of containers' counters, peaks and slopes are read off.
func (t *totaller) onGrid(need needs) {
	p := t.plan
	r, g := p.race, t.grid()
	p.samples = &samples{race: r, grid: g, direct: map[string]map[lane][]float64{}}
	var counters []promql.Series
	client, container := need.of(measure.Client), need.of(measure.Container)
	t.ask(g.query(r.allCountersExpr(p.apps, r.reach())), client, func(series []promql.Series) { counters = series })
	t.ask(g.query(r.seenExpr(p.apps)), client, func(seen []promql.Series) { p.samples.clients = clientRows(g, counters, seen) })
	for _, c := range p.sources.containers {
		var values, peak []promql.Series
		ids := container
		if c.network {
			ids = networkFamily().of(need)
		}
		t.ask(g.query(c.valuesExpr(r.TestID, c.names())), ids, func(series []promql.Series) { values = series })
		if !c.network {
			t.ask(g.query(c.peakExpr(r.TestID, g.duration())), []string{"memory_working_set"}, func(series []promql.Series) { peak = series })
		}
		t.ask(g.query(c.seenExpr(r.TestID)), ids, func(seen []promql.Series) {
			p.samples.boxes = append(p.samples.boxes, boxes(g, c, values, seen, peak)...)
		})
	}
}

// grid has steps of about a 200th of a heat, none shorter than the slowest source's period.
func (t *totaller) grid() grid {
	r := t.plan.race
	shortest := r.length()
	for _, h := range r.Heats {
		shortest = min(shortest, h.End.Sub(h.Start))
	}
	step := max(shortest/totalPoints, r.length()/maxPoints, t.plan.sources.slowest())
	return gridOver(r.Start, r.End, (step + time.Second - 1).Truncate(time.Second), false)
}

// sampled are the times of cAdvisor's samples of each app, so that it can be told how much of the heats they cover.
func (t *totaller) sampled() (all []Series) {
	p := t.plan
	for _, app := range p.apps {
		s := Series{App: app, Race: p.race.ID, Measure: measure.Measure{Source: measure.Container}, Values: gaps(p.samples.grid.n)}
		var heats []span
		for _, h := range p.race.Heats {
			heats = append(heats, h.span())
			for _, b := range p.samples.boxes {
				if b.of(app) && !b.pod {
					s.Values = add(s.Values, b.gauge(b.seen, h.span()))
				}
			}
		}
		s.cover(heats, p.samples.grid, nil)
		all = append(all, s)
	}
	return all
}

func (g grid) duration() time.Duration { return time.Duration(g.step) * time.Millisecond }

func (t *totaller) explain(a *asker) {
	r := t.plan.race
	if t.resets > 0 {
		a.notice("race %s: k6 was started again under the same testid within %s, and its counts began anew; the totals hold the last run only. "+
			"Tag each run with heat, or wait longer", r.ID, Silence)
	}
}
