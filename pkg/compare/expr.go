package compare

import (
	"strconv"
	"strings"
	"time"

	"github.com/photofinish/photofinish/pkg/promql"
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
	if r.Own {
		return []string{ownRequests, ownChecks, ownReceived, ownSent}
	}
	return []string{stockRequests, stockReceived, stockSent}
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

// countersExpr is how far each app's counters have come, heat by heat: the last value of each series, then the sum over series.
func (r RaceInfo) countersExpr(apps []string, reach time.Duration) string {
	return "sum by " + promql.Labels("__name__", "app", "heat", "expected_response", "result") +
		" (last_over_time(" + promql.Selector(r.counters(), r.matchers(apps)...) + "[" + promql.Duration(reach) + "]))"
}

// seenExpr is the time of each app's newest sample, heat by heat.
func (r RaceInfo) seenExpr(apps []string) string {
	return "max by " + promql.Labels("app", "heat") + " (timestamp(" + promql.Selector([]string{r.requests()}, r.matchers(apps)...) + "))"
}

// stepHistogram is the latency histogram of the requests of one step: for each series what it grew by since the step's beginning,
// or all of it where it began within the step, then the sum.
func (r RaceInfo) stepHistogram(apps []string, step time.Duration, by ...string) string {
	selector := promql.Selector([]string{r.latency()}, r.matchers(apps)...)
	now := "last_over_time(" + selector + "[" + promql.Duration(step) + "])"
	before := selector + " offset " + promql.Duration(step)
	if pause := r.Start.Sub(r.Previous); pause < lookback {
		// Without stale markers the earlier race of this testid would still be in sight.
		before = "last_over_time(" + selector + "[" + promql.Duration(pause) + "] offset " + promql.Duration(step) + ")"
	}
	grown := now + " - " + before
	if !r.Own { // our extension's series begin with an explicit zero
		grown += " or " + now
	}
	return "sum by " + promql.Labels(by...) + " (" + grown + ")"
}

// wholeHistogram is the latency histogram of whole heats at the end of the race: the last value of each series, then the sum.
func (r RaceInfo) wholeHistogram(apps []string, by ...string) string {
	group := "sum by " + promql.Labels(by...) + " "
	if r.length() <= longHeat {
		selector := promql.Selector([]string{r.latency()}, r.matchers(apps)...)
		return group + "(last_over_time(" + selector + "[" + promql.Duration(r.length()) + "]))"
	}
	var parts []string
	for _, h := range r.Heats {
		selector := promql.Selector([]string{r.latency()}, append(r.matchers(apps), promql.Equal("heat", h.Label))...)
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

func meanExpr(histogram string) string { return "histogram_avg(" + histogram + ")" }

// highestExpr is the highest value of a gauge within the time before each point.
func (r RaceInfo) highestExpr(name string, apps []string, within time.Duration, by ...string) string {
	return "max by " + promql.Labels(by...) + " (max_over_time(" + promql.Selector([]string{name}, r.matchers(apps)...) +
		"[" + promql.Duration(within) + "]))"
}

// resetsExpr is how often k6's counters began anew.
func (r RaceInfo) resetsExpr(apps []string) string {
	return "max(resets(" + promql.Selector([]string{r.requests()}, r.matchers(apps)...) + "[" + promql.Duration(r.length()) + "]))"
}

// identity are the labels that tell containers apart, and the same container scraped twice.
func (c containers) identity() []string {
	labels := []string{"id", "instance", "job"}
	if c.label != "id" && c.label != "instance" && c.label != "job" {
		labels = append(labels, c.label)
	}
	return labels
}

// valuesExpr are the counters and gauges of each container, over its CPUs and network interfaces.
func (c containers) valuesExpr(testid string) string {
	names := []string{
		containerCPU, containerThrottled, containerPeriods, containerThrottledPeriods, containerMemory, containerReceived, containerSent,
	}
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
