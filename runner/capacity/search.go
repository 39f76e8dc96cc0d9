package capacity

import (
	"math"
	"time"

	"github.com/photofinish/photofinish/pkg/race"
)

// The bounds of a search.
const (
	// Growth is the ratio of one rate to the last while no bracket is known.
	Growth = 2.0
	// Bracket is the ratio of the lowest broken to the highest held rate at which the confirming tries begin: four halvings of a doubling (2^(1/16) = 1.044).
	Bracket = 1.05
	// Step is the ratio of neighbouring rates of the confirming tries. Finer ones could not be told apart: a heat of 10 s at 100 requests/s is within ±1 request of its rate.
	Step = 1.02
	// MinConfirm tries give each side of the edge two or more of them.
	MinConfirm = 6
	// MaxConfirm bounds a race whose edge is blurred.
	MaxConfirm = 14
	// Precise is the half-width of the interval, as a share of the rate, at which no more tries are needed.
	Precise = 0.025
	// PlannedTries is what a search comes to that starts at a quarter of the capacity: 4 to find a bracket, 4 to narrow it, and some to confirm.
	PlannedTries = 16
	// MaxTries bounds a search that starts anywhere.
	MaxTries = 40
	// FewestIterations of a heat: of fewer nobody can say how most of them fared, so no lower rate is tried.
	FewestIterations = 10
	// Lowest is the share of the starting rate below which no rate is tried: an app that does not hold it keeps its conditions at no rate of interest.
	Lowest = 1.0 / 64
	// Highest is the most iterations per second that may be asked of one k6.
	Highest = 1_000_000
)

// Trial is a rate that was tried.
type Trial struct {
	Rate float64 // per second
	Held bool
}

// Search is the search for the highest rate that one app holds.
type Search struct {
	lowest  float64
	highest float64
	trials  []Trial
	confirm int     // how many of the last trials confirm
	step    float64 // of the next confirming one, as a logarithm
	run     int     // how many confirming trials in a row said the same
	next    float64
	over    bool
}

// New starts a search at a rate (per second) above zero, in heats that last so long. No rate above most is tried; 0 is Highest.
func New(start float64, heat time.Duration, most float64) *Search {
	if most <= 0 {
		most = Highest
	}
	lowest := max(start*Lowest, min(start, FewestIterations/heat.Seconds()))
	return &Search{lowest: lowest, highest: most, next: rounded(start), step: math.Log(Step)}
}

// Next is the rate to be tried now; ok is false when the search is over.
func (s *Search) Next() (rate float64, phase race.TryPhase, ok bool) {
	phase = race.TrySearch
	if s.confirming() {
		phase = race.TryConfirm
	}
	return s.next, phase, !s.over
}

// Tell tells whether the rate of Next was held.
func (s *Search) Tell(held bool) {
	confirming := s.confirming()
	s.trials = append(s.trials, Trial{Rate: s.next, Held: held})
	if confirming {
		s.confirm++
		s.climb(held)
	} else {
		s.look()
	}
	s.over = s.over || len(s.trials) >= MaxTries
	s.next = min(rounded(s.next), s.highest)
}

// Stop ends the search.
func (s *Search) Stop() { s.over = true }

// Trials are those that were told, in their order.
func (s *Search) Trials() []Trial { return s.trials }

func (s *Search) confirming() bool {
	held, broken := bracket(s.trials)
	return s.confirm > 0 || held > 0 && broken > 0 && broken/held <= Bracket
}

// look is the next rate while no narrow bracket is known.
func (s *Search) look() {
	held, broken := bracket(s.trials)
	switch {
	case broken == 0:
		s.over = held >= s.highest
		s.next = min(s.highest, held*Growth)
	case held == 0:
		s.next = broken / Growth
		s.over = s.next < s.lowest
	default:
		s.next = math.Sqrt(held * broken)
	}
}

// climb is the next rate of the staircase.
func (s *Search) climb(held bool) {
	if n := len(s.trials); s.confirm > 1 && s.trials[n-2].Held == held {
		s.run++
	} else {
		s.run = 1
	}
	if s.run > 2 {
		s.step *= 2
	} else {
		s.step = math.Log(Step)
	}
	if held {
		s.next = min(s.highest, s.next*math.Exp(s.step))
	} else {
		s.next *= math.Exp(-s.step)
	}
	if s.confirm >= MaxConfirm {
		s.over = true
	} else if s.confirm >= MinConfirm {
		e := Of(s.trials)
		s.over = e.High/e.Low <= (1+Precise)*(1+Precise)
	}
}

// rounded is a rate with four digits: finer ones are not seen.
func rounded(rate float64) float64 {
	scale := math.Pow(10, 3-math.Floor(math.Log10(rate)))
	return math.Round(rate*scale) / scale
}
