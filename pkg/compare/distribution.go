package compare

import (
	"context"

	"github.com/photofinish/photofinish/pkg/promql"
)

// Distribution is the latency of a race's apps, percentile by percentile, in ms. NaN is a gap.
type Distribution struct {
	Percentiles []float64            // 0-100, as asked for
	Whole       map[string][]float64 // by app, over all heats pooled
	// Heats are the same of each heat, in order of time, by app.
	Heats   []map[string][]float64
	Queries []ExecutedQuery
	Notices []string
}

// Distribute reads percentiles (0-100) off the histograms of a race, for the whole race and for each heat.
func Distribute(ctx context.Context, q promql.Querier, r RaceInfo, apps []string, percentiles []float64) (Distribution, error) {
	apps, err := r.choose(apps)
	if err != nil {
		return Distribution{}, err
	}
	a := &asker{q: q}
	d := Distribution{Percentiles: percentiles, Whole: map[string][]float64{}}
	heats := map[string]map[string][]float64{}
	for _, h := range r.Heats {
		heats[h.Label] = map[string][]float64{}
		for _, app := range apps {
			heats[h.Label][app] = gaps(len(percentiles))
		}
		d.Heats = append(d.Heats, heats[h.Label])
	}
	for _, app := range apps {
		d.Whole[app] = gaps(len(percentiles))
	}
	if why := r.Unmeasured(); why != "" {
		d.Notices = []string{why}
		return d, nil
	}
	var tasks []*task
	ask := func(p float64, by ...string) *task {
		t := &task{query: promql.At(quantileExpr(p/100, r.wholeHistogram(r.latencies(), apps, by...)), r.End), measures: []string{"distribution"}}
		tasks = append(tasks, t)
		return t
	}
	whole, each := make([]*task, len(percentiles)), make([]*task, len(percentiles))
	for i, p := range percentiles {
		whole[i] = ask(p, "app")
		if len(r.Heats) > 1 {
			each[i] = ask(p, "app", "heat")
		}
	}
	if err := a.run(ctx, tasks); err != nil {
		return Distribution{}, err
	}
	found := false
	put := func(into map[string][]float64, i int, s promql.Series) {
		if column, v := into[s.Labels["app"]], s.Last()*milli; column != nil && known(v) {
			column[i], found = v, true
		}
	}
	for i := range percentiles {
		for _, s := range whole[i].result {
			put(d.Whole, i, s)
			if each[i] == nil && len(d.Heats) > 0 {
				put(d.Heats[0], i, s)
			}
		}
		if each[i] != nil {
			for _, s := range each[i].result {
				put(heats[s.Labels["heat"]], i, s)
			}
		}
	}
	p := &racePlan{race: r, samples: &samples{race: r}}
	need := needs{latencies: quantiles()}
	p.explainHistograms(a, need, found)
	d.Queries, d.Notices = a.executed, a.notices
	return d, nil
}
