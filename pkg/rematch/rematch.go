// Package rematch compares a race with an earlier one: each app with itself, through a control lane that ran in both. It is pure.
package rematch

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/pkg/trend"
	"github.com/photofinish/photofinish/pkg/verdict"
)

// Options say how races are compared.
type Options struct {
	// Control is the lane that ran unchanged in both races; "" takes the baseline where both races have the same.
	Control string
	// NoControl: the races' baselines were nobody's choice, so that none is taken for a control.
	NoControl bool
	// Effects are the smallest differences that count, where not those of the races.
	Effects race.Effects
}

// Judge is the record of a race whose verdicts compare each app with itself in an earlier race: ratios are now / then, over those of the control. The audit
// holds both races' findings and those about the comparison, one of severity unfair where no lane ran in both: then nothing is decided, whatever the numbers.
// Errors have the code race.Invalid.
func Judge(now, then race.Race, o Options) (race.Race, error) {
	for _, r := range []race.Race{now, then} {
		if r.Status != race.Finished || r.StartedAt == nil {
			return now, race.Errorf(race.Invalid, "name two races that ended by themselves", "race %s is %s, and only finished races are compared", r.ID, r.Status)
		}
	}
	if now.ID == then.ID {
		return now, race.Errorf(race.Invalid, "name another race", "race %s cannot be compared with itself", now.ID)
	}
	both := common(now, then)
	control, err := control(now, then, both, o)
	if err != nil {
		return now, err
	}
	if len(both) == 0 || len(both) == 1 && control != "" {
		return now, race.Errorf(race.Invalid, "name races of the same apps", "races %s and %s have no app in common to be compared: the apps are %s, and %s",
			now.ID, then.ID, strings.Join(apps(now), ", "), strings.Join(apps(then), ", "))
	}
	r := now
	r.BaselineRace = &race.BaselineRace{ID: then.ID, Name: then.Name, StartedAt: then.StartedAt, FinishedAt: then.FinishedAt, Control: control, Lanes: map[string]map[string]*float64{}}
	for _, l := range then.Lanes {
		r.BaselineRace.Lanes[l.App] = l.Measures
	}
	if control != "" {
		r.Baseline = control
	}
	r.Audit = audit(now, then, control, both)
	in := verdict.FromRaces(now, then, control, specs(now, then, o.Effects))
	in.Unfair, in.Overridden = !r.Audit.Fair, r.Audit.OverriddenBy != nil
	r.Verdicts = verdict.Judge(in)
	return r, nil
}

func apps(r race.Race) []string {
	names := make([]string, len(r.Lanes))
	for i, l := range r.Lanes {
		names[i] = l.App
	}
	return names
}

// common are the apps of both races, in the order of the later one's lanes.
func common(now, then race.Race) []string {
	return slices.DeleteFunc(apps(now), func(app string) bool { return !slices.Contains(apps(then), app) })
}

// control is the lane that ran in both, "" where none did.
func control(now, then race.Race, both []string, o Options) (string, error) {
	switch {
	case o.Control == "" && !o.NoControl && now.Baseline == then.Baseline && slices.Contains(both, now.Baseline):
		return now.Baseline, nil
	case o.Control == "" || slices.Contains(both, o.Control):
		return o.Control, nil
	}
	ran := "no lane did"
	if len(both) > 0 {
		ran = strings.Join(both, ", ") + " did"
	}
	return "", race.Errorf(race.Invalid, "name a lane that ran in both, or none", "the control %q did not run in both races %s and %s; %s", o.Control, now.ID, then.ID, ran)
}

// audit joins the findings of both races and of their comparison. It is overridden where everything unfair about it was.
func audit(now, then race.Race, control string, both []string) race.Audit {
	a := race.Audit{Findings: slices.Clone(now.Audit.Findings)}
	for _, f := range then.Audit.Findings {
		f.Detail = fmt.Sprintf("in race %s: %s", then.ID, f.Detail)
		a.Findings = append(a.Findings, f)
	}
	own := comparison(now, then, control, both)
	a.Findings = append(a.Findings, own...)
	isUnfair := func(f race.Finding) bool { return f.Severity == race.Unfair }
	a.Fair = now.Audit.Fair && then.Audit.Fair && !slices.ContainsFunc(own, isUnfair)
	settled := func(r race.Race) bool { return r.Audit.Fair || r.Audit.OverriddenBy != nil }
	if !a.Fair && settled(now) && settled(then) && !slices.ContainsFunc(own, isUnfair) {
		by := now.Audit
		if by.Fair {
			by = then.Audit
		}
		a.OverriddenBy, a.OverriddenAt, a.OverrideReason = by.OverriddenBy, by.OverriddenAt, by.OverrideReason
	}
	return a
}

// comparison tells what about comparing these two races bears on the verdicts.
func comparison(now, then race.Race, control string, both []string) (found []race.Finding) {
	add := func(lane string, severity race.Severity, format string, args ...any) {
		found = append(found, race.Finding{Lane: lane, Kind: race.EarlierRace, Severity: severity, Detail: fmt.Sprintf(format, args...)})
	}
	if control == "" {
		add("", race.Unfair, "no lane is known to have run unchanged in both races: what moved between %s and %s (the machine, its neighbours, the hour) cannot be told from the apps; "+
			"race a control in both and name it as the baseline", then.ID, now.ID)
	} else {
		add("", race.Warning, "the races ran at different times; what moved in between and touched %s and the others alike is taken off, anything else is in no interval", control)
	}
	var unknown []string
	for _, r := range []race.Race{now, then} {
		if r.Machine == nil {
			unknown = append(unknown, r.ID)
		}
	}
	if len(unknown) > 0 { // a control takes off what a machine does to all apps alike, and neither another load nor another mode is that
		add("", race.Unfair, "of %s nothing is known but what Prometheus holds: whether both races ran on one machine and by one definition cannot be told; compare the records of races that photofinish ran",
			strings.Join(unknown, " and "))
	} else if how := trend.Different(now, then); how != "" {
		add("", race.Unfair, "race %s was run otherwise than race %s: %s", then.ID, now.ID, how)
	}
	if what := trend.Changed(now, then); what != "" {
		add("", race.Warning, "race %s was run with %s since race %s: if that moved an app against the control, it is in the ratios", now.ID, what, then.ID)
	}
	for _, app := range both {
		a, b := lane(now, app), lane(then, app)
		if !trend.SameResources(a.Resources, b.Resources) {
			add(app, race.Unfair, "had other limits in race %s", then.ID)
		}
		if app == control && a.Image != nil && b.Image != nil && a.Image.ID != b.Image.ID {
			add(app, race.Unfair, "is no control: its image was another in race %s (%s, now %s)", then.ID, cmp.Or(b.Image.ID, "unknown"), cmp.Or(a.Image.ID, "unknown"))
		}
	}
	return found
}

func lane(r race.Race, app string) race.Lane {
	return r.Lanes[slices.IndexFunc(r.Lanes, func(l race.Lane) bool { return l.App == app })]
}

// specs are the measures as both races judge them: of two smallest effects the larger, unless somebody asks for others.
func specs(now, then race.Race, asked race.Effects) []verdict.MeasureSpec {
	mine, theirs, all := verdict.SpecsOf(now), verdict.SpecsOf(then), verdict.Catalogue(now.CustomMeasures...)
	for k, s := range all {
		if i := slices.IndexFunc(mine, isOf(s.ID)); i >= 0 {
			s = mine[i]
		}
		coarse := s.MinimumEffect == verdict.StockPercentileEffect
		if i := slices.IndexFunc(theirs, isOf(s.ID)); i >= 0 {
			coarse = coarse || theirs[i].MinimumEffect == verdict.StockPercentileEffect
			s.MinimumEffect = max(s.MinimumEffect, theirs[i].MinimumEffect)
		}
		if s = s.With(asked); coarse {
			s = s.FromStock()
		}
		all[k] = s
	}
	return all
}

func isOf(id string) func(verdict.MeasureSpec) bool {
	return func(s verdict.MeasureSpec) bool { return s.ID == id }
}
