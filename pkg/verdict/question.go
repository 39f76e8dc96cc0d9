package verdict

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/stat"
)

// question is one app and measure against the baseline, on the additive scale (log-ratio or difference).
type question struct {
	app     string
	measure MeasureSpec
	d       []float64 // one per paired heat
	mean    float64   // of d
	sd      float64   // of d, 0 below two heats
	delta   float64   // the minimum effect on the additive scale
	base    float64   // mean of the baseline over the paired heats, in the measure's unit; only used by differences
	alpha   float64   // level of the decision interval, set by levels
	// bothZero: app and baseline were zero in every heat, so they are the same though there is no ratio.
	bothZero bool
	warnings []string
}

func (q question) n() int { return len(q.d) }

// ask pairs the heats. ok is false where there is nothing to ask: no value of the app and none of the baseline.
func ask(in Input, app string, m MeasureSpec) (q question, ok bool) {
	q = question{app: app, measure: m, alpha: 1 - Confidence, warnings: []string{}, delta: m.MinimumEffect}
	if !m.Difference {
		q.delta = math.Log1p(m.MinimumEffect)
	}
	unpaired, zeros, undefined := 0, 0, 0
	for _, h := range in.Heats {
		a, b := h.value(app, m.ID), h.value(in.Baseline, m.ID)
		ok = ok || a != nil || b != nil
		switch {
		case a == nil || b == nil:
			unpaired++
		case m.Difference:
			q.d = append(q.d, *a-*b)
			q.base += *b
		case *a == 0 && *b == 0:
			zeros++
		case *a <= 0 || *b <= 0:
			undefined++
		default:
			q.d = append(q.d, math.Log(*a / *b))
		}
	}
	if unpaired > 0 {
		q.warn("paired in %d of %d heats: the others lack a value of the app or the baseline", len(in.Heats)-unpaired, len(in.Heats))
	}
	if zeros > 0 && len(q.d) == 0 && undefined == 0 {
		q.d, q.bothZero = make([]float64, zeros), true
		q.warn("both are zero in every heat: there is no ratio")
	} else if zeros+undefined > 0 {
		q.warn("left out %d heats in which a value is zero or negative: there is no ratio", zeros+undefined)
	}
	q.summarise()
	return q, ok
}

func (q *question) warn(format string, args ...any) {
	q.warnings = append(q.warnings, fmt.Sprintf(format, args...))
}

// summarise computes mean and spread, and tells a difference in words because the record has only ratios.
func (q *question) summarise() {
	n := len(q.d)
	if n == 0 {
		return
	}
	q.base /= float64(n)
	q.mean = q.d[0]
	if n > 1 {
		q.mean, q.sd = stat.MeanStdDev(q.d, nil)
	}
	if q.measure.Difference && q.mean != 0 {
		q.warn("judged by the difference to the baseline: %+.4g (baseline %.4g, margin %.4g)", q.mean, q.base, q.measure.MinimumEffect)
	}
}

// interval is the t interval of confidence 1-alpha; it needs two heats.
func (q question) interval(alpha float64, quantile quantiles) (low, high float64) {
	half := quantile(len(q.d)-1, alpha) * q.sd / math.Sqrt(float64(len(q.d)))
	return q.mean - half, q.mean + half
}

// ratio turns a point of the additive scale into app / baseline; nil where there is none. A difference is told in units of the
// baseline's mean, unless that mean is itself below the margin: a ratio to next to nothing says nothing.
func (q question) ratio(x float64) *float64 {
	if q.n() == 0 || q.bothZero {
		return nil
	}
	if !q.measure.Difference {
		r := math.Exp(x)
		return &r
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
	return studentTails(len(q.d)-1, g*math.Sqrt(float64(len(q.d)))/q.sd)
}

// settled: without any spread over the heats the interval is a point.
func (q question) settled() bool { return q.sd == 0 }

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }
