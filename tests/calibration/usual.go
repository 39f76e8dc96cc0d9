package main

import (
	"maps"
	"math"
	"slices"

	"github.com/photofinish/photofinish/runner/k6/stream"
)

// naiveDifference of the p95 is what dashboards and pull requests are commonly judged by.
const naiveDifference = 0.05

// naive is 1 if the pooled p95 of an app that takes ratio times as long is more than 5% higher than the baseline's, -1 if it is more than 5% lower.
func (r drawn) naive(ratio float64) int {
	return differs(ratio * r.p95(1) / r.p95(0))
}

func differs(p95 float64) int {
	switch {
	case p95 > 1+naiveDifference:
		return 1
	case p95 < 1/(1+naiveDifference):
		return -1
	}
	return 0
}

// threshold is what a k6 threshold is commonly set to, if a run of the baseline had this p95.
func threshold(p95 float64) float64 { return (1 + naiveDifference) * p95 }

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
	return significant((float64(below) - n*m/2) / math.Sqrt(n*m*(n+m+1)/12))
}

// significant is the side of a normal deviate at 5%.
func significant(z float64) int {
	const critical = 1.959964
	switch {
	case z > critical:
		return 1
	case z < -critical:
		return -1
	}
	return 0
}

// rankDeviate is the normal deviate of a Mann-Whitney test of the latencies in two histograms, positive where the app's are the longer. What lies in one
// bucket is tied: it counts half, and the variance is corrected for it.
func rankDeviate(base, app stream.Histogram) float64 {
	tied := map[int][2]float64{}
	for side, h := range []stream.Histogram{base, app} {
		for i, count := range h.Buckets {
			_, fine := h.Fine(i)
			both := tied[fine]
			both[side] += float64(count)
			tied[fine] = both
		}
	}
	n, m := float64(base.Count), float64(app.Count)
	below, u, ties := float64(base.Zero), float64(base.Zero*app.Zero)/2, cube(float64(base.Zero+app.Zero))
	for _, bucket := range slices.Sorted(maps.Keys(tied)) {
		both := tied[bucket]
		u += both[1] * (below + both[0]/2)
		below += both[0]
		ties += cube(both[0] + both[1])
	}
	all := n + m
	return (u - n*m/2) / math.Sqrt(n*m/12*(all+1-ties/(all*(all-1))))
}

// cube is what so many ties take from the variance.
func cube(t float64) float64 { return t*t*t - t }
