package report

import (
	"math"
	"slices"

	"github.com/photofinish/photofinish/pkg/measure"
	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/pkg/scoreboard"
)

const (
	maxPoints   = 2000  // of a line: more than a screen has columns
	totalPoints = 30000 // of all lines together, so that a long race of many apps still makes a page under 1 MB
)

// payload is what report.js reads.
type payload struct {
	Apps  []payloadApp  `json:"apps"`
	Heats []payloadHeat `json:"heats"`
	Plots []plot        `json:"plots"`
	// missing are the titles of plots without a value.
	missing []string
}

type payloadApp struct {
	Name     string `json:"name"`
	Colour   string `json:"colour"`
	Dash     []int  `json:"dash"`
	Baseline bool   `json:"baseline"`
}

// payloadHeat is the measured part of a heat, in seconds since that of heat 1 began.
type payloadHeat struct {
	Number int     `json:"n"`
	From   float64 `json:"from"`
	To     float64 `json:"to"`
}

// plot is one picture over time. Several measures in it (the percentiles of latency) are shown one at a time.
type plot struct {
	Title string     `json:"title"`
	Unit  string     `json:"unit"`
	Tabs  []plotLine `json:"tabs"`
}

// plotLine is one measure of all apps: T[i] and V[i] are the times and values of the i-th app of the payload, null for a gap.
type plotLine struct {
	Name string       `json:"name"`
	Help string       `json:"help"`
	T    [][]float64  `json:"t"`
	V    [][]*float64 `json:"v"`
}

func newPayload(d Data) (p payload, thinned bool) {
	livery := scoreboard.LiveryOf(d.Race)
	for _, app := range livery.Apps {
		p.Apps = append(p.Apps, payloadApp{Name: app, Colour: livery.Colour(app).Hex(), Dash: livery.Dash(app), Baseline: app == d.Race.Baseline})
	}
	p.Heats = heatSpans(d.Race)
	d.Series = untilExit(d.Race, inTurn(d.Race, d.Series))
	limit := maxPoints
	lines := map[[2]string]bool{}
	for _, s := range d.Series {
		lines[[2]string{s.App, s.Measure}] = true
	}
	if len(lines) > 0 {
		limit = min(maxPoints, totalPoints/len(lines))
	}
	latency := plot{Title: "Latency", Unit: string(measure.Milliseconds)}
	var others []plot
	for _, id := range plotted(d.Series, d.Race.CustomMeasures) {
		c := scoreboard.ColumnOf(id, d.Race.CustomMeasures...)
		line := plotLine{Name: c.Title, Help: c.Sentence}
		some := false
		for _, app := range livery.Apps {
			t, v := joinHeats(d.Series, app, id)
			if len(t) > limit {
				t, v = thin(t, v, limit)
				thinned = true
			}
			some = some || slices.ContainsFunc(v, func(v *float64) bool { return v != nil })
			line.T, line.V = append(line.T, t), append(line.V, v)
		}
		switch {
		case !some:
			p.missing = append(p.missing, c.Name)
		case c.Unit == measure.Milliseconds && c.Source == measure.Client:
			latency.Tabs = append(latency.Tabs, line)
		default:
			others = append(others, plot{Title: c.Name, Unit: unitOf(c, d.Series), Tabs: []plotLine{line}})
		}
	}
	if len(latency.Tabs) > 0 {
		p.Plots = append(p.Plots, latency)
	}
	p.Plots = append(p.Plots, others...)
	return p, thinned
}

// plotted lists the measures that have series: what is looked at most comes first, the rest in the order of the contract, strangers last.
func plotted(series []PlotSeries, own []race.CustomMeasure) []string {
	first := []string{"latency_p95", "latency_p50", "latency_p99", "request_rate", "cpu_cores", "memory_working_set", "cpu_ms_per_request", "error_rate"}
	var out []string
	var given []string
	for _, s := range series {
		given = append(given, s.Measure)
	}
	for _, id := range slices.Concat(first, measure.Of(own...).IDs(), given) {
		if slices.Contains(given, id) && !slices.Contains(out, id) {
			out = append(out, id)
		}
	}
	return out
}

// unitOf is the measure's unit, or the one that came with the series of a measure that the catalogue does not have.
func unitOf(c scoreboard.Column, series []PlotSeries) string {
	if c.Sentence == "" {
		for _, s := range series {
			if s.Measure == c.ID {
				return s.Unit
			}
		}
	}
	return string(c.Unit)
}

func heatSpans(r race.Race) []payloadHeat {
	out := []payloadHeat{}
	if len(r.Heats) == 0 || r.Heats[0].StartedAt == nil {
		return out
	}
	zero := *r.Heats[0].StartedAt
	for _, h := range r.Heats {
		if h.StartedAt != nil && h.FinishedAt != nil {
			out = append(out, payloadHeat{h.Number, h.StartedAt.Sub(zero).Seconds(), h.FinishedAt.Sub(zero).Seconds()})
		}
	}
	return out
}

// joinHeats puts the heats of one app and measure behind each other, with a gap between: nothing was measured there.
func joinHeats(series []PlotSeries, app, id string) (t []float64, v []*float64) {
	t, v = []float64{}, []*float64{}
	var heats []PlotSeries
	for _, s := range series {
		if s.App == app && s.Measure == id && len(s.T) == len(s.V) && len(s.T) > 0 {
			heats = append(heats, s)
		}
	}
	slices.SortStableFunc(heats, func(a, b PlotSeries) int { return a.Heat - b.Heat })
	for _, h := range heats {
		if n := len(t); n > 0 {
			if h.T[0] <= t[n-1] {
				continue // a line that runs backwards cannot be drawn
			}
			t, v = append(t, (t[n-1]+h.T[0])/2), append(v, nil)
		}
		for i := range h.T {
			t, v = append(t, round(h.T[i])), append(v, roundPointer(h.V[i]))
		}
	}
	return t, v
}

// thin keeps of each stretch its lowest and its highest value, in their order, so that peaks survive; gaps stay gaps.
func thin(t []float64, v []*float64, limit int) ([]float64, []*float64) {
	stretch := (2*len(t) + limit - 1) / limit
	var outT []float64
	var outV []*float64
	for from := 0; from < len(t); from += stretch {
		low, high, gap := -1, -1, -1
		for i := from; i < min(from+stretch, len(t)); i++ {
			switch {
			case v[i] == nil:
				gap = i
				continue
			case low < 0:
				low, high = i, i
			}
			if *v[i] < *v[low] {
				low = i
			}
			if *v[i] > *v[high] {
				high = i
			}
		}
		keep := []int{low, high, gap}
		slices.Sort(keep)
		for _, i := range slices.Compact(keep) {
			if i >= 0 {
				outT, outV = append(outT, t[i]), append(outV, v[i])
			}
		}
	}
	return outT, outV
}

// round keeps milliseconds of a time.
func round(s float64) float64 { return math.Round(s*1000) / 1000 }

// roundPointer keeps four significant digits: more cannot be seen, and they fill the page.
func roundPointer(v *float64) *float64 {
	if v == nil || math.IsNaN(*v) || math.IsInf(*v, 0) {
		return nil
	}
	if *v == 0 {
		return v
	}
	digits := math.Pow(10, 3-math.Floor(math.Log10(math.Abs(*v))))
	x := math.Round(*v*digits) / digits
	return &x
}
