package verdict

import (
	"fmt"
	"strings"

	"github.com/photofinish/photofinish/pkg/race"
)

// The rules of judging.
const (
	// Confidence of the plain interval.
	Confidence = 0.95
	// MinHeats: with fewer, the estimate of the spread itself is too poor and the sign-flip test cannot reach 2.5% (2^-5).
	MinHeats = 6
	// MinMemorySeconds: a garbage-collected heap needs some collections before its growth means anything.
	MinMemorySeconds = 60
)

// Input is a race as the judge sees it.
type Input struct {
	Baseline string
	Apps     []string // in the order of the lanes; the baseline may be among them and gets no verdict
	Measures []MeasureSpec
	Heats    []Heat
	// Earlier are the heats of an earlier race, nil where there is none. With them each app is compared with itself in that race: what is compared is how it
	// stood to Baseline, a lane that ran in both, now and then. Without such a lane Baseline is "", and what moved between the races is taken for the app's.
	Earlier []Heat
	// RaceSeconds is how long each lane was given load, summed over the heats, warm-up excluded.
	RaceSeconds float64
	// Unfair: the race failed its audit. Overridden: somebody let the verdicts stand all the same.
	Unfair, Overridden bool
	// Alpha is the rate of wrong outcomes in the primary family, 0.05 if zero. A look before the last heat passes what it may spend;
	// the plain interval stays at Confidence.
	Alpha float64
}

// Heat holds the values by app and measure id. Nil or absent is "not measured" (the lane was out): such a heat is not paired.
type Heat struct {
	Values map[string]map[string]*float64
	// Dropped is by app the share of the planned iterations (0-1) that were not started.
	Dropped map[string]float64
}

// dropped is the name under which a heat's Dropped is asked for as if it were a measure.
const dropped = "dropped"

// value is nil where nothing finite was measured.
func (h Heat) value(app, measure string) *float64 {
	if share, known := h.Dropped[app]; known && measure == dropped {
		return &share
	}
	if v := h.Values[app][measure]; v != nil && finite(*v) {
		return v
	}
	return nil
}

// Judge gives a verdict per app (but the baseline) and measure, in the order of Apps and Measures. Measures without a better
// direction, and those that neither the app nor the baseline has a value of, get none. Bad data are warnings, not errors.
func Judge(in Input) []race.Verdict {
	var questions []question
	for _, app := range in.Apps {
		if app == in.Baseline {
			continue
		}
		for _, m := range in.Measures {
			if q, ok := ask(in, app, m); ok && (m.Better == Lower || m.Better == Higher) {
				questions = append(questions, q)
			}
		}
	}
	alpha := in.Alpha
	if alpha <= 0 {
		alpha = 1 - Confidence
	}
	levels(questions, alpha)

	quantiles := studentQuantiles()
	errors, drops := differences(in, "error_rate"), differences(in, dropped)
	verdicts := make([]race.Verdict, 0, len(questions))
	for _, q := range questions {
		v := q.verdict(quantiles)
		if (v.Outcome == race.Inconclusive || q.n() < MinHeats) && q.openEnded(in) {
			v.HeatsNeeded = q.heatsNeeded(quantiles)
		}
		hold(in, q, errors[q.app], drops[q.app], &v)
		verdicts = append(verdicts, v)
	}
	return verdicts
}

// verdict reads the outcome from the decision interval, before any reason to withhold it.
func (q question) verdict(quantiles quantiles) race.Verdict {
	v := race.Verdict{
		App: q.app, Measure: q.measure.ID, Outcome: race.Inconclusive, Confidence: Confidence,
		Primary: q.measure.Primary, MinimumEffect: q.measure.MinimumEffect, Heats: q.n(), Warnings: q.warnings,
	}
	v.Ratio = q.ratio(q.mean)
	if q.bothZero {
		v.Outcome = race.Same
		return v
	}
	if q.n() < 2 {
		return v
	}
	low, high := q.interval(1-Confidence, quantiles)
	v.Low, v.High = q.ratio(low), q.ratio(high)
	low, high = q.interval(q.alpha, quantiles)
	v.DecisionLow, v.DecisionHigh = q.ratio(low), q.ratio(high)
	v.Outcome = q.outcome(low, high)
	return v
}

// outcome reads an interval on the additive scale. Without minimum effect nothing can be called the same.
func (q question) outcome(low, high float64) race.Outcome {
	above, below := race.Slower, race.Faster
	if q.measure.Better == Higher {
		above, below = below, above
	}
	switch {
	case low > q.delta:
		return above
	case high < -q.delta:
		return below
	case low >= -q.delta && high <= q.delta:
		return race.Same
	}
	return race.Inconclusive
}

// hold withholds outcomes that the numbers alone would give but that must not be believed, and says why.
func hold(in Input, q question, errors, drops float64, v *race.Verdict) {
	withhold := func(format string, args ...any) {
		v.Outcome = race.Inconclusive
		v.Warnings = append(v.Warnings, fmt.Sprintf(format, args...))
	}
	if q.n() < MinHeats {
		withhold("%s paired; need at least %d", heats(q.n()), MinHeats)
	}
	if v.Outcome == race.Faster || v.Outcome == race.Slower {
		if p := q.crossCheck(); p > (1-Confidence)/2 {
			test := "sign-flip"
			if q.twice {
				test = "permutation"
			}
			withhold("the %s test does not confirm it (p = %.3f): single heats carry the difference", test, p)
		}
	}
	if q.measure.Memory && in.RaceSeconds < MinMemorySeconds {
		withhold("memory is judged from %d s of racing on, this race had %.0f s", MinMemorySeconds, in.RaceSeconds)
	}
	if !isRateOfSuccess(q.measure.ID) && (errors > ErrorMargin || errors < -ErrorMargin) {
		switch {
		case v.Outcome == race.Faster:
			withhold("not called faster while errors differ from the %s's (by %+.2f percentage points)", q.versus, 100*errors)
		case v.Outcome == race.Slower && errors < 0:
			withhold("not called slower than a %s that fails more often (by %.2f percentage points)", q.versus, -100*errors)
		}
	}
	if isLatency(q.measure.ID) {
		switch {
		case drops > ErrorMargin && (v.Outcome == race.Faster || v.Outcome == race.Same):
			withhold("not called %s: no virtual user was free for %.2f percentage points more of its iterations than of the %s's, and nobody knows how long those would have taken", v.Outcome, 100*drops, q.versus)
		case drops < -ErrorMargin && (v.Outcome == race.Slower || v.Outcome == race.Same):
			withhold("not called %s: no virtual user was free for %.2f percentage points more of the %s's iterations, and nobody knows how long those would have taken", v.Outcome, -100*drops, q.versus)
		}
	}
	holdUnfair(in, v)
}

// holdUnfair withholds the outcome of a race that failed its audit, unless somebody overrode that.
func holdUnfair(in Input, v *race.Verdict) {
	switch {
	case in.Unfair && !in.Overridden:
		v.Outcome = race.Inconclusive
		v.Warnings = append(v.Warnings, "the race failed its audit")
	case in.Unfair:
		v.Warnings = append(v.Warnings, "the race failed its audit; the verdict stands because it was overridden")
	}
}

func heats(n int) string {
	if n == 1 {
		return "1 heat was"
	}
	return fmt.Sprintf("%d heats were", n)
}

// openEnded says whether more heats of the same kind could decide: not where something else than the spread stands in the way, and an earlier
// race gets no more of them.
func (q question) openEnded(in Input) bool {
	return !in.Unfair && !q.twice && q.n() >= 2 && (!q.measure.Memory || in.RaceSeconds >= MinMemorySeconds)
}

// differences is by app the mean difference of a share (0-1) to what it is compared with, 0 where it is not known.
func differences(in Input, share string) map[string]float64 {
	all := make(map[string]float64, len(in.Apps))
	for _, app := range in.Apps {
		if q, ok := ask(in, app, MeasureSpec{ID: share, Better: Lower, Difference: true}); ok {
			all[app] = q.mean
		}
	}
	return all
}

// isRateOfSuccess names the measures that are about errors themselves.
func isRateOfSuccess(id string) bool { return id == "error_rate" || id == "check_rate" }

func isLatency(id string) bool { return strings.HasPrefix(id, "latency_") }
