package plugin

import (
	"context"
	"slices"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/data"

	"github.com/photofinish/photofinish/pkg/measure"
	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/pkg/scoreboard"
	"github.com/photofinish/photofinish/pkg/trend"
)

// history answers standings over time: each finished race is one point, at its start.
func (d *Datasource) history(ctx context.Context, q query) (answer, error) {
	a, ran, err := d.ran(ctx, &q)
	if err != nil {
		return answer{}, err
	}
	if err := hasApps(ran.races, q.Apps); len(ran.races) > 0 && err != nil {
		return answer{}, err
	}
	a.frames = q.historyFrames(ran.compared(q.Apps, &a.notices), naming{measures: len(q.measures) > 1, livery: ran.livery})
	return a, nil
}

// archive is what a query about many races is answered from.
type archive struct {
	races      []race.Race // the finished ones, in order of time
	unfinished []string    // the ids of the others
	livery     scoreboard.Livery
}

// ran are the races that a query is about. No app is compared with another, so races that name no baseline belong to them too.
func (d *Datasource) ran(ctx context.Context, q *query) (answer, archive, error) {
	races, said, err := d.targets(ctx, *q, false)
	if err != nil {
		return answer{}, archive{}, err
	}
	a, ran := answer{notices: said}, archive{livery: liveryOf(*q, races)}
	for _, l := range races {
		if l.status != race.Finished {
			ran.unfinished = append(ran.unfinished, l.id)
			continue
		}
		own := *q
		own.Baseline = ""
		if l.record == nil && len(l.info.Apps) > 0 { // one without apps is an error that says how to tag them
			own.Baseline = l.info.Apps[0] // any will do: no verdict is shown
		}
		r, more, executed, err := d.judged(ctx, own, l)
		if err != nil {
			return answer{}, archive{}, err
		}
		a.notices.join(more)
		a.executed = append(a.executed, executed...)
		ran.races = append(ran.races, r)
	}
	slices.SortStableFunc(ran.races, func(a, b race.Race) int { return a.StartedAt.Compare(*b.StartedAt) })
	err = q.know(ownOf(ran.races), races, &a.notices)
	return a, ran, err
}

// compared are the races, and the lanes of them, that can be compared with the newest of their name. What is left out of the apps shown is said.
func (ran archive) compared(apps []string, said *notices) []race.Race {
	byName := map[string][]race.Race{}
	for _, r := range ran.races {
		byName[r.Name] = append(byName[r.Name], r)
	}
	judges := map[string]func(race.Race, string) string{}
	for name, races := range byName {
		judges[name] = trend.Against(races)
	}
	var left remarks
	for _, id := range ran.unfinished {
		left.add("not finished", id)
	}
	var kept []race.Race
	for _, r := range slices.Backward(ran.races) { // of many the newest are named
		judge := judges[r.Name]
		lanes := slices.DeleteFunc(slices.Clone(r.Lanes), func(l race.Lane) bool { return judge(r, l.App) != "" })
		for _, l := range r.Lanes {
			why := judge(r, l.App)
			switch {
			case why == "" || len(apps) > 0 && !slices.Contains(apps, l.App):
			case len(lanes) == 0:
				left.add(why, r.ID)
			default:
				left.add(why, l.App+" of "+r.ID)
			}
		}
		if len(lanes) > 0 {
			r.Lanes = lanes
			kept = append(kept, r)
		}
	}
	slices.Reverse(kept)
	left.tell(said, "left out of the history, %s: %s; their standings show them")
	changed(kept).tell(said, "in the history all the same, the first with %s: %s")
	return kept
}

// changed are the races since which something is another that may have changed the values, the newest first.
func changed(kept []race.Race) (since remarks) {
	for i, r := range slices.Backward(kept) {
		for _, before := range slices.Backward(kept[:i]) {
			if before.Name != r.Name {
				continue
			}
			if what := trend.Changed(r, before); what != "" {
				since.add(what, r.ID)
			}
			break
		}
	}
	return since
}

// remarks are what there is to say of some races, and of which.
type remarks struct {
	reasons []string
	what    map[string][]string
}

func (l *remarks) add(reason, what string) {
	if l.what == nil {
		l.what = map[string][]string{}
	}
	if l.what[reason] == nil {
		l.reasons = append(l.reasons, reason)
	}
	if !slices.Contains(l.what[reason], what) {
		l.what[reason] = append(l.what[reason], what)
	}
}

// tell says it once for each reason, however many races there are. format takes the reason and the races.
func (l remarks) tell(said *notices, format string) {
	for _, reason := range l.reasons {
		said.add(format, reason, few(l.what[reason]))
	}
}

// historyFrames are one wide frame for one measure, else a frame per series, as those of timeseries are.
func (q query) historyFrames(races []race.Race, names naming) data.Frames {
	times := make([]time.Time, len(races))
	for i, r := range races {
		times[i] = r.StartedAt.UTC()
	}
	var fields []*data.Field
	for _, m := range q.measures {
		for _, s := range contenders(races, q.Apps) {
			fields = append(fields, names.past(s, m, races))
		}
	}
	switch {
	case len(fields) == 0:
		return data.Frames{q.noSeries()}
	case !names.measures:
		f := typed(data.FrameTypeTimeSeriesWide)
		f.Fields = append([]*data.Field{data.NewField("time", nil, times)}, fields...)
		return data.Frames{f}
	}
	var frames data.Frames
	for _, field := range fields {
		f := typed(data.FrameTypeTimeSeriesMulti)
		f.Fields = []*data.Field{data.NewField("time", nil, times), field}
		frames = append(frames, f)
	}
	return frames
}

// contender is an app in the races of one name.
type contender struct {
	app, name string
	alone     bool // no race has another name
}

func contenders(races []race.Race, only []string) []contender {
	var all []contender
	alone := true
	for _, r := range races {
		alone = alone && r.Name == races[0].Name
	}
	for _, r := range races {
		for _, l := range r.Lanes {
			c := contender{app: l.App, name: r.Name, alone: alone}
			if (len(only) == 0 || slices.Contains(only, l.App)) && !slices.Contains(all, c) {
				all = append(all, c)
			}
		}
	}
	return all
}

// past is a measure of one contender, race by race; null for the races it was not in.
func (n naming) past(c contender, m measure.Measure, races []race.Race) *data.Field {
	values := make([]*float64, len(races))
	for i, r := range races {
		for _, l := range r.Lanes {
			if l.App == c.app && r.Name == c.name {
				values[i] = l.Measures[m.ID]
			}
		}
	}
	name := c.app
	if n.measures {
		name += ", " + m.Name
	}
	if !c.alone {
		name += ", " + c.name
	}
	f := data.NewField(m.ID, data.Labels{"app": c.app, "measure": m.ID, "race_name": c.name}, values)
	f.Config = shown(m, name)
	dye(f.Config, n.livery.Colour(c.app).Hex())
	return f
}
