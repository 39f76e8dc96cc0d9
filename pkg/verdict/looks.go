package verdict

import (
	"maps"
	"math"
	"slices"

	"gonum.org/v1/gonum/integrate/quad"
	"gonum.org/v1/gonum/stat/distuv"

	"github.com/photofinish/photofinish/pkg/race"
)

// spendable is what all looks of a race may spend by the recursion for the normal distribution, so that races are wrong in 5% at most. The spread of a race is
// estimated anew at each look, which makes two looks less alike than the recursion takes them to be: with 5% to spend, 5.3 to 5.6% of races of 7 to 50
// heats were wrong, with 4.4% at most 5.0% (400,000 simulated races each; TestLookingOftenIsNotWrongMoreOften).
const spendable = 0.044

// maxLooks bounds how often a race is looked at: a race of hundreds of heats gains nothing by being judged after each.
const maxLooks = 50

// Looks says after which heats a race of so many planned heats may be judged, and at which level (Input.Alpha) each time, so that all looks
// together are wrong at most as often as one at the end would be. The keys are the numbers of the heats; the last heat is always among them.
//
// The levels are Lan and DeMets's alpha spending (1983) by their O'Brien-Fleming function, for each side α(t) = 2 - 2Φ(z/√t) with t the share of the
// planned heats and z the normal quantile that spends α/2 at the end: next to nothing is spent early, so that the last look is nearly as sharp as if there had been no other.
// Levels of the normal distribution are used for t intervals (Jennison and Turnbull 2000, §3.3), with a little less to spend.
func Looks(planned int) map[int]float64 {
	var heats []int
	step := max(1, int(math.Ceil(float64(planned-MinHeats+1)/maxLooks)))
	for n := planned; n >= min(MinHeats, planned) && n > 0; n -= step {
		heats = append([]int{n}, heats...)
	}
	var shares []float64
	for _, n := range heats {
		shares = append(shares, float64(n)/float64(planned))
	}
	levels := map[int]float64{}
	if len(heats) == 1 {
		return map[int]float64{heats[0]: 1 - Confidence} // no look before the end
	}
	for i, z := range boundaries(spendable, shares) {
		levels[heats[i]] = levelOf(z)
	}
	return levels
}

// lookLevel is the level at which a race of so many planned heats is judged that ended after a heat: that of the look there, or of the one before it.
// The first look of a long race comes late; before it the level is that of a single look which is the first.
func lookLevel(planned, heat int) float64 {
	looks := Looks(planned)
	for _, n := range slices.Backward(slices.Sorted(maps.Keys(looks))) {
		if n <= heat {
			return looks[n]
		}
	}
	if heat < MinHeats {
		return 0 // nothing is decided, at whatever level
	}
	return levelOf(boundaries(spendable, []float64{float64(heat) / float64(planned)})[0])
}

// leastLevel is the lowest level of a look: where next to nothing may be spent, the normal distribution gives levels like 1e-100, for which there are no
// quantiles of t. All looks of a race together spend less than a billionth more by it than they may.
const leastLevel = 1e-12

// levelOf is the level of a look that decides beyond z.
func levelOf(z float64) float64 { return max(2*standard.Survival(z), leastLevel) }

// EndedEarly says whether a race had not all the heats that were planned, so that who ended it may have done so because of what it showed until then.
// A heat that was lost among others does not make an early end, nor is anything known of races without a plan.
func EndedEarly(r race.Race) bool {
	return len(r.Heats) > 0 && r.Heats[len(r.Heats)-1].Number < r.PlannedHeats
}

var standard = distuv.Normal{Mu: 0, Sigma: 1}

// nodes of the quadrature over the values of the mean that no earlier look has decided. With maxLooks looks the kernel is wider than
// the distance of two nodes by far.
const nodes = 160

// boundaries are the |z| beyond which the looks at the given shares of the information (ascending, the last is 1) decide, by the recursion of
// Armitage, McPherson and Rowe (1969): the sum S(t) = Z(t)·√t is a Brownian motion, of which the density is carried from look to look
// for those paths that have stayed within all boundaries.
func boundaries(alpha float64, shares []float64) []float64 {
	whole := standard.Quantile(1 - alpha/4)
	var (
		all           []float64
		at, density   []float64 // nodes within the last boundary, and the density there times the node's weight
		before, spent float64
	)
	for i, share := range shares {
		spend := 4*standard.Survival(whole/math.Sqrt(share)) - spent
		spent += spend
		sd := math.Sqrt(share - before)
		if i == 0 {
			at, density = []float64{0}, []float64{1}
		}
		edge := quantileOf(spend, func(s float64) float64 { return beyond(s, sd, at, density) })
		all = append(all, edge/math.Sqrt(share))
		next, weight := make([]float64, nodes), make([]float64, nodes)
		quad.Legendre{}.FixedLocations(next, weight, -edge, edge)
		for j, s := range next {
			var sum float64
			for k, u := range at {
				sum += density[k] * standard.Prob((s-u)/sd) / sd
			}
			weight[j] *= sum
		}
		at, density, before = next, weight, share
	}
	return all
}

// beyond is the probability that a path leaves [-edge, edge] at this look.
func beyond(edge, sd float64, at, density []float64) float64 {
	var p float64
	for i, u := range at {
		p += density[i] * (standard.Survival((edge-u)/sd) + standard.Survival((edge+u)/sd))
	}
	return p
}

// quantileOf finds where a falling function of x > 0 has the value p.
func quantileOf(p float64, f func(float64) float64) float64 {
	low, high := 0.0, 40.0 // standard deviations: nothing lies beyond
	for range 80 {
		if mid := (low + high) / 2; f(mid) > p {
			low = mid
		} else {
			high = mid
		}
	}
	return (low + high) / 2
}

// Decided says whether every member of the primary family has an outcome, so that further heats would only sharpen numbers.
func Decided(verdicts []race.Verdict) bool {
	open := slices.ContainsFunc(verdicts, func(v race.Verdict) bool { return v.Primary && v.Outcome == race.Inconclusive })
	return !open && slices.ContainsFunc(verdicts, func(v race.Verdict) bool { return v.Primary })
}
