package report

import (
	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/pkg/scoreboard"
)

// exitGrace is how long after its exit a sample may still hold what a lane did before.
const exitGrace = 1.0 // s

// untilExit ends the lines of a lane where it left the race: its empty container is still sampled, and a memory of 0 B is nobody's.
func untilExit(r race.Race, series []PlotSeries) []PlotSeries {
	if len(r.Heats) == 0 || r.Heats[0].StartedAt == nil {
		return series
	}
	last := map[string]float64{}
	for _, l := range r.Lanes {
		if scoreboard.ExitWords(l.Exit) != "" && l.Exit.At != nil {
			last[l.App] = l.Exit.At.Sub(*r.Heats[0].StartedAt).Seconds() + exitGrace
		}
	}
	out := make([]PlotSeries, len(series))
	for i, s := range series {
		if end, left := last[s.App]; left && len(s.T) == len(s.V) {
			v := make([]*float64, len(s.V))
			for j := range v {
				if s.T[j] <= end {
					v[j] = s.V[j]
				}
			}
			s.V = v
		}
		out[i] = s
	}
	return out
}
