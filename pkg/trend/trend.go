// Package trend finds the places in a history of numbers at which they changed for good: what many races of one name show together, and no single one.
//
// The method is E-divisive (Matteson and James, A nonparametric approach for multiple change point analysis of multivariate data, J. Am. Stat. Assoc. 109,
// 2014) as Hunter and Apache Otava use it (Fleming et al., Hunter: using change point detection to hunt for performance regressions, ICPE 2023): the
// point that parts a stretch into the two most dissimilar halves is kept while a t test finds them different, stretch by stretch and in
// windows that slide over the history; then the weakest points are taken out again until all that are left are strong. When one is taken out, Otava
// compares the two points behind it anew; here all are, since the stretch before it grew too. But for that the results are Otava's.
package trend

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

// Options of a search. The zero value is Otava's default.
type Options struct {
	// Window is how many values are looked at together, 50 if 0: an old change must not hide a new one.
	Window int
	// MaxP is the largest p value of a change, 0.001 if 0.
	MaxP float64
	// MinMagnitude is the least relative change of the mean that counts, such as 0.02 for 2%.
	MinMagnitude float64
}

// Change is a place at which the numbers changed.
type Change struct {
	// Index is that of the first value after the change.
	Index int `json:"index"`
	// P is the probability of so large a difference of the means without any change.
	P float64 `json:"p"`
	// Before and After are the stretches up to the change before, and up to the one after.
	Before Stretch `json:"before"`
	After  Stretch `json:"after"`
}

// Stretch is a part of the history in which nothing changed.
type Stretch struct {
	N    int     `json:"n"`
	Mean float64 `json:"mean"`
	SD   float64 `json:"sd"`
}

// Ratio is the mean after by the mean before.
func (c Change) Ratio() float64 { return c.After.Mean / c.Before.Mean }

// magnitude is the larger of the relative changes forwards and backwards; 0 where there is nothing to divide by.
func (c Change) magnitude() float64 {
	relative := func(to, from float64) float64 {
		if from == 0 {
			return 0
		}
		return math.Abs(to/from - 1)
	}
	return max(relative(c.After.Mean, c.Before.Mean), relative(c.Before.Mean, c.After.Mean))
}

// Changes finds the changes of a series, in order of time. The values must be finite: leave missing ones out.
func Changes(series []float64, o Options) []Change {
	if o.Window == 0 {
		o.Window = 50
	}
	if o.MaxP == 0 {
		o.MaxP = 0.001
	}
	return strongest(series, describe(series, weak(series, max(o.Window, 2), loose(o.MaxP))), o)
}

// loose is the p value that suffices at first: a point that looks weak between others may turn out strong once they are gone.
func loose(p float64) float64 {
	switch {
	case p < 0.05:
		return 10 * p
	case p < 0.5:
		return 2 * p
	}
	return p
}

// weak are the candidates of windows that slide by half their width, or to the last candidate if that is farther.
func weak(series []float64, window int, maxP float64) (points []int) {
	for start := 0; start < len(series); {
		end := min(start+window, len(series))
		last := 0
		for _, p := range divide(series[start:end], maxP) {
			last = start + p
			if !slices.Contains(points, last) {
				points = append(points, last)
			}
		}
		start = max(last, start+window/2)
	}
	slices.Sort(points)
	return points
}

// divide parts a window at its best candidate, as long as the halves differ.
func divide(window []float64, maxP float64) (points []int) {
	for {
		var best candidate
		for i, from := range append([]int{0}, points...) {
			to := len(window)
			if i < len(points) {
				to = points[i]
			}
			if c, ok := candidateIn(window, from, to); ok && (!best.found() || c.dissimilarity > best.dissimilarity) {
				best = c
			}
		}
		if !best.found() {
			return points
		}
		if compare(window[best.from:best.at], window[best.at:best.to]).P > maxP {
			return points
		}
		points = append(points, best.at)
		slices.Sort(points)
	}
}

// candidate is the place that parts window[from:to] best.
type candidate struct {
	from, at, to  int
	dissimilarity float64
}

func (c candidate) found() bool { return c.to > 0 }

// candidateIn tries every pair of neighbouring stretches window[from:at] and window[at:until], and takes the one with the highest energy statistic
//
//	2/(n+m)·Σ|x-y| - 2m/((n+m)(n-1))·Σ|x-x'| - 2n/((n+m)(m-1))·Σ|y-y'|
//
// The sums grow by one row of distances at a time.
func candidateIn(window []float64, from, to int) (best candidate, ok bool) {
	within := 0.0 // of the values before at
	for at := from + 1; at < to; at++ {
		for i := from; i < at-1; i++ {
			within += math.Abs(window[at-1] - window[i])
		}
		n := float64(at - from)
		between, after := 0.0, 0.0
		for until := at + 1; until <= to; until++ {
			newest := window[until-1]
			for i := from; i < at; i++ {
				between += math.Abs(newest - window[i])
			}
			for i := at; i < until-1; i++ {
				after += math.Abs(newest - window[i])
			}
			m := float64(until - at)
			q := 2 / (n + m) * between
			if n > 1 {
				q -= 2 * m / (n + m) / (n - 1) * within
			}
			if m > 1 {
				q -= 2 * n / (n + m) / (m - 1) * after
			}
			if !ok || q > best.dissimilarity {
				best, ok = candidate{from, at, to, q}, true
			}
		}
	}
	return best, ok
}

// describe compares the stretches beside each point.
func describe(series []float64, points []int) []Change {
	changes := make([]Change, len(points))
	for i, at := range points {
		from, to := 0, len(series)
		if i > 0 {
			from = points[i-1]
		}
		if i+1 < len(points) {
			to = points[i+1]
		}
		changes[i] = compare(series[from:at], series[at:to])
		changes[i].Index = at
	}
	return changes
}

// strongest takes out the weakest change, and compares its neighbours anew, until all are strong.
func strongest(series []float64, changes []Change, o Options) []Change {
	for len(changes) > 0 {
		out := 0
		for i, c := range changes {
			if c.P > changes[out].P {
				out = i
			}
		}
		if changes[out].P < o.MaxP {
			for i, c := range changes {
				if c.magnitude() < changes[out].magnitude() {
					out = i
				}
			}
			if changes[out].magnitude() > o.MinMagnitude {
				return changes
			}
		}
		points := make([]int, 0, len(changes)-1)
		for i, c := range changes {
			if i != out {
				points = append(points, c.Index)
			}
		}
		changes = describe(series, points)
	}
	return nil
}

// compare is Student's t test of two stretches with one spread (Hunter's, with the deviations of the population).
func compare(before, after []float64) Change {
	c := Change{P: 1, Before: stretch(before), After: stretch(after)}
	n, m := float64(len(before)), float64(len(after))
	free := n + m - 2
	if free <= 0 {
		return c
	}
	spread := ((n-1)*c.Before.SD*c.Before.SD + (m-1)*c.After.SD*c.After.SD) / free
	distance := math.Abs(c.Before.Mean - c.After.Mean)
	switch t := distance / math.Sqrt(spread*(1/n+1/m)); {
	case distance == 0:
	case math.IsInf(t, 0):
		c.P = 0
	default:
		c.P = 2 * distuv.StudentsT{Mu: 0, Sigma: 1, Nu: free}.Survival(t)
	}
	return c
}

func stretch(values []float64) Stretch {
	mean, sd := stat.PopMeanStdDev(values, nil)
	if len(values) < 2 {
		sd = 0
	}
	return Stretch{N: len(values), Mean: mean, SD: sd}
}
