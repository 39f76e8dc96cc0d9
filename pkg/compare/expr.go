package compare

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/photofinish/photofinish/pkg/promql"
	"github.com/photofinish/photofinish/pkg/race"
)

// lookback is how long Prometheus keeps showing a series' last sample: what an instant selector reaches back by default.
const lookback = 5 * time.Minute

// maxReach bounds how far a window over k6's counters reaches back: a day of samples each second is as much as one query should load.
const maxReach = 24 * time.Hour

// longHeat is how long a race may be for its histograms to be loaded whole for one instant; longer ones are sampled once a minute and at their ends.
const longHeat = 15 * time.Minute

func (r RaceInfo) requests() string {
	if r.Own {
		return ownRequests
	}
	return stockRequests
}

func (r RaceInfo) latency() string {
	if r.Own {
		return ownLatency
	}
	return stockLatency
}

// matchers select the race part of the apps' series.
func (r RaceInfo) matchers(apps []string) []promql.Matcher {
	m := []promql.Matcher{promql.Equal("testid", r.TestID), promql.OneOf("app", apps...)}
	if r.Phased {
		m = append(m, promql.Equal("phase", phaseRace))
	}
	return m
}

// counters are the names of k6's counters.
func (r RaceInfo) counters() []string {
	names := []string{stockRequests, stockReceived, stockSent}
	if r.Own {
		names = []string{ownRequests, ownChecks, ownReceived, ownSent}
	}
	for _, kind := range []race.MetricType{race.Rate, race.Counter} {
		own, _ := r.counted(kind)
		names = append(names, own...)
	}
	return names
}

// reach is how far a window over counters reaches back: over the whole race, so that a series that has long been silent still counts,
// but not into an earlier race with the same testid.
func (r RaceInfo) reach() time.Duration {
	reach := min(r.length(), maxReach)
	if !r.Previous.IsZero() {
		reach = min(reach, r.Start.Sub(r.Previous))
	}
	return max(reach, time.Second)
}

// lateness is how far behind its step a push of our extension may be and still be seen by a query over time. It pushes every series every second.
const lateness = 10 * time.Second

// reachOn is reach for a grid. Our extension's series are never silent while they live, and a short window costs Prometheus and us less:
// over a long one the series of every heat would be answered until the race's end.
func (r RaceInfo) reachOn(step time.Duration) time.Duration {
	if r.Own {
		return min(r.reach(), step+lateness)
	}
	return r.reach()
}

// countersExpr is how far each app's counters have come, heat by heat: the last value of each series, then the sum over series.
func (r RaceInfo) countersExpr(names, split, apps []string, reach time.Duration) string {
	return "sum by " + promql.Labels(append([]string{"__name__", "app", "heat"}, split...)...) +
		" (last_over_time(" + promql.Selector(names, r.matchers(apps)...) + "[" + promql.Duration(reach) + "]))"
}

// allCountersExpr are all of k6's counters at once.
func (r RaceInfo) allCountersExpr(apps []string, reach time.Duration) string {
	split := []string{"expected_response", "result"}
	if r.Own && len(r.Custom) > 0 {
		split = append(split, metricLabel)
	}
	return r.countersExpr(r.counters(), split, apps, reach)
}

// seenExpr is the time of each app's newest sample, heat by heat.
func (r RaceInfo) seenExpr(apps []string) string {
	return "max by " + promql.Labels("app", "heat") + " (timestamp(" + promql.Selector([]string{r.requests()}, r.matchers(apps)...) + "))"
}

// stepHistogram is the histogram of the latencies of one step, or of a Trend's values, summed over series: a series' rate over the step and the one push before it.
// Our extension pushes every period and begins with an explicit zero, so this is what was pushed within the step. Where a heat begins or ends with a
// shorter period, one more push comes in. Reading each sample once, not twice as stockHistogram does, is most of what a dashboard costs Prometheus.
func (r RaceInfo) stepHistogram(h histogram, apps []string, step, period time.Duration, by ...string) string {
	if !r.Own {
		return r.stockHistogram(h, apps, step, by...)
	}
	selector := r.selector(h, apps)
	return "sum by " + promql.Labels(by...) + " (rate(" + selector + "[" + promql.Duration(step+max(period, time.Second)) + "]))"
}

// stockHistogram does the same for a stock k6, whose series begin at any value: for each series what it grew by since the step's beginning,
// or all of it where it began within the step.
func (r RaceInfo) stockHistogram(h histogram, apps []string, step time.Duration, by ...string) string {
	selector := r.selector(h, apps)
	now := "last_over_time(" + selector + "[" + promql.Duration(step) + "])"
	before := selector + " offset " + promql.Duration(step)
	if pause := r.Start.Sub(r.Previous); pause < lookback {
		// Without stale markers the earlier race of this testid would still be in sight.
		before = "last_over_time(" + selector + "[" + promql.Duration(pause) + "] offset " + promql.Duration(step) + ")"
	}
	return "sum by " + promql.Labels(by...) + " (" + now + " - " + before + " or " + now + ")"
}

// selector selects the race part of the apps' histograms.
func (r RaceInfo) selector(h histogram, apps []string, also ...promql.Matcher) string {
	return promql.Selector([]string{h.name}, slices.Concat(r.matchers(apps), h.only, also)...)
}

// wholeHistogram is the histogram of whole heats at the end of the race: the last value of each series, then the sum.
func (r RaceInfo) wholeHistogram(of histogram, apps []string, by ...string) string {
	group := "sum by " + promql.Labels(by...) + " "
	if r.length() <= longHeat {
		selector := r.selector(of, apps)
		return group + "(last_over_time(" + selector + "[" + promql.Duration(r.length()) + "]))"
	}
	var parts []string
	for _, h := range r.Heats {
		selector := r.selector(of, apps, promql.Equal("heat", h.Label))
		at := " @ " + strconv.FormatFloat(float64(h.End.UnixMilli())/1000, 'f', -1, 64)
		length := promql.Duration(h.End.Sub(h.Start))
		parts = append(parts,
			"last_over_time("+selector+"[1m]"+at+")",
			"last_over_time("+selector+"["+length+":1m]"+at+")")
	}
	return group + "(" + strings.Join(parts, " or ") + ")"
}

func quantileExpr(q float64, histogram string) string {
	return "histogram_quantile(" + strconv.FormatFloat(q, 'f', -1, 64) + ", " + histogram + ")"
}

// quantileLabel is what histogram_quantiles names its quantiles by.
const quantileLabel = "quantile"

// quantilesExpr are several quantiles of one reading of the histogram; at most ten.
func quantilesExpr(qs []float64, histogram string) string {
	args := make([]string, len(qs))
	for i, q := range qs {
		args[i] = strconv.FormatFloat(q, 'f', -1, 64)
	}
	return "histogram_quantiles(" + histogram + ", " + promql.Quote(quantileLabel) + ", " + strings.Join(args, ", ") + ")"
}

func meanExpr(histogram string) string { return "histogram_avg(" + histogram + ")" }

// highestExpr is the highest value of a gauge within the time before each point.
func (r RaceInfo) highestExpr(name string, apps []string, within time.Duration, by []string, only ...promql.Matcher) string {
	return "max by " + promql.Labels(by...) + " (max_over_time(" + promql.Selector([]string{name}, append(r.matchers(apps), only...)...) +
		"[" + promql.Duration(within) + "]))"
}

// resetsExpr is how often k6's counters began anew.
func (r RaceInfo) resetsExpr(apps []string) string {
	return "max(resets(" + promql.Selector([]string{r.requests()}, r.matchers(apps)...) + "[" + promql.Duration(r.length()) + "]))"
}

// identity are the labels that tell containers apart, and the same container scraped twice.
func (c containers) identity() []string {
	labels := []string{"id", labelContainer, labelPod, "instance", "job"}
	if !slices.Contains(labels, c.label) {
		labels = append(labels, c.label)
	}
	return labels
}

// namesExpr are the names of the apps' containers that had samples within the time before, each in the label that has it, and the pods of those that are
// known by the name that they have in their pod.
func (j Join) namesExpr(testid string, apps []string, within time.Duration) string {
	var all []string
	for _, label := range j.labels() {
		c := containers{label: label, apps: j.byContainer(apps)}
		by := []string{label}
		if label == labelContainer {
			by = append(by, labelPod)
		}
		all = append(all, "count by "+promql.Labels(by...)+" (last_over_time("+promql.Selector([]string{containerCPU}, c.naming(testid)...)+
			"["+promql.Duration(within)+"]))")
	}
	return strings.Join(all, " or ")
}

// valuesExpr are counters and gauges of each container, over its CPUs and network interfaces.
func (c containers) valuesExpr(testid string, names []string) string {
	return "sum by " + promql.Labels(append([]string{"__name__"}, c.identity()...)...) + " (" + promql.Selector(names, c.matchers(testid)...) + ")"
}

// seenExpr is the time of each container's newest sample.
func (c containers) seenExpr(testid string) string {
	return "max by " + promql.Labels(c.identity()...) + " (timestamp(" + promql.Selector([]string{containerCPU}, c.matchers(testid)...) + "))"
}

// peakExpr is the highest working set of each container within the step before each point.
func (c containers) peakExpr(testid string, step time.Duration) string {
	return "max by " + promql.Labels(c.identity()...) + " (max_over_time(" + promql.Selector([]string{containerMemory}, c.matchers(testid)...) +
		"[" + promql.Duration(step) + "]))"
}
