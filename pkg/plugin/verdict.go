package plugin

import (
	"context"
	"slices"
	"strings"

	"github.com/grafana/grafana-plugin-sdk-go/data"

	"github.com/photofinish/photofinish/pkg/measure"
	"github.com/photofinish/photofinish/pkg/race"
)

// verdict answers with numbers for alert rules or, with field all, with a table for people.
// Alert rules must not take a race for audited only because its runner is down just now: that is an error.
func (d *Datasource) verdict(ctx context.Context, q query) (answer, error) {
	alert := q.alerts()
	races, said, err := d.targets(ctx, q, alert)
	if err != nil {
		return answer{}, err
	}
	a := answer{notices: said}
	judged, err := d.judgedAll(ctx, q, races, &a)
	if err == nil {
		err = q.know(ownOf(judged), races, &a.notices)
	}
	if err != nil {
		return answer{}, err
	}
	var told []race.Race
	for _, r := range judged {
		if why := mute(r, q); alert && why != "" {
			a.notices.add("race %s raises no alert: %s", r.ID, why)
			continue
		}
		told = append(told, r)
	}
	if !alert {
		a.frames = data.Frames{verdictTable(q, told)}
		a.frames[0].Meta.Custom = finishOf(q, told)
		return a, nil
	}
	f := typed(data.FrameTypeNumericWide)
	for _, r := range newestByName(told, &a.notices) {
		f.Fields = append(f.Fields, verdictFields(q, r)...)
	}
	a.frames = data.Frames{f}
	return a, nil
}

// mute says why a race has nothing to tell to alert rules, "" where it has.
func mute(r race.Race, q query) string {
	switch {
	case r.Status != race.Finished || r.FinishedAt == nil:
		return "its status is " + string(r.Status) + ", not finished"
	case !r.Audit.Fair && r.Audit.OverriddenBy == nil:
		return "it failed its audit"
	case r.FinishedAt.Before(q.From) || r.FinishedAt.After(q.To):
		return "it ended outside of the time range"
	}
	return ""
}

// newestByName keeps the newest race of each name: alert instances are told apart by the name, never by the id, which would make each race a new one.
func newestByName(races []race.Race, said *notices) []race.Race {
	var kept []race.Race
	for _, r := range races {
		i := slices.IndexFunc(kept, func(k race.Race) bool { return k.Name == r.Name })
		switch {
		case i < 0:
			kept = append(kept, r)
		case r.FinishedAt.After(*kept[i].FinishedAt):
			said.add("of several races called %q the newest counts", r.Name)
			kept[i] = r
		default:
			said.add("of several races called %q the newest counts", r.Name)
		}
	}
	return kept
}

// wanted are the measures that a query is about: those asked for, else the primary family of the race, which alone is meant for alarms.
func wanted(q query, r race.Race) []measure.Measure {
	if len(q.Measures) > 0 {
		return q.measures
	}
	var primary []measure.Measure
	for _, m := range q.measures {
		if slices.ContainsFunc(r.Verdicts, func(v race.Verdict) bool { return v.Measure == m.ID && v.Primary }) {
			primary = append(primary, m)
		}
	}
	return primary
}

// verdictFields are a race's numbers: one field per app and measure, null where there is no verdict.
func verdictFields(q query, r race.Race) []*data.Field {
	var fields []*data.Field
	for _, l := range r.Lanes {
		if l.App == r.Baseline || len(q.Apps) > 0 && !slices.Contains(q.Apps, l.App) {
			continue
		}
		for _, m := range wanted(q, r) {
			if m.Better == measure.None {
				continue
			}
			var value *float64
			i := slices.IndexFunc(r.Verdicts, func(v race.Verdict) bool { return v.App == l.App && v.Measure == m.ID })
			if i >= 0 {
				value = number(r.Verdicts[i], q.Field)
			}
			f := data.NewField(fieldName(q), data.Labels{"app": l.App, "measure": m.ID, "race_name": r.Name}, []*float64{value})
			f.Config = &data.FieldConfig{DisplayNameFromDS: l.App + ", " + m.Name}
			fields = append(fields, f)
		}
	}
	return fields
}

func fieldName(q query) string {
	if q.Field == "" {
		return fieldRegressed
	}
	return q.Field
}

// number is what a field asks for of a verdict. Regressed is 1 only for slower.
func number(v race.Verdict, field string) *float64 {
	switch field {
	case fieldRatio:
		return v.Ratio
	case fieldLow:
		return v.Low
	case fieldHigh:
		return v.High
	}
	regressed := 0.0
	if v.Outcome == race.Slower {
		regressed = 1
	}
	return &regressed
}

// verdictTable has a row for each verdict of the apps and measures asked for, warnings included. What is decided comes first: a narrow panel cuts
// the rest off.
func verdictTable(q query, races []race.Race) *data.Frame {
	f := table("verdict")
	text := func(name string) *data.Field { return data.NewField(name, nil, []string{}) }
	num := func(name string) *data.Field { return data.NewField(name, nil, []*float64{}) }
	count := func(name string) *data.Field { return data.NewField(name, nil, []*int64{}) }
	f.Fields = data.Fields{
		text("app"), text("measure"), text("outcome"), num("ratio"), num("low"), num("high"), text("baseline"), text("race"), text("race_name"),
		num("decision_low"), num("decision_high"), num("confidence"), data.NewField("primary", nil, []bool{}), num("minimum_effect"),
		count("heats"), count("heats_needed"), text("warnings"),
	}
	for _, r := range races {
		for _, v := range r.Verdicts {
			if len(q.Apps) > 0 && !slices.Contains(q.Apps, v.App) || !slices.ContainsFunc(q.measures, func(m measure.Measure) bool { return m.ID == v.Measure }) {
				continue
			}
			heats := int64(v.Heats)
			var needed *int64
			if v.HeatsNeeded != nil {
				n := int64(*v.HeatsNeeded)
				needed = &n
			}
			f.AppendRow(v.App, v.Measure, string(v.Outcome), v.Ratio, v.Low, v.High, r.Baseline, r.ID, r.Name,
				v.DecisionLow, v.DecisionHigh, &v.Confidence, v.Primary, &v.MinimumEffect, &heats, needed, strings.Join(v.Warnings, "; "))
		}
	}
	return f
}
