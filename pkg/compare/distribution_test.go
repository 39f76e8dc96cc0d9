package compare_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/compare"
	"github.com/photofinish/photofinish/pkg/promql"
	"github.com/photofinish/photofinish/pkg/race"
)

func TestADistributionIsTheTruthsHeatByHeatAndPooled(t *testing.T) {
	w := newWorld(t)
	s := twoHeats(w)
	r, _, err := compare.Lookup(t.Context(), w, "r1", day(t0))
	require.NoError(t, err)
	at := []float64{1, 50, 99.9}
	d, err := compare.Distribute(t.Context(), w, r, nil, at)
	require.NoError(t, err)
	require.Empty(t, d.Notices)
	require.Len(t, d.Queries, 2*len(at), "pooled and heat by heat")
	require.Len(t, d.Heats, 2)
	for _, app := range r.Apps {
		pooled := append(append([]float64{}, s.truth[app+"/1"].latencies...), s.truth[app+"/2"].latencies...)
		for i, p := range at {
			isPercentile(t, pooled, p/100, &d.Whole[app][i], 0.003, app)
			for n, heat := range []string{"1", "2"} {
				isPercentile(t, s.truth[app+"/"+heat].latencies, p/100, &d.Heats[n][app][i], 0.003, app+" "+heat)
			}
		}
	}
	_, err = compare.Distribute(t.Context(), w, r, []string{"nobody"}, at)
	require.Equal(t, race.NotFound, race.CodeOf(err))
}

func TestADistributionWithoutHistogramsSaysSo(t *testing.T) {
	w := newWorld(t)
	w.write(func(a writer) {
		for i := range 20 {
			a.float(t0.Add(time.Duration(i)*time.Second), float64(i), "__name__", "k6_http_reqs_total", "testid", "r", "app", "a")
		}
	})
	r, _, err := compare.Lookup(t.Context(), w, "r", day(t0))
	require.NoError(t, err)
	d, err := compare.Distribute(t.Context(), w, r, nil, []float64{50})
	require.NoError(t, err)
	require.True(t, math.IsNaN(d.Whole["a"][0]))
	mentions(t, d.Notices, "K6_PROMETHEUS_RW_TREND_AS_NATIVE_HISTOGRAM")
}

func TestTheHealthChecksLooksFindWhatThereIs(t *testing.T) {
	w := newWorld(t)
	looks := compare.Looks(time.Hour, compare.Join{})
	count := func(i int) int {
		result, err := w.Query(t.Context(), promql.At(looks[i].Expr, t0.Add(time.Minute)))
		require.NoError(t, err)
		if len(result.Series) == 0 {
			return 0
		}
		return int(result.Series[0].Last())
	}
	for i := range looks {
		require.Zero(t, count(i), looks[i].Name)
	}
	twoHeats(w)
	for i := range looks {
		require.Positive(t, count(i), looks[i].Name)
	}
}
