package verdict

import (
	"math"
	"math/rand/v2"
)

// permutations are drawn for a comparison of two races: enough to tell 0.025 from 0.03.
const permutations = 9999

// crossCheck is the one-sided probability of so large an effect beyond the minimum effect by a test that assumes nothing of the normal distribution.
func (q question) crossCheck() float64 {
	if q.twice {
		return q.permute()
	}
	return q.signFlip()
}

// permute tests (Fisher 1935, Pitman 1937) that the heats of two races differ by more than the minimum effect on the side of their means: how often a random
// parting of all heats has means at least as far apart, once the mark was taken off. The seed is fixed: the same races always get the same verdict.
func (q question) permute() float64 {
	side := math.Copysign(1, q.mean)
	all := make([]float64, 0, len(q.d)+len(q.then))
	for _, v := range q.d {
		all = append(all, side*v-q.delta)
	}
	for _, v := range q.then {
		all = append(all, side*v)
	}
	total, size := sumAndSize(all)
	apart := func() float64 { // mean of the first part less that of the second
		first, _ := sumAndSize(all[:len(q.d)])
		return first/float64(len(q.d)) - (total-first)/float64(len(q.then))
	}
	observed := apart() - 1e-12*size                  // what is equal but for rounding counts
	rng := rand.New(rand.NewPCG(1, uint64(len(all)))) //nolint:gosec // a simulation, not a secret
	count := 1                                        // the observed parting itself
	for range permutations {
		for i := range q.d { // the first steps of a shuffle draw the first part
			j := i + rng.IntN(len(all)-i)
			all[i], all[j] = all[j], all[i]
		}
		if apart() >= observed {
			count++
		}
	}
	return float64(count) / float64(permutations+1)
}
