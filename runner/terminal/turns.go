package terminal

import (
	"cmp"
	"slices"

	"github.com/photofinish/photofinish/pkg/race"
)

// lastTurns is what each lane did when it last had its turn. A waiting lane has no rate and no p95 of the last second; without these
// the view would compare the one lane that races with nothing.
type lastTurns map[string]race.LaneSnapshot

// fill shows waiting lanes with what they did in their last turn, and ranks all by that.
func (t lastTurns) fill(s race.Snapshot) race.Snapshot {
	if s.Mode != race.Turns {
		return s
	}
	s.Lanes = slices.Clone(s.Lanes)
	var ranked []*race.LaneSnapshot
	for i := range s.Lanes {
		l := &s.Lanes[i]
		last, ok := t[l.App]
		switch {
		case ok && !l.Racing:
			l.Rate, l.P50MS, l.P95MS = last.Rate, last.P50MS, last.P95MS
		case ok && l.P95MS == 0: // its turn has just begun
			l.P50MS, l.P95MS = last.P50MS, last.P95MS
		}
		if l.Racing && l.P95MS > 0 {
			t[l.App] = *l
		}
		l.Place = 0
		if l.P95MS > 0 && l.Requests > 0 && l.Out == "" {
			ranked = append(ranked, l)
		}
	}
	slices.SortStableFunc(ranked, func(a, b *race.LaneSnapshot) int { return cmp.Compare(a.P95MS, b.P95MS) })
	for i, l := range ranked {
		l.Place = i + 1
	}
	return s
}
