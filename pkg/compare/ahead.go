package compare

import (
	"context"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/photofinish/photofinish/pkg/panics"
	"github.com/photofinish/photofinish/pkg/promql"
)

// ahead are questions that are asked while it is still found out whether they are the right ones: Prometheus would have little to do meanwhile.
type ahead struct {
	known   chan struct{} // closed when it is known which they are, or that they could not be told
	failed  error
	asked   map[string]*early
	settled bool
}

// early is one of them. Its answer may be read when it is done.
type early struct {
	query  promql.Query
	ctx    context.Context //nolint:containedctx // each can be given up by itself
	cancel context.CancelFunc
	done   chan struct{}
	result promql.Result
	err    error
}

func keyOf(q promql.Query) string {
	return q.Expr + "|" + q.Start.UTC().Format(time.RFC3339Nano) + "|" + q.End.UTC().Format(time.RFC3339Nano) + "|" + q.Step.String()
}

// hurry asks what tasks, once it has told them, will most likely be asked. Once that is settled, run takes the answers of the same questions.
func (a *asker) hurry(ctx context.Context, tasks func() []*task) {
	h := &ahead{known: make(chan struct{}), asked: map[string]*early{}}
	a.ahead = h
	go func() {
		var order []*early
		h.failed = panics.Catch(func() error {
			for _, t := range tasks() {
				if h.asked[keyOf(t.query)] != nil {
					continue
				}
				e := &early{query: t.query, done: make(chan struct{})}
				e.ctx, e.cancel = context.WithCancel(ctx)
				h.asked[keyOf(t.query)] = e
				order = append(order, e)
			}
			return nil
		})
		close(h.known)
		var group errgroup.Group
		group.SetLimit(concurrency)
		for _, e := range order {
			group.Go(func() error {
				defer close(e.done)
				e.err = panics.Catch(func() (err error) {
					if err = e.ctx.Err(); err == nil {
						e.result, err = a.q.Query(e.ctx, e.query)
					}
					return err
				})
				return nil
			})
		}
	}()
}

// settle says that the tasks are the right ones, and gives up what was asked ahead beside them; nil are none.
func (a *asker) settle(tasks []*task) {
	if a.ahead == nil {
		return
	}
	<-a.ahead.known
	panics.Rethrow(a.ahead.failed)
	a.ahead.settled = true
	right := map[string]bool{}
	for _, t := range tasks {
		right[keyOf(t.query)] = true
	}
	for key, e := range a.ahead.asked {
		if !right[key] {
			e.cancel()
		}
	}
}

// query evaluates a task, unless that is under way already.
func (a *asker) query(ctx context.Context, t *task) (promql.Result, error) {
	if a.ahead != nil && a.ahead.settled {
		if e := a.ahead.asked[keyOf(t.query)]; e != nil {
			<-e.done
			return e.result, e.err
		}
	}
	return a.q.Query(ctx, t.query)
}

// likely are the questions about the series of k6 that a request will most likely ask: as if it wrote once a second, which ours does, and containers were
// counted as often as a step is long.
func likely(req Request, need needs) (tasks []*task) {
	step := req.fit(&asker{}, max(req.Step, time.Second))
	for _, r := range req.Races {
		apps, err := r.choose(req.Apps)
		if err != nil {
			continue // the request will say so
		}
		p := &racePlan{race: r, apps: apps, sources: sources{client: time.Second}, join: req.Join}
		own, _ := p.tasks(req, need, step)
		tasks = append(tasks, own...)
	}
	return tasks
}
