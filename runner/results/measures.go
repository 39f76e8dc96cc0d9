package results

import (
	"time"

	"github.com/photofinish/photofinish/pkg/compare"
	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/engine"
	"github.com/photofinish/photofinish/runner/k6/stream"
)

// LaneHeat is all that was observed of one lane in the measured part of one heat.
type LaneHeat struct {
	Totals stream.Totals
	Active time.Duration // time in which the lane was given load
	Spent  Spent
	Memory []MemorySample
	// Asked are the values of the race's own expressions, by the measure's id.
	Asked map[string]float64
	// Whole is false where the lane was lost within the heat; its counts stand, but no verdict is built on it.
	Whole bool
}

// MemorySample is the working set at a moment of the lane's active time.
type MemorySample struct {
	Active time.Duration // seconds of load before this moment
	Bytes  float64
}

// MemorySamples picks the readings that lie within the windows and puts them on the lane's own clock, which stands still while it is given no load.
func MemorySamples(readings []engine.Counters, windows []Window) []MemorySample {
	var samples []MemorySample
	var before time.Duration
	for _, w := range windows {
		for _, r := range readings {
			if r.WorkingSet != nil && !r.At.Before(w.From) && !r.At.After(w.To) {
				samples = append(samples, MemorySample{Active: before + min(r.At.Sub(w.From), w.Load), Bytes: float64(*r.WorkingSet)})
			}
		}
		before += w.Load
	}
	return samples
}

// Measures are the values of one lane over one heat, or over a whole race where l is the Pool of its heats, of the contract's measures and of those
// that the race has of its own. What is not known is nil.
func Measures(l LaneHeat, own ...race.CustomMeasure) map[string]*float64 {
	m := map[string]*float64{}
	for id, q := range map[string]float64{"latency_p50": .50, "latency_p90": .90, "latency_p95": .95, "latency_p99": .99} {
		m[id] = latency(l.Totals.Latency, func(h stream.Histogram) float64 { return h.Quantile(q) })
	}
	m["latency_mean"] = latency(l.Totals.Latency, func(h stream.Histogram) float64 { return h.Mean() })
	m["latency_max"] = latency(l.Totals.Latency, func(h stream.Histogram) float64 { return h.Max })

	requests, active := float64(l.Totals.Requests), l.Active.Seconds()
	m["request_rate"] = per(&requests, active)
	m["error_rate"] = per(float(l.Totals.Failed), requests)
	m["check_rate"] = per(float(l.Totals.ChecksPassed), float64(l.Totals.ChecksPassed+l.Totals.ChecksFailed))
	m["vus"] = nil
	if l.Totals.MaxVUs > 0 { // a stock k6 does not tell
		m["vus"] = float(l.Totals.MaxVUs)
	}
	m["data_received_rate"] = per(&l.Totals.DataReceived, active)
	m["data_sent_rate"] = per(&l.Totals.DataSent, active)

	m["cpu_cores"] = per(seconds(l.Spent.CPU), active)
	m["cpu_throttled_ratio"] = ratio(l.Spent.ThrottledPeriods, l.Spent.Periods)
	m["memory_working_set"] = highest(l.Memory)
	m["memory_slope"] = slope(l.Memory)
	m["network_receive_rate"] = per(number(l.Spent.NetworkRx), active)
	m["network_transmit_rate"] = per(number(l.Spent.NetworkTx), active)

	m["cpu_ms_per_request"] = per(times(seconds(l.Spent.CPU), 1000), requests)
	m["throttled_ms_per_request"] = per(times(seconds(l.Spent.Throttled), 1000), requests)
	m["memory_bytes_per_request"] = nil
	if rate := m["request_rate"]; rate != nil && m["memory_slope"] != nil {
		m["memory_bytes_per_request"] = per(m["memory_slope"], *rate)
	}
	m["network_bytes_per_request"] = per(sum(number(l.Spent.NetworkRx), number(l.Spent.NetworkTx)), requests)
	addOwn(m, l, own)
	return m
}

func latency(h stream.Histogram, read func(stream.Histogram) float64) *float64 {
	if h.Count == 0 {
		return nil
	}
	ms := read(h) * 1000
	return &ms
}

// per divides, and is nil where there is nothing to divide or to divide by.
func per(v *float64, by float64) *float64 {
	if v == nil || by <= 0 {
		return nil
	}
	x := *v / by
	return &x
}

func times(v *float64, by float64) *float64 {
	if v == nil {
		return nil
	}
	x := *v * by
	return &x
}

func sum(a, b *float64) *float64 {
	if a == nil || b == nil {
		return nil
	}
	x := *a + *b
	return &x
}

func float[T ~int | ~int64](v T) *float64 { f := float64(v); return &f }

func number(v *uint64) *float64 {
	if v == nil {
		return nil
	}
	f := float64(*v)
	return &f
}

func seconds(d *time.Duration) *float64 {
	if d == nil {
		return nil
	}
	s := d.Seconds()
	return &s
}

// ratio is part / whole; a quota that had no period yet throttled nothing.
func ratio(part, whole *uint64) *float64 {
	if part == nil || whole == nil {
		return nil
	}
	r := 0.0
	if *whole > 0 {
		r = float64(*part) / float64(*whole)
	}
	return &r
}

func highest(samples []MemorySample) *float64 {
	if len(samples) == 0 {
		return nil
	}
	top := samples[0].Bytes
	for _, s := range samples {
		top = max(top, s.Bytes)
	}
	return &top
}

// slope is the working set's growth in bytes per second of load (Theil-Sen); three samples are the least that says anything.
func slope(samples []MemorySample) *float64 {
	if len(samples) < 3 {
		return nil
	}
	x, y := make([]float64, len(samples)), make([]float64, len(samples))
	for i, s := range samples {
		x[i], y[i] = s.Active.Seconds(), s.Bytes
	}
	v := compare.TheilSen(x, y)
	return &v
}
