package report

import (
	"math"

	"github.com/photofinish/photofinish/runner/k6/stream"
)

// binsPerOctave sets the bins of a density: 1% wide.
const binsPerOctave = 64

// percentiles are those of every curve: dense enough to draw, denser where it is steep.
func percentiles() []float64 {
	var out []float64
	for p := 1.0; p <= 99; p++ {
		out = append(out, p)
	}
	return append(out, 99.25, 99.5, 99.75, 99.9)
}

// DistributionOf reads curve and density from a histogram of seconds. A histogram without observations gives an empty distribution.
func DistributionOf(app string, h stream.Histogram) Distribution {
	d := Distribution{App: app}
	if h.Count == 0 || len(h.Buckets) == 0 {
		return d
	}
	for _, p := range percentiles() {
		if p > 99 && float64(h.Count)*(100-p)/100 < 5 {
			break // fewer than five requests lie beyond: chance
		}
		d.Curve = append(d.Curve, Percentile{Percentile: p, MS: 1000 * h.Quantile(p/100)})
	}
	d.Density = density(h)
	return d
}

// density is the histogram on a logarithmic axis, smoothed by a triangle as wide as Silverman's rule says for its spread.
func density(h stream.Histogram) []Density {
	first, last := math.MaxInt, math.MinInt
	bins := map[int]float64{}
	for bucket, n := range h.Buckets {
		from, to := h.Fine(bucket)
		for fine := from; fine <= to; fine++ { // as Prometheus does, a wide bucket is taken for evenly filled on a logarithmic axis
			lower, upper := stream.Bounds(fine)
			bin := int(math.Floor(math.Log2(1000*(lower+upper)/2) * binsPerOctave))
			bins[bin] += float64(n) / float64(to-from+1)
			first, last = min(first, bin), max(last, bin)
		}
	}
	quartiles := math.Log2(h.Quantile(.75)/h.Quantile(.25)) * binsPerOctave
	width := max(1, int(math.Round(2*.9*quartiles/1.34*math.Pow(float64(h.Count), -.2))))
	var out []Density
	for bin := first - width; bin <= last+width; bin++ {
		sum := 0.0
		for k := -width; k <= width; k++ {
			sum += (1 - math.Abs(float64(k))/float64(width+1)) * bins[bin+k]
		}
		out = append(out, Density{MS: math.Exp2((float64(bin) + .5) / binsPerOctave), Density: sum})
	}
	return out
}
