package compare

import (
	"context"
	"slices"
	"time"

	"github.com/photofinish/photofinish/pkg/promql"
)

// glimpse is how much of a race is looked at, at its end and after its beginning, to see how often its sources are sampled.
const glimpse = 2 * time.Minute

// glimpsed is how many apps are looked at: those of one race are sampled alike, and raw samples are many.
const glimpsed = 10

// skew is how far cAdvisor's clock may be off for its containers still to be noticed, so that the user can be told.
const skew = 2 * time.Minute

// sources is what Prometheus holds of a race: how often k6 and cAdvisor wrote (0: never), and by which labels the apps' containers are known.
type sources struct {
	client     time.Duration
	container  time.Duration
	containers []containers
}

// slowest is the shortest step at which every source has a sample in each.
func (s sources) slowest() time.Duration { return max(s.client, s.container, time.Second) }

// discover looks which labels name the apps' containers, and at raw samples of both sides.
func discover(ctx context.Context, a *asker, r RaceInfo, apps []string, j Join, need needs) (sources, error) {
	var s sources
	var clients, names, first []*task
	if need.counters || need.percentiles() || need.gauges() || len(need.own) > 0 {
		clients = glimpses(r, promql.Selector([]string{r.requests()}, r.matchers(apps[:min(len(apps), glimpsed)])...), 0)
	}
	labels := j.labels()
	if need.container {
		names = []*task{{query: promql.At(j.namesExpr(r.TestID, apps, r.reach()+2*skew), r.End.Add(skew))}}
		// Most often it is the first label that names them; to guess so saves a round.
		first = containers{label: labels[0], apps: j.byContainer(apps)}.glimpses(r)
	}
	if err := a.run(ctx, slices.Concat(clients, first, names)); err != nil {
		return s, err
	}
	s.client = periodOf(clients)
	s.containers = j.assign(apps, named(results(names), labels))
	for _, c := range s.containers {
		every := time.Duration(0)
		if c.label == labels[0] {
			every = periodOf(first)
		}
		if every == 0 {
			again := c.glimpses(r)
			if err := a.run(ctx, again); err != nil {
				return s, err
			}
			every = periodOf(again)
		}
		s.container = max(s.container, every)
	}
	return s, nil
}

// named are the names of containers by the label that has them.
func named(series []promql.Series, labels []string) map[string][]string {
	seen := map[string][]string{}
	for _, s := range series {
		for _, label := range labels {
			if name := s.Labels[label]; name != "" {
				seen[label] = append(seen[label], name)
			}
		}
	}
	return seen
}

// glimpses asks for raw samples of the first containers.
func (c containers) glimpses(r RaceInfo) []*task {
	return glimpses(r, promql.Selector([]string{containerCPU}, c.first(glimpsed).matchers(r.TestID)...), skew)
}

// periodOf is the shortest period in several answers.
func periodOf(tasks []*task) (shortest time.Duration) {
	for _, t := range tasks {
		shortest = shorter(shortest, period(t.result))
	}
	return shortest
}

// glimpses asks for the raw samples at the end of a race and, where it was long, also at its beginning; margin is added on both sides.
func glimpses(r RaceInfo, selector string, margin time.Duration) []*task {
	reach := min(r.length(), glimpse)
	expr := selector + "[" + promql.Duration(reach+2*margin) + "]"
	tasks := []*task{{query: promql.At(expr, r.End.Add(margin))}}
	if r.length() > 2*glimpse {
		tasks = append(tasks, &task{query: promql.At(expr, r.Start.Add(glimpse+margin))})
	}
	return tasks
}

// period is how often the busiest series has samples: the smallest of the series' median gaps, to the next whole second
// unless it is within a tenth of one. A gap over a pause between heats does not move the median.
func period(series []promql.Series) time.Duration {
	var shortest time.Duration
	for _, s := range series {
		var apart []float64
		for i := 1; i < len(s.Points); i++ {
			apart = append(apart, float64(s.Points[i].At-s.Points[i-1].At))
		}
		if len(apart) > 0 {
			shortest = shorter(shortest, time.Duration(median(apart))*time.Millisecond)
		}
	}
	if shortest == 0 {
		return 0
	}
	return max((shortest + time.Second*9/10).Truncate(time.Second), time.Second)
}

// shorter is the smaller of two periods; 0 is unknown.
func shorter(a, b time.Duration) time.Duration {
	if a == 0 || (b > 0 && b < a) {
		return b
	}
	return a
}
