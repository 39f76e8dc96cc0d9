package tally

import (
	"math"

	"github.com/photofinish/photofinish/pkg/measure"
	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/k6/stream"
	"go.k6.io/k6/metrics"
)

// own is a metric of the script's own.
type own struct {
	name  string
	empty stream.Metric
}

// metricTally is what such a metric came to in a lane and phase.
type metricTally struct {
	stream.Metric
	highest float64 // the maximum since the last Snapshot, NaN where there was no value
}

// ownMetric is nil for metrics that are k6's, and for Gauges: the last of several values says nothing about an app.
func (t *Tally) ownMetric(m *metrics.Metric) *own {
	if o, known := t.own[m]; known {
		return o
	}
	var o *own
	kind, counted := map[metrics.MetricType]race.MetricType{metrics.Trend: race.Trend, metrics.Rate: race.Rate, metrics.Counter: race.Counter}[m.Type]
	if counted && !measure.OwnOfK6(m.Name) {
		o = &own{name: m.Name, empty: stream.Metric{Type: kind, Time: m.Contains == metrics.Time}}
	}
	t.own[m] = o
	return o
}

func (p *phaseTally) observe(o *own, v float64) {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return
	}
	m, ok := p.metrics[o]
	if !ok {
		if p.metrics == nil {
			p.metrics = make(map[*own]*metricTally)
		}
		m = &metricTally{Metric: o.empty, highest: math.NaN()}
		p.metrics[o] = m
	}
	m.Observe(v)
	if math.IsNaN(m.highest) || v > m.highest {
		m.highest = v
	}
}

// ownTotals are what the metrics came to, by name. Nothing in it is shared.
func (p *phaseTally) ownTotals() map[string]stream.Metric {
	all := make(map[string]stream.Metric, len(p.metrics))
	for o, m := range p.metrics {
		all[o.name] = m.Metric
	}
	return stream.MergeMetrics(nil, all)
}

// takeHighest are the highest values of the Trends since it was last called.
func (p *phaseTally) takeHighest() map[string]float64 {
	var all map[string]float64
	for o, m := range p.metrics {
		if m.Type == race.Trend && !math.IsNaN(m.highest) {
			if all == nil {
				all = make(map[string]float64)
			}
			all[o.name], m.highest = m.highest, math.NaN()
		}
	}
	return all
}
