package plugin

import (
	"context"
	"slices"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/data"

	"github.com/photofinish/photofinish/pkg/measure"
	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/pkg/scoreboard"
)

// history answers standings over time: each finished race is one point, at its start.
func (d *Datasource) history(ctx context.Context, q query) (answer, error) {
	a, ran, livery, err := d.ran(ctx, &q)
	if err != nil {
		return answer{}, err
	}
	if err := hasApps(ran, q.Apps); len(ran) > 0 && err != nil {
		return answer{}, err
	}
	a.frames = q.historyFrames(ran, naming{measures: len(q.measures) > 1, livery: livery})
	return a, nil
}

// ran are the finished races that a query is about, in order of time. No app is compared with another, so races that name no baseline belong to them too.
func (d *Datasource) ran(ctx context.Context, q *query) (answer, []race.Race, scoreboard.Livery, error) {
	races, said, err := d.targets(ctx, *q, false)
	if err != nil {
		return answer{}, nil, scoreboard.Livery{}, err
	}
	a := answer{notices: said}
	var ran []race.Race
	for _, l := range races {
		if l.status != race.Finished {
			continue
		}
		own := *q
		own.Baseline = ""
		if l.record == nil {
			own.Baseline = l.info.Apps[0] // any will do: no verdict is shown
		}
		r, _, executed, err := d.judged(ctx, own, l)
		if err != nil {
			return answer{}, nil, scoreboard.Livery{}, err
		}
		a.executed = append(a.executed, executed...)
		ran = append(ran, r)
	}
	slices.SortStableFunc(ran, func(a, b race.Race) int { return a.StartedAt.Compare(*b.StartedAt) })
	return a, ran, liveryOf(*q, races), q.know(ownOf(ran), races, &a.notices)
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
