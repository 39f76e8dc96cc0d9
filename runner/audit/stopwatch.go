package audit

import (
	"cmp"
	"fmt"
	"math"
	"strings"

	"github.com/photofinish/photofinish/pkg/race"
)

// arrivals looks at whether the lanes got the load that was planned, when it was planned.
func arrivals(o Observations, r *report) {
	for _, l := range o.Lanes {
		dropped(o, l.App, r)
		startLag(o, l.App, r)
	}
}

func dropped(o Observations, app string, r *report) {
	var lost, planned int64
	for _, h := range o.raced() {
		lost += h.Lanes[app].Dropped
		planned += h.Lanes[app].Dropped + h.Lanes[app].Iterations
	}
	if lost == 0 {
		return
	}
	share, severity := float64(lost)/float64(planned), race.Note
	if share > droppedWarning {
		severity = race.Warning
	}
	r.add(app, race.DroppedIterations, severity, "%d of %d planned iterations (%s) were not started, because no VU was free: it got less load than planned; raise preAllocatedVUs, or it cannot keep up",
		lost, planned, percent(share))
}

func startLag(o Observations, app string, r *report) {
	var late, bad spread // late: p99 lag in ms where it is beyond the share, else 0; bad: the same beyond the median
	p50 := map[int]float64{}
	for _, h := range o.raced() {
		lane := h.Lanes[app]
		if lane.StartLagP99 == nil || lane.P50 == nil {
			continue
		}
		lag, median := *lane.StartLagP99, *lane.P50
		late.see(h.Number, only(lag, lag > startLagShare*median))
		bad.see(h.Number, only(lag, lag > median))
		p50[h.Number] = median
	}
	severity := race.Warning
	switch {
	case bad.lasting(startLagUnfairMS):
		severity = race.Unfair
	case late.above(startLagFloorMS) == 0:
		return
	}
	r.add(app, race.StartLag, severity, "requests were sent late in %d of %d heats: in heat %d, one in a hundred was more than %.3g ms late, where an answer took %.3g ms (median)",
		late.above(startLagFloorMS), late.known, late.worstHeat, late.worst, p50[late.worstHeat])
}

func only(v float64, yes bool) float64 {
	if yes {
		return v
	}
	return 0
}

// stopwatch looks at k6's own CPU.
func stopwatch(o Observations, r *report) {
	var used spread
	for _, h := range o.raced() {
		if share, known := h.k6Share(o.CPUs); known {
			used.see(h.Number, share)
		}
	}
	if severity, ok := used.severity(k6Warning, k6Unfair); ok {
		r.add("", race.K6Saturated, severity, "k6 used %s of the CPU it may use in heat %d, and more than %s in %d of %d heats: it may time the answers late",
			percent(used.worst), used.worstHeat, percent(k6Warning), used.above(k6Warning), used.known)
	}
}

// k6Share is how much k6 used of the CPU that it may use.
func (h Heat) k6Share(cpus int) (share float64, known bool) {
	available := h.K6.Available
	if available <= 0 {
		available = float64(cpus)
	}
	if h.K6.CPU == nil || available <= 0 || h.Duration <= 0 {
		return 0, false
	}
	return *h.K6.CPU / (available * h.Duration.Seconds()), true
}

// K6Saturated says whether k6 itself ran out of CPU in a heat on a machine with so many CPUs, as far as that is known.
func (h Heat) K6Saturated(cpus int) bool {
	share, known := h.k6Share(cpus)
	return known && share > k6Warning
}

// definition tells what in the definition itself bears on the verdict.
func definition(o Observations, r *report) {
	if len(o.ClosedScenarios) > 0 {
		r.add("", race.ClosedModel, race.Note, "the load of %s depends on the answers (a slower app gets fewer requests): the throughput is compared first",
			strings.Join(o.ClosedScenarios, ", "))
	}
	if o.AppURLAtInit {
		r.add("", race.AppURLAtInit, race.Note, "the script reads APP_URL when it is loaded, so each lane had a k6 process of its own, which takes 41-79%% more CPU; read __ENV.APP_URL within the default function to share one")
	}
	if o.Mode == race.Together && o.Arrivals == race.Even && len(o.Lanes) > 1 {
		r.add("", race.Interference, race.Warning, "all %d lanes are sent their requests at the same ticks, so they queue behind each other, always in the same order; use arrivals uniform", len(o.Lanes))
	}
}

// clock compares the wall clock with the monotonic one.
func clock(o Observations, r *report) {
	for _, h := range o.raced() {
		if jump := h.Wall - h.Duration; h.Wall > 0 && jump.Abs() > clockJump {
			r.add("", race.ClockJump, race.Warning, "the wall clock jumped by %+.3f s in heat %d: samples in Prometheus are displaced; durations and verdicts use another clock",
				jump.Seconds(), h.Number)
		}
	}
}

// series compares the sources that counted the same requests.
func series(o Observations, r *report) {
	if o.SeriesExpected > 0 && o.Series > seriesFactor*o.SeriesExpected {
		severity, next := race.Note, "a threshold on a name, such as http_reqs{name:login}, lets the estimate know of it"
		if o.Names > manyNames || o.Series > manyTimes*o.SeriesExpected {
			severity, next = race.Warning, "set the tag `name` on requests with variable URLs, as http.url does, and give no tag a value for each request"
		}
		r.add("", race.SeriesBudget, severity, "the race made %d time series, and about %d were to be expected; the tag `name` has %d values of one app: %s", o.Series, o.SeriesExpected, o.Names, next)
	}
	if p := o.Passed; p != nil && p.Refused+p.Waiting > 0 {
		r.add("", race.SeriesLost, race.Warning, "%s, so that what is looked at there misses them; race.json and the report do not: %s", p.lost(), cmp.Or(p.Answer, "it gave no reason"))
	}
	for _, l := range o.Lanes {
		c := l.Counts
		if c.Summary != nil && *c.Summary != c.Output {
			r.add(l.App, race.SeriesLost, race.Unfair, "k6's summary counts %d requests and the exact count is %d: measurements were lost or counted twice", *c.Summary, c.Output)
		}
		if c.Prometheus != nil && *c.Prometheus != c.Output {
			missing := c.Output - *c.Prometheus
			r.add(l.App, race.SeriesLost, race.Warning, "Prometheus holds %d requests and k6 counted %d (%s apart): plots miss that share, race.json does not",
				*c.Prometheus, c.Output, percent(math.Abs(float64(missing))/float64(max(c.Output, 1))))
		}
	}
}

// lost says what became of the samples that were not taken.
func (p Passed) lost() string {
	all := p.Taken + p.Refused + p.Waiting
	var parts []string
	if p.Refused > 0 {
		parts = append(parts, fmt.Sprintf("refused %d of %d samples", p.Refused, all))
	}
	if p.Waiting > 0 {
		verb := "had not taken %d of %d when the race was over"
		if p.Later {
			verb += " (they are tried on)"
		}
		parts = append(parts, fmt.Sprintf(verb, p.Waiting, all))
	}
	return p.To + " " + strings.Join(parts, " and ")
}

// heats tells which heats gave no result.
func heats(o Observations, r *report) {
	for _, h := range o.Heats {
		if h.Lost != "" {
			r.add("", race.HeatLost, race.Warning, "heat %d gave no result: %s", h.Number, h.Lost)
		}
	}
}
