package main

import (
	"math"
	"math/rand/v2"
)

// world is how latencies come about. One is made for each race.
type world interface {
	// heat tells what befalls both lanes alike in the next heat.
	heat(rng *rand.Rand)
	// lane begins a lane's part of the heat.
	lane(rng *rand.Rand)
	// next is the next latency of the lane, in ms. The app under test takes ratio times as long.
	next(rng *rand.Rand) float64
}

// worlds are the kinds of latencies, by name.
func worlds() map[string]func() world {
	return map[string]func() world{
		"light":          func() world { return &light{} },
		"heavy-tailed":   func() world { return &heavy{} },
		"bimodal":        func() world { return &bimodal{} },
		"drifting":       func() world { return &drifting{} },
		"autocorrelated": func() world { return &autocorrelated{} },
	}
}

// own is the standard deviation by which a lane's heat differs from the same app's other heats for reasons of its own (placement, layout, caches).
// It is assumed: real A/A races show 0.007 at the median between heats (docs/fairness.md), with what sampling adds.
const own = 0.006

// light is a log-normal around 1 ms, as a small handler has.
type light struct{ scale float64 }

func (*light) heat(*rand.Rand) {}

func (l *light) lane(rng *rand.Rand) { l.scale = math.Exp(own * rng.NormFloat64()) }

func (l *light) next(rng *rand.Rand) float64 { return l.scale * math.Exp(.35*rng.NormFloat64()) }

// heavy is a log-normal of which every fiftieth request is a Pareto tail of index 1.5: its mean is finite, its variance is not.
type heavy struct{ light }

func (h *heavy) next(rng *rand.Rand) float64 {
	if rng.Float64() < .02 {
		return h.scale * 3 * math.Pow(1-rng.Float64(), -1/1.5)
	}
	return h.scale * math.Exp(.6*rng.NormFloat64())
}

// bimodal hits a cache nine times of ten, and else takes ten times as long: the p95 is a median of the misses.
type bimodal struct{ light }

func (b *bimodal) next(rng *rand.Rand) float64 {
	fast := b.scale * math.Exp(.25*rng.NormFloat64())
	if rng.Float64() < .1 {
		return 10 * fast
	}
	return fast
}

// drifting is light on a machine whose speed wanders by 5% from heat to heat, for both lanes alike.
type drifting struct {
	light
	machine float64
}

func (d *drifting) heat(rng *rand.Rand) { d.machine += .05 * rng.NormFloat64() }

func (d *drifting) lane(rng *rand.Rand) {
	d.light.lane(rng)
	d.scale *= math.Exp(d.machine)
}

// autocorrelated comes in spells: the logarithm follows an AR(1) of which a hundred requests (half a second) remember a third.
type autocorrelated struct {
	light
	spell float64
}

// memory of one request for the one before.
const memory = 0.99

func (a *autocorrelated) lane(rng *rand.Rand) {
	a.light.lane(rng)
	a.spell = rng.NormFloat64()
}

func (a *autocorrelated) next(rng *rand.Rand) float64 {
	a.spell = memory*a.spell + math.Sqrt(1-memory*memory)*rng.NormFloat64()
	return a.scale * math.Exp(.2*a.spell+.3*rng.NormFloat64())
}
