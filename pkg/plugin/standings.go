package plugin

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/grafana/grafana-plugin-sdk-go/data"

	"github.com/photofinish/photofinish/pkg/compare"
	"github.com/photofinish/photofinish/pkg/measure"
	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/pkg/scoreboard"
)

// standings answers with one table: a row for each app, the best by the first measure on top.
func (d *Datasource) standings(ctx context.Context, q query) (answer, error) {
	if q.Field == fieldHistory {
		return d.history(ctx, q)
	}
	races, said, err := d.targets(ctx, q, false)
	if err != nil {
		return answer{}, err
	}
	a := answer{notices: said}
	judged, err := d.judgedAll(ctx, q, races, &a)
	if err == nil {
		err = q.know(ownOf(judged), races, &a.notices)
	}
	if err != nil || len(q.measures) == 0 {
		a.frames = data.Frames{newBoard(q, len(races) > 1).frame()}
		return a, err
	}
	board := newBoard(q, len(races) > 1)
	board.livery = liveryOf(q, races)
	for _, r := range judged {
		if err := board.add(r); err != nil {
			return answer{}, err
		}
	}
	a.frames = data.Frames{board.frame()}
	return a, nil
}

// board collects the rows of a table of standings, column by column.
type board struct {
	q       query
	several bool
	trend   bool
	races   []string
	apps    []string
	ranks   []*int64
	values  map[string][]*float64 // by measure
	diffs   map[string][]*float64
	words   map[string][]*string
	trends  map[string][]json.RawMessage
	livery  scoreboard.Livery
}

func newBoard(q query, several bool) *board {
	return &board{
		q: q, several: several, trend: q.Field == fieldTrend,
		values: map[string][]*float64{}, diffs: map[string][]*float64{}, words: map[string][]*string{}, trends: map[string][]json.RawMessage{},
	}
}

// add adds the rows of one race. Ranks are among all of its apps, also where only some are shown.
func (b *board) add(r race.Race) error {
	values := map[string]map[string]*float64{}
	for _, l := range r.Lanes {
		values[l.App] = l.Measures
	}
	rows, err := compare.Standings(values, b.q.measures, r.Baseline)
	if err != nil {
		return fmt.Errorf("race %s: %w", r.ID, err)
	}
	for _, row := range rows {
		if len(b.q.Apps) > 0 && !slices.Contains(b.q.Apps, row.App) {
			continue
		}
		b.races, b.apps = append(b.races, r.ID), append(b.apps, row.App)
		var rank *int64
		if n := int64(row.Rank); n > 0 {
			rank = &n
		}
		b.ranks = append(b.ranks, rank)
		for _, m := range b.q.measures {
			b.values[m.ID] = append(b.values[m.ID], row.Values[m.ID])
			b.diffs[m.ID] = append(b.diffs[m.ID], row.Diff[m.ID])
			b.words[m.ID] = append(b.words[m.ID], outcome(r, row.App, m.ID))
			if b.trend {
				b.trends[m.ID] = append(b.trends[m.ID], byHeat(r, row.App, m.ID))
			}
		}
	}
	return nil
}

// outcome is the verdict in a word, "baseline" for the app that the others are compared with; nil where there is none.
func outcome(r race.Race, app, id string) *string {
	word := ""
	if app == r.Baseline {
		word = "baseline"
	}
	for _, v := range r.Verdicts {
		if v.App == app && v.Measure == id {
			word = string(v.Outcome)
		}
	}
	if word == "" {
		return nil
	}
	return &word
}

// byHeat are the values of the heats, for a sparkline.
func byHeat(r race.Race, app, id string) json.RawMessage {
	heats := make([]*float64, len(r.Heats))
	for i, h := range r.Heats {
		heats[i] = h.Lanes[app].Measures[id]
	}
	list, err := json.Marshal(heats)
	if err != nil { // a record cannot hold what JSON cannot
		return json.RawMessage("[]")
	}
	return list
}

func (b *board) frame() *data.Frame {
	f := table("standings")
	if b.several {
		f.Fields = append(f.Fields, data.NewField("race", nil, b.races))
	}
	app := data.NewField("app", nil, slices.Concat([]string{}, b.apps))
	app.Config = badges(b.livery)
	f.Fields = append(f.Fields, app, data.NewField("rank", nil, slices.Concat([]*int64{}, b.ranks)))
	for _, m := range b.q.measures {
		value := data.NewField(m.ID, nil, slices.Concat([]*float64{}, b.values[m.ID]))
		value.Config = shown(m, m.Name)
		diff := data.NewField(m.ID+"_diff", nil, slices.Concat([]*float64{}, b.diffs[m.ID]))
		one := uint16(1)
		diff.Config = &data.FieldConfig{
			Unit: "percent", Decimals: &one, DisplayNameFromDS: m.Name + ", difference",
			Description: "Difference to the baseline in percent of the baseline's value; from ten times on, how many times that value it is.",
			Mappings:    manyTimes(b.diffs[m.ID]),
		}
		word := data.NewField(m.ID+"_verdict", nil, slices.Concat([]*string{}, b.words[m.ID]))
		word.Config = wordsOf(m)
		f.Fields = append(f.Fields, value, diff, word)
		if b.trend {
			trend := data.NewField(m.ID+"_trend", nil, slices.Concat([]json.RawMessage{}, b.trends[m.ID]))
			trend.Config = shown(m, m.Name+", heat by heat")
			// Tables else write the numbers out, draw curves through values that nobody measured, and fill them down to a line that is not zero.
			trend.Config.Custom = map[string]any{"cellOptions": map[string]any{"type": "sparkline", "hideValue": true, "lineInterpolation": "linear", "fillOpacity": 0}}
			dye(trend.Config, "text") // or else each column of small lines would have a colour that is somebody's
			f.Fields = append(f.Fields, trend)
		}
	}
	return f
}

// manyTimes writes the differences that are no percents any more to who reads them: the numbers stay percents. A value is found by how JavaScript writes it.
func manyTimes(percents []*float64) data.ValueMappings {
	words := data.ValueMapper{}
	for _, p := range percents {
		if p == nil || math.IsInf(*p, 0) {
			continue
		}
		if text := scoreboard.Times(*p / 100); text != "" {
			words[strconv.FormatFloat(*p, 'f', -1, 64)] = data.ValueMappingResult{Text: text, Index: len(words)}
		}
	}
	if len(words) == 0 {
		return nil
	}
	return data.ValueMappings{words}
}

// shown is how a column of a measure is to be shown.
func shown(m measure.Measure, name string) *data.FieldConfig {
	decimals := uint16(m.Decimals)
	return &data.FieldConfig{Unit: string(m.Unit), Decimals: &decimals, DisplayNameFromDS: name, Description: m.Sentence}
}
