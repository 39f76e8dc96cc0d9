package plugin

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/data"

	"github.com/photofinish/photofinish/pkg/compare"
	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/pkg/scoreboard"
	"github.com/photofinish/photofinish/pkg/verdict"
)

// event is one annotation. end is start for what has no length.
type event struct {
	start, end  time.Time
	title, text string
	tags        []string
}

// events answers with what happened in the races of the time range, or in those asked for.
func (d *Datasource) events(ctx context.Context, q query) (answer, error) {
	if q.Field == fieldChanges {
		return d.changes(ctx, q)
	}
	races, said, err := d.targets(ctx, q, false)
	if err != nil {
		return answer{}, err
	}
	a := answer{notices: said}
	var all []event
	var unjudged []listed
	for _, l := range races {
		own, judged, err := d.eventsOf(ctx, q, l, &a)
		if err != nil {
			return answer{}, err // it names the race
		}
		if !judged {
			unjudged = append(unjudged, l)
		}
		if !slices.Contains(q.Races, l.id) {
			own = slices.DeleteFunc(own, func(e event) bool { return e.end.Before(q.From) || e.start.After(q.To) })
		}
		all = append(all, own...)
	}
	if len(unjudged) > 0 {
		a.notices.add("without a verdict, because the baseline %q did not race: %s; choose one that did, or other races", q.Baseline, ids(unjudged))
	}
	a.frames = data.Frames{eventFrame(all)}
	return a, nil
}

// eventsOf are the events of one race, whenever they were. judged is false where there is no verdict because the query's baseline did not race.
func (d *Datasource) eventsOf(ctx context.Context, q query, l listed, a *answer) (all []event, judged bool, err error) {
	if l.record != nil {
		r, anew, err := verdict.Against(*l.record, q.Baseline)
		judged := err == nil || len(r.Verdicts) == 0
		if !judged {
			r.Verdicts = nil
		}
		if anew != "" {
			a.notices.add("%s", anew)
		}
		a.executed = append(a.executed, recordQuery(l.id))
		return recordEvents(r), judged, nil
	}
	told, err := compare.Mishaps(d.about(ctx, []listed{l}), d.prom, *l.info, d.join)
	if err != nil {
		return nil, false, fmt.Errorf("race %s: %w", l.id, err)
	}
	all = slices.Concat(seriesEvents(l), mishapEvents(l, told.Mishaps))
	a.executed = append(a.executed, told.Queries...)
	a.notices.take(told.Notices...)
	if q.Baseline == "" || l.status != race.Finished {
		return all, true, nil
	}
	if !slices.Contains(l.info.Apps, q.Baseline) {
		return all, false, nil
	}
	r, more, executed, err := d.judged(ctx, q, l)
	if err != nil {
		return nil, false, err // it names the race
	}
	a.executed = append(a.executed, executed...)
	a.notices.join(more)
	return append(all, verdictEvents(r, *l.end)...), true, nil
}

func eventFrame(all []event) *data.Frame {
	slices.SortStableFunc(all, func(a, b event) int { return cmp.Or(a.start.Compare(b.start), a.end.Compare(b.end)) })
	f := table("events")
	text := func(name string) *data.Field { return data.NewField(name, nil, []string{}) }
	f.Fields = data.Fields{data.NewField("time", nil, []time.Time{}), data.NewField("timeEnd", nil, []time.Time{}), text("title"), text("text"), text("tags")}
	for _, e := range all {
		f.AppendRow(e.start, e.end, e.title, e.text, strings.Join(e.tags, ","))
	}
	return f
}

func moment(at time.Time, title, text string, tags ...string) event {
	return event{at.UTC(), at.UTC(), title, text, append([]string{"photofinish"}, tags...)}
}

// recordEvents is a recorded race's story: start, heats, who left it, stop, verdict.
func recordEvents(r race.Race) []event {
	if r.StartedAt == nil {
		return nil
	}
	title := title(r.Name, r.ID)
	apps := make([]string, len(r.Lanes))
	for i, l := range r.Lanes {
		apps[i] = l.App
	}
	all := []event{moment(*r.StartedAt, title+" started", strings.Join(apps, ", "), "start")}
	for _, h := range r.Heats {
		if h.StartedAt == nil || h.FinishedAt == nil {
			continue
		}
		e := moment(*h.StartedAt, fmt.Sprintf("%s, heat %d", title, h.Number), strings.Join(h.Order, ", "), "heat")
		e.end = h.FinishedAt.UTC()
		all = append(all, e)
	}
	all = append(all, laneEvents(r, title)...)
	if r.FinishedAt == nil {
		return all
	}
	for _, f := range r.Audit.Findings {
		if f.Kind == race.Restarted {
			all = append(all, moment(*r.FinishedAt, f.Lane+" restarted", f.Detail, "restart", f.Lane))
		}
	}
	text := string(r.Status)
	if r.Error != nil {
		text += ": " + *r.Error
	}
	all = append(all, moment(*r.FinishedAt, title+" ended", text, "stop"))
	return append(all, verdictEvents(r, *r.FinishedAt)...)
}

// laneEvents are the apps that left the race before its end.
func laneEvents(r race.Race, title string) []event {
	var all []event
	for _, l := range r.Lanes {
		if l.Exit == nil || l.Exit.At == nil {
			continue
		}
		switch l.Exit.Reason {
		case race.OOM:
			all = append(all, moment(*l.Exit.At, l.App+" out of memory", title, "oom", l.App))
		case race.Exited, race.Killed, race.Unhealthy:
			all = append(all, moment(*l.Exit.At, l.App+" "+string(l.Exit.Reason), title, "exit", l.App))
		case race.Running, race.Stopped:
		}
	}
	return all
}

// seriesEvents is what a race that only Prometheus knows tells of itself.
func seriesEvents(l listed) []event {
	title := title(l.name, l.id)
	all := []event{moment(l.info.Start, title+" started", strings.Join(l.info.Apps, ", "), "start")}
	if len(l.info.Heats) > 1 {
		for _, h := range l.info.Heats {
			e := moment(h.Start, title+", heat "+h.Label, "", "heat")
			e.end = h.End.UTC()
			all = append(all, e)
		}
	}
	if l.end != nil {
		all = append(all, moment(*l.end, title+" ended", "", "stop"))
	}
	return all
}

// mishapEvents are what befell the containers of a race that only Prometheus knows.
func mishapEvents(l listed, mishaps []compare.Mishap) []event {
	var all []event
	for _, m := range mishaps {
		what, tag := " restarted", "restart"
		if m.OutOfMemory {
			what, tag = " out of memory", "oom"
		}
		all = append(all, moment(m.At, m.App+what, title(l.name, l.id), tag, m.App))
	}
	return all
}

// verdictEvents says for each app how it stands to the baseline.
func verdictEvents(r race.Race, at time.Time) []event {
	if len(r.Verdicts) == 0 {
		return nil
	}
	var lines []string
	for _, s := range scoreboard.Sentences(r) {
		lines = append(lines, strings.TrimSuffix(s.Text, "."))
	}
	return []event{moment(at, title(r.Name, r.ID)+", verdict", strings.Join(lines, "\n"), "verdict")}
}

func title(name, id string) string {
	if name == "" || name == id {
		return "race " + id
	}
	return "race " + name + " (" + id + ")"
}

// listQueries is where a list of races comes from.
func listQueries(d *Datasource) []compare.ExecutedQuery {
	list := []compare.ExecutedQuery{{Measure: "the testids in the range", Expr: compare.ListExpr()}}
	if d.runner != nil {
		list = append(list, compare.ExecutedQuery{Measure: "the runner's records", Expr: "GET /v1/races"})
	}
	return list
}
