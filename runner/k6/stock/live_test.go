package stock

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/runner/k6"
	"github.com/photofinish/photofinish/runner/k6/stream"
	"github.com/photofinish/photofinish/runner/metrics/promserver"
)

// schema3 is a histogram as Prometheus tells one of k6's: buckets of base 2^(1/8).
func schema3(values ...float64) *model.SampleHistogram {
	counts := map[int]float64{}
	h := &model.SampleHistogram{}
	for _, v := range values {
		h.Count++
		h.Sum += model.FloatString(v)
		if v > 0 {
			counts[int(math.Ceil(math.Log2(v)*8))]++
		}
	}
	for i, n := range counts {
		h.Buckets = append(h.Buckets, &model.HistogramBucket{
			Lower: model.FloatString(math.Exp2(float64(i-1) / 8)), Upper: model.FloatString(math.Exp2(float64(i) / 8)), Count: model.FloatString(n),
		})
	}
	return h
}

func TestPrometheussHistogramsAreReadWithTheirOwnWidth(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	values := make([]float64, 4000)
	for i := range values {
		values[i] = 0.02 * math.Exp(0.5*random.NormFloat64())
	}
	h := histogramOf(schema3(values...))
	require.Equal(t, 5, h.Coarse, "schema 3")
	require.EqualValues(t, 4000, h.Count)
	slices.Sort(values)
	for _, q := range []float64{.5, .9, .95, .99} {
		require.InEpsilon(t, values[int(q*4000)-1], h.Quantile(q), 0.091, "%v", q)
	}
	fine := stream.Histogram{}
	fine.Observe(0.02)
	fine.Merge(h)
	require.Equal(t, 5, fine.Coarse, "the coarser of the two")
	require.EqualValues(t, 4001, fine.Count)

	zero := histogramOf(&model.SampleHistogram{Count: 2, Buckets: model.HistogramBuckets{{Boundaries: 3, Lower: -1e-128, Upper: 1e-128, Count: 2}}})
	require.EqualValues(t, 2, zero.Zero)
}

func at(second int) model.Time { return model.TimeFromUnix(1_000_000 + int64(second)) }

func push(second int, values ...float64) model.SampleHistogramPair {
	return model.SampleHistogramPair{Timestamp: at(second), Histogram: schema3(values...)}
}

func series(app, phase, expected string, pushes ...model.SampleHistogramPair) *model.SampleStream {
	return &model.SampleStream{
		Metric:     model.Metric{"app": model.LabelValue(app), "phase": model.LabelValue(phase), "expected_response": model.LabelValue(expected)},
		Histograms: pushes,
	}
}

func TestLiveFiguresAreThoseOfTheLastPush(t *testing.T) {
	l := newLive([]string{"a", "b"})
	now := func(second int) time.Time { return at(second).Time().Add(100 * time.Millisecond) }
	first := l.take(model.Matrix{
		series("a", "warmup", "true", push(1, .01, .01)), series("", "", "true", push(1, 5)), series("gone", "race", "true", push(1, 5)),
	}, now(1))
	require.Equal(t, int64(0), first["a"].Requests, "the warm-up does not count")
	require.InDelta(t, 2, first["a"].Rate, 1e-9)
	require.Len(t, first, 2)

	grown := model.Matrix{
		series("a", "warmup", "true", push(1, .01, .01)),
		series("a", "race", "true", push(2, .02, .02, .02)), series("a", "race", "false", push(2, .08)),
		series("b", "race", "true", push(2, .04)),
	}
	p := l.take(grown, now(2))
	require.Equal(t, int64(4), p["a"].Requests)
	require.Equal(t, int64(1), p["a"].Failed)
	require.InDelta(t, 4, p["a"].Rate, 1e-9)
	require.InEpsilon(t, 20, p["a"].P50MS, .1)
	require.InEpsilon(t, 80, p["a"].P95MS, .1)
	require.Equal(t, p, l.take(grown, now(2)), "between two pushes the figures stand")
	require.Equal(t, int64(0), first["a"].Requests, "what was told is not changed")

	p = l.take(model.Matrix{series("a", "race", "true", push(2, .02, .02, .02), push(3, .02, .02, .02), push(4, .02, .02, .02, .16, .16, .16))}, now(4))
	require.Equal(t, int64(7), p["a"].Requests, "a push that was missed is made up for")
	require.InDelta(t, 1.5, p["a"].Rate, 1e-9, "over two pushes")
	require.InEpsilon(t, 160, p["a"].P50MS, .1, "of the last push, not of all")
	require.Equal(t, int64(1), p["b"].Requests)

	p = l.take(nil, now(7))
	require.Zero(t, p["b"].Rate, "other lanes have their turn")
	p = l.end(k6.StockTotals{"a": {Requests: 9, Failed: 2}})
	require.Equal(t, int64(9), p["a"].Requests)
}

func TestAProbeCountsWhomItReached(t *testing.T) {
	r := reached{"a": {Reached: map[string]int64{}}}
	for _, line := range []string{
		`{"type":"Metric","data":{"name":"http_reqs"},"metric":"http_reqs"}`,
		`{"metric":"http_reqs","type":"Point","data":{"value":1,"tags":{"app":"a","url":"http://127.0.0.1:46/x?y","name":"n"}}}`,
		`{"metric":"http_reqs","type":"Point","data":{"value":1,"tags":{"app":"a","name":"https://example.org/x"}}}`,
		`{"metric":"http_reqs","type":"Point","data":{"value":1,"tags":{"app":"other","url":"http://127.0.0.1:46/"}}}`,
		`{"metric":"http_reqs","type":"Point","data":{"value":1,"tags":{"app":"a","name":"no address"}}}`,
		`half a line with "http_reqs"`,
		`{"metric":"iteration_duration","type":"Point","data":{"value":12.5,"tags":{"app":"a"}}}`,
		`{"metric":"iteration_duration","type":"Point","data":{"value":3,"tags":{"app":"a"}}}`,
		`{"metric":"iteration_duration","type":"Point","data":{"value":99,"tags":{"app":"other"}}}`,
	} {
		r.take([]byte(line))
	}
	require.Equal(t, map[string]int64{"127.0.0.1:46": 1, "example.org:443": 1}, r["a"].Reached)
	require.Equal(t, 12500*time.Microsecond, r["a"].Iteration)
}

func TestAPrometheusWithoutTheRaceHoldsNothing(t *testing.T) {
	server, err := promserver.Start(t.Context(), promserver.Options{Dir: t.TempDir()})
	require.NoError(t, err)
	defer func() { require.NoError(t, server.Close()) }()
	p, err := newPrometheus(server.URL())
	require.NoError(t, err)
	pushes, err := p.pushed(t.Context(), "race-1", 1, time.Minute)
	require.NoError(t, err)
	require.Empty(t, pushes)
	final, err := p.final(t.Context(), "race-1", 1, time.Minute)
	require.NoError(t, err)
	require.Empty(t, final)
	require.NoError(t, server.Close())
	_, err = p.final(t.Context(), "race-1", 1, time.Minute)
	require.ErrorContains(t, err, "prometheus at "+server.URL()+" cannot be asked")
}

func TestWhatPrometheusLostIsNotMadeUp(t *testing.T) {
	exact := stream.Histogram{Count: 100, Sum: 2, Min: .01, Max: .3}
	require.Zero(t, resolved(exact, stream.Histogram{}).Count)
	half := histogramOf(schema3(.02, .02))
	joined := resolved(exact, half)
	require.EqualValues(t, 2, joined.Count)
	require.InDelta(t, .02, joined.Mean(), 1e-12, "k6's own mean")
	require.InDelta(t, .3, joined.Max, 0)
}
