package plugin

import (
	"context"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/data"

	"github.com/photofinish/photofinish/pkg/compare"
	"github.com/photofinish/photofinish/pkg/measure"
	"github.com/photofinish/photofinish/pkg/panics"
	"github.com/photofinish/photofinish/pkg/promql"
	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/pkg/scoreboard"
)

// foresee asks what percentiles need to know of this Prometheus while the races are still looked for. Whoever needs it asks again, and joins the question.
func (d *Datasource) foresee(ctx context.Context, q query) {
	prometheus, remembers := d.prom.(promql.Quantiler)
	if d.private || !remembers || !compare.Percentiles(q.Measures) {
		return
	}
	go func() {
		_ = panics.Catch(func() error { // it is told to whoever asks again
			prometheus.KnowsQuantiles(ctx)
			return nil
		})
	}()
}

// timeSeries answers with the measures step by step.
func (d *Datasource) timeSeries(ctx context.Context, q query) (answer, error) {
	d.foresee(ctx, q)
	races, said, err := d.targets(ctx, q, false)
	if err != nil {
		return answer{}, err
	}
	req := compare.Request{Apps: q.Apps, Elapsed: q.elapsed(), HeatsEach: q.each(), Join: d.join}
	for _, l := range races {
		info, more, err := d.seriesOf(ctx, q, l)
		said.join(more)
		switch {
		case err != nil:
			return answer{}, err
		case info == nil:
			continue
		case len(info.Apps) > 0 && info.Unmeasured() != "":
			said.add("%s", info.Unmeasured())
			continue
		case !q.elapsed() && (!info.Start.Before(q.To) || !info.End.After(q.From)):
			said.add("race %s went from %s to %s, outside of the time range", l.id, clock(info.Start), clock(info.End))
			continue
		}
		req.Races = append(req.Races, *info)
	}
	known, more, err := compare.KnowOwn(d.about(ctx, races), d.prom, req.Races, q.Measures)
	if err != nil {
		return answer{}, err
	}
	said.take(more...)
	var own []race.CustomMeasure
	for _, r := range known {
		own = append(own, r.Custom...)
	}
	if err := q.know(own, races, &said); err != nil {
		return answer{}, err
	}
	req.Races, req.Measures = known, measure.Set(q.measures).IDs()
	if len(req.Races) == 0 || len(req.Measures) == 0 {
		return answer{frames: data.Frames{q.noSeries()}, notices: said}, nil
	}
	if err := q.fit(&req, &said); err != nil {
		return answer{}, err
	}
	result, err := compare.TimeSeries(d.about(ctx, races), d.prom, req)
	if err != nil {
		return answer{}, err // it names the measure or the race, and what to do
	}
	said.take(result.Notices...)
	names := naming{measures: q.several(), races: len(req.Races) > 1, heats: q.each(), livery: liveryOf(q, races)}
	frames := q.series(result, names)
	if q.elapsed() {
		frames[0].SetMeta(&data.FrameMeta{Custom: clocks(req.Races, races, names.livery)})
	}
	return answer{frames: frames, notices: said, executed: result.Queries}, nil
}

// raceClock tells whose elapsed time a frame shows, and where the heats lie in it. A frame of one race has no label that names it.
type raceClock struct {
	ID     string       `json:"id"`
	Name   string       `json:"name"`
	Status race.Status  `json:"status"`
	Took   *float64     `json:"took"`  // s; null before its end
	Heats  [][2]float64 `json:"heats"` // start and end of each, in seconds
}

// raceClocks are those of a frame, and which app wears what: who draws apps in forms of their own needs more than the colours of the fields.
type raceClocks struct {
	Races    []raceClock `json:"races"`
	Apps     []string    `json:"apps"` // in the order of the lanes
	Baseline string      `json:"baseline"`
}

func clocks(races []compare.RaceInfo, from []listed, livery scoreboard.Livery) raceClocks {
	told := raceClocks{Races: make([]raceClock, len(races)), Apps: livery.Apps, Baseline: livery.Baseline}
	for i, r := range races {
		c := raceClock{ID: r.ID, Heats: [][2]float64{}}
		if at := slices.IndexFunc(from, func(l listed) bool { return l.id == r.ID }); at >= 0 {
			c.Name, c.Status, c.Took = from[at].name, from[at].status, took(from[at].start, from[at].end)
		}
		for _, h := range r.Heats {
			c.Heats = append(c.Heats, [2]float64{h.Start.Sub(r.Start).Seconds(), h.End.Sub(r.Start).Seconds()})
		}
		told.Races[i] = c
	}
	return told
}

func clock(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// fit sets the request's time and step, and holds the answer within the guard rails.
func (q query) fit(req *compare.Request, said *notices) error {
	columns, length := 0, time.Duration(0)
	for _, r := range req.Races {
		apps := r.Apps
		if len(q.Apps) > 0 {
			apps = q.Apps
		}
		n := len(apps) * len(q.measures)
		if q.each() {
			n *= max(len(r.Heats), 1)
		}
		columns += n
		length = max(length, r.End.Sub(r.Start))
	}
	if columns > maxSeries {
		return race.Errorf(race.Invalid, "choose fewer apps, measures or races, or merge the heats",
			"%d series are more than the %d that one query shows", columns, maxSeries)
	}
	if q.elapsed() {
		if q.MaxPoints > 0 {
			req.Step = length / time.Duration(q.MaxPoints)
		}
	} else {
		req.Start, req.End, req.Step = q.From, q.To, q.Interval
		length = min(q.To.Sub(q.From), spanned(req.Races))
	}
	// Divided first: 30 days times 3,559 columns are more nanoseconds than there are numbers.
	if least := length / time.Duration(maxValues/max(columns, 1)); least > max(req.Step, time.Second) {
		req.Step = least
		said.add("the step was raised to %s, so that the answer holds at most %d values", least.Truncate(time.Second), maxValues)
	}
	if !q.elapsed() {
		req.Step = (req.Step + time.Millisecond - 1).Truncate(time.Millisecond)
	} else if req.Step > time.Second {
		req.Step = (req.Step + time.Second - 1).Truncate(time.Second)
	}
	return nil
}

// spanned is from the first start to the last end.
func spanned(races []compare.RaceInfo) time.Duration {
	start, end := races[0].Start, races[0].End
	for _, r := range races {
		if r.Start.Before(start) {
			start = r.Start
		}
		if r.End.After(end) {
			end = r.End
		}
	}
	return end.Sub(start)
}

// several says whether more than one measure was asked for, whatever is known of them yet: an answer keeps its type while a race goes on.
func (q query) several() bool { return len(q.Measures) != 1 }

// noSeries is the answer without any data.
func (q query) noSeries() *data.Frame {
	switch {
	case q.elapsed():
		return data.NewFrame("", data.NewField("elapsed", nil, []float64{}))
	case q.several():
		return typed(data.FrameTypeTimeSeriesMulti)
	default:
		return typed(data.FrameTypeTimeSeriesWide)
	}
}

// series makes the frames of a result.
func (q query) series(result compare.Result, names naming) data.Frames {
	if q.elapsed() {
		axis := data.NewField("elapsed", nil, result.Elapsed)
		axis.Config = &data.FieldConfig{Unit: "s", DisplayNameFromDS: "elapsed"}
		return data.Frames{wide(data.NewFrame("", axis), result.Series, names)}
	}
	if len(result.Series) == 0 {
		return data.Frames{q.noSeries()}
	}
	if !names.measures {
		f := typed(data.FrameTypeTimeSeriesWide)
		f.Fields = append(f.Fields, data.NewField("time", nil, result.Times))
		return data.Frames{wide(f, result.Series, names)}
	}
	var frames data.Frames
	times := data.NewField("time", nil, result.Times)
	traced := map[string]string{}
	for _, s := range result.Series {
		f := typed(data.FrameTypeTimeSeriesMulti)
		f.Fields = append(f.Fields, times)
		if _, ok := traced[s.Measure.ID]; !ok {
			traced[s.Measure.ID] = executed(result.Queries, s.Measure.ID)
		}
		f.Meta.ExecutedQueryString = traced[s.Measure.ID]
		frames = append(frames, wide(f, []compare.Series{s}, names))
	}
	return frames
}

func wide(f *data.Frame, series []compare.Series, names naming) *data.Frame {
	for _, s := range series {
		f.Fields = append(f.Fields, names.field(s))
	}
	return f
}

// naming says what tells the series of an answer apart, besides the app, and what the apps wear.
type naming struct {
	measures, races, heats bool
	livery                 scoreboard.Livery
}

func (n naming) field(s compare.Series) *data.Field {
	labels := data.Labels{"app": s.App, "measure": s.Measure.ID}
	words := []string{s.App}
	if n.measures {
		words = append(words, s.Measure.Name)
	}
	if n.races {
		labels["race"] = s.Race
		words = append(words, s.Race)
	}
	if n.heats && s.Heat != "" { // a race without a heat tag is one heat that has no name
		labels["heat"] = s.Heat
		words = append(words, "heat "+s.Heat)
	}
	f := data.NewField(s.Measure.ID, labels, nullable(s.Values))
	decimals := uint16(s.Measure.Decimals)
	f.Config = &data.FieldConfig{
		DisplayNameFromDS: strings.Join(words, ", "),
		Unit:              string(s.Measure.Unit), Decimals: &decimals, Description: s.Measure.Sentence,
	}
	dye(f.Config, n.livery.Colour(s.App).Hex())
	return f
}

// nullable turns gaps into nulls. The numbers stay where they are: pointers into one column cost less than a number each.
func nullable(column []float64) []*float64 {
	values := make([]*float64, len(column))
	for i := range column {
		if v := &column[i]; !math.IsNaN(*v) {
			values[i] = v
		}
	}
	return values
}
