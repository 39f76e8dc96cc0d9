package compare

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/photofinish/photofinish/pkg/panics"
	"github.com/photofinish/photofinish/pkg/promql"
)

// concurrency bounds the queries in flight: a Prometheus evaluates 20 at once by default, and other people use it too.
const concurrency = 8

// ExecutedQuery is a PromQL expression that a measure was computed from, so that a user can trace every number.
type ExecutedQuery struct {
	Measure string
	Expr    string
}

// task is one expression to be evaluated and what it is for.
type task struct {
	query    promql.Query
	measures []string
	result   []promql.Series
}

// asker evaluates tasks, and remembers what was asked and what Prometheus warned of.
type asker struct {
	q        promql.Querier
	executed []ExecutedQuery
	notices  []string
	warned   bool   // an answer came with a warning, and may be another the next time
	ahead    *ahead // nil where nothing is asked ahead
}

// quantilesAtOnce asks whether several quantiles can be asked for at once. The answer is waited for where it is needed, once.
func quantilesAtOnce(ctx context.Context, q promql.Querier) func() bool {
	var known bool
	var working errgroup.Group
	working.Go(panics.Caught(func() error {
		if remembers, ok := q.(promql.Quantiler); ok {
			known = remembers.KnowsQuantiles(ctx)
		} else {
			known, _ = promql.TryQuantiles(ctx, q)
		}
		return nil
	}))
	return func() bool {
		panics.Rethrow(working.Wait())
		return known
	}
}

// run evaluates the tasks concurrently. On an error the rest is cancelled.
func (a *asker) run(ctx context.Context, tasks []*task) error {
	said, warned := make([][]string, len(tasks)), make([]bool, len(tasks))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(concurrency)
	for i, t := range tasks {
		group.Go(panics.Caught(func() error {
			result, err := a.query(ctx, t)
			if err != nil {
				return fmt.Errorf("%s: %w", t.purpose(), err)
			}
			t.result, said[i], warned[i] = result.Series, slices.Concat(result.Warnings, result.Infos), len(result.Warnings) > 0
			return nil
		}))
	}
	if err := group.Wait(); err != nil {
		return err
	}
	for i, t := range tasks {
		a.warned = a.warned || warned[i]
		for _, m := range t.measures {
			a.executed = append(a.executed, ExecutedQuery{Measure: m, Expr: t.query.Expr})
		}
		for _, w := range said[i] {
			a.notice("Prometheus: %s", w)
		}
	}
	return nil
}

func (t *task) purpose() string {
	if len(t.measures) == 0 {
		return "look up the race"
	}
	return strings.Join(t.measures, ", ")
}

// notice tells the user something once.
func (a *asker) notice(format string, args ...any) {
	if text := fmt.Sprintf(format, args...); !slices.Contains(a.notices, text) {
		a.notices = append(a.notices, text)
	}
}
