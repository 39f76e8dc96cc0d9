package compare_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/compare"
	"github.com/photofinish/photofinish/pkg/panics"
	"github.com/photofinish/photofinish/pkg/promql"
)

// slow answers queries of one step only when they are given up, and raw samples, which tell how often there are any, only when two of those were asked.
type slow struct {
	promql.Querier
	step time.Duration

	mu      sync.Mutex
	asked   map[promql.Query]int
	given   sync.WaitGroup
	givenUp int
}

func (s *slow) Query(ctx context.Context, q promql.Query) (promql.Result, error) {
	s.mu.Lock()
	s.asked[q]++
	s.mu.Unlock()
	switch {
	case s.step == 0:
	case q.Step == s.step:
		s.given.Done()
		<-ctx.Done()
		s.mu.Lock()
		defer s.mu.Unlock()
		s.givenUp++
		return promql.Result{}, ctx.Err()
	case q.Step == 0 && strings.HasSuffix(q.Expr, "]"):
		s.given.Wait()
	}
	return s.Querier.Query(ctx, q)
}

// pushing is a race of a stock k6 that pushes so often.
func pushing(t *testing.T, every time.Duration) (*world, compare.Request) {
	t.Helper()
	w := newWorld(t)
	s := newScene(w, "stock", false)
	s.period = every
	s.run(load{app: "a", median: 0.01, rate: 50}, t0, int(time.Minute/every))
	r, _, err := compare.Lookup(t.Context(), w, "stock", compare.Window{Start: t0.Add(-time.Minute), End: t0.Add(10 * time.Minute)})
	require.NoError(t, err)
	return w, compare.Request{Races: []compare.RaceInfo{r}, Measures: []string{"latency_p95", "request_rate"}, Step: time.Second}
}

func TestWhatIsAskedAheadIsNotAskedAgain(t *testing.T) {
	w, req := pushing(t, time.Second)
	q := &slow{Querier: w, asked: map[promql.Query]int{}}
	r, err := compare.TimeSeries(t.Context(), q, req)
	require.NoError(t, err)
	require.Equal(t, time.Second, r.Step)
	require.Greater(t, len(q.asked), 3)
	for query, times := range q.asked {
		require.Equal(t, 1, times, query.Expr)
	}
}

func TestAWrongGuessIsGivenUp(t *testing.T) {
	w, req := pushing(t, 5*time.Second)
	want, err := compare.TimeSeries(t.Context(), w, req)
	require.NoError(t, err)
	require.Equal(t, 5*time.Second, want.Step, "the race is sampled less often than was guessed")
	q := &slow{Querier: w, step: time.Second, asked: map[promql.Query]int{}}
	const guesses = 3 // the percentiles, the counters, the times of the samples
	q.given.Add(guesses)
	got, err := compare.TimeSeries(t.Context(), q, req) // would wait for ever for one of them
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		q.mu.Lock()
		defer q.mu.Unlock()
		return q.givenUp == guesses
	}, 5*time.Second, time.Millisecond)
	require.Len(t, got.Series, len(want.Series))
	for i := range want.Series {
		require.InDeltaSlice(t, numbers(want.Series[i].Values), numbers(got.Series[i].Values), 1e-9)
	}
	require.Equal(t, want.Queries, got.Queries)
}

// numbers are the values that are none of the gaps.
func numbers(values []float64) (all []float64) {
	for _, v := range values {
		if v == v {
			all = append(all, v)
		}
	}
	return all
}

// stumbling panics when it is asked what its Prometheus knows, which is asked ahead, in goroutines of their own.
type stumbling struct{ promql.Querier }

func (stumbling) KnowsQuantiles(context.Context) bool {
	panic("stumbled") //nolint:forbidigo // that is what is tested
}

func TestAPanicInWhatIsAskedAheadReachesWhoAsked(t *testing.T) {
	w, req := pushing(t, time.Second)
	err := panics.Catch(func() error {
		_, err := compare.TimeSeries(t.Context(), stumbling{w}, req)
		return err
	})
	require.EqualError(t, err, "panic: stumbled")
}
