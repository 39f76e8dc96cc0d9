package results

import (
	"github.com/photofinish/photofinish/pkg/measure"
	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/k6/stream"
)

// Own are the measures of a race's own: those that its definition declares and those of the metrics that any of its lanes emitted.
func Own(lanes []Lane, declared []race.DeclaredMeasure) []race.CustomMeasure {
	seen := map[string]bool{}
	var metrics []measure.Metric
	for _, l := range lanes {
		for _, h := range l.Heats {
			for name, m := range h.Totals.Metrics {
				if !seen[name] {
					seen[name] = true
					metrics = append(metrics, measure.Metric{Name: name, Type: m.Type, Time: m.Time})
				}
			}
		}
	}
	return measure.Custom(metrics, declared)
}

// addOwn adds the measures of a race's own to those of the contract.
func addOwn(m map[string]*float64, l LaneHeat, own []race.CustomMeasure) {
	for _, c := range own {
		if c.Type != race.Searched { // it is in no heat
			m[c.ID] = ownValue(l, c)
		}
	}
}

func ownValue(l LaneHeat, c race.CustomMeasure) *float64 {
	metric := l.Totals.Metrics[c.Metric]
	switch c.Type {
	case race.Rate:
		return per(float(metric.Passed), float64(metric.Count))
	case race.Counter: // a lane whose load never came to count is at 0, as k6 has it
		return per(&metric.Sum, l.Active.Seconds())
	case race.Trend:
		return statOf(metric.Values, c)
	case race.Expression:
		if v, answered := l.Asked[c.ID]; answered {
			return &v
		}
	case race.Searched:
	}
	return nil
}

func statOf(h stream.Histogram, c race.CustomMeasure) *float64 {
	if h.Count == 0 {
		return nil
	}
	v := h.Max
	if q, is := measure.Quantile(c); is {
		v = h.Quantile(q)
	} else if c.Stat == "mean" {
		v = h.Mean()
	}
	return &v
}
