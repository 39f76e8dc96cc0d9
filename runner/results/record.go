package results

import (
	"slices"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/k6/stream"
)

// Lane is one app's race: what every heat showed, in order. A heat in which it did not start is absent.
type Lane struct {
	App   string
	Heats map[int]LaneHeat
}

// HeatRecord is a lane's part of one heat as race.json keeps it. A lane that was lost within the heat has no measures there:
// what it did before is no fair match for the others' whole heat.
func HeatRecord(l LaneHeat, own ...race.CustomMeasure) race.HeatLane {
	rec := race.HeatLane{
		ActiveMS: float64(l.Active.Milliseconds()),
		Requests: l.Totals.Requests,
		Failed:   l.Totals.Failed,
		Measures: map[string]*float64{},
	}
	if planned := l.Totals.Iterations + l.Totals.Dropped; planned > 0 {
		rec.DroppedRatio = float64(l.Totals.Dropped) / float64(planned)
	}
	if l.Whole {
		rec.Measures = Measures(l, own...)
	}
	return rec
}

// Pool is the whole race of a lane as if it had been one long heat: counts are summed, distributions pooled.
// Memory keeps its heats apart, since every heat starts a fresh app: see Totals.
func (l Lane) Pool() LaneHeat {
	var p LaneHeat
	spent := make([]Spent, 0, len(l.Heats))
	for _, n := range l.numbers() {
		h := l.Heats[n]
		p.Active += h.Active
		p.Totals = addTotals(p.Totals, h.Totals)
		spent = append(spent, h.Spent)
	}
	p.Spent = Join(spent...)
	return p
}

// Totals fills a lane's record: client, container, joined and measures over the whole race.
func (l Lane) Totals(rec race.Lane, own ...race.CustomMeasure) race.Lane {
	pool := l.Pool()
	m := Measures(pool, own...)
	for _, c := range own {
		if c.Type == race.Expression { // nobody knows how its values pool
			m[c.ID] = l.overHeats(c.ID, mean, c)
		}
	}
	m["memory_working_set"] = l.overHeats("memory_working_set", slices.Max[[]float64])
	m["memory_slope"] = l.overHeats("memory_slope", median)
	m["memory_bytes_per_request"] = nil
	if rate := m["request_rate"]; rate != nil && m["memory_slope"] != nil {
		m["memory_bytes_per_request"] = per(m["memory_slope"], *rate)
	}
	rec.Measures = m
	rec.Client = client(pool, m)
	rec.Container = &race.Container{
		CPUSeconds:                seconds(pool.Spent.CPU),
		MemoryMaxBytes:            m["memory_working_set"],
		MemorySlopeBytesPerSecond: m["memory_slope"],
		ThrottledSeconds:          seconds(pool.Spent.Throttled),
		NetworkRxBytes:            number(pool.Spent.NetworkRx),
		NetworkTxBytes:            number(pool.Spent.NetworkTx),
	}
	rec.Joined = &race.Joined{
		CPUMSPerRequest:        m["cpu_ms_per_request"],
		ThrottledMSPerRequest:  m["throttled_ms_per_request"],
		MemoryBytesPerRequest:  m["memory_bytes_per_request"],
		NetworkBytesPerRequest: m["network_bytes_per_request"],
	}
	return rec
}

func client(pool LaneHeat, m map[string]*float64) *race.Client {
	c := &race.Client{
		Requests: pool.Totals.Requests,
		Failed:   pool.Totals.Failed,
		LatencyMS: race.Latency{
			Mean: m["latency_mean"], P50: m["latency_p50"], P90: m["latency_p90"],
			P95: m["latency_p95"], P99: m["latency_p99"], Max: m["latency_max"],
		},
		Checks:     race.Checks{Passed: pool.Totals.ChecksPassed, Failed: pool.Totals.ChecksFailed},
		Dropped:    pool.Totals.Dropped,
		ResponseMS: response(pool.Totals.Response),
	}
	if rate := m["request_rate"]; rate != nil {
		c.Rate = *rate
	}
	return c
}

func response(h stream.Histogram) *race.Latency {
	if h.Count == 0 {
		return nil
	}
	ms := func(seconds float64) *float64 { return times(&seconds, 1000) }
	return &race.Latency{Mean: ms(h.Mean()), P50: ms(h.Quantile(.50)), P90: ms(h.Quantile(.90)), P95: ms(h.Quantile(.95)), P99: ms(h.Quantile(.99)), Max: ms(h.Max)}
}

func (l Lane) numbers() []int {
	numbers := make([]int, 0, len(l.Heats))
	for n := range l.Heats {
		numbers = append(numbers, n)
	}
	slices.Sort(numbers)
	return numbers
}

// overHeats joins a measure's values of the whole heats; nil where no heat has one.
func (l Lane) overHeats(id string, join func([]float64) float64, own ...race.CustomMeasure) *float64 {
	var values []float64
	for _, n := range l.numbers() {
		if v := Measures(l.Heats[n], own...)[id]; v != nil && l.Heats[n].Whole {
			values = append(values, *v)
		}
	}
	if len(values) == 0 {
		return nil
	}
	v := join(values)
	return &v
}

func mean(values []float64) float64 {
	var sum float64
	for _, v := range values {
		sum += v
	}
	return sum / float64(len(values))
}

func median(values []float64) float64 {
	s := slices.Sorted(slices.Values(values))
	if n := len(s); n%2 == 0 {
		return (s[n/2-1] + s[n/2]) / 2
	}
	return s[len(s)/2]
}
