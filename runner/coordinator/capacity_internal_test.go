package coordinator

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/audit"
	"github.com/photofinish/photofinish/runner/k6/stream"
	"github.com/photofinish/photofinish/runner/results"
)

// steadyHeat is a heat of 10 s at 100/s: all iterations were started and answered in 20 ms.
func steadyHeat() results.LaneHeat {
	h := results.LaneHeat{Active: 10 * time.Second, Whole: true, Totals: stream.Totals{Requests: 1000, Iterations: 1000}}
	for range 1000 {
		h.Totals.Latency.Observe(.020)
	}
	return h
}

func TestATrySaysWhatStoodInTheWay(t *testing.T) {
	conditions := []race.Condition{{Measure: "latency_p95", Op: "<", Value: 50}, {Measure: "error_rate", Op: "<", Value: .01}}
	for name, c := range map[string]struct {
		change func(h *results.LaneHeat, l *laneState)
		k6     float64 // seconds of CPU, of 20
		limit  race.CapacityLimit
		broke  string
	}{
		"nothing":                         {func(*results.LaneHeat, *laneState) {}, 5, "", ""},
		"nothing, though k6 is busy":      {func(*results.LaneHeat, *laneState) {}, 19, "", ""},
		"one arrival beyond the end":      {func(h *results.LaneHeat, _ *laneState) { h.Totals.Iterations-- }, 5, "", ""},
		"a bound":                         {func(h *results.LaneHeat, _ *laneState) { h.Totals.Failed = 20 }, 5, race.LimitApp, "error_rate<0.01: 2.00%"},
		"a bound, but k6 was full":        {func(h *results.LaneHeat, _ *laneState) { h.Totals.Failed = 20 }, 19, race.LimitK6, "error_rate<0.01: 2.00%"},
		"no VU was free":                  {func(h *results.LaneHeat, _ *laneState) { h.Totals.Iterations, h.Totals.Dropped = 900, 100 }, 5, race.LimitVUs, "10% of the iterations were not started, because no VU was free"},
		"no VU was free, as k6 was full":  {func(h *results.LaneHeat, _ *laneState) { h.Totals.Iterations, h.Totals.Dropped = 900, 100 }, 19, race.LimitK6, "k6 itself ran out of CPU"},
		"answers that never came":         {func(h *results.LaneHeat, _ *laneState) { h.Totals.Iterations = 900 }, 5, race.LimitApp, "only 900 of 1000 iterations were answered before the heat's end"},
		"the app's end":                   {func(h *results.LaneHeat, l *laneState) { l.out = "memory, 3 s"; h.Totals = stream.Totals{} }, 5, race.LimitApp, "it left the race: memory, 3 s"},
		"an app that answers nothing":     {func(h *results.LaneHeat, _ *laneState) { h.Totals = stream.Totals{} }, 5, race.LimitApp, "latency_p95<50: nothing was answered"},
		"a few iterations are let pass":   {func(h *results.LaneHeat, _ *laneState) { h.Totals.Iterations, h.Totals.Dropped = 995, 5 }, 5, "", ""},
		"too few, and errors beside them": {func(h *results.LaneHeat, _ *laneState) { h.Totals.Dropped, h.Totals.Failed = 100, 500 }, 5, race.LimitApp, "error_rate<0.01: 50.0%"},
	} {
		t.Run(name, func(t *testing.T) {
			h, l := steadyHeat(), &laneState{}
			c.change(&h, l)
			l.results = results.Lane{Heats: map[int]results.LaneHeat{2: h}}
			u := &run{Race: Race{Definition: race.Definition{Capacity: conditions, Arrivals: race.Uniform}, Machine: race.Machine{CPUs: 2}}}
			p := &run{lanes: []*laneState{l}, heats: []heatObservation{{audit: audit.Heat{Duration: 10 * time.Second, K6: audit.K6{CPU: &c.k6}}}}}
			tried := race.Try{Rate: 100, Broke: []string{}}
			require.NoError(t, u.judgeTry(&tried, h, l, p))
			require.Equal(t, c.limit, tried.Limit)
			if c.broke == "" {
				require.Empty(t, tried.Broke)
				return
			}
			require.Contains(t, tried.Broke, c.broke)
		})
	}
}

func TestABoundOnWhatWasNotMeasuredEndsTheSearch(t *testing.T) {
	l := &laneState{spec: race.LaneSpec{App: "a"}}
	u := &run{Race: Race{Definition: race.Definition{Capacity: []race.Condition{{Measure: "network_bytes_per_request", Op: "<", Value: 9}}}}}
	p := &run{lanes: []*laneState{l}, heats: []heatObservation{{}}}
	err := u.judgeTry(&race.Try{Rate: 100}, steadyHeat(), l, p)
	require.Equal(t, race.Invalid, race.CodeOf(err))
	require.ErrorContains(t, err, "network_bytes_per_request of a was not measured, so nobody knows whether network_bytes_per_request<9 is kept")
}
