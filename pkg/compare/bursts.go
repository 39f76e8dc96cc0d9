package compare

import "math"

// burstSteps is how long a stretch of requests may be to count as a burst. Lanes that take turns have one of 2 to 7 steps of a second.
const burstSteps = 10

// groupSteps is how long bursts may be that are taken together since only one step lies between them.
const groupSteps = 20

// requests are those of one app: per second, each over the span of its own samples, and as they were counted in each step.
type requests struct {
	rate, count []float64
	turns       bool // they are known to come in bursts
}

// cost is what the containers spent per request, given their rate and the seconds that each rate was taken over.
// A steady load divides two rates. Where the load comes in bursts this says nothing at a burst's ends: cAdvisor's samples are not taken when
// k6's are, so that a step can hold the CPU of one moment and the requests of another. A burst is therefore taken whole, from the idle step
// before it to the one after it, and each of its steps has the burst's cost. Bursts with a single step between them are taken together, since nobody
// knows which of them that step's CPU belongs to.
func (r requests) cost(rate, seconds []float64) []float64 {
	out := over(rate, r.rate)
	amount := zip(rate, seconds, func(x, y float64) float64 { return x * y })
	if out == nil || amount == nil {
		return out
	}
	for _, g := range r.groups(amount) {
		v := g.cost(r, amount)
		for i := g.from; i < g.to; i++ {
			if r.busy(i) {
				out[i] = v
			}
		}
	}
	return out
}

// burst is the steps from, from+1 … to-1. known: what was spent in the steps beside it is known, and that it was idle in them.
type burst struct {
	from, to int
	known    bool
}

// groups are the bursts, together where they cannot be told apart.
func (r requests) groups(amount []float64) (all []burst) {
	for from := 0; from < len(r.count); from++ {
		if !r.busy(from) {
			continue
		}
		to := from
		for r.busy(to) {
			to++
		}
		if r.turns || to-from <= burstSteps && (r.idle(from-1) || r.idle(to)) {
			quiet := func(i int) bool { return r.idle(i) && known(amount[i]) }
			b := burst{from, to, quiet(from-1) && !r.first(from-1) && quiet(to)}
			if n := len(all); n > 0 && b.known && all[n-1].known && all[n-1].to == from-1 && to-all[n-1].from <= groupSteps {
				all[n-1].to = to
			} else {
				all = append(all, b)
			}
		}
		from = to
	}
	return all
}

// cost is what was spent in a group and in the idle steps beside it, per request. Without the samples around it nobody knows all that was spent: the first
// sample of a heat holds what was spent before, and the container ends with the heat, before its last sample.
func (b burst) cost(r requests, amount []float64) float64 {
	if !b.known {
		return math.NaN()
	}
	spent, count := 0.0, 0.0
	for i := b.from; i < b.to; i++ {
		count += r.count[i]
		if known(amount[i]) {
			spent += amount[i]
		}
	}
	for _, edge := range []struct{ beside, beyond int }{{b.from - 1, b.from - 2}, {b.to, b.to + 1}} {
		share := 1.0
		if r.busy(edge.beyond) {
			share = 0.5 // the burst on the other side has the rest
		}
		spent += share * amount[edge.beside]
	}
	return spent / count
}

// first says whether an idle step is the first of its heat. What was spent in it begins at a sample from before or after the warm-up's last request, nobody knows which.
func (r requests) first(i int) bool { return !r.idle(i-1) && !r.busy(i-1) }

// busy says whether requests were counted in a step, idle whether it is known that there were none.
func (r requests) busy(i int) bool { return i >= 0 && i < len(r.count) && r.count[i] > 0 }

func (r requests) idle(i int) bool { return i >= 0 && i < len(r.rate) && r.rate[i] == 0 }
