package compare

import (
	"slices"

	"github.com/photofinish/photofinish/pkg/measure"
	"github.com/photofinish/photofinish/pkg/race"
)

// needs is what the measures asked for must be computed from.
type needs struct {
	measures  []measure.Measure
	counters  bool // k6's counters
	container bool // cAdvisor's series
	latencies map[string]float64
	mean      bool
	max       bool
	vus       bool
	slopes    bool
	atOnce    bool // Prometheus can tell several quantiles at once
	own       []race.CustomMeasure
}

// quantiles are the measures that are read off a histogram.
func quantiles() map[string]float64 {
	return map[string]float64{"latency_p50": 0.5, "latency_p90": 0.9, "latency_p95": 0.95, "latency_p99": 0.99}
}

// Percentiles says whether some of the measures are read off histograms; no measures are all of them.
func Percentiles(ids []string) bool {
	return len(ids) == 0 || slices.ContainsFunc(ids, func(id string) bool { return quantiles()[id] > 0 })
}

func needsOf(measures []measure.Measure) needs {
	n := needs{measures: measures, latencies: map[string]float64{}}
	for _, m := range measures {
		n.slopes = n.slopes || m.ID == "memory_slope" || m.ID == "memory_bytes_per_request"
		q, isQuantile := quantiles()[m.ID]
		switch {
		case isQuantile:
			n.latencies[m.ID] = q
		case m.ID == "latency_mean":
			n.mean = true
		case m.ID == "latency_max":
			n.max = true
		case m.ID == "vus":
			n.vus = true
		case m.Source == measure.Script:
			n.own = append(n.own, m.Custom)
		case m.Source == measure.Client:
			n.counters = true
		case m.Source == measure.Container:
			n.container = true
		case m.Source == measure.Joined:
			n.counters, n.container = true, true
		}
	}
	return n
}

func (n needs) percentiles() bool { return n.mean || len(n.latencies) > 0 }

// histograms says whether a race's histograms must be read. A mean is read off counters where our extension wrote them.
func (n needs) histograms(r RaceInfo) bool { return n.mean && !r.Own || len(n.latencies) > 0 }

func (n needs) gauges() bool { return n.max || n.vus }

// of lists the measures that come from one side or the other, joined ones from both.
func (n needs) of(side measure.Source) []string {
	var ids []string
	for _, m := range n.measures {
		histogram := n.latencies[m.ID] > 0 || m.ID == "latency_mean" || m.ID == "latency_max" || m.ID == "vus"
		if (m.Source == side || m.Source == measure.Joined) && !histogram {
			ids = append(ids, m.ID)
		}
	}
	return ids
}
