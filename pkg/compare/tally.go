package compare

import (
	"math"
	"slices"

	"github.com/photofinish/photofinish/pkg/measure"
	"github.com/photofinish/photofinish/pkg/race"
)

// tally is what an app did in a heat, or in several: amounts and the seconds over which each was taken, so that tallies can be summed before they are divided.
// A nil pointer is unknown.
type tally struct {
	counts map[string]float64 // by column, exact, zero before the first sample
	direct map[string]float64 // measures that Prometheus computed whole
	// spanned are counts between the first and the last sample, over clientSeconds.
	spanned       map[string]float64
	clientSeconds float64

	cpu, throttled, received, sent ratio // per second
	throttledPeriods               ratio // over periods
	peak                           *float64
	slopes                         []float64 // one a heat, bytes per second
}

// ratio is a sum over a sum; there is none where nothing was added.
type ratio struct{ above, below float64 }

func (r ratio) plus(o ratio) ratio { return ratio{r.above + o.above, r.below + o.below} }

func (r ratio) value() *float64 {
	if r.below <= 0 {
		return nil
	}
	v := r.above / r.below
	return &v
}

// slopeSamples are the fewest samples of a heat that a slope is read off.
const slopeSamples = 3

// heat tallies one heat.
func (t *totaller) heat(app string, h Heat) tally {
	key := lane{app, h.Label}
	y := tally{counts: t.counts[key], direct: t.directOf(key), spanned: map[string]float64{}}
	s, window := t.plan.samples, t.window(h)
	if row := s.clients[key]; row != nil {
		spans := row.spans(h.span())
		if t.plan.race.Own {
			skipFirst(spans)
		}
		y.clientSeconds, _ = sum(spans)
		for name, values := range row.columns {
			y.spanned[name], _ = sum(where(row.counted(values, h.span(), true), spans))
		}
	}
	spent := spend(s.boxes, app, window)
	y.cpu, y.throttled, y.received, y.sent = spent.over(spent.cpu), spent.over(spent.throttled), spent.over(spent.received), spent.over(spent.sent)
	y.throttledPeriods = spent.throttledShare()
	if top, ok := highest(spent.peak); ok {
		y.peak = &top
	}
	var at, bytes []float64
	for i, v := range spent.memory {
		if known(v) {
			at, bytes = append(at, float64(s.grid.at(i))/1000), append(bytes, v)
		}
	}
	if len(at) >= slopeSamples {
		y.slopes = append(y.slopes, TheilSen(at, bytes))
	}
	return y
}

// window is when the containers' samples count. Our extension's explicit zeros tell when the race part of the heat began;
// what the app spent before, warming up or even starting, is not the race's.
func (t *totaller) window(h Heat) span {
	window := h.span()
	if !t.plan.race.Own {
		return window
	}
	first := float64(window.to)
	for key, row := range t.plan.samples.clients {
		if key.heat != h.Label {
			continue
		}
		for i, at := range row.seen {
			if row.fresh(i) && at > float64(window.from) {
				first = min(first, at)
				break
			}
		}
	}
	if first < float64(window.to) {
		window.from = int64(first) - 1
	}
	return window
}

// skipFirst leaves out the first span where enough others remain: between the explicit zero and the first push the first answers are still on
// their way, and a rate would tell the app's latency.
func skipFirst(spans []float64) {
	const enoughSpans = 4
	first, n := -1, 0
	for i, v := range spans {
		if known(v) {
			n++
			if first < 0 {
				first = i
			}
		}
	}
	if n >= enoughSpans {
		spans[first] = math.NaN()
	}
}

// over sums rates to an amount over the seconds in which they were taken.
func (s spentColumns) over(rates []float64) ratio {
	amount, ok := sum(zip(rates, s.seconds, func(rate, seconds float64) float64 { return rate * seconds }))
	if !ok {
		return ratio{}
	}
	seconds, _ := sum(where(s.seconds, rates))
	return ratio{amount, seconds}
}

// throttledShare is the throttled periods over all; a quota that had no period yet throttled nothing.
func (s spentColumns) throttledShare() ratio {
	periods, ok := sum(s.periods)
	if !ok {
		return ratio{}
	}
	throttled, _ := sum(s.throttledPeriods)
	return ratio{throttled, max(periods, 1)}
}

// whole sums an app's heats. Percentiles are those of the pooled distribution; the slope is the heats' median, since each heat has a fresh app.
func (t *totaller) whole(app string) tally {
	key := lane{app, merged}
	y := tally{counts: t.counts[key], direct: t.directOf(key), spanned: map[string]float64{}}
	for _, h := range t.plan.race.Heats {
		x := t.heat(app, h)
		y.clientSeconds += x.clientSeconds
		for name, v := range x.spanned {
			y.spanned[name] += v
		}
		y.cpu, y.throttled = y.cpu.plus(x.cpu), y.throttled.plus(x.throttled)
		y.received, y.sent = y.received.plus(x.received), y.sent.plus(x.sent)
		y.throttledPeriods = y.throttledPeriods.plus(x.throttledPeriods)
		if x.peak != nil && (y.peak == nil || *x.peak > *y.peak) {
			y.peak = x.peak
		}
		y.slopes = append(y.slopes, x.slopes...)
	}
	return y
}

// totals turns amounts into measures, those of the contract and those that the race has of its own.
func (y tally) totals(own []race.CustomMeasure) AppTotals {
	m := map[string]*float64{}
	for _, id := range measure.Of(own...).IDs() {
		m[id] = nil
	}
	for id, v := range y.direct {
		m[id] = &v
	}
	rate := func(column string) *float64 {
		if _, ok := y.counts[column]; !ok {
			return nil
		}
		return ratio{y.spanned[column], y.clientSeconds}.value()
	}
	share := func(part, whole string) *float64 {
		if _, ok := y.counts[part]; !ok {
			return nil
		}
		return ratio{y.counts[part], y.counts[whole]}.value()
	}
	m["request_rate"], m["data_received_rate"], m["data_sent_rate"] = rate(colRequests), rate(colReceived), rate(colSent)
	m["error_rate"], m["check_rate"] = share(colFailed, colRequests), share(colPassed, colChecks)
	for _, c := range own {
		switch c.Type {
		case race.Rate:
			m[c.ID] = share(colTrue(c.Metric), colValues(c.Metric))
		case race.Counter:
			m[c.ID] = rate(colSum(c.Metric))
		case race.Trend, race.Expression, race.Searched: // Prometheus computed what there is of them
		}
	}
	m["cpu_cores"], m["cpu_throttled_ratio"] = y.cpu.value(), y.throttledPeriods.value()
	m["network_receive_rate"], m["network_transmit_rate"] = y.received.value(), y.sent.value()
	m["memory_working_set"] = y.peak
	if len(y.slopes) > 0 {
		slope := median(slices.Clone(y.slopes))
		m["memory_slope"] = &slope
	}
	m["cpu_ms_per_request"] = perRequest(y.cpu.value(), 1000, m["request_rate"])
	m["throttled_ms_per_request"] = perRequest(y.throttled.value(), 1000, m["request_rate"])
	m["memory_bytes_per_request"] = perRequest(m["memory_slope"], 1, m["request_rate"])
	if rx, tx := y.received.value(), y.sent.value(); rx != nil && tx != nil {
		both := *rx + *tx
		m["network_bytes_per_request"] = perRequest(&both, 1, m["request_rate"])
	}
	for id, v := range m {
		if v != nil && !known(*v) { // a sample that was no number
			m[id] = nil
		}
	}
	a := AppTotals{Requests: y.counts[colRequests], Measures: m}
	if failed, ok := y.counts[colFailed]; ok {
		a.Failed = &failed
	}
	if checks, ok := y.counts[colChecks]; ok {
		passed := y.counts[colPassed]
		a.Checks = &race.Checks{Passed: int64(passed), Failed: int64(checks - passed)}
	}
	return a
}

// perRequest divides two rates.
func perRequest(rate *float64, factor float64, requests *float64) *float64 {
	if rate == nil || requests == nil || *requests <= 0 {
		return nil
	}
	v := *rate * factor / *requests
	return &v
}

func (t *totaller) directOf(key lane) map[string]float64 {
	values := map[string]float64{}
	for id, lanes := range t.direct {
		if v, ok := lanes[key]; ok {
			values[id] = v
		}
	}
	return values
}

func highest(column []float64) (top float64, ok bool) {
	for _, v := range column {
		if known(v) && (!ok || v > top) {
			top, ok = v, true
		}
	}
	return top, ok
}
