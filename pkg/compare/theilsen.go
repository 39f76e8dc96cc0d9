package compare

import "slices"

// maxTheilSen bounds the points of one estimate: the number of slopes grows with the square, and half a million of them say no less than more would.
const maxTheilSen = 1000

// TheilSen is the median of the slopes between all pairs of points, in y per x: growth that a few outliers cannot bend.
// It is 0 where no two points differ in x. x and y have the same length; pairs with the same x are left out.
func TheilSen(x, y []float64) float64 {
	x, y = thin(x, maxTheilSen), thin(y, maxTheilSen)
	n := min(len(x), len(y))
	slopes := make([]float64, 0, n*max(n-1, 0)/2)
	for i := range n {
		for j := i + 1; j < n; j++ {
			if dx := x[j] - x[i]; dx != 0 {
				slopes = append(slopes, (y[j]-y[i])/dx)
			}
		}
	}
	if len(slopes) == 0 {
		return 0
	}
	return median(slopes)
}

// thin keeps at most limit values, evenly spread over the whole.
func thin(v []float64, limit int) []float64 {
	if len(v) <= limit {
		return v
	}
	kept := make([]float64, limit)
	for i := range kept {
		kept[i] = v[i*(len(v)-1)/(limit-1)]
	}
	return kept
}

// median reorders v, which is not empty.
func median(v []float64) float64 {
	upper := selectNth(v, len(v)/2)
	if len(v)%2 == 1 {
		return upper
	}
	return (slices.Max(v[:len(v)/2]) + upper) / 2
}

// selectNth is the value that would stand at index n if v were sorted; afterwards everything before n is not greater. (Hoare's quickselect.)
func selectNth(v []float64, n int) float64 {
	for lo, hi := 0, len(v)-1; lo < hi; {
		pivot := v[lo+(hi-lo)/2]
		i, j := lo, hi
		for i <= j {
			for v[i] < pivot {
				i++
			}
			for v[j] > pivot {
				j--
			}
			if i <= j {
				v[i], v[j] = v[j], v[i]
				i++
				j--
			}
		}
		switch {
		case n <= j:
			hi = j
		case n >= i:
			lo = i
		default:
			return v[n]
		}
	}
	return v[n]
}
