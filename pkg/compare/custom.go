package compare

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/photofinish/photofinish/pkg/measure"
	"github.com/photofinish/photofinish/pkg/promql"
	"github.com/photofinish/photofinish/pkg/race"
)

// The series of metrics of a script's own that our output extension writes; the label metric names them.
const (
	ownTrend    = "photofinish_custom_trend"
	ownTrendMax = "photofinish_custom_trend_max"
	ownRate     = "photofinish_custom_rate_total"
	ownCounter  = "photofinish_custom_counter_total"
)

// A stock k6 puts a prefix before a metric's name and a suffix behind it.
const (
	stockPrefix  = "k6_"
	stockSeconds = "_seconds" // of a Trend of times
	stockTotal   = "_total"   // of a Counter
)

// metricLabel and containsLabel are the labels of our extension's custom series: the metric's name, and k6's word for what a Trend holds.
const (
	metricLabel   = "metric"
	containsLabel = "contains"
	containsTime  = "time"
)

// KnowOwn finds out which measures races have of their own, where ids names one that they are not known to have, or nothing: then it is all of them.
// A race that was recorded when it was over has no others.
func KnowOwn(ctx context.Context, q promql.Querier, races []RaceInfo, ids []string) ([]RaceInfo, []string, error) {
	a := &asker{q: q}
	known, err := knowOwn(ctx, a, races, ids)
	return known, a.notices, err
}

func knowOwn(ctx context.Context, a *asker, races []RaceInfo, ids []string) ([]RaceInfo, error) {
	set := ownOf(races)
	if len(ids) > 0 && !slices.ContainsFunc(ids, func(id string) bool { return !slices.Contains(set.IDs(), id) }) {
		return races, nil
	}
	races = slices.Clone(races)
	var tasks []*task
	var readers []func()
	for i := range races {
		if r := &races[i]; !r.Recorded && len(r.Apps) > 0 {
			own, read := r.lookForOwn()
			tasks = append(tasks, own...)
			readers = append(readers, func() { r.Custom = read() })
		}
	}
	if err := a.run(ctx, tasks); err != nil {
		return nil, err
	}
	for _, read := range readers {
		read()
	}
	return races, nil
}

// ownOf are the measures of the contract and those that any of the races has of its own.
func ownOf(races []RaceInfo) measure.Set {
	var own []race.CustomMeasure
	for _, r := range races {
		own = append(own, r.Custom...)
	}
	return measure.Of(own...)
}

// lookForOwn asks which metrics of its script's own a race has. Our extension's are told by counters and gauges alone: histograms take long to read.
func (r RaceInfo) lookForOwn() (tasks []*task, read func() []race.CustomMeasure) {
	at := func(expr string) *task { return &task{query: promql.At(expr, r.End)} }
	if r.Own {
		selector := promql.Selector([]string{ownTrendMax, ownRate, ownCounter}, r.matchers(r.Apps)...)
		found := at("count by " + promql.Labels("__name__", metricLabel, containsLabel) + " (last_over_time(" + selector + "[" + promql.Duration(r.reach()) + "]))")
		return []*task{found}, func() []race.CustomMeasure { return r.withOwn(ownMetrics(found.result)) }
	}
	named := func(selector string, within time.Duration) string {
		return "label_replace(last_over_time(" + selector + "[" + promql.Duration(within) + "]), " + promql.Quote(metricLabel) + `, "$1", "__name__", "(.+)")`
	}
	selector := promql.SelectorLike(stockPrefix+".+", r.matchers(r.Apps)...)
	counters := at("count by " + promql.Labels(metricLabel) + " (" + named(promql.SelectorLike(stockPrefix+".+"+stockTotal, r.matchers(r.Apps)...), r.reach()) + ")")
	// Only a native histogram has a count; what a Trend is told by is looked for at the race's end.
	trends := at("count by " + promql.Labels(metricLabel) + " (histogram_count(" + named(selector, min(r.reach(), time.Minute)) + "))")
	return []*task{counters, trends}, func() []race.CustomMeasure { return r.withOwn(stockMetrics(counters.result, trends.result)) }
}

// withOwn joins what was found with what was known: what the race's script declares of it stands.
func (r RaceInfo) withOwn(found []measure.Metric) []race.CustomMeasure {
	own := slices.Clone(r.Custom)
	for _, c := range measure.Custom(found, nil) {
		if !slices.ContainsFunc(own, func(k race.CustomMeasure) bool { return k.ID == c.ID || k.Metric == c.Metric && k.Stat == c.Stat }) {
			own = append(own, c)
		}
	}
	return own
}

func ownMetrics(series []promql.Series) []measure.Metric {
	types := map[string]race.MetricType{ownTrendMax: race.Trend, ownRate: race.Rate, ownCounter: race.Counter}
	var found []measure.Metric
	for _, s := range series {
		m := measure.Metric{Name: s.Labels[metricLabel], Type: types[s.Labels["__name__"]], Time: s.Labels[containsLabel] == containsTime}
		if measure.ValidName(m.Name) && m.Type != "" {
			found = append(found, m)
		}
	}
	return found
}

func stockMetrics(counters, trends []promql.Series) []measure.Metric {
	var found []measure.Metric
	add := func(series []promql.Series, kind race.MetricType, suffix string) {
		for _, s := range series {
			name := strings.TrimPrefix(s.Labels[metricLabel], stockPrefix)
			short, suffixed := strings.CutSuffix(name, suffix)
			if measure.ValidName(short) && !measure.OwnOfK6(short) {
				found = append(found, measure.Metric{Name: short, Type: kind, Time: suffixed && kind == race.Trend})
			}
		}
	}
	add(counters, race.Counter, stockTotal)
	add(trends, race.Trend, stockSeconds)
	return found
}

// histogram is the native histogram of the latency, or of a Trend of the script's own.
type histogram struct {
	name string
	only []promql.Matcher
}

func (r RaceInfo) latencies() histogram { return histogram{name: r.latency()} }

// trendOf is the histogram of a Trend, and by what its values are to be multiplied.
func (r RaceInfo) trendOf(c race.CustomMeasure) (h histogram, factor float64) {
	switch {
	case r.Own:
		return histogram{ownTrend, []promql.Matcher{promql.Equal(metricLabel, c.Metric)}}, 1
	case c.Time:
		return histogram{name: stockPrefix + c.Metric + stockSeconds}, milli
	default:
		return histogram{name: stockPrefix + c.Metric}, 1
	}
}

// statExpr is a statistic of a Trend, of a histogram that was already cut to a time.
func statExpr(c race.CustomMeasure, histogram string) string {
	if q, is := measure.Quantile(c); is {
		return quantileExpr(q, histogram)
	}
	return meanExpr(histogram)
}

// ownMax selects the exact maxima of a Trend; ok is false where a stock k6 ran, which does not write them.
func (r RaceInfo) ownMax(c race.CustomMeasure, apps []string, within time.Duration, by ...string) (expr string, ok bool) {
	return r.highestExpr(ownTrendMax, apps, within, by, promql.Equal(metricLabel, c.Metric)), r.Own
}

// ownExpr is what a measure of the race's own is asked by over time; ok is false where it is not read whole, or not known of this race.
func (p *racePlan) ownExpr(c race.CustomMeasure, step time.Duration, by []string) (expr string, factor float64, ok bool) {
	r := p.race
	if !slices.ContainsFunc(r.Custom, func(o race.CustomMeasure) bool { return o.ID == c.ID }) {
		return "", 0, false
	}
	switch {
	case c.Type == race.Trend && c.Stat == "max":
		expr, ok = r.ownMax(c, p.apps, step, by...)
		return expr, 1, ok
	case c.Type == race.Trend:
		h, factor := r.trendOf(c)
		return statExpr(c, r.stepHistogram(h, p.apps, step, p.sources.client, by...)), factor, true
	case c.Type == race.Expression:
		const enough = 4 // samples, as Grafana's $__rate_interval has it
		period := max(p.sources.slowest(), time.Second)
		expr, err := promql.Fill(c.Expr, r.TestID, max(step+period, enough*period))
		return expr, 1, err == nil
	}
	return "", 0, false
}

// readOwn takes the answer. An expression knows no heats, so its values are cut to them later.
func (p *racePlan) readOwn(c race.CustomMeasure, answer []promql.Series, factor float64, each bool) {
	if c.Type != race.Expression {
		p.samples.direct[c.ID] = directColumns(p.samples.grid, answer, factor, each)
		return
	}
	if err := onePerApp(answer, p.race.Apps); err != nil {
		p.samples.odd = append(p.samples.odd, fmt.Sprintf("%s: %v; %s", c.ID, err, race.HintOf(err)))
		return
	}
	p.samples.direct[c.ID] = directColumns(p.samples.grid, answer, factor, false)
}

// within keeps the values of an expression that lie within heats.
func (s *samples) within(id string, column []float64, heats []Heat) []float64 {
	if !slices.ContainsFunc(s.race.Custom, func(c race.CustomMeasure) bool { return c.ID == id && c.Type == race.Expression }) {
		return column
	}
	kept := gaps(len(column))
	for i, v := range column {
		if slices.ContainsFunc(heats, func(h Heat) bool { return s.grid.within(i, h.span()) }) {
			kept[i] = v
		}
	}
	return kept
}

// counted are the counters that measures of the race's own are made from, and the measures of each kind.
func (r RaceInfo) counted(kind race.MetricType) (names, ids []string) {
	for _, c := range r.Custom {
		switch {
		case c.Type != kind:
			continue
		case r.Own && kind == race.Rate:
			names = []string{ownRate}
		case r.Own:
			names = []string{ownCounter}
		case kind == race.Counter:
			names = append(names, stockPrefix+c.Metric+stockTotal)
		default:
			continue // a stock k6 writes shares without counts
		}
		ids = append(ids, c.ID)
	}
	return names, ids
}

// The columns of a metric's counters.
func colTrue(metric string) string   { return "true of " + metric }
func colValues(metric string) string { return "values of " + metric }
func colSum(metric string) string    { return "sum of " + metric }

// ownColumnsOf says which columns a counter of the script's own is part of.
func ownColumnsOf(labels map[string]string) []string {
	name, metric := labels["__name__"], labels[metricLabel]
	switch name {
	case ownRate:
		if labels["result"] == "pass" {
			return []string{colTrue(metric), colValues(metric)}
		}
		return []string{colValues(metric)}
	case ownCounter:
		return []string{colSum(metric)}
	}
	if metric, ok := strings.CutPrefix(strings.TrimSuffix(name, stockTotal), stockPrefix); ok {
		return []string{colSum(metric)}
	}
	return nil
}

// Ask evaluates the expressions among measures of a race's own at the end of a stretch of time, for one value by measure and app. What went wrong, by
// measure, does not hold the others up.
func Ask(
	ctx context.Context, q promql.Querier, own []race.CustomMeasure, id string, apps []string, start, end time.Time,
) (values map[string]map[string]float64, wrong map[string]error) {
	values, wrong = map[string]map[string]float64{}, map[string]error{}
	for _, c := range own {
		if c.Type != race.Expression {
			continue
		}
		one, err := ask(ctx, q, c, id, apps, start, end)
		if err != nil {
			wrong[c.ID] = err
			continue
		}
		values[c.ID] = one
	}
	return values, wrong
}

func ask(ctx context.Context, q promql.Querier, c race.CustomMeasure, id string, apps []string, start, end time.Time) (map[string]float64, error) {
	expr, err := promql.Fill(c.Expr, id, end.Sub(start))
	if err != nil {
		return nil, err
	}
	result, err := q.Query(ctx, promql.At(expr, end))
	if err != nil {
		return nil, err
	}
	if err := onePerApp(result.Series, apps); err != nil {
		return nil, err
	}
	values := map[string]float64{}
	for _, s := range result.Series {
		if v := s.Last(); known(v) && slices.Contains(apps, s.Labels["app"]) {
			values[s.Labels["app"]] = v
		}
	}
	return values, nil
}

// onePerApp says what is wrong with an answer of which nobody knows which series is an app's.
func onePerApp(series []promql.Series, apps []string) error {
	seen := map[string]bool{}
	for _, s := range series {
		app := s.Labels["app"]
		if seen[app] {
			return race.Errorf(race.Invalid, "sum or average them by app, as in sum by (app) (…)", "the expression gives several series of app %q", app)
		}
		seen[app] = slices.Contains(apps, app)
	}
	if len(series) > 0 && !slices.ContainsFunc(apps, func(app string) bool { return seen[app] }) {
		return race.Errorf(race.Invalid, "its label app must be "+strings.Join(apps, " or "), "the expression gives no series of an app that raced")
	}
	return nil
}
