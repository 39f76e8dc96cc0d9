package capacity

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// The grid and the model of the estimate.
const (
	// Confidence of the interval.
	Confidence = 0.95
	// Lapse is the chance that a heat's answer has nothing to do with its rate, either way: a machine that stalls is rare, but must not count for certain.
	Lapse = 0.02
	// The edge is between sharp for every purpose and so blurred that a doubling of the rate is needed to pass it.
	sharpest, widest = 0.005, 0.32
	edges            = 7 // from one to the other, each twice the one before
	// fine is the distance of the grid's rates as a share. They reach beyond the bracket by a factor.
	fine   = 0.002
	beyond = 2.0
)

// Estimate is the highest rate that is held (per second), with its interval.
type Estimate struct{ Rate, Low, High float64 }

// Of is the estimate of trials, of which there must be at least one.
func Of(trials []Trial) Estimate {
	held, broken := bracket(trials)
	low, high := min(held, broken), max(held, broken)
	if low == 0 {
		low = high
	}
	from := math.Log(low / beyond)
	n := int(math.Log(high*beyond/(low/beyond))/fine) + 1
	posterior := make([]float64, n)
	sigma := sharpest
	for range edges {
		for i := range posterior {
			posterior[i] += likelihood(trials, from+float64(i)*fine, sigma)
		}
		sigma *= math.Pow(widest/sharpest, 1/float64(edges-1))
	}
	at := quantiles(posterior)
	rate := func(p float64) float64 { return math.Exp(from + at(p)*fine) }
	return Estimate{Rate: rate(.5), Low: rate((1 - Confidence) / 2), High: rate((1 + Confidence) / 2)}
}

// bracket is the highest rate that was held and the lowest that was not; 0 where there is none.
func bracket(trials []Trial) (held, broken float64) {
	for _, t := range trials {
		switch {
		case t.Held:
			held = max(held, t.Rate)
		case broken == 0 || t.Rate < broken:
			broken = t.Rate
		}
	}
	return held, broken
}

// likelihood of the trials where the edge is at theta.
func likelihood(trials []Trial, theta, sigma float64) float64 {
	l := 1.0
	for _, t := range trials {
		held := Lapse + (1-2*Lapse)*distuv.UnitNormal.CDF((theta-math.Log(t.Rate))/sigma)
		if !t.Held {
			held = 1 - held
		}
		l *= held
	}
	return l
}

// quantiles are positions on a grid with weights, between the points too.
func quantiles(weights []float64) func(p float64) float64 {
	var total float64
	for _, w := range weights {
		total += w
	}
	return func(p float64) float64 {
		var sum float64
		for i, w := range weights {
			if sum+w >= p*total && w > 0 {
				return float64(i) - .5 + (p*total-sum)/w
			}
			sum += w
		}
		return float64(len(weights) - 1)
	}
}
