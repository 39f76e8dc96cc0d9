package results_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/k6/stream"
	"github.com/photofinish/photofinish/runner/results"
)

func TestARacesOwnMeasuresPoolItsHeats(t *testing.T) {
	heat := func(queue float64, values ...float64) results.LaneHeat {
		h := tenRequests()
		h.Totals.Metrics = map[string]stream.Metric{
			"wait": {Type: race.Trend, Time: true, Values: histogram(values...)},
			"fast": {Type: race.Rate, Count: 4, Passed: int64(len(values))},
			"sold": {Type: race.Counter, Sum: 10},
		}
		h.Asked = map[string]float64{"queue": queue}
		return h
	}
	lane := results.Lane{App: "a", Heats: map[int]results.LaneHeat{1: heat(3, 10, 20), 2: heat(5, 30, 40)}}
	idle := results.Lane{App: "idle", Heats: map[int]results.LaneHeat{1: tenRequests(), 2: tenRequests()}}
	own := results.Own([]results.Lane{idle, lane}, []race.DeclaredMeasure{{Name: "queue", Expr: "queue"}})

	m := lane.Totals(race.Lane{}, own...).Measures
	for id, want := range map[string]float64{"wait_mean": 25, "wait_max": 40, "fast": .5, "sold_per_second": 5, "queue": 4} {
		require.NotNil(t, m[id], id)
		require.InEpsilon(t, want, *m[id], 1e-9, id)
	}
	require.InEpsilon(t, 20, *m["wait_p50"], .003)
	require.InEpsilon(t, 30, *results.HeatRecord(lane.Heats[2], own...).Measures["wait_p50"], .003)
	require.InEpsilon(t, 5, *results.HeatRecord(lane.Heats[2], own...).Measures["queue"], 1e-9)

	none := idle.Totals(race.Lane{}, own...).Measures
	require.Zero(t, *none["sold_per_second"], "a Counter that nobody counted up is zero, as in k6")
	for _, id := range []string{"wait_mean", "wait_p95", "wait_max", "fast", "queue"} {
		require.Contains(t, none, id)
		require.Nil(t, none[id], id)
	}
}
