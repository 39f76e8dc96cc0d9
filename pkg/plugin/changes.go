package plugin

import (
	"context"
	"fmt"

	"github.com/grafana/grafana-plugin-sdk-go/data"

	"github.com/photofinish/photofinish/pkg/measure"
	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/pkg/trend"
	"github.com/photofinish/photofinish/pkg/verdict"
)

// changes answers with the races since which an app is another than before: what a history shows and no single race does.
func (d *Datasource) changes(ctx context.Context, q query) (answer, error) {
	a, ran, err := d.ran(ctx, &q)
	if err != nil {
		return answer{}, err
	}
	measures := q.measures
	if len(q.Measures) == 0 {
		measures = primaries()
	}
	names, byName := []string{}, map[string][]race.Race{}
	for _, r := range ran.compared(nil, &a.notices) {
		if byName[r.Name] == nil {
			names = append(names, r.Name)
		}
		byName[r.Name] = append(byName[r.Name], r)
	}
	var all []event
	for _, name := range names {
		for _, m := range measures {
			for _, h := range trend.Of(byName[name], []string{m.ID}, trend.Options{MinMagnitude: verdict.DefaultMinimumEffect}) {
				all = append(all, changeEvents(name, m, h)...)
			}
		}
	}
	a.frames = data.Frames{eventFrame(all)}
	return a, nil
}

// primaries are the measures that races are judged by.
func primaries() []measure.Measure {
	var list []measure.Measure
	for _, m := range measure.All() {
		if m.Primary {
			list = append(list, m)
		}
	}
	return list
}

func changeEvents(name string, m measure.Measure, h trend.History) []event {
	var all []event
	compared := h.Compared()
	for _, c := range h.Changes {
		since := compared[c.Index]
		word := "more"
		if c.After.Mean < c.Before.Mean {
			word = "less"
		}
		head := fmt.Sprintf("%s of %s: %s since %s", m.Name, h.App, word, title(name, since.Race))
		text := fmt.Sprintf("%s in %d races before, %s in %d since", m.Format(c.Before.Mean), c.Before.N, m.Format(c.After.Mean), c.After.N)
		if since.Note != "" {
			text += "; the first with " + since.Note
		}
		all = append(all, moment(since.At, head, text, "change", h.App, m.ID))
	}
	return all
}
