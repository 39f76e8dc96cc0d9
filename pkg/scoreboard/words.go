package scoreboard

import (
	"fmt"
	"slices"
	"strings"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/pkg/verdict"
)

// Word is what an outcome is called: "faster" and "slower" suit latency only, other measures are better or worse.
func Word(measure string, o race.Outcome) string {
	latency := strings.HasPrefix(measure, "latency_")
	switch o {
	case race.Faster:
		if !latency {
			return "better"
		}
	case race.Slower:
		if !latency {
			return "worse"
		}
	case race.Inconclusive:
		return "inconclusive"
	case race.Same:
	}
	return string(o)
}

// Asterisk marks the word of an outcome that stands only because somebody overrode an unfair race's audit; Footnote explains it. It is "" for other races.
func Asterisk(a race.Audit) string {
	if a.Overridden() {
		return "*"
	}
	return ""
}

// Footnote explains the Asterisk, "" where there is none.
func Footnote(a race.Audit) string {
	if !a.Overridden() {
		return ""
	}
	return "* " + Override(a)
}

// Override says that an unfair race's verdicts stand: "the race was not fair; anna let the verdicts stand on 14 Mar 2026 09:26 UTC (“…”)". It is "" for
// other races.
func Override(a race.Audit) string {
	if !a.Overridden() {
		return ""
	}
	return "the race was not fair; " + override(a)
}

// Mark is one sign for an outcome, for those who do not see the colours.
func Mark(o race.Outcome) string {
	switch o {
	case race.Faster:
		return "✓"
	case race.Slower:
		return "✗"
	case race.Same:
		return "="
	case race.Inconclusive:
	}
	return "?"
}

// Sentence says in words how an app stands to what it is compared with.
type Sentence struct{ App, Text string }

// Sentences are those of all apps but the baseline, in the order of the lanes. There are none before verdicts are.
func Sentences(r race.Race) []Sentence {
	var out []Sentence
	if len(r.Verdicts) == 0 {
		return nil
	}
	against, through := r.Baseline, r.Baseline
	if b := r.BaselineRace; b != nil {
		against, through = "itself in race "+b.ID, b.Control
	}
	end := "."
	if r.Audit.Overridden() {
		end = fmt.Sprintf(" (not a fair race: %s let its verdicts stand).", *r.Audit.OverriddenBy)
	}
	for _, l := range r.Lanes {
		if l.App != through {
			out = append(out, Sentence{l.App, verdict.Sentence(r.Verdicts, l.App, against) + end})
		}
	}
	return out
}

// Rival is what the apps of a race are compared with: the baseline, or "race nightly-…".
func Rival(r race.Race) string {
	if r.BaselineRace != nil {
		return "race " + r.BaselineRace.ID
	}
	return r.Baseline
}

// Certainty says what the intervals of the sentences are: "The intervals hold with 95% confidence; each of the 8 heats gives one value."
func Certainty(r race.Race) string {
	if len(r.Verdicts) == 0 {
		return ""
	}
	if b := r.BaselineRace; b != nil {
		through := "; no lane ran in both, so nothing is decided"
		if b.Control != "" {
			through = fmt.Sprintf(", both times by its ratio to %s, which ran in both; the intervals [low, high] hold with %.0f%% confidence for what touches both alike", b.Control, 100*r.Verdicts[0].Confidence)
		}
		when := ""
		if b.StartedAt != nil {
			when = b.StartedAt.UTC().Format(" of 2 Jan 2006 15:04 UTC")
		}
		return fmt.Sprintf("Each app was compared with itself in race %s%s%s.%s", b.ID, when, through, effects(r))
	}
	if terms := CapacityTerms(r); terms != "" && len(r.Heats) < 2 {
		return terms
	}
	if len(r.Heats) < 2 {
		return fmt.Sprintf("Each app was compared with %s in one heat, which gives no interval.", r.Baseline)
	}
	how := fmt.Sprintf("over %s; the intervals [low, high] hold with %.0f%% confidence.", Count(len(r.Heats), "heat"), 100*r.Verdicts[0].Confidence)
	if verdict.EndedEarly(r) {
		how = fmt.Sprintf("over %d of %s. An end that comes because of what was seen takes some of the %.0f%% confidence of the intervals [low, high], so outcomes were read from wider ones.",
			len(r.Heats), Count(r.PlannedHeats, "heat"), 100*r.Verdicts[0].Confidence)
	}
	return strings.TrimSuffix(fmt.Sprintf("Each app was compared with %s heat by heat, %s%s %s", r.Baseline, how, effects(r), CapacityTerms(r)), " ")
}

// effects tells of the primary measures whose smallest effect is not the usual one what it is: " A difference counts from 5% on (p95 latency)."
func effects(r race.Race) string {
	var parts []string
	for _, v := range r.Verdicts {
		c := ColumnOf(v.Measure, r.CustomMeasures...)
		part := fmt.Sprintf("from %s on (%s)", c.Effect(v.MinimumEffect), c.Name)
		if v.Primary && v.MinimumEffect != verdict.Of(c.Measure).MinimumEffect && !slices.Contains(parts, part) {
			parts = append(parts, part)
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return " A difference counts " + strings.Join(parts, ", ") + "."
}

// Fairness is the audit in one line.
func Fairness(a race.Audit) string {
	n := map[race.Severity]int{}
	for _, f := range a.Findings {
		n[f.Severity]++
	}
	var parts []string
	for _, s := range Severities() {
		if n[s] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n[s], plural(string(s), n[s])))
		}
	}
	found := "nothing found"
	if len(parts) > 0 {
		found = strings.Join(parts, ", ")
	}
	switch {
	case slices.ContainsFunc(a.Findings, func(f race.Finding) bool { return f.Kind == race.NoAudit }):
		return "nobody audited this race"
	case a.Fair:
		return "fair: " + found
	case a.OverriddenBy != nil:
		return "not fair, but " + override(a) + ": " + found
	}
	return "not fair, so nothing was decided: " + found
}

// override says who let the verdicts of an unfair race stand, when and why.
func override(a race.Audit) string {
	text := *a.OverriddenBy + " let the verdicts stand"
	if a.OverriddenAt != nil {
		text += a.OverriddenAt.UTC().Format(" on 2 Jan 2006 15:04 UTC")
	}
	if a.OverrideReason != "" {
		text += " (“" + a.OverrideReason + "”)"
	}
	return text
}

// Findings are those of an audit, the gravest first, else in their order.
func Findings(a race.Audit) []race.Finding {
	sorted := make([]race.Finding, 0, len(a.Findings))
	for _, s := range Severities() {
		for _, f := range a.Findings {
			if f.Severity == s {
				sorted = append(sorted, f)
			}
		}
	}
	return sorted
}

// Remark is a finding in a line, without its severity: "memory-leak: 0.4% of its requests failed (errors-differ)".
func Remark(f race.Finding) string {
	lane := ""
	if f.Lane != "" {
		lane = f.Lane + ": "
	}
	return lane + f.Detail + " (" + string(f.Kind) + ")"
}

// Severities are those of findings, the gravest first.
func Severities() []race.Severity { return []race.Severity{race.Unfair, race.Warning, race.Note} }

// Count is a number with its noun: "1 heat", "12 heats".
func Count(n int, noun string) string { return fmt.Sprintf("%d %s", n, plural(noun, n)) }

func plural(noun string, n int) string {
	if n == 1 || noun == string(race.Unfair) {
		return noun
	}
	return noun + "s"
}

// ExitWords says how a lane left the race: "out of memory", "exited with code 2". It is "" for a lane that was there to the end.
func ExitWords(e *race.Exit) string {
	if e == nil {
		return ""
	}
	code := ""
	if e.Code != nil {
		code = fmt.Sprintf(" with code %d", *e.Code)
	}
	switch e.Reason {
	case race.Exited:
		return "exited" + code
	case race.OOM:
		return "out of memory"
	case race.Killed:
		return "killed"
	case race.Unhealthy:
		return "not healthy"
	case race.Running, race.Stopped:
	}
	return ""
}
