package compare_test

import (
	"context"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"
	engine "github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/util/teststorage"
	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/promql"
)

// world is a real Prometheus (storage and engine, without HTTP) that a test fills sample by sample.
type world struct {
	t      testing.TB
	db     *teststorage.TestStorage
	engine *engine.Engine
}

var _ promql.Querier = (*world)(nil)

func newWorld(tb testing.TB) *world {
	tb.Helper()
	e := engine.NewEngine(engine.EngineOpts{
		MaxSamples: 50_000_000, Timeout: time.Minute, LookbackDelta: 5 * time.Minute, EnableAtModifier: true, EnableNegativeOffset: true,
		NoStepSubqueryIntervalFn: func(int64) int64 { return 60_000 }, Parser: parser.NewParser(parser.Options{}),
	})
	tb.Cleanup(func() { require.NoError(tb, e.Close()) })
	db := teststorage.New(tb)
	tb.Cleanup(func() { require.NoError(tb, db.Close()) })
	return &world{t: tb, db: db, engine: e}
}

// Query implements promql.Querier. Every expression that the package makes is thereby checked by Prometheus's own parser.
func (w *world) Query(ctx context.Context, q promql.Query) (promql.Result, error) {
	var query engine.Query
	var err error
	if q.Step > 0 {
		query, err = w.engine.NewRangeQuery(ctx, w.db, nil, q.Expr, q.Start, q.End, q.Step)
	} else {
		query, err = w.engine.NewInstantQuery(ctx, w.db, nil, q.Expr, q.Start)
	}
	if err != nil {
		return promql.Result{}, err
	}
	defer query.Close()
	res := query.Exec(ctx)
	if res.Err != nil {
		return promql.Result{}, res.Err
	}
	warnings, _ := res.Warnings.AsStrings(q.Expr, 0, 0)
	out := promql.Result{Warnings: warnings}
	switch v := res.Value.(type) {
	case engine.Matrix:
		for _, s := range v {
			series := promql.Series{Labels: s.Metric.Map()}
			for _, p := range s.Floats {
				series.Points = append(series.Points, promql.Point{At: p.T, Value: p.F})
			}
			out.Series = append(out.Series, series)
		}
	case engine.Vector:
		for _, s := range v {
			out.Series = append(out.Series, promql.Series{Labels: s.Metric.Map(), Points: []promql.Point{{At: s.T, Value: s.F}}})
		}
	}
	return out, nil
}

// writer collects samples for one commit.
type writer struct {
	w   *world
	app storage.AppenderV2
}

func (w *world) write(fill func(writer)) {
	w.t.Helper()
	app := w.db.AppenderV2(w.t.Context())
	fill(writer{w, app})
	require.NoError(w.t, app.Commit())
}

func (a writer) float(at time.Time, v float64, pairs ...string) {
	_, err := a.app.Append(0, labels.FromStrings(pairs...), 0, at.UnixMilli(), v, nil, nil, storage.AOptions{})
	require.NoError(a.w.t, err)
}

func (a writer) stale(at time.Time, pairs ...string) {
	a.float(at, math.Float64frombits(value.StaleNaN), pairs...)
}

func (a writer) histogram(at time.Time, h *histogram.Histogram, pairs ...string) {
	_, err := a.app.Append(0, labels.FromStrings(pairs...), 0, at.UnixMilli(), 0, h, nil, storage.AOptions{})
	require.NoError(a.w.t, err)
}

// native is the histogram of some latencies in seconds.
func native(schema int32, observed []float64) *histogram.Histogram {
	counts := map[int32]int64{}
	h := &histogram.Histogram{Schema: schema, ZeroThreshold: 1e-128}
	for _, v := range observed {
		h.Count++
		h.Sum += v
		counts[int32(math.Ceil(math.Log2(v)*math.Exp2(float64(schema))-1e-9))]++
	}
	var indexes []int32
	for i := range counts {
		indexes = append(indexes, i)
	}
	slices.Sort(indexes)
	last := int64(0)
	for n, i := range indexes {
		if n > 0 && i == indexes[n-1]+1 {
			h.PositiveSpans[len(h.PositiveSpans)-1].Length++
		} else {
			offset := i
			if n > 0 {
				offset = i - indexes[n-1] - 1
			}
			h.PositiveSpans = append(h.PositiveSpans, histogram.Span{Offset: offset, Length: 1})
		}
		h.PositiveBuckets = append(h.PositiveBuckets, counts[i]-last)
		last = counts[i]
	}
	return h
}

// percentiles of raw observations: the values on both sides of the rank, since programs differ in which of the two they take.
func percentiles(observed []float64, q float64) (low, high float64) {
	sorted := slices.Sorted(slices.Values(observed))
	i := int(math.Round(q * float64(len(sorted))))
	return sorted[max(i-1, 0)], sorted[min(i, len(sorted)-1)]
}
