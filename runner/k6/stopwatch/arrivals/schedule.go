package arrivals

import (
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"time"

	"github.com/photofinish/photofinish/pkg/race"
)

// LongestWait caps how long a uniform arrival waits within its tick, so that a lane with a low rate does not begin seconds late.
const LongestWait = time.Second

// forever is a time, in seconds, beyond which nothing is planned: a century.
const forever = 100 * 365 * 24 * 3600

// Schedule is an endless, ascending list of arrivals, as offsets in active time.
type Schedule struct {
	kind    race.Arrivals
	profile Profile
	random  *rand.Rand
	due     float64 // arrivals due so far: whole ticks, or the sum of the exponential gaps of a Poisson process
}

// NewSchedule plans arrivals of a kind along a profile. The same source gives the same schedule.
func NewSchedule(kind race.Arrivals, profile Profile, source rand.Source) (*Schedule, error) {
	switch kind {
	case race.Uniform, race.Poisson, race.Even:
		return &Schedule{kind: kind, profile: profile, random: rand.New(source)}, nil //nolint:gosec // reproducible on purpose
	default:
		return nil, race.Errorf(race.Invalid, "use uniform, poisson or even", "arrivals %q are unknown", kind)
	}
}

// Source makes a source of random numbers from the race's seed and what the numbers are for.
func Source(seed uint64, purpose ...any) rand.Source {
	h := fnv.New64a()
	for _, p := range purpose {
		_, _ = fmt.Fprintf(h, "%v\x00", p) // a hash never fails to take bytes
	}
	return rand.NewPCG(seed, h.Sum64())
}

// Next is the next arrival; ok is false if none is ever due again.
func (s *Schedule) Next() (offset time.Duration, ok bool) {
	var at float64
	switch s.kind {
	case race.Uniform:
		begin, end := s.profile.When(s.due), s.profile.When(s.due+1)
		at = begin + s.random.Float64()*min(end-begin, LongestWait.Seconds())
		s.due++
	case race.Poisson:
		s.due += s.random.ExpFloat64()
		at = s.profile.When(s.due)
	case race.Even:
		at = s.profile.When(s.due)
		s.due++
	}
	// Never is +Inf, and the wait within a tick that never begins is not a number.
	if math.IsNaN(at) || at > forever {
		return 0, false
	}
	return time.Duration(at * float64(time.Second)), true
}
