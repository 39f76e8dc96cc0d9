package compare

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/photofinish/photofinish/pkg/measure"
	"github.com/photofinish/photofinish/pkg/promql"
)

// milli turns Prometheus's seconds into the ms of latency measures.
const milli = 1000

// fetch asks for everything that the races' measures need, all of it concurrently.
func fetch(ctx context.Context, a *asker, plans []*racePlan, req Request, need needs, step time.Duration) error {
	var tasks []*task
	var done []func()
	for _, p := range plans {
		own, read := p.tasks(req, need, step)
		tasks = append(tasks, own...)
		done = append(done, read)
	}
	a.settle(tasks)
	if err := a.run(ctx, tasks); err != nil {
		return err
	}
	for _, read := range done {
		read()
	}
	return nil
}

// tasks are the queries of one race; read puts their answers into p.samples.
func (p *racePlan) tasks(req Request, need needs, step time.Duration) (tasks []*task, read func()) {
	r, good := p.race, p.race.finest(p.sources.slowest())
	g := req.gridOf(r, step, need, good)
	f := g.finely(span{r.Start.UnixMilli(), r.End.UnixMilli()}, good)
	p.samples = &samples{race: r, grid: g, fold: f, direct: map[string]map[lane][]float64{}, slopes: need.slopes}
	var readers []func()
	askOn := func(g grid, expr string, measures ...string) *task {
		t := &task{query: g.query(expr), measures: measures}
		tasks = append(tasks, t)
		return t
	}
	ask := func(expr string, measures ...string) *task { return askOn(g, expr, measures...) }
	by := []string{"app"}
	if req.HeatsEach {
		by = append(by, "heat")
	}
	direct := func(id, expr string, factor float64) {
		t := ask(expr, id)
		readers = append(readers, func() { p.samples.direct[id] = directColumns(g, t.result, factor, req.HeatsEach) })
	}
	histogram := r.stepHistogram(r.latencies(), p.apps, step, p.sources.client, by...)
	if need.atOnce {
		// All of them whichever is shown: one more costs little, and each panel of a dashboard then asks the same.
		var parts []*task
		for _, apps := range halves(p.apps, worthTwoQuantiles) {
			expr := quantilesExpr(slices.Sorted(maps.Values(quantiles())), r.stepHistogram(r.latencies(), apps, step, p.sources.client, by...))
			parts = append(parts, ask(expr, slices.Sorted(maps.Keys(need.latencies))...))
		}
		readers = append(readers, func() {
			for id, q := range need.latencies {
				p.samples.direct[id] = directColumns(g, withQuantile(results(parts), q), milli, req.HeatsEach)
			}
		})
	} else {
		for _, m := range need.measures {
			if q, ok := need.latencies[m.ID]; ok {
				direct(m.ID, quantileExpr(q, histogram), milli)
			}
		}
	}
	if need.mean && !r.Own {
		direct("latency_mean", meanExpr(histogram), milli)
	}
	if need.max && r.Own {
		direct("latency_max", r.highestExpr(ownLatencyMax, p.apps, step, by), milli)
	}
	if need.vus && r.Own {
		direct("vus", r.highestExpr(ownVUs, p.apps, step, by), 1)
	}
	for _, c := range need.own {
		if expr, factor, ok := p.ownExpr(c, step, by); ok {
			answer := ask(expr, c.ID)
			readers = append(readers, func() { p.readOwn(c, answer.result, factor, req.HeatsEach) })
		}
	}
	fine := f.grid
	families := func(all []family, expr func(names, split []string) string) (answers []*task) {
		for _, f := range all {
			if ids := f.of(need); len(ids) > 0 {
				answers = append(answers, askOn(fine, expr(f.names, f.split), ids...))
			}
		}
		return answers
	}
	if ids := requestFamily(r).of(need); len(ids) > 0 {
		counters := families(clientFamilies(r), func(names, split []string) string {
			return r.countersExpr(names, split, p.apps, r.reachOn(fine.length()))
		})
		seen := askOn(fine, r.seenExpr(p.apps), ids...)
		readers = append(readers, func() { p.samples.clients = clientRows(fine, results(counters), seen.result) })
	}
	for _, c := range p.sources.containers {
		ids := need.of(measure.Container)
		if c.network {
			if ids = networkFamily().of(need); len(ids) == 0 {
				continue
			}
		}
		values := families(c.families(), func(names, _ []string) string { return c.valuesExpr(r.TestID, names) })
		seen := askOn(fine, c.seenExpr(r.TestID), ids...)
		readers = append(readers, func() {
			p.samples.boxes = append(p.samples.boxes, boxes(fine, c, results(values), seen.result, nil)...)
		})
	}
	return tasks, func() {
		for _, read := range readers {
			read()
		}
	}
}

// worthTwoQuantiles is from how many apps on the percentiles are asked for in two halves: they are what a load waits for longest.
const worthTwoQuantiles = 4

// halves parts apps in two where they are as many as it is worth, since Prometheus evaluates a query in one thread.
func halves(apps []string, worth int) [][]string {
	if len(apps) < worth {
		return [][]string{apps}
	}
	return [][]string{apps[:len(apps)/2], apps[len(apps)/2:]}
}

// withQuantile are the series of one quantile.
func withQuantile(series []promql.Series, q float64) (found []promql.Series) {
	name := strconv.FormatFloat(q, 'f', -1, 64)
	for _, s := range series {
		if s.Labels[quantileLabel] == name {
			found = append(found, s)
		}
	}
	return found
}

// results joins the series of several answers.
func results(tasks []*task) []promql.Series {
	var all []promql.Series
	for _, t := range tasks {
		all = append(all, t.result...)
	}
	return all
}

// directColumns are columns that Prometheus computed whole. each says whether they are by heat.
func directColumns(g grid, series []promql.Series, factor float64, each bool) map[lane][]float64 {
	columns := map[lane][]float64{}
	for _, s := range series {
		key := lane{s.Labels["app"], merged}
		if each {
			key.heat = s.Labels["heat"]
		}
		columns[key] = scale(g.column(s.Points), factor)
	}
	return columns
}

// lacking lists the apps without a container: they have no container measures.
func (p *racePlan) lacking() []string {
	var apps []string
	for _, app := range p.apps {
		if !slices.ContainsFunc(p.samples.boxes, func(b *box) bool { return b.of(app) && !b.pod }) {
			apps = append(apps, app)
		}
	}
	return apps
}
