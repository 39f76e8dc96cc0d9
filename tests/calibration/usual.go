package main

import "math"

// naiveDifference of the p95 is what dashboards and pull requests are commonly judged by.
const naiveDifference = 0.05

// naive is 1 if the pooled p95 of an app that takes ratio times as long is more than 5% higher than the baseline's, -1 if it is more than 5% lower.
func (r drawn) naive(ratio float64) int {
	p95 := ratio * quantile(r.pooled[1], .95) / quantile(r.pooled[0], .95)
	switch {
	case p95 > 1+naiveDifference:
		return 1
	case p95 < 1/(1+naiveDifference):
		return -1
	}
	return 0
}

// ranks are the two lanes' latencies, ascending.
type ranks struct{ base, app []float64 }

func (r drawn) ranks() ranks { return ranks{r.pooled[0], r.pooled[1]} }

// test is the side of a Mann-Whitney test at 5% of the app, if it takes ratio times as long, against the baseline, by its normal approximation; 0 where it
// finds nothing. Latencies are continuous here, so there are no ties.
func (r ranks) test(ratio float64) int {
	below, i := 0, 0 // pairs in which the baseline's is the smaller
	for _, v := range r.app {
		for i < len(r.base) && r.base[i] < ratio*v {
			i++
		}
		below += i
	}
	n, m := float64(len(r.base)), float64(len(r.app))
	z := (float64(below) - n*m/2) / math.Sqrt(n*m*(n+m+1)/12)
	const critical = 1.959964
	switch {
	case z > critical:
		return 1
	case z < -critical:
		return -1
	}
	return 0
}
