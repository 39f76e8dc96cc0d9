package compare

import (
	"math"
	"slices"
	"strings"

	"github.com/photofinish/photofinish/pkg/race"
)

// slopeWindow and slopeLeast are how many points a slope over time looks back on, and the fewest that say anything.
const (
	slopeWindow = 30
	slopeLeast  = 5
)

// samples is what was fetched of one race, on one grid. Clients and boxes are on that of fold.
type samples struct {
	race    RaceInfo
	grid    grid
	fold    fold
	clients map[lane]*clientRow
	boxes   []*box
	// direct are the columns that Prometheus computed whole, by measure.
	direct map[string]map[lane][]float64
	odd    []string // what is wrong with answers to expressions
	slopes bool     // whether slopes are asked for; they are what takes longest to compute
}

// histograms says whether a histogram of latency was found.
func (s *samples) histograms() bool {
	for id, lanes := range s.direct {
		if strings.HasPrefix(id, "latency_") && id != "latency_max" && len(lanes) > 0 {
			return true
		}
	}
	return false
}

// columns are the measures of one app over the given heats, on the grid of s. A measure that its source does not have is absent.
func (s *samples) columns(app string, heats []Heat) map[string][]float64 {
	c := s.clientColumns(app, heats)
	pushed := s.pushed(app, heats)
	for id, lanes := range s.direct {
		for _, h := range heats {
			c[id] = add(c[id], lanes[lane{app, h.Label}])
		}
		c[id] = add(c[id], s.within(id, lanes[lane{app, merged}], heats))
		if s.race.Own && s.rated(id) {
			c[id] = where(c[id], pushed)
		}
	}
	s.containerColumns(c, app, heats)
	s.join(c)
	if s.race.Turns && s.fold.by > 0 {
		s.foldCosts(c, app, heats)
	}
	c[silence] = silent(c[requestCounts])
	for _, aside := range []string{throttledRate, containerSeconds, requestCounts} {
		delete(c, aside)
	}
	for id, column := range c {
		if column == nil {
			delete(c, id)
		}
	}
	return c
}

// rated says whether a measure is read off a rate of our extension's histograms.
func (s *samples) rated(id string) bool {
	_, is := quantiles()[id]
	return is || slices.ContainsFunc(s.race.Custom, func(c race.CustomMeasure) bool { return c.ID == id && c.Type == race.Trend && c.Stat != "max" })
}

// pushed is known where k6 pushed within the step. A rate looks back on two steps: without a push in its own it would repeat the one before.
func (s *samples) pushed(app string, heats []Heat) []float64 {
	out := gaps(s.fold.n)
	for _, h := range heats {
		row := s.clients[lane{app, h.Label}]
		if row == nil {
			continue
		}
		for i := range out {
			if row.fresh(i) {
				out[i] = 1
			}
		}
	}
	return s.fold.lasts(out)
}

// merged stands for all heats together where Prometheus has already joined them; no heat label can hold it.
const merged = "\xff"

func (s *samples) clientColumns(app string, heats []Heat) map[string][]float64 {
	counts, spanned := map[string][]float64{}, map[string][]float64{}
	var spans []float64
	for _, h := range heats {
		row := s.clients[lane{app, h.Label}]
		if row == nil {
			continue
		}
		window := h.span()
		own := row.spans(window)
		spans = add(spans, own)
		for name, values := range row.columns {
			grown := row.counted(values, window, s.fold.at(0)-s.fold.step <= window.from)
			counts[name] = add(counts[name], grown)
			spanned[name] = add(spanned[name], where(grown, own))
		}
	}
	spans = s.fold.sums(spans)
	for _, kept := range []map[string][]float64{counts, spanned} {
		for name, column := range kept {
			kept[name] = s.fold.sums(column)
		}
	}
	columns := map[string][]float64{
		"latency_mean":       scale(over(counts[colWaited], counts[colRequests]), milli),
		"request_rate":       over(spanned[colRequests], spans),
		"data_received_rate": over(spanned[colReceived], spans),
		"data_sent_rate":     over(spanned[colSent], spans),
		"error_rate":         over(counts[colFailed], counts[colRequests]),
		"check_rate":         over(counts[colPassed], counts[colChecks]),
		requestCounts:        counts[colRequests],
	}
	for _, c := range s.race.Custom {
		switch c.Type {
		case race.Rate:
			columns[c.ID] = over(counts[colTrue(c.Metric)], counts[colValues(c.Metric)])
		case race.Counter:
			columns[c.ID] = over(spanned[colSum(c.Metric)], spans)
		case race.Trend, race.Expression, race.Searched: // Prometheus computes them whole, or is not asked
		}
	}
	return columns
}

func (s *samples) containerColumns(c map[string][]float64, app string, heats []Heat) {
	var spent spentColumns
	var slope []float64
	for _, h := range heats {
		own := spend(s.boxes, app, h.span())
		own.seconds = where(own.seconds, own.cpu) // spans go on after the heat
		spent = spent.plus(own)
		if s.slopes {
			slope = add(slope, slopes(own.memory, s.fold.grid))
		}
	}
	spent = spent.folded(s.fold)
	c["cpu_cores"] = spent.cpu
	c["cpu_throttled_ratio"] = share(spent.throttledPeriods, spent.periods)
	c["memory_working_set"] = spent.memory
	c["memory_slope"] = s.fold.lasts(slope)
	c["network_receive_rate"] = spent.received
	c["network_transmit_rate"] = spent.sent
	c[throttledRate] = spent.throttled
	c[containerSeconds] = spent.seconds
}

// Columns that are no measures: seconds waited for the quota per second, the seconds that the containers' rates of a step were taken over,
// and the requests of a step.
const (
	throttledRate    = "throttled"
	containerSeconds = "container seconds"
	requestCounts    = "request counts"
)

// silence is a column that is no measure either: known where k6 is known to have counted nothing.
const silence = "silence"

func silent(counts []float64) []float64 {
	out := gaps(len(counts))
	for i, n := range counts {
		if n == 0 {
			out[i] = 0
		}
	}
	return out
}

// foldCosts puts the costs of bursts together, each by its requests: a long step that cuts a burst holds the CPU of other requests than its own.
func (s *samples) foldCosts(c map[string][]float64, app string, heats []Heat) {
	fine := *s
	fine.fold = fold{grid: s.fold.grid}
	finely := fine.clientColumns(app, heats)
	fine.containerColumns(finely, app, heats)
	fine.join(finely)
	for _, id := range costs() {
		c[id] = s.fold.weighted(finely[id], finely[requestCounts])
	}
}

// join adds the measures that neither side knows alone.
func (s *samples) join(c map[string][]float64) {
	requests := requests{rate: c["request_rate"], count: c[requestCounts], turns: s.race.Turns && s.fold.by == 0}
	cost := func(rate []float64) []float64 { return requests.cost(rate, c[containerSeconds]) }
	c["cpu_ms_per_request"] = cost(scale(c["cpu_cores"], 1000))
	c["throttled_ms_per_request"] = cost(scale(c[throttledRate], 1000))
	c["memory_bytes_per_request"] = over(c["memory_slope"], requests.rate)
	c["network_bytes_per_request"] = cost(zip(c["network_receive_rate"], c["network_transmit_rate"], func(x, y float64) float64 { return x + y }))
}

// where keeps the values of a at which b is known.
func where(a, b []float64) []float64 {
	return zip(a, b, func(x, y float64) float64 {
		if !known(y) {
			return math.NaN()
		}
		return x
	})
}

// share is part over whole; where there was no whole, nothing was part of it.
func share(part, whole []float64) []float64 {
	return zip(part, whole, func(x, y float64) float64 {
		if y == 0 {
			return 0
		}
		return x / y
	})
}

// slopes is how fast a gauge grows, per second, at each known point: Theil-Sen over the points just before it.
func slopes(gauge []float64, g grid) []float64 {
	if gauge == nil {
		return nil
	}
	out := gaps(len(gauge))
	for i, v := range gauge {
		if !known(v) {
			continue
		}
		var x, y []float64
		for j := max(0, i-slopeWindow+1); j <= i; j++ {
			if known(gauge[j]) {
				x, y = append(x, float64(g.at(j)-g.at(i))/1000), append(y, gauge[j])
			}
		}
		if len(x) >= slopeLeast {
			out[i] = TheilSen(x, y)
		}
	}
	return out
}
