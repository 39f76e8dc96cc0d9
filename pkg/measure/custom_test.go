package measure_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/measure"
	"github.com/photofinish/photofinish/pkg/race"
)

func idsOf(own []race.CustomMeasure) []string {
	var ids []string
	for _, c := range own {
		ids = append(ids, c.ID)
	}
	return ids
}

func TestAMetricsTypeSaysWhichMeasuresItIs(t *testing.T) {
	own := measure.Custom([]measure.Metric{
		{Name: "sold", Type: race.Counter}, {Name: "fast", Type: race.Rate}, {Name: "checkout", Type: race.Trend, Time: true}, {Name: "basket", Type: race.Trend},
	}, nil)
	require.Equal(t, []string{
		"basket_mean", "basket_p50", "basket_p90", "basket_p95", "basket_p99", "basket_max",
		"checkout_mean", "checkout_p50", "checkout_p90", "checkout_p95", "checkout_p99", "checkout_max",
		"fast", "sold_per_second",
	}, idsOf(own), "by name, whatever the order in which they came")
	set := measure.Of(own...)
	for id, want := range map[string]measure.Measure{
		"basket_p95":      {Unit: measure.Count, Better: measure.None},
		"checkout_p95":    {Unit: measure.Milliseconds, Better: measure.Lower},
		"fast":            {Unit: measure.Ratio, Better: measure.None},
		"sold_per_second": {Unit: measure.CountsPerSecond, Better: measure.None},
	} {
		m, err := set.ByID(id)
		require.NoError(t, err)
		require.Equal(t, []any{want.Unit, want.Better, measure.Script}, []any{m.Unit, m.Better, m.Source}, id)
		require.False(t, m.Primary)
		require.Regexp(t, `^[A-Z].+\.$`, m.Sentence)
	}
	require.Equal(t, own, set.Own())
	require.Equal(t, measure.IDs(), set.IDs()[:len(measure.IDs())], "those of the contract come first")
}

func TestWhatAScriptDeclaresStands(t *testing.T) {
	own := measure.Custom([]measure.Metric{{Name: "checkout", Type: race.Trend, Time: true}, {Name: "fast", Type: race.Rate}}, []race.DeclaredMeasure{
		{Name: "checkout", Title: "Checkout", Better: "none"},
		{Name: "fast", Better: "higher", Unit: "percent"},
		{Name: "never_emitted", Better: "lower"},
		{Name: "queue", Title: "Queue", Unit: "jobs", Better: "lower", Expr: "sum by (app) (queue)"},
	})
	require.Equal(t, "queue", own[0].ID, "expressions come first")
	set := measure.Of(own...)
	for id, want := range map[string][]string{
		"checkout_p95": {"Checkout p95", "ms", ""}, "fast": {"fast", "percent", "higher"}, "queue": {"Queue", "jobs", "lower"},
	} {
		m, err := set.ByID(id)
		require.NoError(t, err)
		require.Equal(t, want, []string{m.Name, string(m.Unit), string(m.Better)}, id)
	}
	_, err := set.ByID("never_emitted")
	require.Error(t, err)
	queue, _ := set.ByID("queue")
	require.Equal(t, "12.3 jobs", queue.Format(12.34))
}

func TestNoMetricTakesTheNameOfAnother(t *testing.T) {
	own := measure.Custom([]measure.Metric{
		{Name: "latency", Type: race.Trend, Time: true},
		{Name: "error_rate", Type: race.Rate},
		{Name: "orders", Type: race.Counter},
		{Name: "orders_per_second", Type: race.Rate},
		{Name: "queue", Type: race.Rate},
	}, []race.DeclaredMeasure{{Name: "queue", Expr: "sum by (app) (queue)"}})
	require.Equal(t, []string{
		"queue", "k6_error_rate", "k6_latency_mean", "k6_latency_p50", "k6_latency_p90", "k6_latency_p95", "k6_latency_p99", "k6_latency_max",
		"orders_per_second", "k6_orders_per_second", "k6_queue",
	}, idsOf(own))
	p95, err := measure.Of(own...).ByID("latency_p95")
	require.NoError(t, err)
	require.Equal(t, measure.Client, p95.Source, "the contract's measure is what it was")
}

func TestK6sOwnMetricsAreNoCustomOnes(t *testing.T) {
	for _, name := range []string{"http_req_duration", "http_reqs", "iterations", "vus_max", "checks", "grpc_req_duration", "browser_web_vital_lcp", "ws_msgs_sent", "data_sent"} {
		require.True(t, measure.OwnOfK6(name), name)
	}
	for _, name := range []string{"checkout_time", "http_cache_hits", "iterations_of_mine", "vusage"} {
		require.False(t, measure.OwnOfK6(name), name)
	}
}
