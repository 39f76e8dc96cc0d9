package report

import (
	"fmt"
	"math"
	"strings"

	"github.com/photofinish/photofinish/pkg/scoreboard"
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
