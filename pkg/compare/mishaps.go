package compare

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/photofinish/photofinish/pkg/promql"
)

// Mishap is what befell an app's container while it raced, as far as cAdvisor tells: it was started again, or ran out of memory.
type Mishap struct {
	App         string
	At          time.Time
	OutOfMemory bool
}

// MishapLog is a race's mishaps in order of time, the queries that told them, and what Prometheus had to say of its answers.
type MishapLog struct {
	Mishaps []Mishap
	Queries []ExecutedQuery
	Notices []string
}

// Mishaps asks for the mishaps of a race. A container that was started before a heat was not restarted;
// cAdvisor's count of out-of-memory events often stays at zero, so that none of them proves nothing.
func Mishaps(ctx context.Context, q promql.Querier, r RaceInfo, j Join) (MishapLog, error) {
	const points = 500 // a restart's time is a sample's value, whatever the step
	if len(r.Apps) == 0 {
		return MishapLog{}, nil
	}
	a := &asker{q: q}
	found, err := discover(ctx, a, r, r.Apps, j, needs{container: true})
	if err != nil {
		return MishapLog{}, err
	}
	step := max(r.length()/points, found.slowest())
	g := gridOver(r.Start, r.End, (step + time.Second - 1).Truncate(time.Second), false).early(1)
	asked := slices.DeleteFunc(found.containers, func(c containers) bool { return c.network })
	tasks := make([]*task, len(asked))
	for i, c := range asked {
		tasks[i] = &task{query: g.query(c.mishapsExpr(r.TestID)), measures: []string{"restarts, out of memory"}}
	}
	if err := a.run(ctx, tasks); err != nil {
		return MishapLog{}, err
	}
	var all []Mishap
	for i, c := range asked {
		ofPod := podsOwn(tasks[i].result)
		for _, s := range tasks[i].result {
			if ofPod(s.Labels) { // what befell a container is told of its pod too
				continue
			}
			for _, m := range r.mishaps(s) {
				for _, m.App = range c.apps[s.Labels[c.label]] {
					all = append(all, m)
				}
			}
		}
	}
	slices.SortFunc(all, func(x, y Mishap) int { return cmp.Or(x.At.Compare(y.At), cmp.Compare(x.App, y.App)) })
	// A container that is scraped twice tells the same twice.
	return MishapLog{Mishaps: slices.Compact(all), Queries: a.executed, Notices: a.notices}, nil
}

// mishapsExpr are the start time and the count of out-of-memory events of each container.
func (c containers) mishapsExpr(testid string) string {
	return "max by " + promql.Labels(append([]string{"__name__"}, c.identity()...)...) +
		" (" + promql.Selector([]string{containerStart, containerOOM}, c.matchers(testid)...) + ")"
}

// mishaps reads one series of one container.
func (r RaceInfo) mishaps(s promql.Series) []Mishap {
	var found []Mishap
	for i, p := range s.Points {
		if !known(p.Value) || i > 0 && s.Points[i-1].Value == p.Value {
			continue
		}
		switch {
		case s.Labels["__name__"] == containerStart:
			if at := time.UnixMilli(int64(p.Value * 1000)); r.racingAt(at) {
				found = append(found, Mishap{At: at})
			}
		case i > 0 && p.Value > s.Points[i-1].Value:
			found = append(found, Mishap{At: time.UnixMilli(p.At), OutOfMemory: true})
		}
	}
	return found
}

// racingAt says whether a heat was under way at a time.
func (r RaceInfo) racingAt(t time.Time) bool {
	return slices.ContainsFunc(r.Heats, func(h Heat) bool { return t.After(h.Start) && !t.After(h.End) })
}
