package scoreboard

import (
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/photofinish/photofinish/pkg/measure"
	"github.com/photofinish/photofinish/pkg/race"
)

// byDifference is pkg/verdict's remark on a measure that is judged by its difference; a record holds plain numbers.
var byDifference = regexp.MustCompile(`^(judged by the difference to the (baseline|earlier race): )(\S+) \((?:baseline|earlier race) (\S+), margin ([^)]+)\)$`)

// Warnings are a verdict's but for those that all share, with numbers in the measure's unit: "+2.73 MB/s (baseline 0 B/s, margin 65.5 kB/s)".
func Warnings(v race.Verdict, shared []string, own ...race.CustomMeasure) []string {
	out := make([]string, 0, len(v.Warnings))
	for _, w := range v.Warnings {
		if !slices.Contains(shared, w) {
			out = append(out, inUnit(ColumnOf(v.Measure, own...), w))
		}
	}
	return out
}

// SharedWarnings are those that every verdict has ("3 heats were paired; need at least 6"): they are told once. One verdict shares with nobody.
func SharedWarnings(all []race.Verdict) []string {
	if len(all) < 2 {
		return nil
	}
	var shared []string
	for _, w := range all[0].Warnings {
		if !slices.ContainsFunc(all, func(v race.Verdict) bool { return !slices.Contains(v.Warnings, w) }) {
			shared = append(shared, w)
		}
	}
	return shared
}

func inUnit(c Column, warning string) string {
	part := byDifference.FindStringSubmatch(warning)
	if part == nil {
		return warning
	}
	var numbers [3]float64
	for i := range numbers {
		var err error
		if numbers[i], err = strconv.ParseFloat(part[i+3], 64); err != nil {
			return warning
		}
	}
	sign := "+"
	if numbers[0] < 0 {
		sign = "−"
	}
	return part[1] + sign + c.distance(math.Abs(numbers[0])) + " (" + part[2] + " " + c.Format(numbers[1]) + ", margin " + c.distance(numbers[2]) + ")"
}

// Effect writes the smallest effect that counts: "2%", or in the measure's own unit where it is compared by its difference.
func (c Column) Effect(size float64) string {
	if c.Difference {
		return c.distance(size)
	}
	return strconv.FormatFloat(100*size, 'g', 3, 64) + "%"
}

// distance writes how far two values are apart; shares are told in percentage points.
func (c Column) distance(size float64) string {
	text := c.Format(size)
	if c.Unit == measure.Ratio {
		text = strings.TrimSuffix(text, "%") + " pp"
	}
	return text
}
