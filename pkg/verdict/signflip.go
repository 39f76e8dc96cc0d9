package verdict

import (
	"math"
	"math/rand/v2"
)

// Limits of the sign-flip test.
const (
	// exactFlips: up to so many heats every combination of signs is counted (2^12 sums a half, some 0.05 ms).
	exactFlips = 24
	// sampledFlips: beyond, so many random ones are, which tells 0.025 from 0.03.
	sampledFlips = 9999
)

// signFlip tests from the data's signs and sizes alone that the effect goes beyond the minimum effect on the side of its mean:
// the one-sided probability of a sum at least as large if each heat's excess over the mark could as well have had the other sign.
func (q question) signFlip() float64 {
	excess := make([]float64, len(q.d))
	side := math.Copysign(1, q.mean)
	for i, d := range q.d {
		excess[i] = side*d - q.delta
	}
	if len(excess) <= exactFlips {
		return exactSignFlip(excess)
	}
	return sampledSignFlip(excess)
}

// exactSignFlip counts the sign combinations by meeting in the middle: all signed sums of each half, sorted, then one pass over both.
func exactSignFlip(x []float64) float64 {
	left, right := signedSums(x[:len(x)/2]), signedSums(x[len(x)/2:])
	observed, size := sumAndSize(x)
	threshold := observed - 1e-12*size // sums that are equal but for rounding count
	count, j := 0, len(right)
	for _, l := range left { // as l grows, ever smaller sums of the right half suffice
		for j > 0 && l+right[j-1] >= threshold {
			j--
		}
		count += len(right) - j
	}
	return float64(count) / float64(len(left)*len(right))
}

// signedSums is every ±x0±x1…, ascending: each value merges the sums so far, shifted down and up, which are both in order.
func signedSums(x []float64) []float64 {
	sums, next := make([]float64, 1, 1<<len(x)), make([]float64, 0, 1<<len(x))
	for _, v := range x {
		v = math.Abs(v)
		next = next[:0]
		for down, up := 0, 0; up < len(sums); {
			if down < len(sums) && sums[down]-v <= sums[up]+v {
				next = append(next, sums[down]-v)
				down++
			} else {
				next = append(next, sums[up]+v)
				up++
			}
		}
		sums, next = next, sums
	}
	return sums
}

// sampledSignFlip draws combinations from a fixed seed: the same race always gets the same verdict.
func sampledSignFlip(x []float64) float64 {
	rng := rand.New(rand.NewPCG(1, uint64(len(x)))) //nolint:gosec // a simulation, not a secret
	observed, size := sumAndSize(x)
	count := 1 // the observed combination itself
	for range sampledFlips {
		sum := 0.0
		var bits uint64
		for i, v := range x {
			if i%64 == 0 {
				bits = rng.Uint64()
			}
			if bits&1 == 1 {
				v = -v
			}
			bits >>= 1
			sum += v
		}
		if sum >= observed-1e-12*size {
			count++
		}
	}
	return float64(count) / float64(sampledFlips+1)
}

func sumAndSize(x []float64) (sum, size float64) {
	for _, v := range x {
		sum += v
		size += math.Abs(v)
	}
	return sum, size
}
