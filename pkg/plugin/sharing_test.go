package plugin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/promql"
)

// querier answers as told and counts how often it was asked, and by how many at once.
type querier struct {
	asked, now, most atomic.Int64
	answer           func(context.Context, promql.Query) (promql.Result, error)
}

func (q *querier) Query(ctx context.Context, query promql.Query) (promql.Result, error) {
	q.asked.Add(1)
	defer q.now.Add(-1)
	for n := q.now.Add(1); n > q.most.Load(); {
		q.most.Store(n)
	}
	return q.answer(ctx, query)
}

func sleepy(ctx context.Context, q promql.Query) (promql.Result, error) {
	select {
	case <-time.After(time.Second):
		return promql.Result{Series: []promql.Series{{Labels: map[string]string{"expr": q.Expr}}}}, nil
	case <-ctx.Done():
		return promql.Result{}, ctx.Err()
	}
}

func TestEqualQuestionsAtTheSameTimeAreAskedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := &querier{answer: sleepy}
		s := newShared(q, newMemory(memoryBytes), false)
		var group sync.WaitGroup
		for i := range 20 {
			group.Go(func() {
				result, err := s.Query(t.Context(), promql.At(fmt.Sprint("up", i%2), time.Unix(1, 0)))
				require.NoError(t, err)
				require.Equal(t, fmt.Sprint("up", i%2), result.Series[0].Labels["expr"])
			})
		}
		group.Wait()
		require.Equal(t, int64(2), q.asked.Load())
		_, err := s.Query(t.Context(), promql.At("up0", time.Unix(1, 0)))
		require.NoError(t, err)
		require.Equal(t, int64(3), q.asked.Load(), "what is not about a finished race is asked again")
	})
}

func TestWhoGoesAwayDoesNotTakeTheAnswerFromTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := &querier{answer: sleepy}
		s := newShared(q, newMemory(memoryBytes), false)
		leaving, leave := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer leave()
		var group sync.WaitGroup
		group.Go(func() {
			_, err := s.Query(leaving, promql.At("up", time.Unix(1, 0)))
			require.ErrorIs(t, err, context.DeadlineExceeded)
		})
		synctest.Wait()
		group.Go(func() {
			_, err := s.Query(t.Context(), promql.At("up", time.Unix(1, 0)))
			require.NoError(t, err)
		})
		group.Wait()
		require.Equal(t, int64(1), q.asked.Load())
	})
}

func TestWhenNobodyWaitsAnyMoreTheQuestionIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var ended error
		q := &querier{answer: func(ctx context.Context, _ promql.Query) (promql.Result, error) {
			<-ctx.Done()
			ended = ctx.Err()
			return promql.Result{}, ended
		}}
		s := newShared(q, newMemory(memoryBytes), false)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := s.Query(ctx, promql.At("up", time.Unix(1, 0)))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		synctest.Wait()
		require.ErrorIs(t, ended, context.Canceled)
	})
}

func TestPrometheusIsNotAskedMoreAtOnceThanItLikes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := &querier{answer: sleepy}
		s := newShared(q, newMemory(memoryBytes), false)
		var group sync.WaitGroup
		for i := range 5 * maxInFlight {
			group.Go(func() {
				_, err := s.Query(t.Context(), promql.At(fmt.Sprint(i), time.Unix(1, 0)))
				require.NoError(t, err)
			})
		}
		group.Wait()
		require.Equal(t, int64(maxInFlight), q.most.Load())
	})
}

func TestAnswersAboutFinishedRacesAreRemembered(t *testing.T) {
	asked := 0
	warnings := []string{"partial"}
	q := &querier{answer: func(context.Context, promql.Query) (promql.Result, error) {
		asked++
		if asked == 1 {
			return promql.Result{}, errors.New("down")
		}
		if asked == 2 {
			return promql.Result{Warnings: warnings}, nil
		}
		return promql.Result{}, nil
	}}
	s := newShared(q, newMemory(memoryBytes), false)
	for range 6 {
		_, _ = s.Query(settled(t.Context()), promql.At("up", time.Unix(1, 0)))
	}
	require.Equal(t, 3, asked, "neither an error nor an incomplete answer is remembered, a whole one is")
}

func TestWhereUsersAreToldApartNothingIsShared(t *testing.T) {
	q := &querier{answer: func(context.Context, promql.Query) (promql.Result, error) { return promql.Result{}, nil }}
	s := newShared(q, newMemory(memoryBytes), true)
	for range 3 {
		_, err := s.Query(settled(t.Context()), promql.At("up", time.Unix(1, 0)))
		require.NoError(t, err)
	}
	require.Equal(t, int64(3), q.asked.Load())
}

func TestAnAnswerOfTooManySeriesIsRefused(t *testing.T) {
	q := &querier{answer: func(context.Context, promql.Query) (promql.Result, error) {
		return promql.Result{Series: make([]promql.Series, maxAnswerSeries+1)}, nil
	}}
	_, err := newShared(q, newMemory(memoryBytes), false).Query(t.Context(), promql.At("up", time.Unix(1, 0)))
	require.ErrorContains(t, err, "50001 series")
}

func TestMemoryIsBoundedAndForgetsTheOldestUse(t *testing.T) {
	m := newMemory(10_000)
	now, later := time.Unix(1, 0), time.Unix(2, 0)
	for i := range 100 {
		m.put(fmt.Sprint(i), i, 1000, later)
		_, ok := recall[int](m, "0", now)
		require.True(t, ok, "what is used stays")
	}
	require.LessOrEqual(t, m.used, 10_000)
	require.Len(t, m.byKey, m.order.Len())
	_, ok := recall[int](m, "1", now)
	require.False(t, ok)
	_, ok = recall[int](m, "99", later)
	require.False(t, ok, "its time is over")
	m.put("giant", 1, 5000, later)
	_, ok = recall[int](m, "giant", now)
	require.False(t, ok)
	_, ok = recall[int](m, "0", now)
	require.True(t, ok, "a giant drives out nothing")
}

func TestTheSecondLookAtAFinishedRaceAsksPrometheusNothing(t *testing.T) {
	var asked atomic.Int64
	replay := recordedPrometheus(t)
	d := open(t, serve(t, func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		replay(w, r)
	}), "")
	for _, name := range []string{"timeseries-several", "standings", "verdict", "distribution", "events"} {
		require.NoError(t, ask(t, d, string(queries(t)[name])).Error, name)
		before := asked.Load()
		began := time.Now()
		require.NoError(t, ask(t, d, string(queries(t)[name])).Error, name)
		require.Equal(t, before, asked.Load(), name)
		t.Logf("%s: %s the second time", name, time.Since(began))
	}
	require.NotZero(t, asked.Load())
}

func TestAPanicIsTheErrorOfItsOwnQuery(t *testing.T) {
	for _, private := range []bool{false, true} { // each asked in another goroutine
		d := open(t, serve(t, emptyPrometheus), fakeRunner(t, fourApps()))
		d.prom = newShared(&querier{answer: func(context.Context, promql.Query) (promql.Result, error) {
			panic("an index out of range") //nolint:forbidigo // that is what is tested
		}}, d.memory, private)
		id, whole := fourApps().ID, backend.TimeRange{From: *fourApps().StartedAt, To: *fourApps().FinishedAt}
		response, err := d.QueryData(t.Context(), &backend.QueryDataRequest{Queries: []backend.DataQuery{
			{RefID: "A", JSON: json.RawMessage(`{"queryType":"timeseries","races":["` + id + `"],"measures":["latency_p95"],"align":"elapsed"}`), TimeRange: whole},
			{RefID: "B", JSON: json.RawMessage(`{"queryType":"standings","races":["` + id + `"]}`), TimeRange: whole},
		}})
		require.NoError(t, err)
		require.EqualError(t, response.Responses["A"].Error,
			"the data source failed on this query: an index out of range; please report this with the plugin's log")
		require.NoError(t, response.Responses["B"].Error)
		require.Equal(t, 4, response.Responses["B"].Frames[0].Rows())
	}
}

// TestWhatPercentilesNeedIsAskedBesideTheFirstQuestion: here Prometheus knows no race, so nothing else would ask it.
func TestWhatPercentilesNeedIsAskedBesideTheFirstQuestion(t *testing.T) {
	for name, c := range map[string]struct {
		measures []string
		private  bool
		asks     bool
	}{
		"all measures":              {nil, false, true},
		"a percentile":              {[]string{"request_rate", "latency_p95"}, false, true},
		"no percentile":             {[]string{"request_rate"}, false, false},
		"answers for one user only": {[]string{"latency_p95"}, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var asked atomic.Int64
				q := &querier{answer: func(ctx context.Context, q promql.Query) (promql.Result, error) {
					if strings.HasPrefix(q.Expr, "histogram_quantiles(") {
						asked.Add(1)
					}
					return sleepy(ctx, promql.Query{})
				}}
				memory := newMemory(memoryBytes)
				d := &Datasource{prom: newShared(q, memory, c.private), memory: memory, private: c.private, now: time.Now}
				_, _ = d.timeSeries(t.Context(), query{Races: []string{"unknown"}, Measures: c.measures, From: time.Unix(0, 0), To: time.Unix(60, 0)})
				require.Equal(t, c.asks, asked.Load() == 1)
			})
		})
	}
}
