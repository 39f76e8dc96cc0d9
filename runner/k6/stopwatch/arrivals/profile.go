// Package arrivals plans when iterations of an open model begin: a profile of rates over time, a way to spread the arrivals
// (uniform, poisson, even), and the blocks in which a lane is given load. It knows nothing of k6 or of clocks; all times are offsets.
package arrivals

import (
	"math"
	"time"
)

// Stage is a linear change of the rate to Target (arrivals per second) within Duration; a Duration of 0 is a jump.
type Stage struct {
	Duration time.Duration
	Target   float64
}

// Profile is the rate of arrivals over active time: Start (arrivals per second), then the stages, then the last target on and on.
type Profile struct {
	Start  float64
	Stages []Stage
}

// WarmupRate is the constant rate (per second) to warm up with: the rate at the beginning, or the first target above 0 if that is 0.
func (p Profile) WarmupRate() float64 {
	if p.Start > 0 {
		return p.Start
	}
	for _, s := range p.Stages {
		if s.Target > 0 {
			return s.Target
		}
	}
	return 0
}

// Peak is the highest rate of the profile, in arrivals per second.
func (p Profile) Peak() float64 {
	peak := p.Start
	for _, s := range p.Stages {
		peak = max(peak, s.Target)
	}
	return peak
}

// When finds the time in seconds at which n arrivals are due: the inverse of the cumulative intensity. Where the rate is 0 for a
// while it gives the end of that while; +Inf if so many are never due.
func (p Profile) When(n float64) float64 {
	var begin float64
	rate := p.Start
	for _, s := range p.Stages {
		length := s.Duration.Seconds()
		due := (rate + s.Target) / 2 * length
		if n < due {
			if n <= 0 {
				return begin
			}
			slope := (s.Target - rate) / length
			// The root of rate*t + slope*t²/2 = n, in the form that loses no digits when the slope is small.
			return begin + 2*n/(rate+math.Sqrt(max(0, rate*rate+2*slope*n)))
		}
		n -= due
		begin += length
		rate = s.Target
	}
	if rate <= 0 {
		return math.Inf(1)
	}
	return begin + n/rate
}
