package plugin

import (
	"cmp"
	"context"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/grafana/grafana-plugin-sdk-go/data"

	"github.com/photofinish/photofinish/pkg/compare"
	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/pkg/scoreboard"
	"github.com/photofinish/photofinish/pkg/verdict"
)

// percentiles of a curve, spread about evenly on a logit axis from 1 to 99.9.
func percentiles() []float64 {
	return []float64{1, 2, 5, 10, 15, 20, 25, 30, 40, 50, 60, 70, 75, 80, 85, 90, 95, 98, 99, 99.5, 99.9}
}

// distribution answers with percentile curves, and with the ratio to the baseline for each percentile.
func (d *Datasource) distribution(ctx context.Context, q query) (answer, error) {
	races, said, err := d.targets(ctx, q, false)
	if err != nil {
		return answer{}, err
	}
	a := answer{notices: said}
	livery := liveryOf(q, races)
	curves := data.NewFrame("percentiles", data.NewField("percentile", nil, percentiles()))
	ratios := newRatios(len(races) > 1)
	var absent error
	for _, l := range races {
		info, more, err := d.seriesOf(ctx, q, l)
		a.notices.join(more)
		if err != nil {
			return answer{}, err
		}
		if info == nil {
			continue
		}
		found, err := compare.Distribute(d.about(ctx, []listed{l}), d.prom, *info, apps(q, l, *info), percentiles())
		if err != nil && isUnknown(err) && len(races) > 1 {
			absent = cmp.Or(absent, err) // an app may be in some of the races only
			continue
		}
		if err != nil {
			return answer{}, err // it names the race or the app, and what to do
		}
		a.notices.take(found.Notices...)
		a.executed = append(a.executed, found.Queries...)
		for _, app := range info.Apps {
			if found.Whole[app] == nil || len(q.Apps) > 0 && !slices.Contains(q.Apps, app) {
				continue
			}
			curves.Fields = append(curves.Fields, curve(app, info.ID, found.Whole[app], len(races) > 1, livery.Colour(app)))
		}
		baseline, err := baselineOf(q, l, *info)
		if err != nil && len(q.Races) == 0 {
			a.notices.add("%s", sentence(err))
			continue
		}
		if err != nil {
			return answer{}, err
		}
		if baseline == "" {
			a.notices.add("race %s has no baseline: choose one of %s to see ratios", info.ID, strings.Join(info.Apps, ", "))
			continue
		}
		ratios.add(*info, found, baseline, q.Apps)
	}
	if len(curves.Fields) == 1 && absent != nil {
		return answer{}, absent
	}
	a.frames = data.Frames{curves, ratios.frame}
	return a, nil
}

// apps are those asked for, the baseline among them; none for all.
func apps(q query, l listed, info compare.RaceInfo) []string {
	baseline, err := baselineOf(q, l, info)
	if len(q.Apps) == 0 || err != nil || baseline == "" || slices.Contains(q.Apps, baseline) {
		return q.Apps
	}
	return append(slices.Clone(q.Apps), baseline)
}

// baselineOf is the query's baseline or else the recorded one; "" where there is neither.
func baselineOf(q query, l listed, info compare.RaceInfo) (string, error) {
	switch {
	case q.Baseline != "" && !slices.Contains(info.Apps, q.Baseline):
		return "", race.Errorf(race.Invalid, "choose one of "+strings.Join(info.Apps, ", "), "the baseline %q is no app of race %s", q.Baseline, info.ID)
	case q.Baseline != "":
		return q.Baseline, nil
	case l.record != nil:
		return l.record.Baseline, nil
	}
	return "", nil
}

func curve(app, id string, ms []float64, several bool, colour scoreboard.Colour) *data.Field {
	labels, name := data.Labels{"app": app}, app
	if several {
		labels["race"], name = id, app+", "+id
	}
	f := data.NewField(app, labels, nullable(ms))
	f.Config = &data.FieldConfig{Unit: "ms", DisplayNameFromDS: name}
	dye(f.Config, colour.Hex())
	return f
}

// ratios is the table of ratios to the baseline.
type ratios struct {
	frame   *data.Frame
	several bool
}

func newRatios(several bool) ratios {
	f := table("ratios")
	if several {
		f.Fields = append(f.Fields, data.NewField("race", nil, []string{}))
	}
	f.Fields = append(f.Fields, data.NewField("app", nil, []string{}), data.NewField("percentile", nil, []float64{}),
		data.NewField("ratio", nil, []*float64{}), data.NewField("low", nil, []*float64{}), data.NewField("high", nil, []*float64{}))
	return ratios{f, several}
}

// add judges each percentile over the heats, by its plain interval: a band for the eye, no family of tests.
func (r ratios) add(info compare.RaceInfo, d compare.Distribution, baseline string, only []string) {
	in := verdict.Input{Baseline: baseline}
	for i := range d.Percentiles {
		in.Measures = append(in.Measures, verdict.MeasureSpec{ID: strconv.Itoa(i), Better: verdict.Lower, MinimumEffect: verdict.DefaultMinimumEffect})
	}
	for app := range d.Whole {
		if len(only) == 0 || slices.Contains(only, app) {
			in.Apps = append(in.Apps, app)
		}
	}
	slices.Sort(in.Apps)
	for _, h := range d.Heats {
		heat := verdict.Heat{Values: map[string]map[string]*float64{}}
		for app, column := range h {
			heat.Values[app] = map[string]*float64{}
			for i, v := range column {
				if !math.IsNaN(v) {
					heat.Values[app][strconv.Itoa(i)] = &v
				}
			}
		}
		in.Heats = append(in.Heats, heat)
	}
	for _, v := range verdict.Judge(in) {
		i, err := strconv.Atoi(v.Measure)
		if err != nil {
			continue // the ids are those made above
		}
		row := []any{v.App, d.Percentiles[i], v.Ratio, v.Low, v.High}
		if r.several {
			row = append([]any{info.ID}, row...)
		}
		r.frame.AppendRow(row...)
	}
}
