package verdict

import "github.com/photofinish/photofinish/pkg/race"

// FromRace is the input that a record gives, so that a past race is judged exactly as a new one. A lane that was lost within
// a heat must have no measures there: what it did before is no fair match for the others' whole heat.
func FromRace(r race.Race, measures []MeasureSpec) Input {
	in := Input{
		Baseline: r.Baseline, Measures: measures,
		Unfair: !r.Audit.Fair, Overridden: r.Audit.OverriddenBy != nil,
	}
	if r.UntilDecided && len(r.Heats) > 0 {
		in.Alpha = lookLevel(r.PlannedHeats, len(r.Heats))
	}
	for _, l := range r.Lanes {
		in.Apps = append(in.Apps, l.App)
	}
	longest := map[string]float64{}
	for _, h := range r.Heats {
		heat := Heat{Values: make(map[string]map[string]*float64, len(h.Lanes))}
		for app, l := range h.Lanes {
			heat.Values[app] = l.Measures
			longest[app] += l.ActiveMS / 1000
			in.RaceSeconds = max(in.RaceSeconds, longest[app])
		}
		in.Heats = append(in.Heats, heat)
	}
	return in
}
