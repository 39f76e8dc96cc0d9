package verdict

import (
	"slices"
	"strings"

	"github.com/photofinish/photofinish/pkg/measure"
	"github.com/photofinish/photofinish/pkg/race"
)

// Better says in which direction a measure is better.
type Better string

// The directions. Measures without one (the number of VUs) get no verdict.
const (
	Lower  Better = "lower"
	Higher Better = "higher"
	None   Better = ""
)

// The smallest effects that count.
const (
	// DefaultMinimumEffect: a difference of 2% is about what a performance engineer would act on, and what 12 heats can tell.
	DefaultMinimumEffect = 0.02
	// StockPercentileEffect is one bucket of k6's own native histograms (schema 3, base 2^(1/8)): they cannot tell less apart.
	StockPercentileEffect = 0.091
	// CapacityEffect: a search of some twenty heats finds a capacity within about 2% either way.
	CapacityEffect = 0.05
	// ErrorMargin is the difference of error rates that counts: one request in a thousand. Audit and verdict use the same.
	ErrorMargin = 0.001
)

// Margins of the other measures that are compared by difference.
const (
	checkMargin            = ErrorMargin
	throttledRatioMargin   = 0.01  // one period in a hundred
	throttledMSMargin      = 0.1   // ms per request: what a 1% share of a 10 ms request would be
	memorySlopeMargin      = 65536 // B/s: fills a lane of 128 MiB in half an hour
	memoryPerRequestMargin = 1024  // B per request: about one small object kept for each
)

// MeasureSpec is how a measure is to be judged.
type MeasureSpec struct {
	ID     string
	Better Better
	// Primary measures are decided with the family's correction and are what alarms look at.
	Primary bool
	// MinimumEffect is relative (0.02 is 2%); where Difference is set it is absolute, in the measure's unit.
	MinimumEffect float64
	// Difference compares app - baseline instead of app / baseline, for measures that may be zero or negative.
	Difference bool
	// Memory measures need MinMemorySeconds of racing.
	Memory bool
	// Percentile measures of a stock k6 are too coarse for a fine verdict.
	Percentile bool
}

// Of is how a measure is judged by default: those of the contract by Spec. Of a race's own, shares are compared by their difference, since they may be zero.
func Of(m measure.Measure) MeasureSpec {
	if m.Source != measure.Script {
		return Spec(m.ID, Better(m.Better))
	}
	_, percentile := measure.Quantile(m.Custom)
	s := MeasureSpec{ID: m.ID, Better: Better(m.Better), MinimumEffect: DefaultMinimumEffect, Percentile: percentile}
	if m.Custom.Type == race.Searched {
		s.Primary, s.MinimumEffect = true, CapacityEffect
	}
	if m.Unit == measure.Ratio {
		s.Difference, s.MinimumEffect = true, ErrorMargin
	}
	return s
}

// Spec is how the contract's measure id is judged by default. Measures it does not know are ratios with the default minimum effect.
func Spec(id string, better Better) MeasureSpec {
	s := MeasureSpec{ID: id, Better: better, MinimumEffect: DefaultMinimumEffect, Memory: strings.HasPrefix(id, "memory_"), Percentile: strings.HasPrefix(id, "latency_p")}
	switch id {
	case "latency_p95", "cpu_ms_per_request", "error_rate":
		s.Primary = true
	}
	if margin, ok := margin(id); ok {
		s.Difference, s.MinimumEffect = true, margin
	}
	return s
}

func margin(id string) (float64, bool) {
	switch id {
	case "error_rate":
		return ErrorMargin, true
	case "check_rate":
		return checkMargin, true
	case "cpu_throttled_ratio":
		return throttledRatioMargin, true
	case "throttled_ms_per_request":
		return throttledMSMargin, true
	case "memory_slope":
		return memorySlopeMargin, true
	case "memory_bytes_per_request":
		return memoryPerRequestMargin, true
	}
	return 0, false
}

// With is the same measure with the smallest effect that somebody asked for, if anybody did.
func (m MeasureSpec) With(asked race.Effects) MeasureSpec {
	own, said := asked.Of[m.ID]
	switch {
	case said:
		m.MinimumEffect = own
	case asked.All > 0 && !m.Difference:
		m.MinimumEffect = asked.All
	}
	return m
}

// For is the same measure as a race's definition wants it judged. Where the load depends on the answers, a slower app gets fewer requests: how many
// it answered is then among what decides, unless the definition says what does.
func (m MeasureSpec) For(d race.Definition) MeasureSpec {
	if m = m.With(d.MinimumEffect); !d.K6.BuiltIn() {
		m = m.FromStock()
	}
	switch {
	case len(d.Primary) > 0:
		m.Primary = slices.Contains(d.Primary, m.ID)
	case m.ID == "request_rate":
		m.Primary = slices.ContainsFunc(d.Scenarios, func(s race.Scenario) bool { return !s.Open() })
	}
	return m
}

// FromStock is the same measure taken from a stock k6, whose histograms are too coarse for a fine verdict on a percentile.
func (m MeasureSpec) FromStock() MeasureSpec {
	if m.Percentile {
		m.MinimumEffect = max(m.MinimumEffect, StockPercentileEffect)
	}
	return m
}
