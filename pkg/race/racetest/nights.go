package racetest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/photofinish/photofinish/pkg/race"
)

// Nights makes n races of the name nightly, a day apart, the same every time. Each has one measure, whose values scatter by 1% around those of FourApps.
// edit changes the i-th, whose lanes and machine are its own.
func Nights(n int, measure string, edit func(i int, r *race.Race)) []race.Race {
	rng := rand.New(rand.NewPCG(3, 3)) //nolint:gosec // the same numbers every time are the point
	sample := FourApps().Race
	races := make([]race.Race, n)
	for i := range races {
		r := sample
		at := r.StartedAt.Add(time.Duration(i) * 24 * time.Hour)
		machine := *r.Machine
		r.ID, r.Name, r.StartedAt, r.Machine, r.Lanes = fmt.Sprintf("nightly-%02d", i), "nightly", &at, &machine, slices.Clone(r.Lanes)
		for j, l := range r.Lanes {
			v := *l.Measures[measure] * (1 + .01*rng.NormFloat64())
			r.Lanes[j].Measures = map[string]*float64{measure: &v}
		}
		edit(i, &r)
		races[i] = r
	}
	return races
}

// Multiply changes the measure of an app of one of the Nights.
func Multiply(r *race.Race, app, measure string, by float64) {
	for _, l := range r.Lanes {
		if l.App == app {
			*l.Measures[measure] *= by
		}
	}
}
