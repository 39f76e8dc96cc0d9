package compare

import "math"

// burstSteps is how long a stretch of requests may be to count as a burst. Lanes that take turns have one of 2 to 7 steps of a second.
const burstSteps = 10

// requests are those of one app: per second, each over the span of its own samples, and as they were counted in each step.
type requests struct{ rate, count []float64 }

// cost is what the containers spent per request, given their rate and the seconds that each rate was taken over.
// A steady load divides two rates. Where the load comes in bursts this says nothing at a burst's ends: cAdvisor's samples are not taken when
// k6's are, so that a step can hold the CPU of one moment and the requests of another. A burst is therefore taken whole, from the idle step
// before it to the one after it, and each of its steps has the burst's cost.
func (r requests) cost(rate, seconds []float64) []float64 {
	out := over(rate, r.rate)
	amount := zip(rate, seconds, func(x, y float64) float64 { return x * y })
	if out == nil || amount == nil {
		return out
	}
	for from := 0; from < len(out); from++ {
		if !r.busy(from) {
			continue
		}
		to := from
		for r.busy(to) {
			to++
		}
		if to-from <= burstSteps && (r.idle(from-1) || r.idle(to)) {
			v := r.burst(amount, from, to)
			for i := from; i < to; i++ {
				out[i] = v
			}
		}
		from = to
	}
	return out
}

// burst is the cost of the steps from, from+1 … to-1 and of the idle ones beside them.
func (r requests) burst(amount []float64, from, to int) float64 {
	spent, count := 0.0, 0.0
	for i := from; i < to; i++ {
		count += r.count[i]
		if known(amount[i]) {
			spent += amount[i]
		}
	}
	if !known(amount[from]) || !r.idle(to) {
		return math.NaN() // without the samples around it nobody knows all that was spent: the container ends with the heat, before its last sample
	}
	for _, edge := range []struct{ beside, beyond int }{{from - 1, from - 2}, {to, to + 1}} {
		if !r.idle(edge.beside) || !known(amount[edge.beside]) {
			continue
		}
		share := 1.0
		if r.busy(edge.beyond) {
			share = 0.5 // the burst on the other side has the rest
		}
		spent += share * amount[edge.beside]
	}
	return spent / count
}

// busy says whether requests were counted in a step, idle whether it is known that there were none.
func (r requests) busy(i int) bool { return i >= 0 && i < len(r.count) && r.count[i] > 0 }

func (r requests) idle(i int) bool { return i >= 0 && i < len(r.rate) && r.rate[i] == 0 }
