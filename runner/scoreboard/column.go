package scoreboard

import (
	"math"
	"strconv"
	"strings"
)

// Column is how a measure is shown.
type Column struct {
	Measure string // the contract's id
	Title   string // short, for the head of a column
	Name    string // in full
	// Difference: the distance to the baseline is told in the measure's own unit, because a ratio of values near zero says nothing.
	Difference bool
	format     func(float64) string
}

// Columns are all measures, in the order in which they are shown.
func Columns() []Column {
	rate := func(unit string) func(float64) string {
		return func(v float64) string { return digits(v) + unit }
	}
	bytesRate := func(v float64) string { return Bytes(v) + "/s" }
	return []Column{
		{Measure: "latency_mean", Title: "mean", Name: "latency, mean", format: Milliseconds},
		{Measure: "latency_p50", Title: "p50", Name: "latency, median", format: Milliseconds},
		{Measure: "latency_p90", Title: "p90", Name: "latency, 90th percentile", format: Milliseconds},
		{Measure: "latency_p95", Title: "p95", Name: "latency, 95th percentile", format: Milliseconds},
		{Measure: "latency_p99", Title: "p99", Name: "latency, 99th percentile", format: Milliseconds},
		{Measure: "latency_max", Title: "max", Name: "latency, maximum", format: Milliseconds},
		{Measure: "request_rate", Title: "req/s", Name: "throughput", format: rate(" /s")},
		{Measure: "error_rate", Title: "errors", Name: "error rate", Difference: true, format: Percent},
		{Measure: "check_rate", Title: "checks", Name: "checks passed", Difference: true, format: Percent},
		{Measure: "cpu_ms_per_request", Title: "CPU/req", Name: "CPU time per request", format: Milliseconds},
		{Measure: "throttled_ms_per_request", Title: "throttled/req", Name: "throttled time per request", Difference: true, format: Milliseconds},
		{Measure: "cpu_cores", Title: "CPU", Name: "CPU", format: rate(" cores")},
		{Measure: "cpu_throttled_ratio", Title: "throttled", Name: "throttled periods", Difference: true, format: Percent},
		{Measure: "memory_working_set", Title: "memory", Name: "memory, highest working set", format: Bytes},
		{Measure: "memory_slope", Title: "mem growth", Name: "growth of memory", Difference: true, format: bytesRate},
		{Measure: "memory_bytes_per_request", Title: "mem/req", Name: "memory kept per request", Difference: true, format: Bytes},
		{Measure: "network_bytes_per_request", Title: "net/req", Name: "network bytes per request", format: Bytes},
		{Measure: "network_receive_rate", Title: "net in", Name: "network, received", format: bytesRate},
		{Measure: "network_transmit_rate", Title: "net out", Name: "network, sent", format: bytesRate},
		{Measure: "data_received_rate", Title: "data in", Name: "data received by k6", format: bytesRate},
		{Measure: "data_sent_rate", Title: "data out", Name: "data sent by k6", format: bytesRate},
		{Measure: "vus", Title: "VUs", Name: "virtual users, most at once", format: func(v float64) string { return strconv.FormatFloat(v, 'f', 0, 64) }},
	}
}

// ColumnOf finds the column of a measure; one that is not known is shown plainly under its id.
func ColumnOf(measure string) Column {
	for _, c := range Columns() {
		if c.Measure == measure {
			return c
		}
	}
	return Column{Measure: measure, Title: measure, Name: measure, format: digits}
}

// Format writes a value of the measure with its unit; what is not known is None.
func (c Column) Format(v *float64) string {
	if v == nil || math.IsNaN(*v) || math.IsInf(*v, 0) {
		return None
	}
	return c.format(*v)
}

// Diff writes how far a value lies from the baseline's: "▲ +4.2 %", "▲ × 24.1" from ten times on, "▼ −12.0 KiB/s" for differences.
// The arrow says more or less, never better or worse. It is "" where there is nothing to compare.
func (c Column) Diff(v, base *float64) string {
	if v == nil || base == nil {
		return ""
	}
	d := *v - *base
	if c.Difference {
		text := strings.TrimPrefix(c.format(math.Abs(d)), "−")
		if strings.HasSuffix(text, " %") {
			text = strings.TrimSuffix(text, "%") + "pp" // percentage points
		}
		return arrow(d, text)
	}
	if *base == 0 {
		return ""
	}
	share := d / math.Abs(*base)
	if share >= 9 {
		return arrow(d, "× "+digits(*v / *base))
	}
	return arrow(d, digitsPercent(math.Abs(share)))
}

func digitsPercent(share float64) string {
	decimals := 1
	if share >= 1 {
		decimals = 0
	}
	return strconv.FormatFloat(100*share, 'f', decimals, 64) + " %"
}

// arrow puts the direction and the sign before a distance.
func arrow(d float64, text string) string {
	zero := strings.Trim(strings.Fields(text)[0], "0.") == ""
	switch {
	case zero:
		return "= " + text
	case d > 0 && strings.HasPrefix(text, "×"):
		return "▲ " + text
	case d > 0:
		return "▲ +" + text
	default:
		return "▼ −" + text
	}
}
