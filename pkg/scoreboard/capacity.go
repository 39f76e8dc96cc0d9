package scoreboard

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/photofinish/photofinish/pkg/race"
)

// Capacity tells of each app the highest rate that it holds: "two-workers holds 201 req/s [198, 204], found in 17 tries; beyond it latency_p95<60: 68.1 ms". There are none before
// a search is over.
func Capacity(r race.Race) []Sentence {
	if r.Capacity == nil {
		return nil
	}
	var out []Sentence
	for _, l := range r.Capacity.Lanes {
		if l.Limit != "" {
			out = append(out, Sentence{l.App, l.App + " " + capacityWords(r, l)})
		}
	}
	return out
}

func capacityWords(r race.Race, l race.LaneCapacity) string {
	tries := fmt.Sprintf("in %d tries", len(l.Tries))
	if len(l.Tries) == 1 {
		tries = "in 1 try"
	}
	rate := func(v float64) string { return ColumnOf(race.CapacityMeasure, r.CustomMeasures...).Format(v) }
	switch {
	case l.Rate == nil:
		return fmt.Sprintf("held no rate %s: %s", tries, cmp.Or(l.Broke, "it did not start again"))
	case l.Open():
		return fmt.Sprintf("holds at least %s, %s; beyond it %s", rate(*l.Rate), tries, cmp.Or(l.Broke, "nothing was tried"))
	}
	return fmt.Sprintf("holds %s %s, found %s; beyond it %s", rate(*l.Rate), Interval(*l.Low, *l.High), tries, l.Broke)
}

// Interval writes the ends of an interval of rates with as many digits as it allows.
func Interval(low, high float64) string { return fmt.Sprintf("[%s, %s]", Rate(low), Rate(high)) }

// CapacityTerms says what a capacity is: "A capacity is the highest rate that keeps latency_p95<60 and error_rate<0.01, with its 95% interval." It is "" in a race that searched none.
func CapacityTerms(r race.Race) string {
	if r.Capacity == nil {
		return ""
	}
	terms := make([]string, len(r.Capacity.Conditions))
	for i, c := range r.Capacity.Conditions {
		terms[i] = c.String()
	}
	return fmt.Sprintf("A capacity is the highest rate that keeps %s, with its %.0f%% interval.", strings.Join(terms, " and "), 100*r.Capacity.Confidence)
}
