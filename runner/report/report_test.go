package report_test

import (
	"math"
	"math/rand/v2"
	"time"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/pkg/race/racetest"
	"github.com/photofinish/photofinish/runner/k6/stream"
	"github.com/photofinish/photofinish/runner/report"
)

// plausible is the report's data of the made-up race, with a point a second for every app, measure and heat.
func plausible() report.Data {
	s := racetest.FourApps()
	d := report.Data{Race: s.Race, Generated: time.Date(2026, 3, 14, 9, 30, 0, 0, time.UTC)}
	random := rand.New(rand.NewPCG(3, 4))
	for _, lane := range s.Race.Lanes {
		var h stream.Histogram
		for _, ms := range s.Latencies[lane.App] {
			h.Observe(ms / 1000)
		}
		d.Distributions = append(d.Distributions, report.DistributionOf(lane.App, h))
		for _, id := range []string{"latency_p50", "latency_p95", "latency_p99", "request_rate", "error_rate", "cpu_cores", "memory_working_set", "cpu_ms_per_request"} {
			for _, heat := range s.Race.Heats {
				d.Series = append(d.Series, line(lane, heat, id, heat.StartedAt.Sub(*s.Race.Heats[0].StartedAt).Seconds(), random))
			}
		}
	}
	return d
}

func line(lane race.Lane, heat race.Heat, id string, start float64, random *rand.Rand) report.PlotSeries {
	out := report.PlotSeries{App: lane.App, Measure: id, Heat: heat.Number}
	for s := range 11 {
		v := *heat.Lanes[lane.App].Measures[id] * math.Exp(.05*random.NormFloat64())
		if id == "memory_working_set" && lane.App == "memory-leak" {
			v = 14.4e6 + float64(s)*200*51200
		}
		out.T = append(out.T, start+float64(s))
		out.V = append(out.V, &v)
	}
	return out
}
