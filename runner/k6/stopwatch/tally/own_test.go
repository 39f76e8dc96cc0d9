package tally_test

import (
	"math"
	"testing"
	"time"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/k6/stopwatch/heat"
	"github.com/photofinish/photofinish/runner/k6/stream"
	"github.com/stretchr/testify/require"
	"go.k6.io/k6/metrics"
)

func TestAScriptsOwnMetricsAreCountedByAppAndPhase(t *testing.T) {
	t.Parallel()
	f := newFixture(t, false)
	registry := metrics.NewRegistry()
	checkout := registry.MustNewMetric("checkout_time", metrics.Trend, metrics.Time)
	fast, sold := registry.MustNewMetric("fast", metrics.Rate), registry.MustNewMetric("sold", metrics.Counter)
	depth, calls := registry.MustNewMetric("depth", metrics.Gauge), registry.MustNewMetric("grpc_req_duration", metrics.Trend, metrics.Time)
	raceTags, warmup := f.tags("app", "a", "phase", "race"), f.tags("app", "a", "phase", "warmup")
	f.Add([]metrics.SampleContainer{
		metrics.Samples{sample(checkout, raceTags, 10), sample(checkout, raceTags, 30), sample(checkout, raceTags, math.NaN()), sample(checkout, warmup, 99)},
		sample(fast, raceTags, 1), sample(fast, raceTags, 0), sample(fast, raceTags, 1),
		sample(sold, raceTags, 2), sample(sold, raceTags, math.Inf(1)), sample(sold, raceTags, 3), sample(sold, f.tags("app", "b", "phase", "race"), 7),
		sample(sold, f.tags("phase", "race"), 100), sample(depth, raceTags, 5), sample(calls, raceTags, 5),
	})
	parts := f.Snapshot(heat.Race)
	require.Equal(t, map[string]float64{"checkout_time": 30}, parts[0].Highest)
	f.Add([]metrics.SampleContainer{sample(checkout, raceTags, -4)})
	require.EqualValues(t, 2, parts[0].Totals.Metrics["checkout_time"].Values.Count, "a snapshot does not change any more")
	require.Equal(t, map[string]float64{"checkout_time": -4}, f.Snapshot(heat.Race)[0].Highest, "the highest since the last one")
	require.Empty(t, f.Snapshot(heat.Race)[0].Highest)

	a, b := f.Result(time.Now()).Result["a"], f.Result(time.Now()).Result["b"]
	require.Len(t, a.Race.Metrics, 3, "gauges and k6's own are none")
	trend := a.Race.Metrics["checkout_time"]
	require.Equal(t, []any{race.Trend, true, int64(3), 36.0, 30.0}, []any{trend.Type, trend.Time, trend.Values.Count, trend.Values.Sum, trend.Values.Max})
	require.Equal(t, stream.Metric{Type: race.Rate, Count: 3, Passed: 2}, a.Race.Metrics["fast"])
	require.Equal(t, stream.Metric{Type: race.Counter, Sum: 5}, a.Race.Metrics["sold"])
	require.EqualValues(t, 1, a.Warmup.Metrics["checkout_time"].Values.Count)
	require.InDelta(t, 7, b.Race.Metrics["sold"].Sum, 0)
}
