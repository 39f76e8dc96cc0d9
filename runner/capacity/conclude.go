package capacity

import (
	"cmp"
	"slices"

	"github.com/photofinish/photofinish/pkg/race"
)

// Conclude fills in what the tries of a lane, whose search is over, come to. ended says what else than an answer ended the search, "" for nothing.
func Conclude(l race.LaneCapacity, ended race.CapacityLimit) race.LaneCapacity {
	trials := make([]Trial, len(l.Tries))
	for i, t := range l.Tries {
		trials[i] = Trial{Rate: t.Rate, Held: t.Held}
	}
	held, broken := bracket(trials)
	l.Limit, l.Broke = LimitOf(l.Tries), broke(l.Tries)
	switch {
	case held == 0:
		if l.Limit == "" {
			l.Limit = ended
		}
		return l
	case broken == 0:
		if l.Limit = ended; ended == "" {
			l.Limit = race.LimitRate
			if len(trials) >= MaxTries {
				l.Limit = race.LimitTries
			}
		}
	case l.Limit == race.LimitApp:
		e := Of(trials)
		l.Rate, l.Low, l.High = &e.Rate, &e.Low, &e.High
		return l
	}
	least := atLeast(trials)
	l.Rate, l.Low = &least, &least
	return l
}

// LimitOf is what stood in the way most often among the tries that decide: the confirming ones, and where they all held, the lowest that was not held; "" where all did.
func LimitOf(tries []race.Try) race.CapacityLimit {
	failed := slices.DeleteFunc(slices.Clone(tries), func(t race.Try) bool { return t.Held })
	if len(failed) == 0 {
		return ""
	}
	confirming := slices.DeleteFunc(slices.Clone(failed), func(t race.Try) bool { return t.Phase != race.TryConfirm })
	if len(confirming) == 0 {
		return lowest(failed).Limit
	}
	app := 0
	for _, t := range confirming {
		if t.Limit == race.LimitApp {
			app++
		}
	}
	if 2*app >= len(confirming) {
		return race.LimitApp
	}
	return slices.DeleteFunc(confirming, func(t race.Try) bool { return t.Limit == race.LimitApp })[0].Limit
}

func lowest(tries []race.Try) race.Try {
	return slices.MinFunc(tries, func(a, b race.Try) int { return cmp.Compare(a.Rate, b.Rate) })
}

// broke is what broke first: at the lowest rate at which no fewer tries failed than held.
func broke(tries []race.Try) string {
	var first race.Try
	for _, t := range tries {
		balance := 0
		for _, same := range tries {
			switch {
			case same.Rate != t.Rate:
			case same.Held:
				balance++
			default:
				balance--
			}
		}
		if !t.Held && balance <= 0 && len(t.Broke) > 0 && (first.Rate == 0 || t.Rate < first.Rate) {
			first = t
		}
	}
	if first.Rate == 0 {
		return ""
	}
	return first.Broke[0]
}

// atLeast is the highest rate that was held at least as often as not.
func atLeast(trials []Trial) float64 {
	balance := map[float64]int{}
	for _, t := range trials {
		if t.Held {
			balance[t.Rate]++
		} else {
			balance[t.Rate]--
		}
	}
	var best float64
	for rate, b := range balance {
		if b >= 0 {
			best = max(best, rate)
		}
	}
	return best
}
