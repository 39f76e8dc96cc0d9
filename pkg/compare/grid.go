package compare

import (
	"math"
	"slices"
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

func (g grid) length() time.Duration { return time.Duration(g.step) * time.Millisecond }

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

// early is the grid with more points before it.
func (g grid) early(more int64) grid {
	return grid{start: g.start - more*g.step, step: g.step, n: g.n + int(more)}
}

func (g grid) query(expr string) promql.Query {
	return promql.Query{
		Expr: expr, Start: time.UnixMilli(g.start), End: time.UnixMilli(g.at(max(g.n-1, 0))), Step: time.Duration(g.step) * time.Millisecond,
	}
}

// fold is the finer grid on which samples are looked for, where steps are so long that a heat begins and ends within a few of them: by is how many of its
// points make up one of a number of long steps, and before how many points of the first of them it leaves out. The zero value folds nothing.
type fold struct {
	grid
	by, before, steps int
}

// finely is the grid itself, or where its steps are longer than is good for a source a finer one over a stretch of time. good is in milliseconds.
func (g grid) finely(within span, good int64) fold {
	by := (g.step + good - 1) / good
	for by > 1 && g.step%by != 0 {
		by-- // all of its steps are as long
	}
	if by <= 1 {
		return fold{grid: g}
	}
	step, begin, all := g.step/by, g.start-g.step, int64(g.n)*by
	first := min(max((within.from-begin)/step-1, 0), all)
	last := min(max((within.to-begin)/step+2, first), all)
	return fold{grid: grid{start: begin + (first+1)*step, step: step, n: int(last - first)}, by: int(by), before: int(first), steps: g.n}
}

// sums adds up what is known of each long step.
func (f fold) sums(column []float64) []float64 {
	return f.each(column, func(part []float64) float64 {
		if total, ok := sum(part); ok {
			return total
		}
		return math.NaN()
	})
}

// means are those of what is known of each long step.
func (f fold) means(column []float64) []float64 {
	return f.each(column, func(part []float64) float64 {
		there := slices.DeleteFunc(slices.Clone(part), func(v float64) bool { return !known(v) })
		total, _ := sum(there)
		return total / float64(len(there))
	})
}

// weighted are the means of what is known of each long step, by weights.
func (f fold) weighted(column, weights []float64) []float64 {
	if f.by == 0 {
		return column
	}
	product := zip(column, weights, func(v, w float64) float64 { return v * w })
	return over(f.sums(product), f.sums(where(weights, column)))
}

// lasts are the last that is known of each long step.
func (f fold) lasts(column []float64) []float64 {
	return f.each(column, func(part []float64) float64 {
		for _, v := range slices.Backward(part) {
			if known(v) {
				return v
			}
		}
		return math.NaN()
	})
}

// each makes one value of the points of each long step.
func (f fold) each(column []float64, join func(part []float64) float64) []float64 {
	if f.by == 0 || column == nil {
		return column
	}
	out := gaps(f.steps)
	for from, to := 0, 0; from < len(column); from = to {
		i := (f.before + from) / f.by
		to = min((i+1)*f.by-f.before, len(column))
		out[i] = join(column[from:to])
	}
	return out
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
