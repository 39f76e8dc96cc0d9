// Package past makes the record of a race that is only known from Prometheus: nobody watched it, so it has standings and verdicts but no audit.
package past

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/photofinish/photofinish/pkg/compare"
	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/pkg/verdict"
)

// Options say how a race is judged that nobody defined.
type Options struct {
	Baseline string
	Effects  race.Effects // the smallest that count, where not the usual ones
	Now      time.Time
}

// Judge records what Prometheus tells of a race. A missing baseline is an error that lists the apps: a guess would turn every verdict round.
func Judge(info compare.RaceInfo, totals compare.Totals, o Options) (race.Race, error) {
	baseline := o.Baseline
	apps := strings.Join(info.Apps, ", ")
	switch {
	case baseline == "":
		return race.Race{}, race.Errorf(race.Invalid, "choose one of them as the baseline", "race %s has no baseline; its apps are %s", info.ID, apps)
	case !slices.Contains(info.Apps, baseline):
		return race.Race{}, race.Errorf(race.Invalid, "choose one of "+apps, "the baseline %q is no app of race %s", baseline, info.ID)
	}
	started, finished := info.Start.UTC(), info.End.UTC()
	r := race.Race{
		Version: race.RecordVersion, ID: info.ID, Name: race.NameOf(info.TestID), Status: race.Racing, StartedAt: &started, Baseline: baseline,
		PlannedHeats: len(info.Heats), Heats: []race.Heat{}, Lanes: []race.Lane{}, Verdicts: []race.Verdict{}, CustomMeasures: totals.Custom,
		Audit: race.Audit{Fair: true, Findings: []race.Finding{NotAudited("Prometheus")}},
	}
	if info.Finished(o.Now) {
		r.Status, r.FinishedAt = race.Finished, &finished
	}
	raced := 0.0 // seconds
	for _, h := range info.Heats {
		raced += h.End.Sub(h.Start).Seconds()
	}
	for _, app := range info.Apps {
		r.Lanes = append(r.Lanes, lane(app, totals.Whole[app], raced))
	}
	for i, h := range totals.Heats {
		r.Heats = append(r.Heats, heat(i+1, h))
	}
	if r.Status == race.Finished {
		r.Verdicts = verdict.Judge(verdict.FromRace(r, specs(totals, o.Effects)))
	}
	return r, nil
}

// NotAudited is the finding of a race that nobody watched; source says where its data came from ("Prometheus").
func NotAudited(source string) race.Finding {
	return race.Finding{
		Kind: race.NoAudit, Severity: race.Warning,
		Detail: fmt.Sprintf("known from %s only: limits, throttling, other load and k6's own CPU were not watched", source),
	}
}

// specs are the measures as a race without a definition is judged. A stock k6's percentiles are too coarse for a fine verdict.
func specs(totals compare.Totals, effects race.Effects) []verdict.MeasureSpec {
	all := verdict.Catalogue(totals.Custom...)
	for i := range all {
		if all[i] = all[i].With(effects); totals.Coarse {
			all[i] = all[i].FromStock()
		}
	}
	return all
}

// lane is an app's place in a race whose heats took so many seconds.
func lane(app string, t compare.AppTotals, raced float64) race.Lane {
	l := race.Lane{App: app, Exit: nil, Measures: t.Measures, Client: &race.Client{Requests: int64(t.Requests)}}
	if t.Failed != nil {
		l.Client.Failed = int64(*t.Failed)
	}
	if t.Checks != nil {
		l.Client.Checks = *t.Checks
	}
	if rate := t.Measures["request_rate"]; rate != nil {
		l.Client.Rate = *rate
	} else if raced > 0 { // k6 pushed too seldom for the measure; about so many were sent
		l.Client.Rate = t.Requests / raced
	}
	m := t.Measures
	l.Client.LatencyMS = race.Latency{
		Mean: m["latency_mean"], P50: m["latency_p50"], P90: m["latency_p90"], P95: m["latency_p95"], P99: m["latency_p99"], Max: m["latency_max"],
	}
	l.Container = &race.Container{MemoryMaxBytes: m["memory_working_set"], MemorySlopeBytesPerSecond: m["memory_slope"]}
	l.Joined = &race.Joined{
		CPUMSPerRequest: m["cpu_ms_per_request"], ThrottledMSPerRequest: m["throttled_ms_per_request"],
		MemoryBytesPerRequest: m["memory_bytes_per_request"], NetworkBytesPerRequest: m["network_bytes_per_request"],
	}
	return l
}

func heat(number int, t compare.HeatTotals) race.Heat {
	start, end := t.Heat.Start.UTC(), t.Heat.End.UTC()
	h := race.Heat{Number: number, StartedAt: &start, FinishedAt: &end, Order: []string{}, Lanes: map[string]race.HeatLane{}}
	for app, a := range t.Apps {
		h.Order = append(h.Order, app)
		l := race.HeatLane{ActiveMS: float64(end.Sub(start).Milliseconds()), Requests: int64(a.Requests), Measures: a.Measures}
		if a.Failed != nil {
			l.Failed = int64(*a.Failed)
		}
		h.Lanes[app] = l
	}
	slices.Sort(h.Order)
	return h
}
