package verdict

import (
	"fmt"
	"slices"
	"strings"

	"github.com/photofinish/photofinish/pkg/measure"
	"github.com/photofinish/photofinish/pkg/race"
)

// Catalogue is every measure of the contract as it is judged by default, and those that a race has of its own.
func Catalogue(own ...race.CustomMeasure) []MeasureSpec {
	var all []MeasureSpec
	for _, m := range measure.Of(own...) {
		all = append(all, Of(m))
	}
	return all
}

// FromRace is the input that a record gives, so that a past race is judged exactly as a new one. A lane that was lost within
// a heat must have no measures there: what it did before is no fair match for the others' whole heat.
func FromRace(r race.Race, measures []MeasureSpec) Input {
	in := Input{
		Baseline: r.Baseline, Measures: measures,
		Unfair: !r.Audit.Fair, Overridden: r.Audit.OverriddenBy != nil,
	}
	if len(r.Heats) > 0 && (r.UntilDecided || EndedEarly(r)) { // its end is a look, its own or that of somebody who watched
		in.Alpha = lookLevel(r.PlannedHeats, len(r.Heats))
	}
	for _, l := range r.Lanes {
		in.Apps = append(in.Apps, l.App)
	}
	longest := map[string]float64{}
	for _, h := range r.Heats {
		heat := Heat{Values: make(map[string]map[string]*float64, len(h.Lanes)), Dropped: map[string]float64{}}
		for app, l := range h.Lanes {
			heat.Values[app] = l.Measures
			if len(l.Measures) > 0 {
				heat.Dropped[app] = l.DroppedRatio
			}
			longest[app] += l.ActiveMS / 1000
			in.RaceSeconds = max(in.RaceSeconds, longest[app])
		}
		in.Heats = append(in.Heats, heat)
	}
	return in
}

// FromRaces is the input of a race whose apps are compared with themselves in an earlier one, through a lane that ran in both ("" where none did). It knows
// nothing of fairness: two races have an audit of their own.
func FromRaces(now, then race.Race, control string, measures []MeasureSpec) Input {
	in, before := FromRace(now, measures), FromRace(then, measures)
	in.Baseline, in.Unfair, in.Overridden = control, false, false
	in.Apps = slices.DeleteFunc(in.Apps, func(app string) bool { return !slices.Contains(before.Apps, app) })
	in.Earlier = append([]Heat{}, before.Heats...)
	in.RaceSeconds = min(in.RaceSeconds, before.RaceSeconds)
	if before.Alpha > 0 && (in.Alpha == 0 || before.Alpha < in.Alpha) {
		in.Alpha = before.Alpha
	}
	return in
}

// Again judges a recorded race as it was judged, but for its baseline and override as they are now, and the smallest effects that somebody asks for.
func Again(r race.Race, asked race.Effects) []race.Verdict {
	specs := SpecsOf(r)
	for i := range specs {
		if specs[i] = specs[i].With(asked); r.K6 != nil {
			specs[i] = specs[i].FromStock()
		}
	}
	return JudgeRace(r, specs)
}

// Against is a recorded race against a baseline ("" for its own), judged anew if it was judged against another; said tells so then. Errors have the code
// race.Invalid.
func Against(r race.Race, baseline string) (anew race.Race, said string, err error) {
	if baseline == "" || baseline == r.Baseline {
		return r, "", nil
	}
	apps := make([]string, len(r.Lanes))
	for i, l := range r.Lanes {
		apps[i] = l.App
	}
	if !slices.Contains(apps, baseline) {
		return r, "", race.Errorf(race.Invalid, "choose one of "+strings.Join(apps, ", "), "the baseline %q is no app of race %s", baseline, r.ID)
	}
	if len(r.Verdicts) > 0 {
		said = fmt.Sprintf("race %s was recorded with the baseline %s; its heats were judged anew against %s", r.ID, r.Baseline, baseline)
	}
	if r.Baseline = baseline; said != "" {
		r.Verdicts = Again(r, race.Effects{})
	}
	return r, said, nil
}

// SpecsOf reads off a record's verdicts how their measures were judged.
func SpecsOf(r race.Race) []MeasureSpec {
	set := measure.Of(r.CustomMeasures...)
	var specs []MeasureSpec
	for _, v := range r.Verdicts {
		if slices.ContainsFunc(specs, func(s MeasureSpec) bool { return s.ID == v.Measure }) {
			continue
		}
		s := Spec(v.Measure, None)
		if m, err := set.ByID(v.Measure); err == nil {
			s = Of(m)
		}
		s.MinimumEffect, s.Primary = v.MinimumEffect, v.Primary
		specs = append(specs, s)
	}
	return specs
}
