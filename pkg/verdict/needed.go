package verdict

import (
	"math"
	"sort"
)

// MaxHeatsNeeded is the most that heats_needed says: who needs more than a thousand heats needs a calmer machine, not patience.
const MaxHeatsNeeded = 1000

// heatsNeeded is the number of heats in all at which the interval would decide if mean and spread stayed as they are, nil if more than
// MaxHeatsNeeded would be needed. It is an estimate from an estimate: half of the races will need more.
func (q question) heatsNeeded(quantile quantiles) *int {
	g := q.distance()
	decides := func(n int) bool {
		return q.sd == 0 && g > 0 || quantile(n-1, q.alpha)*q.sd/math.Sqrt(float64(n)) < g
	}
	from := max(MinHeats, q.n())
	if q.n() >= MinHeats {
		from++ // what was seen did not decide
	}
	n := from + sort.Search(MaxHeatsNeeded-from+1, func(i int) bool { return decides(from + i) })
	if n > MaxHeatsNeeded {
		return nil
	}
	return &n
}
