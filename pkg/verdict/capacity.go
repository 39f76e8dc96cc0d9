package verdict

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/photofinish/photofinish/pkg/race"
)

// JudgeRace judges a record: its heats, and what a search for capacities found.
func JudgeRace(r race.Race, measures []MeasureSpec) []race.Verdict {
	verdicts := Judge(FromRace(r, measures))
	for _, m := range measures {
		if m.ID == race.CapacityMeasure {
			verdicts = append(verdicts, judgeCapacity(r, m)...)
		}
	}
	return verdicts
}

// judgeCapacity gives a verdict per app (but the baseline) on the highest rate that it holds. Each app has a rate with an interval, so the interval of their ratio is made of
// these by the method of variance estimates recovery on the logarithmic scale (Zou and Donner, Construction of confidence limits about effect measures: a general approach,
// Statist. Med. 27 (2008)). Capacities are a family of their own: the decision interval of each of m apps is at 1 - α/m (Bonferroni), its half-widths those of
// the plain one stretched by the ratio of the normal quantiles. Where an app may hold more than was found, only one side of the ratio is known.
func judgeCapacity(r race.Race, m MeasureSpec) []race.Verdict {
	if r.Capacity == nil {
		return nil
	}
	base, known := capacityOf(r, r.Baseline)
	if !known {
		return nil
	}
	var verdicts []race.Verdict
	for _, l := range r.Lanes {
		app, known := capacityOf(r, l.App)
		if !known || l.App == r.Baseline {
			continue
		}
		v := race.Verdict{
			App: l.App, Measure: m.ID, Outcome: race.Inconclusive, Confidence: r.Capacity.Confidence, Primary: m.Primary, MinimumEffect: m.MinimumEffect,
			Heats: min(len(app.Tries), len(base.Tries)), Warnings: []string{},
		}
		judgeRates(app, base, stretch(r.Capacity.Confidence, len(r.Lanes)-1), &v)
		v.Outcome = question{measure: m, delta: math.Log1p(m.MinimumEffect)}.outcomeBetween(v.DecisionLow, v.DecisionHigh)
		holdUnfair(Input{Unfair: !r.Audit.Fair, Overridden: r.Audit.OverriddenBy != nil}, &v)
		verdicts = append(verdicts, v)
	}
	return verdicts
}

// capacityOf is what was found of an app; known is false before its search is over.
func capacityOf(r race.Race, app string) (l race.LaneCapacity, known bool) {
	i := slices.IndexFunc(r.Capacity.Lanes, func(l race.LaneCapacity) bool { return l.App == app && l.Limit != "" })
	if i < 0 {
		return l, false
	}
	return r.Capacity.Lanes[i], true
}

// stretch is by how much an interval of some confidence grows for a decision in a family of so many.
func stretch(confidence float64, family int) float64 {
	quantile := func(alpha float64) float64 { return distuv.UnitNormal.Quantile(1 - alpha/2) }
	alpha := 1 - confidence
	return quantile(alpha/float64(max(family, 1))) / quantile(alpha)
}

// judgeRates fills in the ratio of two rates and its intervals, or why there is none.
func judgeRates(app, base race.LaneCapacity, stretch float64, v *race.Verdict) {
	for _, l := range []race.LaneCapacity{app, base} {
		switch {
		case l.Rate == nil:
			v.Warnings = append(v.Warnings, "the capacity of "+l.App+" is not known")
		case l.Open():
			v.Warnings = append(v.Warnings, fmt.Sprintf("%s holds at least %.4g/s, and maybe more", l.App, *l.Rate))
		}
	}
	if app.Rate == nil || base.Rate == nil {
		return
	}
	d := math.Log(*app.Rate / *base.Rate)
	side := func(a, b *float64) *float64 { // how far the ratio may lie on one side, where both rates are bounded there
		if a == nil || b == nil {
			return nil
		}
		h := math.Hypot(math.Log(*a / *app.Rate), math.Log(*b / *base.Rate))
		return &h
	}
	below, above := side(app.Low, base.High), side(app.High, base.Low)
	v.Low, v.High = end(d, below, -1), end(d, above, 1)
	v.DecisionLow, v.DecisionHigh = end(d, below, -stretch), end(d, above, stretch)
	if below != nil && above != nil {
		v.Ratio = end(d, below, 0)
	}
}

// end is the end of an interval of a ratio with the logarithm d; nil where nothing bounds it.
func end(d float64, half *float64, times float64) *float64 {
	if half == nil {
		return nil
	}
	e := math.Exp(d + times**half)
	return &e
}

// outcomeBetween is the outcome of a decision interval of a ratio, of which an end may be open.
func (q question) outcomeBetween(low, high *float64) race.Outcome {
	l, h := math.Inf(-1), math.Inf(1)
	if low != nil {
		l = math.Log(*low)
	}
	if high != nil {
		h = math.Log(*high)
	}
	return q.outcome(l, h)
}
