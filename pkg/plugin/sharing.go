package plugin

import (
	"context"
	"strconv"
	"time"

	"github.com/photofinish/photofinish/pkg/promql"
	"github.com/photofinish/photofinish/pkg/race"
)

// shared is the one way to Prometheus. Panels of a dashboard ask much the same (counts, spans, which containers there are): equal
// questions that are under way are asked once, and those about finished races are remembered.
type shared struct {
	next    promql.Querier
	slots   chan struct{}
	flights flights[promql.Result]
	memory  *memory
	// private: answers may depend on who asks, so nothing is shared.
	private bool
}

var _ promql.Quantiler = (*shared)(nil)

func newShared(next promql.Querier, m *memory, private bool) *shared {
	return &shared{next: next, slots: make(chan struct{}, maxInFlight), memory: m, private: private}
}

// settledKey marks the context of questions about races that are over.
type settledKey struct{}

// settled says that what Prometheus answers will not change any more.
func settled(ctx context.Context) context.Context { return context.WithValue(ctx, settledKey{}, true) }

// Query implements promql.Querier. The result is shared: nobody may change it.
func (s *shared) Query(ctx context.Context, q promql.Query) (promql.Result, error) {
	if s.private {
		return s.ask(ctx, q)
	}
	key := "promql|" + strconv.FormatInt(q.Start.UnixNano(), 36) + "|" + strconv.FormatInt(q.End.UnixNano(), 36) + "|" +
		strconv.FormatInt(int64(q.Step), 36) + "|" + q.Expr
	keep := ctx.Value(settledKey{}) != nil
	if keep {
		if result, ok := recall[promql.Result](s.memory, key, time.Now()); ok {
			return result, nil
		}
	}
	result, err := s.flights.do(ctx, key, func(ctx context.Context) (promql.Result, error) { return s.ask(ctx, q) })
	if err != nil && ctx.Err() != nil {
		return promql.Result{}, givenUp(ctx)
	}
	if err == nil && keep && len(result.Warnings) == 0 { // an incomplete answer may be complete the next time
		s.memory.put(key, result, sizeOf(result), time.Now().Add(finishedFor))
	}
	return result, err
}

// KnowsQuantiles implements promql.Quantiler. The answer is the same for everybody.
func (s *shared) KnowsQuantiles(ctx context.Context) bool {
	const key = "knows histogram_quantiles"
	if known, ok := recall[bool](s.memory, key, time.Now()); ok {
		return known
	}
	known, sure := promql.TryQuantiles(ctx, s)
	if sure {
		s.memory.put(key, known, 1, time.Now().Add(finishedFor))
	}
	return known
}

func (s *shared) ask(ctx context.Context, q promql.Query) (promql.Result, error) {
	select {
	case s.slots <- struct{}{}:
		defer func() { <-s.slots }()
	case <-ctx.Done():
		return promql.Result{}, givenUp(ctx)
	}
	result, err := s.next.Query(ctx, q)
	if err != nil {
		return result, err // it says already what failed and what to do
	}
	if n := len(result.Series); n > maxAnswerSeries {
		return promql.Result{}, race.Errorf(race.Unavailable, "choose fewer apps or a shorter time; see whether testid, app or heat hold values that never repeat",
			"Prometheus answered with %d series, more than the %d that are let through", n, maxAnswerSeries)
	}
	return result, nil
}

// givenUp says that the caller did not wait for the answer: a browser that went away, or the evaluation of an alert rule whose time was over.
func givenUp(ctx context.Context) error {
	return race.Errorf(race.Unavailable, promql.AskLess+", or give Prometheus and Grafana more time",
		"Grafana stopped waiting for Prometheus: %w", context.Cause(ctx))
}

// sizeOf is about how many bytes a result takes.
func sizeOf(r promql.Result) int {
	const point, series, label = 16, 200, 60
	n := 0
	for _, s := range r.Series {
		n += series + label*len(s.Labels) + point*len(s.Points)
	}
	return n
}
