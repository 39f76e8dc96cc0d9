package compare

import (
	"math"
	"time"

	"github.com/photofinish/photofinish/pkg/promql"
)

// maxPoints keeps one query below the 11,000 points per series that Prometheus allows.
const maxPoints = 10_000

// grid is n points, step apart, from start on (Unix milliseconds). The point at t stands for the step that ends there: (t-step, t].
type grid struct {
	start, step int64
	n           int
}

// gridOver covers (from, to] with whole steps. aligned puts the points on multiples of the step, as Grafana does; otherwise the first step begins at from.
func gridOver(from, to time.Time, step time.Duration, aligned bool) grid {
	g := grid{start: from.UnixMilli(), step: max(step.Milliseconds(), 1)}
	if aligned {
		g.start -= mod(g.start, g.step)
	}
	g.start += g.step
	if last := to.UnixMilli(); last > g.start-g.step {
		g.n = int((last - g.start + g.step + g.step - 1) / g.step)
	}
	return g
}

func mod(a, b int64) int64 { return ((a % b) + b) % b }

func (g grid) at(i int) int64 { return g.start + int64(i)*g.step }

// index is where a time of the grid stands; ok is false beside it.
func (g grid) index(at int64) (i int, ok bool) {
	i = int((at - g.start) / g.step)
	return i, at >= g.start && i < g.n && g.at(i) == at
}

// within says whether the step of point i lies in a stretch of time, at least by a part that can hold a sample.
func (g grid) within(i int, s span) bool {
	return g.at(i) > s.from && g.at(i)-g.step < s.to
}

// early is the grid with one more point before it: what a counter had reached when the grid begins.
func (g grid) early() grid {
	return grid{start: g.start - g.step, step: g.step, n: g.n + 1}
}

func (g grid) query(expr string) promql.Query {
	return promql.Query{
		Expr: expr, Start: time.UnixMilli(g.start), End: time.UnixMilli(g.at(max(g.n-1, 0))), Step: time.Duration(g.step) * time.Millisecond,
	}
}

// column spreads a series over the grid; gaps are NaN, and so is what is not finite.
func (g grid) column(points []promql.Point) []float64 {
	column := gaps(g.n)
	for _, p := range points {
		if i, ok := g.index(p.At); ok && !math.IsInf(p.Value, 0) {
			column[i] = p.Value
		}
	}
	return column
}

// gaps is a column of n gaps.
func gaps(n int) []float64 {
	column := make([]float64, n)
	for i := range column {
		column[i] = math.NaN()
	}
	return column
}

func known(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

func (h Heat) span() span { return span{h.Start.UnixMilli(), h.End.UnixMilli()} }
