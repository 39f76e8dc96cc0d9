package audit

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/photofinish/photofinish/pkg/race"
)

// Judge makes the findings of a race, the gravest first.
func Judge(o Observations) []race.Finding {
	r := &report{}
	for _, examine := range []func(Observations, *report){
		limits, throttling, arrivals, stopwatch, fates, queues, crossed, interference, otherLoad, clock, series, definition, stockK6, errorRates, heats, missing, profiles, capacities,
	} {
		examine(o, r)
	}
	rank := func(f race.Finding) int {
		return slices.Index([]race.Severity{race.Unfair, race.Warning, race.Note}, f.Severity)
	}
	slices.SortStableFunc(r.findings, func(a, b race.Finding) int { return cmp.Compare(rank(a), rank(b)) })
	return r.findings
}

// Fair says whether faster and slower may be said.
func Fair(findings []race.Finding) bool {
	return !slices.ContainsFunc(findings, func(f race.Finding) bool { return f.Severity == race.Unfair })
}

// report collects findings.
type report struct{ findings []race.Finding }

func (r *report) add(lane string, kind race.FindingKind, severity race.Severity, format string, args ...any) {
	r.findings = append(r.findings, race.Finding{Lane: lane, Kind: kind, Severity: severity, Detail: fmt.Sprintf(format, args...)})
}

// raced are the heats that gave a result.
func (o Observations) raced() []Heat {
	return slices.DeleteFunc(slices.Clone(o.Heats), func(h Heat) bool { return h.Lost != "" })
}

// spread is a share seen in several heats: how often it was known, how often it passed a mark, and where it was worst.
type spread struct {
	known     int
	worst     float64
	worstHeat int
	values    []float64
}

func (s *spread) see(heat int, v float64) {
	if s.known == 0 || v > s.worst {
		s.worst, s.worstHeat = v, heat
	}
	s.known++
	s.values = append(s.values, v)
}

// above counts the heats beyond a mark.
func (s *spread) above(mark float64) int {
	n := 0
	for _, v := range s.values {
		if v > mark {
			n++
		}
	}
	return n
}

// lasting says whether the mark was passed in enough heats to make the race unfair.
func (s *spread) lasting(mark float64) bool {
	return s.known > 0 && float64(s.above(mark)) >= unfairHeats*float64(s.known)
}

// severity is unfair where the upper mark lasted and warning where the lower one was passed at all; ok is false below both.
func (s *spread) severity(warning, unfair float64) (severity race.Severity, ok bool) {
	switch {
	case s.lasting(unfair):
		return race.Unfair, true
	case s.above(warning) > 0:
		return race.Warning, true
	}
	return "", false
}

func percent(share float64) string { return fmt.Sprintf("%.3g%%", 100*share) }
