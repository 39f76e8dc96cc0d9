package report

import (
	"fmt"
	"math"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/pkg/scoreboard"
)

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

func latencyText(v *float64) string { return scoreboard.ColumnOf("latency_p95").Value(v) }
