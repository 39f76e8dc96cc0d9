package coordinator

import (
	"slices"
	"time"

	"github.com/photofinish/photofinish/pkg/measure"
	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/pkg/verdict"
	"github.com/photofinish/photofinish/runner/audit"
	"github.com/photofinish/photofinish/runner/engine"
	"github.com/photofinish/photofinish/runner/k6"
	"github.com/photofinish/photofinish/runner/k6/stream"
	"github.com/photofinish/photofinish/runner/results"
)

// heatObservation is what the audit is told of a heat, with what the record says of it.
type heatObservation struct {
	number       int
	order        []string
	began, ended time.Time
	judged       map[string][]k6.Judged // thresholds, by app; "" is k6's own
	audit        audit.Heat
}

// observe collects what the audit wants to know of this heat. whole holds every lane's use over the whole race part,
// the time between its blocks included.
func (h *heatRun) observe(readings map[string][]engine.Counters, end time.Time) heatObservation {
	o := heatObservation{number: h.plan.Number, order: h.plan.Order, began: h.began, ended: end, judged: h.judged}
	took := end.Sub(h.began)
	o.audit = audit.Heat{
		Number: h.plan.Number, Duration: took, Wall: took + jump(h.noted, h.ended),
		Machine: h.machine.heat(), Lanes: map[string]audit.LaneHeat{}, Crossed: crossings(h.judged[""]),
	}
	if h.watch != nil {
		o.audit.K6.CPU = secondsOf(results.Spend(h.watch.Wait(), []results.Window{{From: h.began, To: end}}).CPU)
	}
	o.audit.K6.Available, o.audit.K6.Remote = h.k6Available(), h.Definition.K6.Remote()
	for _, l := range h.cfg.Lanes {
		o.audit.Lanes[l.App] = h.observeLane(l, readings[l.App], end)
	}
	return o
}

// k6Available is how many CPUs k6 may use; 0 is all of the machine's.
func (h *heatRun) k6Available() float64 {
	planned, held := h.Plan.CPUs.K6Count(), float64(h.k6CPUs)
	switch {
	case h.Definition.K6.Remote():
		return held
	case held > 0 && (planned == 0 || held < planned):
		return min(held, float64(h.Machine.CPUs))
	}
	return planned
}

func (h *heatRun) observeLane(l stream.Lane, readings []engine.Counters, end time.Time) audit.LaneHeat {
	result := h.lane(l.App).results.Heats[h.plan.Number]
	whole := results.Spend(readings, []results.Window{{From: h.began, To: end}})
	seen := audit.LaneHeat{
		CPU: secondsOf(whole.CPU), Throttled: result.Spent.Throttled, Periods: result.Spent.Periods,
		ThrottledPeriods: result.Spent.ThrottledPeriods, OOMKills: whole.OOMKills,
		Requests: result.Totals.Requests, Failed: result.Totals.Failed,
		Dropped: result.Totals.Dropped, Iterations: result.Totals.Iterations, Redelivered: result.Totals.Redelivered, QueueErrors: result.Totals.QueueErrors,
		Exit: race.Exit{Reason: race.Running}, Crossed: crossings(h.judged[l.App]),
	}
	if n := len(readings); n > 0 {
		seen.Enforced = readings[n-1].Enforced
	}
	if exit := h.lane(l.App).exit; exit != nil {
		seen.Exit = *exit
	}
	if result.Totals.StartLag.Count > 0 {
		seen.StartLagP99 = milliseconds(result.Totals.StartLag.Quantile(0.99))
	}
	if result.Totals.Latency.Count > 0 {
		seen.P50 = milliseconds(result.Totals.Latency.Quantile(0.50))
	}
	return seen
}

func crossings(list []k6.Judged) []audit.Crossing {
	var out []audit.Crossing
	for _, j := range list {
		if j.Crossed {
			out = append(out, audit.Crossing{Condition: j.Condition, Retired: j.Abort && j.App != ""})
		}
	}
	return out
}

// findings is the audit of what was seen so far.
func (u *run) findings() []race.Finding {
	o := audit.Observations{
		Baseline: u.Definition.Baseline, Mode: u.Plan.Mode, Arrivals: u.Definition.Arrivals, CPUs: u.Machine.CPUs,
		Pinned: u.Plan.CPUs.Pinned(), AppURLAtInit: u.PerLane, StockK6: u.record.K6, Series: u.stored.Series, SeriesExpected: u.Plan.Series.Total, Names: u.stored.Names, Passed: u.stored.Passed, Missing: u.missing(), Profiles: u.profiled, Tried: u.tried, Capacities: u.unknownCapacities(),
	}
	for _, s := range u.Definition.Scenarios {
		if !s.Open() {
			o.ClosedScenarios = append(o.ClosedScenarios, s.Name)
		}
	}
	for _, l := range u.lanes {
		pool := l.results.Pool().Totals
		counts := audit.Counts{Output: pool.Requests}
		if held, told := u.stored.Requests[l.spec.App]; told {
			counts.Prometheus = &held
		}
		if u.record.K6 != nil { // its latencies are those that Prometheus holds
			counts.Prometheus = &pool.Latency.Count
		}
		if !l.uncounted {
			counts.Summary = &l.summary
		}
		o.Lanes = append(o.Lanes, audit.Lane{
			App: l.spec.App, Asked: l.spec.Resources, Elsewhere: l.spec.Elsewhere(), Remote: l.spec.Remote,
			Counts: counts,
		})
	}
	for _, h := range u.heats {
		o.Heats = append(o.Heats, h.audit)
	}
	if len(o.Heats) == 0 {
		return []race.Finding{}
	}
	return append([]race.Finding{}, audit.Judge(o)...)
}

// verdicts judges what was measured so far. A race that is not over gets none: looking early and often would find differences that are not there.
func (u *run) verdicts() []race.Verdict {
	if u.record.FinishedAt == nil || len(u.heats) == 0 {
		return []race.Verdict{}
	}
	return u.judge()
}

// decided says whether the heats up to now suffice. Each look is judged at a level of its own, so that all of them are wrong no more often
// than one would be; see verdict.Looks.
func (u *run) decided() bool {
	_, look := verdict.Looks(len(u.Plan.Heats))[len(u.heats)]
	return u.Definition.UntilDecided && look && verdict.Decided(u.judge())
}

func (u *run) judge() []race.Verdict {
	specs := slices.Clone(u.Measures)
	for _, m := range measure.Of(u.record.CustomMeasures...) {
		if m.Source == measure.Script {
			specs = append(specs, verdict.Of(m).For(u.Definition))
		}
	}
	return append([]race.Verdict{}, verdict.JudgeRace(u.record, specs)...)
}

// jump is by how much the wall clock was set between two readings of both clocks (time.Now).
func jump(from, to time.Time) time.Duration { return to.Round(0).Sub(from.Round(0)) - to.Sub(from) }

func secondsOf(d *time.Duration) *float64 {
	if d == nil {
		return nil
	}
	s := d.Seconds()
	return &s
}

func milliseconds(seconds float64) *float64 {
	ms := seconds * 1000
	return &ms
}
