// Package results turns what was observed in the heats (k6's exact counts, the lanes' counters) into the record of a race.
// Everything in it is a pure function.
package results

import (
	"time"

	"github.com/photofinish/photofinish/runner/engine"
)

// Window is a span of time in which a lane's counters are charged to its requests. The lane is given load for the first part of it; in the rest its
// last requests are answered.
type Window struct {
	From, To time.Time
	Load     time.Duration
}

// Spent is what a lane used within its windows. A nil pointer is unknown.
type Spent struct {
	CPU              *time.Duration
	Throttled        *time.Duration
	Periods          *uint64
	ThrottledPeriods *uint64
	NetworkRx        *uint64
	NetworkTx        *uint64
	OOMKills         uint64
	// Covered is the time between the readings that were used; it may be shorter than the windows where a lane died.
	Covered time.Duration
}

// Spend adds up what the counters grew within the windows. Readings are ascending in time; the ones nearest to a window's ends are used,
// so a caller that wants no distortion takes a reading at each end.
func Spend(readings []engine.Counters, windows []Window) Spent {
	var s Spent
	for _, w := range windows {
		from, to := nearest(readings, w.From), nearest(readings, w.To)
		if to <= from {
			continue
		}
		s.add(readings[from], readings[to])
	}
	return s
}

func (s *Spent) add(a, b engine.Counters) {
	s.Covered += b.At.Sub(a.At)
	s.CPU = plus(s.CPU, &a.CPU, &b.CPU)
	s.Throttled = plus(s.Throttled, a.Throttled, b.Throttled)
	s.Periods = plus(s.Periods, a.Periods, b.Periods)
	s.ThrottledPeriods = plus(s.ThrottledPeriods, a.ThrottledPeriod, b.ThrottledPeriod)
	s.NetworkRx = plus(s.NetworkRx, a.NetworkRx, b.NetworkRx)
	s.NetworkTx = plus(s.NetworkTx, a.NetworkTx, b.NetworkTx)
	if b.OOMKills > a.OOMKills {
		s.OOMKills += b.OOMKills - a.OOMKills
	}
}

// plus adds the growth from a to b to a sum. A counter that went backwards was reset: then b is all that is known of its growth.
func plus[T ~int64 | ~uint64](sum, a, b *T) *T {
	if a == nil || b == nil {
		return sum
	}
	grown := *b
	if *b >= *a {
		grown = *b - *a
	}
	if sum != nil {
		grown += *sum
	}
	return &grown
}

// nearest is the index of the reading closest in time, -1 without readings.
func nearest(readings []engine.Counters, t time.Time) int {
	best := -1
	for i, r := range readings {
		if best < 0 || r.At.Sub(t).Abs() < readings[best].At.Sub(t).Abs() {
			best = i
		}
	}
	return best
}

// Join sums what was spent in several heats.
func Join(parts ...Spent) Spent {
	var s Spent
	for _, p := range parts {
		s.Covered += p.Covered
		s.CPU = plus(s.CPU, new(time.Duration), p.CPU)
		s.Throttled = plus(s.Throttled, new(time.Duration), p.Throttled)
		s.Periods = plus(s.Periods, new(uint64), p.Periods)
		s.ThrottledPeriods = plus(s.ThrottledPeriods, new(uint64), p.ThrottledPeriods)
		s.NetworkRx = plus(s.NetworkRx, new(uint64), p.NetworkRx)
		s.NetworkTx = plus(s.NetworkTx, new(uint64), p.NetworkTx)
		s.OOMKills += p.OOMKills
	}
	return s
}
