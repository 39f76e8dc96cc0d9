package coordinator

import (
	"maps"
	"slices"

	"github.com/photofinish/photofinish/pkg/measure"
	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/audit"
	"github.com/photofinish/photofinish/runner/capacity"
	"github.com/photofinish/photofinish/runner/plan"
	"github.com/photofinish/photofinish/runner/results"
)

// newRecord is the record of a race of which nothing is known but what was asked for.
func (r Race) newRecord() race.Race {
	rec := Planned(r.ID, r.RequestedBy, r.Engine.Name(), r.Definition, r.Plan)
	rec.Status, rec.Versions, rec.Machine = race.Preparing, r.Versions, &r.Machine
	return rec
}

// Planned is the record of a race that waits to be run.
func Planned(id, requestedBy, engineName string, d race.Definition, p plan.Plan) race.Race {
	rec := race.Race{
		Version: race.RecordVersion, ID: id, Name: d.Name, Script: d.Script, ScriptSHA256: d.ScriptSHA256, Engine: engineName,
		Status: race.Queued, Baseline: d.Baseline, Mode: p.Mode, Arrivals: d.Arrivals,
		Load: d.Load, WarmupMS: float64(d.Warmup.Milliseconds()), Turns: turnsOf(p), PlannedHeats: len(p.Heats), UntilDecided: d.UntilDecided,
		Heats: []race.Heat{}, Lanes: []race.Lane{}, Verdicts: []race.Verdict{},
		Audit: race.Audit{Fair: true, Findings: []race.Finding{}},
	}
	if s := p.Series; s.Total > 0 {
		rec.Series = &race.Series{Estimated: s.Total, SamplesPerSecond: s.SamplesPerSecond}
	}
	if !d.K6.BuiltIn() {
		rec.K6 = &race.K6{Image: race.Image{Name: d.K6.Image}, Pods: d.K6.Pods}
	}
	if n := len(p.ProfileHeats); n > 0 {
		rec.Profiling = &race.Profiling{PlannedHeats: n, Heats: []race.Heat{}}
	}
	if len(d.Capacity) > 0 {
		rec.Capacity = plannedCapacity(d, p)
	}
	if requestedBy != "" {
		rec.RequestedBy = &requestedBy
	}
	for _, l := range d.Lanes {
		rec.Lanes = append(rec.Lanes, race.Lane{App: l.App, URL: l.URL, Resources: l.Resources, Measures: map[string]*float64{}})
	}
	return rec
}

// plannedCapacity is a search for capacities that has not begun.
func plannedCapacity(d race.Definition, p plan.Plan) *race.Capacity {
	return &race.Capacity{Conditions: d.Capacity, Confidence: capacity.Confidence, PlannedTries: p.CapacityTries, MaxTries: capacity.MaxTries, Lanes: []race.LaneCapacity{}}
}

// source records what the engine says of what it will start.
func (u *run) source() {
	facts := u.Engine.Facts(u.ID)
	all := map[string]string{}
	maps.Copy(all, u.record.Versions)
	maps.Copy(all, facts.Versions)
	u.record.Versions = all
	for _, l := range u.lanes {
		if image, known := facts.Images[l.spec.App]; known {
			l.image = &image
		}
	}
}

// fill brings the record up to what is known now.
func (u *run) fill() {
	u.record.CustomMeasures = u.own()
	u.record.Capacity = u.capacityRecord()
	if u.record.Capacity != nil {
		u.record.CustomMeasures = append(u.record.CustomMeasures, measure.Capacity(u.requests))
	}
	u.record.Heats = u.record.Heats[:0]
	for _, h := range u.heats {
		if rec := u.heatRecord(h); len(rec.Lanes) > 0 { // a heat of which nothing is known is for the audit only
			u.record.Heats = append(u.record.Heats, rec)
		}
	}
	u.record.Lanes = u.record.Lanes[:0]
	for _, l := range u.lanes {
		u.record.Lanes = append(u.record.Lanes, u.laneRecord(l))
	}
	u.record.Thresholds = u.thresholds()
	if n := u.stored.Series; n > 0 && u.record.Series != nil {
		u.record.Series.Written = &n
	}
	u.record.Audit.Findings = u.findings()
	u.record.Audit.Fair = audit.Fair(u.record.Audit.Findings)
	u.record.Verdicts = u.verdicts()
}

// thresholds sums up how the script's were judged in the heats: first those of all lanes together, then lane by lane.
func (u *run) thresholds() []race.Threshold {
	apps := []string{""}
	for _, l := range u.lanes {
		apps = append(apps, l.spec.App)
	}
	var all []race.Threshold
	for _, app := range apps {
		all = append(all, thresholdsOf(app, u.heats)...)
	}
	return all
}

func thresholdsOf(app string, heats []heatObservation) []race.Threshold {
	var list []race.Threshold
	for _, h := range heats {
		if h.audit.Lost != "" {
			continue
		}
		in := map[string]bool{} // what is all lanes' together, each k6 process tells of
		for _, j := range h.judged[app] {
			at := slices.IndexFunc(list, func(t race.Threshold) bool { return t.Condition == j.Condition })
			if at < 0 {
				at = len(list)
				list = append(list, race.Threshold{Lane: app, Condition: j.Condition, Crossed: []int{}})
			}
			t := &list[at]
			if !in[j.Condition] {
				in[j.Condition] = true
				t.Heats++
			}
			if j.Crossed && !slices.Contains(t.Crossed, h.number) {
				t.Crossed = append(t.Crossed, h.number)
			}
		}
	}
	return list
}

func (u *run) heatRecord(h heatObservation) race.Heat {
	began, ended := h.began.UTC(), h.ended.UTC()
	rec := race.Heat{Number: h.number, StartedAt: &began, FinishedAt: &ended, Order: h.order, Lanes: map[string]race.HeatLane{}}
	for _, l := range u.lanes {
		if result, ran := l.results.Heats[h.number]; ran {
			rec.Lanes[l.spec.App] = results.HeatRecord(result, u.record.CustomMeasures...)
		}
	}
	return rec
}

func (u *run) laneRecord(l *laneState) race.Lane {
	rec := race.Lane{App: l.spec.App, URL: l.address, Resources: l.spec.Resources, Image: l.image, Exit: u.standing(l), LastLog: l.lastLog, Measures: map[string]*float64{}}
	rec.Profiles, rec.ProfilesURL = l.profiles, u.profilesURL(l.spec)
	if len(l.results.Heats) > 0 {
		rec = l.results.Totals(rec, u.record.CustomMeasures...)
		if u.record.Capacity != nil {
			rec.Measures[race.CapacityMeasure] = u.capacityOf(l.spec.App)
		}
	}
	return rec
}

// standing is how a lane stands, nil before its app was started. One that somebody else runs was not stopped with the race.
func (u *run) standing(l *laneState) *race.Exit {
	switch {
	case l.exit != nil || !l.started:
		return l.exit
	case u.record.FinishedAt == nil || l.spec.Elsewhere():
		return &race.Exit{Reason: race.Running}
	}
	return &race.Exit{Reason: race.Stopped, At: u.record.FinishedAt}
}
