package audit

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/pkg/verdict"
)

// limits looks at what the lanes were given, and whether they were held to it.
func limits(o Observations, r *report) {
	var loose, held []string
	for _, l := range o.Lanes {
		if l.Elsewhere || l.Asked == (race.Resources{}) {
			continue
		}
		enforced, known := true, false
		for _, h := range o.raced() {
			if lane, ok := h.Lanes[l.App]; ok {
				enforced, known = enforced && lane.Enforced, true
			}
		}
		switch {
		case known && enforced:
			held = append(held, l.App)
		case known:
			loose = append(loose, l.App)
		}
	}
	severity := race.Warning
	if len(held) > 0 {
		severity = race.Unfair // some ran free beside others that did not
	}
	for _, app := range loose {
		l := o.lane(app)
		detail := fmt.Sprintf("%s were asked for but not in force: the runner may not make cgroups here", describe(l.Asked))
		if len(held) > 0 {
			detail += ", while those of " + strings.Join(held, ", ") + " were"
		}
		r.add(app, race.LimitsNotEnforced, severity, "%s", detail)
	}
	limitsDiffer(o, r)
}

func limitsDiffer(o Observations, r *report) {
	base := o.lane(o.Baseline)
	if base.App == "" || base.Elsewhere {
		return
	}
	for _, l := range o.Lanes {
		if mine, theirs := describe(l.Asked), describe(base.Asked); !l.Elsewhere && mine != theirs {
			r.add(l.App, race.LimitsDiffer, race.Warning, "was given %s, %s was given %s: a difference may come from that", mine, base.App, theirs)
		}
	}
}

func (o Observations) lane(app string) Lane {
	for _, l := range o.Lanes {
		if l.App == app {
			return l
		}
	}
	return Lane{}
}

// describe says which CPUs and memory a lane may use. CPU sets are compared by size: with sets of their own, lanes differ in numbers.
func describe(res race.Resources) string {
	parts := []string{}
	if res.CPUs != nil {
		parts = append(parts, fmt.Sprintf("%.4g CPUs", *res.CPUs))
	}
	if res.Memory != nil {
		parts = append(parts, fmt.Sprintf("%.4g MiB of memory", float64(*res.Memory)/(1<<20)))
	}
	if n := setSize(res.CPUSet); n > 0 {
		parts = append(parts, fmt.Sprintf("a set of %d CPUs", n))
	}
	if len(parts) == 0 {
		return "no limits"
	}
	return strings.Join(parts, " and ")
}

// setSize counts the CPUs of a kernel list ("0-1,3"); what cannot be read counts nothing.
func setSize(set *string) int {
	if set == nil {
		return 0
	}
	n := 0
	for part := range strings.SplitSeq(*set, ",") {
		var from, to int
		switch fields, _ := fmt.Sscanf(strings.TrimSpace(part), "%d-%d", &from, &to); fields {
		case 1:
			n++
		case 2:
			n += max(0, to-from+1)
		}
	}
	return n
}

// throttling tells which lanes hit their CPU quota: their latency shows the quota as much as the code.
func throttling(o Observations, r *report) {
	for _, l := range o.Lanes {
		var periods, throttled uint64
		var seconds float64
		for _, h := range o.raced() {
			lane := h.Lanes[l.App]
			if lane.Periods == nil || lane.ThrottledPeriods == nil {
				continue
			}
			periods += *lane.Periods
			throttled += *lane.ThrottledPeriods
			if lane.Throttled != nil {
				seconds += lane.Throttled.Seconds()
			}
		}
		if periods == 0 {
			continue
		}
		share := float64(throttled) / float64(periods)
		if share < throttledNote {
			continue
		}
		severity := race.Note
		if share >= throttledWarning {
			severity = race.Warning
		}
		r.add(l.App, race.Throttled, severity, "hit its CPU quota in %s of the periods (%d of %d), waiting %.3g s in all: its latency shows the quota too",
			percent(share), throttled, periods, seconds)
	}
}

// fates tells what became of the apps.
func fates(o Observations, r *report) {
	for _, l := range o.Lanes {
		var requests int64
		var oom, restarts, starved []int
		seen := false
		for _, h := range o.raced() {
			lane, ok := h.Lanes[l.App]
			if !ok {
				continue
			}
			seen = true
			requests += lane.Requests
			killed := lane.OOMKills > 0 || lane.Exit.Reason == race.OOM
			if killed {
				oom = append(oom, h.Number)
			}
			if lane.Restarts > 0 {
				restarts = append(restarts, h.Number)
			}
			if lane.Requests == 0 {
				starved = append(starved, h.Number)
			}
			if reason := left(lane.Exit); reason != "" && !killed {
				r.add(l.App, race.LaneOut, race.Warning, "left the race in heat %d: %s; that heat is not paired", h.Number, reason)
			}
		}
		if len(oom) > 0 {
			r.add(l.App, race.OutOfMemory, race.Warning, "was killed for its memory in %s; its limits were %s", inHeats(oom), describe(l.Asked))
		}
		if len(restarts) > 0 {
			r.add(l.App, race.Restarted, race.Warning, "was started again in %s: a cold start is part of its figures", inHeats(restarts))
		}
		if seen && requests == 0 {
			r.add(l.App, race.NoRequests, race.Warning, "got no request in the whole race: nothing can be said about it")
		} else if len(starved) > 0 {
			r.add(l.App, race.NoRequests, race.Warning, "got no request in %s", inHeats(starved))
		}
	}
}

// left says in words why an app is out, "" if it is not. Memory has a finding of its own.
func left(e race.Exit) string {
	var text string
	switch e.Reason {
	case race.Exited:
		text = "it exited by itself"
	case race.Killed:
		text = "it was killed from outside"
	case race.Unhealthy:
		text = "it stopped answering"
	case race.Running, race.Stopped, race.OOM:
		return ""
	default:
		return ""
	}
	if e.Code != nil {
		text += fmt.Sprintf(" (code %d)", *e.Code)
	}
	return text
}

func inHeats(numbers []int) string {
	if len(numbers) == 1 {
		return fmt.Sprintf("heat %d", numbers[0])
	}
	words := make([]string, len(numbers))
	for i, n := range numbers {
		words[i] = fmt.Sprint(n)
	}
	return fmt.Sprintf("%d heats (%s)", len(numbers), strings.Join(words, ", "))
}

// errorRates tells which lanes fail more or less often than the baseline; the verdict calls nobody better who fails more.
func errorRates(o Observations, r *report) {
	base, baseRequests := o.errorRate(o.Baseline)
	if baseRequests == 0 {
		return
	}
	for _, l := range o.Lanes {
		rate, requests := o.errorRate(l.App)
		if requests > 0 && math.Abs(rate-base) > verdict.ErrorMargin {
			r.add(l.App, race.ErrorsDiffer, race.Warning, "failed in %s of %d requests, %s in %s of %d: failing may be quicker than answering, so who fails more is not called faster",
				percent(rate), requests, o.Baseline, percent(base), baseRequests)
		}
	}
}

func (o Observations) errorRate(app string) (rate float64, requests int64) {
	var failed int64
	for _, h := range o.raced() {
		requests += h.Lanes[app].Requests
		failed += h.Lanes[app].Failed
	}
	return float64(failed) / float64(max(requests, 1)), requests
}

// crossed tells which of the script's own thresholds were not kept, and by whom.
func crossed(o Observations, r *report) {
	r.crossings("", o.raced(), func(h Heat) []Crossing { return h.Crossed })
	for _, l := range o.Lanes {
		r.crossings(l.App, o.raced(), func(h Heat) []Crossing { return h.Lanes[l.App].Crossed })
	}
}

func (r *report) crossings(app string, heats []Heat, of func(Heat) []Crossing) {
	in := map[string][]int{}
	var conditions []string
	for _, h := range heats {
		for _, c := range of(h) {
			if c.Retired {
				r.add(app, race.ThresholdAborted, race.Warning, "left the race after heat %d, in which it crossed %s: the threshold has abortOnFail", h.Number, c.Condition)
				continue
			}
			if in[c.Condition] == nil {
				conditions = append(conditions, c.Condition)
			}
			if !slices.Contains(in[c.Condition], h.Number) { // each k6 process tells of what is all lanes' together
				in[c.Condition] = append(in[c.Condition], h.Number)
			}
		}
	}
	for _, condition := range conditions {
		r.add(app, race.ThresholdCrossed, race.Warning, "crossed the threshold %s in %s", condition, inHeats(in[condition]))
	}
}

// missing tells of measures that the script declares and that nobody will find in the record.
func missing(o Observations, r *report) {
	for _, m := range o.Missing {
		r.add("", race.MeasureMissing, race.Warning, "the script declares the measure %s, of which nothing was measured: %s", m.Measure, m.Why)
	}
}
