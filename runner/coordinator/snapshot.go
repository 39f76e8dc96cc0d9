package coordinator

import (
	"cmp"
	"slices"
	"time"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/k6/stream"
)

// snapshot is the race at a moment of a heat.
func (h *heatRun) snapshot(phase string, now time.Time) race.Snapshot {
	s := race.Snapshot{
		At: now, Status: h.record.Status, Phase: phase, Source: h.source(),
		Heat: h.plan.Number, Heats: len(h.Plan.Heats), Mode: h.Plan.Mode,
		Elapsed: h.since(now), Remaining: h.remaining(now),
	}
	for _, l := range h.run.lanes {
		s.Lanes = append(s.Lanes, h.laneSnapshot(l, now))
	}
	place(s.Lanes, h.record.Load.Rate != nil)
	return s
}

// source is where the figures of the lanes' requests come from.
func (h *heatRun) source() race.Source {
	if h.record.K6 != nil {
		return race.FromPrometheus
	}
	return race.FromK6
}

// remaining is the rest of this heat, the heats to come and what is searched after them, at the pace that was planned.
func (h *heatRun) remaining(now time.Time) time.Duration {
	rest := time.Duration(len(h.Plan.Heats)-h.plan.Number)*h.Plan.HeatEstimate() + h.Plan.CapacityEstimate
	if h.began.IsZero() {
		return rest + h.Plan.HeatEstimate()
	}
	return rest + max(0, h.began.Add(h.cfg.Span()).Sub(now))
}

func (h *heatRun) laneSnapshot(l *laneState, now time.Time) race.LaneSnapshot {
	p := h.progress[l.spec.App]
	s := race.LaneSnapshot{
		App: l.spec.App, Baseline: l.spec.App == h.Definition.Baseline,
		Requests: p.Requests, Failed: p.Failed, Rate: h.rate(l, p, now), P50MS: p.P50MS, P95MS: p.P95MS, Out: l.out,
		CPULimit: l.spec.CPUs,
	}
	if l.spec.Memory != nil {
		limit := float64(*l.spec.Memory)
		s.MemoryLimit = &limit
	}
	for n, past := range l.results.Heats {
		if n != h.plan.Number {
			s.Requests += past.Totals.Requests
			s.Failed += past.Totals.Failed
		}
	}
	if s.Requests > 0 {
		s.ErrorRate = float64(s.Failed) / float64(s.Requests)
	}
	if sampler := h.samplers[l.spec.App]; sampler != nil {
		if before, last, ok := sampler.Last(); ok && last.At.After(before.At) {
			cores := (last.CPU - before.CPU).Seconds() / last.At.Sub(before.At).Seconds()
			s.CPUCores = &cores
			if last.WorkingSet != nil {
				bytes := float64(*last.WorkingSet)
				s.MemoryBytes = &bytes
			}
		}
	}
	s.Done, s.Racing = h.distance(l, now)
	return s
}

// told is how long a turn must be for who looks on to be told whose it is. Shorter ones change faster than anybody reads.
const told = time.Second

// distance is how much of the lane's whole time under load is behind it, and whether it has its turn now, or turns at all where they are short.
func (h *heatRun) distance(l *laneState, now time.Time) (done float64, racing bool) {
	whole := float64(len(h.Plan.Heats)) * h.Definition.Duration.Seconds()
	var behind time.Duration
	for n, past := range l.results.Heats {
		if n != h.plan.Number {
			behind += past.Active
		}
	}
	if lane, began := h.streamOf(l); began {
		behind += h.active(lane, now)
		blocks := lane.Blocks
		if h.shortTurns() {
			blocks = []stream.Block{{End: h.cfg.Span()}}
		}
		since := now.Sub(h.began)
		racing = l.out == "" && slices.ContainsFunc(blocks, func(b stream.Block) bool { return since >= b.Start && since < b.End })
	}
	return min(1, behind.Seconds()/whole), racing
}

func (h *heatRun) shortTurns() bool {
	return h.Plan.Mode == race.Turns && h.Plan.Rhythm.Block < told
}

// streamOf is a lane as k6 knows it; began is false before the race part.
func (h *heatRun) streamOf(l *laneState) (lane stream.Lane, began bool) {
	i := slices.IndexFunc(h.cfg.Lanes, func(s stream.Lane) bool { return s.App == l.spec.App })
	if i < 0 || h.began.IsZero() {
		return lane, false
	}
	return h.cfg.Lanes[i], true
}

// rate is that of the last second, or where turns are short that of the lane's turns of this heat: a second holds any part of one.
func (h *heatRun) rate(l *laneState, p stream.LaneProgress, now time.Time) float64 {
	lane, began := h.streamOf(l)
	if !began || !h.shortTurns() {
		return p.Rate
	}
	active := h.active(lane, now).Seconds()
	if active == 0 {
		return 0
	}
	return float64(p.Requests) / active
}

// place ranks the lanes. In an open model all complete about the same number of requests, so the lower p95 leads; else the most requests lead.
func place(lanes []race.LaneSnapshot, open bool) {
	order := make([]*race.LaneSnapshot, 0, len(lanes))
	for i := range lanes {
		known := lanes[i].Requests > 0 && (!open || lanes[i].P95MS > 0) // in a new heat, nobody leads before the first answers
		if known && lanes[i].Out == "" {
			order = append(order, &lanes[i])
		}
	}
	slices.SortStableFunc(order, func(a, b *race.LaneSnapshot) int {
		if open {
			return cmp.Compare(a.P95MS, b.P95MS)
		}
		return cmp.Compare(b.Requests, a.Requests)
	})
	for i, l := range order {
		l.Place = i + 1
	}
}
