package tally

import (
	"maps"
	"time"

	"github.com/photofinish/photofinish/runner/k6/stopwatch/heat"
	"github.com/photofinish/photofinish/runner/k6/stream"
)

// Progress is the event for the live views. It is to be called once a Slot.
func (t *Tally) Progress(now time.Time) stream.Event {
	t.mu.Lock()
	defer t.mu.Unlock()
	e := stream.Event{
		Type: stream.Progress, At: now, Phase: t.heat.Phase(now).String(),
		Progress: make(map[string]stream.LaneProgress, len(t.lanes)), Foreign: t.foreign,
	}
	for _, l := range t.lanes {
		race := &l.phases[heat.Race].totals
		e.Progress[l.App] = stream.LaneProgress{
			Requests: race.Requests, Failed: race.Failed, VUs: l.Running(), Dropped: l.Dropped(heat.Race),
			Rate: l.recent.rate(), P50MS: l.recent.quantile(0.5) * 1000, P95MS: l.recent.quantile(0.95) * 1000,
		}
		l.recent.turn()
	}
	return e
}

// Result is the event for the end of the heat.
func (t *Tally) Result(now time.Time) stream.Event {
	t.mu.Lock()
	defer t.mu.Unlock()
	e := stream.Event{
		Type: stream.Result, At: now, Phase: heat.Done.String(),
		Result: make(map[string]stream.LaneResult, len(t.lanes)), Foreign: t.foreign,
	}
	for _, l := range t.lanes {
		r := stream.LaneResult{Warmup: l.total(heat.Warmup), Race: l.total(heat.Race)}
		if t.heat.Config.Probe {
			r.Reached, r.Iteration = maps.Clone(l.reached), l.longest
		} else if r.Race.Iterations > 0 {
			r.Iteration = l.phases[heat.Race].iterated / time.Duration(r.Race.Iterations)
		}
		e.Result[l.App] = r
	}
	return e
}

// Part is one lane and phase as it stands: cumulative totals, and the extremes since the last Snapshot.
type Part struct {
	App     string
	Phase   heat.Phase
	Totals  stream.Totals
	Slowest float64 // seconds; 0 without requests
	MostVUs int
	// Highest are the highest values of the script's own Trends, by name.
	Highest map[string]float64
}

// Snapshot copies every lane's phases of those asked for and begins a new second for their extremes.
func (t *Tally) Snapshot(phases ...heat.Phase) []Part {
	t.mu.Lock()
	defer t.mu.Unlock()
	parts := make([]Part, 0, len(phases)*len(t.lanes))
	for _, l := range t.lanes {
		for _, phase := range phases {
			p := &l.phases[phase]
			parts = append(parts, Part{
				App: l.App, Phase: phase, Totals: l.total(phase), Slowest: p.slowest, MostVUs: l.TakeRecentVUs(phase), Highest: p.takeHighest(),
			})
			p.slowest = 0
		}
	}
	return parts
}

// total joins what the samples tell with what only the executor and the script's wrapper know. Nothing in it is shared.
func (l *laneTally) total(phase heat.Phase) stream.Totals {
	t := l.phases[phase].totals
	t.Latency, t.LatencyPassed, t.StartLag, t.Response = t.Latency.Clone(), t.LatencyPassed.Clone(), l.Lag(phase), l.Took(phase)
	t.Metrics = l.phases[phase].ownTotals()
	t.Dropped, t.MaxVUs = l.Dropped(phase), l.MostVUs(phase)
	return t
}
