package verdict

import (
	"cmp"
	"fmt"
	"math"
	"strings"

	"github.com/photofinish/photofinish/pkg/race"
)

// Sentence says in one line how app stands to the baseline, latency first, then the cost, then errors:
// "high-latency is slower than control: p95 × 24.1 [23.6, 24.7], same CPU per request". Where the throughput is among what decides, as in closed
// models, it comes before the latency. The terminal, the report and the panels use it.
func Sentence(verdicts []race.Verdict, app, baseline string) string {
	by := map[string]race.Verdict{}
	for _, v := range verdicts {
		if v.App == app {
			by[v.Measure] = v
		}
	}
	if v, ok := by[race.CapacityMeasure]; ok {
		return capacitySentence(v, by, app, baseline)
	}
	var head string
	var parts []string
	if v, ok := by["request_rate"]; ok && v.Primary {
		head, parts = headline(throughputs, v.Outcome, app, baseline), append(parts, clause("throughput", v))
	}
	if v, ok := by["latency_p95"]; ok {
		head, parts = cmp.Or(head, headline(speeds, v.Outcome, app, baseline)), append(parts, clause("p95", v))
	}
	if head == "" {
		return fmt.Sprintf("%s cannot be compared with %s: no latency of both was measured", app, baseline)
	}
	if v, ok := by["cpu_ms_per_request"]; ok {
		parts = append(parts, clause("CPU per request", v))
	}
	for _, m := range []struct{ id, name string }{{"memory_working_set", "memory"}, {"memory_slope", "growth of memory"}} {
		if v, ok := by[m.id]; ok && (v.Outcome == race.Faster || v.Outcome == race.Slower) {
			parts = append(parts, clause(m.name, v))
		}
	}
	switch by["error_rate"].Outcome {
	case race.Slower:
		parts = append(parts, "more errors")
	case race.Faster:
		parts = append(parts, "fewer errors")
	case race.Same, race.Inconclusive:
	}
	return head + ": " + strings.Join(parts, ", ")
}

// capacitySentence tells of the highest rates first, and of what was compared at the same rate only where that is decided: most races for capacities do not ask for it.
func capacitySentence(v race.Verdict, by map[string]race.Verdict, app, baseline string) string {
	text := map[race.Outcome]string{race.Faster: "%s holds more load than %s", race.Slower: "%s holds less load than %s", race.Same: "%s holds as much load as %s"}[v.Outcome]
	if text == "" {
		text = "which of %s and %s holds more load is inconclusive"
	}
	parts := []string{"capacity " + FormatRatio(v)}
	switch {
	case v.Ratio == nil && v.Low != nil:
		parts[0] = fmt.Sprintf("capacity at least × %s", loose(*v.Low))
	case v.Ratio == nil && v.High != nil:
		parts[0] = fmt.Sprintf("capacity at most × %s", loose(*v.High))
	case v.Ratio == nil:
		parts[0] = strings.Join(v.Warnings, ", ")
	}
	for _, m := range []struct{ id, name string }{{"latency_p95", "p95"}, {"cpu_ms_per_request", "CPU per request"}} {
		if v, ok := by[m.id]; ok && v.Outcome != race.Inconclusive {
			parts = append(parts, clause(m.name, v))
		}
	}
	return fmt.Sprintf(text, app, baseline) + ": " + strings.Join(parts, ", ")
}

// What an app is, to what it is compared with.
var (
	speeds      = map[race.Outcome]string{race.Slower: "is slower than", race.Faster: "is faster than", race.Same: "is as fast as"}
	throughputs = map[race.Outcome]string{race.Slower: "answers fewer requests than", race.Faster: "answers more requests than", race.Same: "answers as many requests as"}
)

func headline(words map[race.Outcome]string, o race.Outcome, app, baseline string) string {
	if how := words[o]; how != "" {
		return app + " " + how + " " + baseline
	}
	return app + " against " + baseline + " is inconclusive"
}

// clause is one measure in words: its ratio, or "same", or what is missing for a decision.
func clause(name string, v race.Verdict) string {
	ratio := FormatRatio(v)
	switch v.Outcome {
	case race.Same:
		if name == "p95" && ratio != "" {
			return name + " " + ratio
		}
		return "same " + name
	case race.Slower:
		if ratio == "" {
			return "worse " + name
		}
		return name + " " + ratio
	case race.Faster:
		if ratio == "" {
			return "better " + name
		}
		return name + " " + ratio
	case race.Inconclusive:
	}
	text := name + " inconclusive"
	if ratio != "" {
		text = name + " " + ratio
		if name != "p95" {
			text += " (inconclusive)"
		}
	}
	if v.HeatsNeeded != nil && name == "p95" {
		text += fmt.Sprintf(" (about %d heats would decide)", *v.HeatsNeeded)
	}
	return text
}

// FormatRatio writes ratio and plain interval with as many digits as the interval allows: "× 24.1 [23.6, 24.7]", and with more where a number would
// else read as 1, the very number that the verdict turns on ("× 1.40 [1.04, 1.90]"), or had less than two digits: "× 1.1 [0.39, 3.0]".
// It is "" without a ratio, and holds no brackets without an interval. The panels write the same (src/shared/ratio.ts).
func FormatRatio(v race.Verdict) string {
	if v.Ratio == nil {
		return ""
	}
	if v.Low == nil || v.High == nil {
		return "× " + loose(*v.Ratio)
	}
	decimals := Decimals(*v.Low, *v.High)
	decimals = max(apartFromOne(*v.Low, decimals), apartFromOne(*v.High, decimals))
	return fmt.Sprintf("× %s [%s, %s]", inDigits(*v.Ratio, decimals), inDigits(*v.Low, decimals), inDigits(*v.High, decimals))
}

// loose writes a ratio of which nobody knows how sure it is: two digits, and no exponent.
func loose(ratio float64) string { return inDigits(ratio, 0) }

// inDigits writes a ratio with so many decimals, and with more, up to mostDecimals, where it had less than two digits or would read as 1.
func inDigits(ratio float64, decimals int) string {
	least := math.Pow10(-mostDecimals)
	if ratio > 0 && ratio < least {
		return fmt.Sprintf("<%g", least)
	}
	if ratio > 0 {
		decimals = max(decimals, min(mostDecimals, 1-int(math.Floor(math.Log10(ratio)))))
	}
	return fmt.Sprintf("%.*f", apartFromOne(ratio, decimals), ratio)
}

// apartFromOne is as many decimals, and more where a number that is not 1 would read as 1 in them.
func apartFromOne(v float64, decimals int) int {
	for scale := math.Pow10(decimals); decimals < mostDecimals && v != 1 && math.Round(v*scale) == scale; scale *= 10 {
		decimals++
	}
	return decimals
}

// mostDecimals bounds the digits after the point: a race of minutes tells no more.
const mostDecimals = 3

// Decimals is how many digits after the point an interval allows: the first one that its half-width changes, at most mostDecimals.
func Decimals(low, high float64) int {
	half := (high - low) / 2
	if !(half > 0) {
		return 2
	}
	return int(min(mostDecimals, max(0, -math.Floor(math.Log10(half)))))
}
