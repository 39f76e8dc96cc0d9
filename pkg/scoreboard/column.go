package scoreboard

import (
	"math"
	"strconv"
	"strings"

	"github.com/photofinish/photofinish/pkg/measure"
	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/pkg/verdict"
)

// Column is how a measure is shown in a table.
type Column struct {
	measure.Measure
	// Title is the short name for the head of a column; values beneath it need not repeat what a unit is per.
	Title string
	// Difference: the distance to the baseline is told in the measure's own unit, because a ratio of values near zero says nothing.
	Difference bool
}

// ColumnOf finds the column of a measure, of the contract or of those that a race has of its own; one that is not known is shown plainly under its id.
func ColumnOf(id string, own ...race.CustomMeasure) Column {
	m, err := measure.Of(own...).ByID(id)
	if err != nil {
		m = measure.Measure{ID: id, Name: id, Unit: measure.Count}
	}
	return Column{Measure: m, Title: title(m), Difference: verdict.Of(m).Difference}
}

func title(m measure.Measure) string {
	switch m.ID {
	case "latency_mean":
		return "mean"
	case "latency_max":
		return "max"
	case "request_rate":
		return "req/s"
	case "cpu_ms_per_request":
		return "CPU/req"
	case "throttled_ms_per_request":
		return "throttled/req"
	case "memory_bytes_per_request":
		return "mem/req"
	case "memory_slope":
		return "mem growth"
	}
	if m.Source == measure.Script {
		return m.Name
	}
	name := strings.TrimSuffix(m.Name, " latency")
	if strings.HasPrefix(name, "CPU") {
		return name
	}
	return strings.ToLower(name)
}

// Value writes a value for a column, Absent where it is not known.
func (c Column) Value(v *float64) string {
	text := c.FormatPointer(v)
	for _, suffix := range []string{" req/s", "/req"} {
		text = strings.TrimSuffix(text, suffix)
	}
	return group(text)
}

// Diff writes how far a value lies from the baseline's: "▲ +4.2%", "▲ × 24.1" from ten times on, "▼ −12.0 kB/s" for differences.
// The sign says more or less, never better or worse. It is "" where there is nothing to compare.
func (c Column) Diff(v, base *float64) string {
	if v == nil || base == nil || math.IsNaN(*v) || math.IsNaN(*base) {
		return ""
	}
	d := *v - *base
	if c.Difference {
		size := math.Abs(d)
		text := c.Value(&size)
		if c.Unit == measure.Ratio {
			text = strings.TrimSuffix(text, "%") + " pp" // percentage points
		}
		return sign(d, text)
	}
	if *base == 0 {
		return ""
	}
	share := d / math.Abs(*base)
	if share >= manyTimes {
		return "▲ " + Times(share)
	}
	decimals := 1
	if math.Abs(share) >= 1 {
		decimals = 0
	}
	return sign(d, strconv.FormatFloat(100*math.Abs(share), 'f', decimals, 64)+"%")
}

// manyTimes is the difference, as a share of the baseline's value, from which on percents are harder to read than how many times that value it is.
const manyTimes = 9

// Times writes a difference to the baseline, as a share of its value, as how many times that value it is: "× 24.1". It is "" below ten times.
func Times(share float64) string {
	if !(share >= manyTimes) {
		return ""
	}
	decimals := 1
	if 1+share >= 100 {
		decimals = 0
	}
	return "× " + strconv.FormatFloat(1+share, 'f', decimals, 64)
}

// sign puts the direction before a distance; one that is too small for its digits has none.
func sign(d float64, text string) string {
	number, _, _ := strings.Cut(text, " ")
	switch {
	case strings.Trim(number, "0.%") == "":
		return "= " + text
	case d > 0:
		return "▲ +" + text
	default:
		return "▼ −" + text
	}
}
