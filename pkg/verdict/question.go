package verdict

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/stat"
)

// question is one app and measure against the baseline, or against itself in an earlier race, on the additive scale (log-ratio or difference).
type question struct {
	app     string
	measure MeasureSpec
	d       []float64 // one per paired heat
	then    []float64 // the same of the earlier race; only used where there is one
	versus  string    // what app is compared with, for warnings
	twice   bool      // there is an earlier race
	mean    float64   // of d, less that of then
	sd      float64   // of d, 0 below two heats
	root    float64   // sd / root is the standard error of mean
	df      int       // its degrees of freedom
	delta   float64   // the minimum effect on the additive scale
	base    float64   // mean of what is compared with, in the measure's unit; only used by differences
	alpha   float64   // level of the decision interval, set by levels
	// bothZero: both were zero in every heat, so they are the same though there is no ratio.
	bothZero bool
	warnings []string
}

// n is how many heats the answer rests on: of two races the fewer.
func (q question) n() int {
	if q.twice {
		return min(len(q.d), len(q.then))
	}
	return len(q.d)
}

// ask pairs the heats. ok is false where there is nothing to ask: no value of the app and none of what it is compared with.
func ask(in Input, app string, m MeasureSpec) (q question, ok bool) {
	q = question{app: app, measure: m, alpha: 1 - Confidence, warnings: []string{}, delta: m.MinimumEffect, versus: "baseline", twice: in.Earlier != nil}
	if !m.Difference {
		q.delta = math.Log1p(m.MinimumEffect)
	}
	alone := q.twice && in.Baseline == "" // no lane ran in both races
	now := pair(in.Heats, app, in.Baseline, m, alone)
	ok = now.seen
	now.warn(&q, len(in.Heats), "")
	q.d, q.base = now.d, now.base
	if q.twice {
		q.versus = "earlier race"
		then := pair(in.Earlier, app, in.Baseline, m, alone)
		ok = ok || then.seen
		then.warn(&q, len(in.Earlier), "in the earlier race ")
		q.then, q.base = then.d, then.own
		q.bothZero = now.zero && then.zero
	} else {
		q.bothZero = now.zero
	}
	if q.bothZero {
		q.warn("both are zero in every heat: there is no ratio")
	}
	q.summarise()
	return q, ok
}

// pairs are the values of an app's heats on the additive scale, each paired with the baseline's of the same heat.
type pairs struct {
	d                          []float64
	base, own                  float64 // means of the baseline's and the app's values, over the heats in d
	unpaired, zeros, undefined int
	seen                       bool // there was a value of either
	zero                       bool // both were zero in every heat; d holds a 0 for each
}

// pair takes the values of heats apart. alone pairs them with nothing.
func pair(heats []Heat, app, baseline string, m MeasureSpec, alone bool) (p pairs) {
	neutral := 1.0
	if m.Difference {
		neutral = 0
	}
	for _, h := range heats {
		a, b := h.value(app, m.ID), h.value(baseline, m.ID)
		p.seen = p.seen || a != nil || b != nil
		if alone {
			b = &neutral
		}
		switch {
		case a == nil || b == nil:
			p.unpaired++
		case m.Difference:
			p.d = append(p.d, *a-*b)
			p.base, p.own = p.base+*b, p.own+*a
		case *a == 0 && (*b == 0 || alone):
			p.zeros++
		case *a <= 0 || *b <= 0:
			p.undefined++
		default:
			p.d = append(p.d, math.Log(*a / *b))
		}
	}
	if n := float64(len(p.d)); n > 0 {
		p.base, p.own = p.base/n, p.own/n
	}
	if p.zeros > 0 && len(p.d) == 0 && p.undefined == 0 {
		p.d, p.zero = make([]float64, p.zeros), true
	}
	return p
}

// warn tells which of so many heats do not count; where is put before it.
func (p pairs) warn(q *question, heats int, where string) {
	if p.unpaired > 0 {
		q.warn("%spaired in %d of %d heats: the others lack a value of the app or the baseline", where, heats-p.unpaired, heats)
	}
	if lost := p.zeros + p.undefined; lost > 0 && !p.zero {
		q.warn("%sleft out %d heats in which a value is zero or negative: there is no ratio", where, lost)
	}
}

func (q *question) warn(format string, args ...any) {
	q.warnings = append(q.warnings, fmt.Sprintf(format, args...))
}

// summarise computes mean and spread, and tells a difference in words because the record has only ratios.
//
// Two races have independent heats: the variances of their means add up (Welch 1947). The degrees of freedom are those of the shorter race, fewer than
// Welch's own estimate of them, which makes the interval no narrower than it ought to be whatever the two variances are (Mickey and Brown 1966).
func (q *question) summarise() {
	n := q.n()
	if n == 0 {
		return
	}
	q.mean, q.sd = moments(q.d)
	q.root, q.df = math.Sqrt(float64(len(q.d))), n-1
	if q.twice {
		before, sd := moments(q.then)
		q.mean, q.sd, q.root = q.mean-before, math.Hypot(q.sd/q.root, sd/math.Sqrt(float64(len(q.then)))), 1
	}
	if q.measure.Difference && q.mean != 0 {
		q.warn("judged by the difference to the %s: %+.4g (%s %.4g, margin %.4g)", q.versus, q.mean, q.versus, q.base, q.measure.MinimumEffect)
	}
}

// moments are mean and standard deviation, 0 of one value.
func moments(x []float64) (mean, sd float64) {
	if len(x) == 1 {
		return x[0], 0
	}
	return stat.MeanStdDev(x, nil)
}

// interval is the t interval of confidence 1-alpha; it needs two heats.
func (q question) interval(alpha float64, quantile quantiles) (low, high float64) {
	half := quantile(q.df, alpha) * q.sd / q.root
	return q.mean - half, q.mean + half
}

// ratio turns a point of the additive scale into app / baseline; nil where there is none, or none that a number can hold. A difference is told in units of
// the baseline's mean, unless that mean is itself below the margin: a ratio to next to nothing says nothing.
func (q question) ratio(x float64) *float64 {
	if q.n() == 0 || q.bothZero {
		return nil
	}
	if !q.measure.Difference {
		if r := math.Exp(x); finite(r) {
			return &r
		}
		return nil
	}
	if q.base <= 0 || q.base < q.measure.MinimumEffect {
		return nil
	}
	r := max(0, 1+x/q.base)
	return &r
}

// distance is how far the mean is from the nearest mark: the half-width at which the interval stops deciding.
func (q question) distance() float64 { return math.Abs(math.Abs(q.mean) - q.delta) }

// p is the smallest alpha at which the interval decides, 1 where none can.
func (q question) p() float64 {
	g := q.distance()
	switch {
	case q.n() < MinHeats || g == 0 && !q.settled():
		return 1
	case q.settled():
		return 0
	}
	return studentTails(q.df, g*q.root/q.sd)
}

// settled: without any spread over the heats the interval is a point.
func (q question) settled() bool { return q.sd == 0 }

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }
