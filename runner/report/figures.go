package report

import (
	"fmt"
	"math"
	"strings"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/scoreboard"
)

// ridges are the densities of the apps below each other, on one logarithmic axis.
type ridges struct {
	Rows  []ridge
	Ticks []tick
}

type ridge struct {
	App, Class string
	Path       string // of a picture 1000 wide and 100 high
	Marks      []mark
}

// mark is a percentile marked in a picture.
type mark struct{ Name, Class, At, Value string }

func newRidges(d Data, class func(string) string) ridges {
	low, high := math.Inf(1), math.Inf(-1)
	for _, x := range d.Distributions {
		for _, p := range visible(x.Density) {
			low, high = min(low, p.MS), max(high, p.MS)
		}
	}
	var out ridges
	if !(low > 0 && high > low) {
		return out
	}
	axis := scale{from: low / 1.15, to: high * 1.15, log: true}
	out.Ticks = axis.logTicks(shortMS)
	for _, lane := range d.Race.Lanes {
		for _, x := range d.Distributions {
			if x.App != lane.App || len(x.Density) == 0 {
				continue
			}
			row := ridge{App: x.App, Class: class(x.App), Path: densityPath(x.Density, axis)}
			for _, m := range []struct{ name, measure string }{{"p50", "latency_p50"}, {"p95", "latency_p95"}, {"p99", "latency_p99"}} {
				if v := lane.Measures[m.measure]; v != nil {
					row.Marks = append(row.Marks, mark{Name: m.name, Class: "mark " + m.name, At: percent(axis.at(*v)), Value: scoreboard.Milliseconds(*v)})
				}
			}
			out.Rows = append(out.Rows, row)
		}
	}
	return out
}

// visible leaves out the far ends, where a single slow request would stretch the axis for all.
func visible(ds []Density) []Density {
	peak := highest(ds)
	from, to := 0, len(ds)
	for from < to && ds[from].Density < peak*.001 {
		from++
	}
	for to > from && ds[to-1].Density < peak*.001 {
		to--
	}
	return ds[from:to]
}

func highest(ds []Density) float64 {
	peak := 0.0
	for _, d := range ds {
		peak = max(peak, d.Density)
	}
	return peak
}

// densityPath is a closed curve over the axis, its peak near the top.
func densityPath(ds []Density, axis scale) string {
	peak := highest(ds)
	if peak <= 0 {
		return ""
	}
	ds = visible(ds)
	if len(ds) == 0 {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, "M%s 100", decimal(10*axis.at(ds[0].MS)))
	for _, d := range ds {
		fmt.Fprintf(&b, "L%s %s", decimal(10*axis.at(d.MS)), decimal(100-92*d.Density/peak))
	}
	fmt.Fprintf(&b, "L%s 100Z", decimal(10*axis.at(ds[len(ds)-1].MS)))
	return b.String()
}

// shortMS labels a tick: "0.5", "100", "2 s".
func shortMS(ms float64) string {
	if ms >= 1000 {
		return decimal(ms/1000) + " s"
	}
	if ms < .01 {
		return decimal(ms*1000) + " µs"
	}
	return decimal(ms) + " ms"
}

// ratios are the apps' latencies over the baseline's, percentile by percentile.
type ratios struct {
	Curves []ratioCurve
	X, Y   []tick
	One    string // where equal is
}

type ratioCurve struct {
	App, Class string
	Path       string // of a picture 1000 by 1000
	Whiskers   []whisker
}

// whisker is a verdict's ratio and plain interval at one percentile.
type whisker struct{ X, Low, High, At, Title string }

func newRatios(d Data, class func(string) string) ratios {
	base := curveOf(d, d.Race.Baseline)
	low, high := 1/1.2, 1.2
	type pair struct{ percentile, ratio float64 }
	curves := map[string][]pair{}
	for _, x := range d.Distributions {
		for _, p := range x.Curve {
			if b := base[p.Percentile]; x.App != d.Race.Baseline && b > 0 && p.MS > 0 {
				curves[x.App] = append(curves[x.App], pair{p.Percentile, p.MS / b})
				low, high = min(low, p.MS/b), max(high, p.MS/b)
			}
		}
	}
	if len(curves) == 0 {
		return ratios{}
	}
	x, y := scale{from: logit(1), to: logit(99.9)}, scale{from: low / 1.1, to: high * 1.1, log: true}
	out := ratios{One: percent(100 - y.at(1))}
	for _, p := range []float64{1, 10, 50, 90, 95, 99, 99.9} {
		out.X = append(out.X, tick{At: percent(x.at(logit(p))), Label: "p" + decimal(p), Minor: p == 10 || p == 95, Edge: map[float64]string{1: "first", 99.9: "last"}[p]})
	}
	out.Y = y.logTicks(func(v float64) string { return "×" + decimal(v) })
	for i := range out.Y { // the axis points down in SVG
		out.Y[i].At = percent(100 - y.at(yValue(out.Y[i].Label)))
	}
	for _, lane := range d.Race.Lanes {
		pairs := curves[lane.App]
		if len(pairs) == 0 {
			continue
		}
		c := ratioCurve{App: lane.App, Class: class(lane.App)}
		var b strings.Builder
		for i, p := range pairs {
			b.WriteString(map[bool]string{true: "M", false: "L"}[i == 0])
			fmt.Fprintf(&b, "%s %s", decimal(10*x.at(logit(p.percentile))), decimal(1000-10*y.at(p.ratio)))
		}
		c.Path = b.String()
		for _, v := range d.Race.Verdicts {
			p, ok := map[string]float64{"latency_p50": 50, "latency_p90": 90, "latency_p95": 95, "latency_p99": 99}[v.Measure]
			if !ok || v.App != lane.App || v.Low == nil || v.High == nil || v.Ratio == nil {
				continue
			}
			c.Whiskers = append(c.Whiskers, whisker{
				X: percent(x.at(logit(p))), Low: percent(100 - y.at(*v.Low)), High: percent(100 - y.at(*v.High)), At: percent(100 - y.at(*v.Ratio)),
				Title: fmt.Sprintf("%s p%s %s", v.App, decimal(p), ratioText(v)),
			})
		}
		out.Curves = append(out.Curves, c)
	}
	return out
}

func yValue(label string) float64 {
	var v float64
	if _, err := fmt.Sscanf(label, "×%g", &v); err != nil {
		return 1
	}
	return v
}

func logit(p float64) float64 { return math.Log(p / (100 - p)) }

func curveOf(d Data, app string) map[float64]float64 {
	out := map[float64]float64{}
	for _, x := range d.Distributions {
		if x.App == app {
			for _, p := range x.Curve {
				out[p.Percentile] = p.MS
			}
		}
	}
	return out
}

// heatPlot is one app's p95 in each heat, on an axis of its own: between the apps the differences are much larger than between heats.
type heatPlot struct {
	App, Class string
	Dots       []dot
	Y          []tick
}

type dot struct{ X, Y, Title string }

func newHeatPlots(r race.Race, class func(string) string) []heatPlot {
	var out []heatPlot
	for _, lane := range r.Lanes {
		p := heatPlot{App: lane.App, Class: class(lane.App)}
		low, high := math.Inf(1), math.Inf(-1)
		for _, h := range r.Heats {
			if v := h.Lanes[lane.App].Measures["latency_p95"]; v != nil {
				low, high = min(low, *v), max(high, *v)
			}
		}
		if math.IsInf(low, 0) {
			continue
		}
		// At least 10% to either side, so that mere noise does not look like much.
		middle := (low + high) / 2
		y := scale{from: min(low*.98, middle*.9), to: max(high*1.02, middle*1.1)}
		x := scale{from: 0, to: float64(len(r.Heats) + 1)}
		for i, h := range r.Heats {
			if v := h.Lanes[lane.App].Measures["latency_p95"]; v != nil {
				p.Dots = append(p.Dots, dot{
					X: percent(x.at(float64(i + 1))), Y: percent(100 - y.at(*v)),
					Title: fmt.Sprintf("heat %d: %s", h.Number, scoreboard.Milliseconds(*v)),
				})
			}
		}
		for _, v := range []float64{y.from, middle, y.to} {
			p.Y = append(p.Y, tick{At: percent(100 - y.at(v)), Label: scoreboard.Milliseconds(v)})
		}
		out = append(out, p)
	}
	return out
}
