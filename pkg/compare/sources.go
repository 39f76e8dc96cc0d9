package compare

import (
	"context"
	"slices"
	"time"

	"github.com/photofinish/photofinish/pkg/promql"
)

// glimpse is how much of a race is looked at, at its end or after its beginning, to see how often its sources are sampled.
const glimpse = 2 * time.Minute

// glimpsed is how many apps are looked at: those of one race are sampled alike, and raw samples are many.
const glimpsed = 10

// worthTwoNames is from how many apps on their containers are looked for in two halves.
const worthTwoNames = 20

// skew is how far cAdvisor's clock may be off for its containers still to be noticed, so that the user can be told.
const skew = 2 * time.Minute

// sources is what Prometheus holds of a race: how often k6 and cAdvisor wrote (0: never), and by which labels the apps' containers are known.
type sources struct {
	client     time.Duration
	container  time.Duration
	containers []containers
	shared     []string // apps that race in a pod with another, which have no network of their own
}

// slowest is the shortest step at which every source has a sample in each.
func (s sources) slowest() time.Duration { return max(s.client, s.container, time.Second) }

// discover looks which labels name the apps' containers, and at raw samples of both sides.
func discover(ctx context.Context, a *asker, r RaceInfo, apps []string, j Join, need needs) (sources, error) {
	var s sources
	labels := j.labels()
	clients := glimpseOf(r, promql.Selector([]string{r.requests()}, r.matchers(apps[:min(len(apps), glimpsed)])...), 0)
	// Most often it is the first label that names them; to guess so saves a round.
	first := containers{label: labels[0], apps: j.byContainer(apps)}.glimpse(r)
	var names, looks []*task
	for _, some := range halves(apps, worthTwoNames) {
		names = append(names, &task{query: promql.At(j.namesExpr(r.TestID, some, r.reach()+2*skew), r.End.Add(skew))})
	}
	pushes := need.counters || need.percentiles() || need.gauges() || len(need.own) > 0
	if pushes {
		looks = append(looks, clients.ending)
	}
	if need.container {
		looks = append(append(looks, names...), first.ending)
	}
	if err := a.run(ctx, looks); err != nil {
		return s, err
	}
	var err error
	if pushes {
		if s.client, err = clients.period(ctx, a); err != nil {
			return s, err
		}
	}
	seen := results(names)
	s.containers = j.assign(apps, named(seen, labels))
	for _, c := range s.containers {
		look := first
		if c.label != labels[0] {
			look = c.glimpse(r)
			if err := a.run(ctx, []*task{look.ending}); err != nil {
				return s, err
			}
		}
		every, err := look.period(ctx, a)
		if err != nil {
			return s, err
		}
		s.container = max(s.container, every)
	}
	pods, shared := networks(seen, s.containers)
	if len(pods.apps) > 0 {
		s.containers = append(s.containers, pods)
	}
	s.shared = shared
	return s, nil
}

// networks are the pods of the containers that are known by the name that they have there: the kubelet counts the network of pods, not of containers.
// That of a pod in which several apps race is nobody's; these apps are shared.
func networks(seen []promql.Series, found []containers) (pods containers, shared []string) {
	pods = containers{label: labelPod, apps: map[string][]string{}, network: true}
	holds := map[string][]string{} // the apps in each pod
	for _, c := range found {
		if c.label != labelContainer {
			continue
		}
		held := map[string][]string{} // names of containers that were counted, by pod
		for _, s := range seen {
			pod, name := s.Labels[labelPod], s.Labels[labelContainer]
			if pod == "" || c.apps[name] == nil || slices.Contains(held[pod], name) {
				continue
			}
			held[pod] = append(held[pod], name)
			if holds[pod] = append(holds[pod], c.apps[name]...); len(held[pod]) == 1 {
				pods.apps[pod] = c.apps[name]
			} else {
				delete(pods.apps, pod)
				shared = append(shared, holds[pod]...)
			}
		}
	}
	slices.Sort(shared)
	return pods, slices.Compact(shared)
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

// glimpse looks at the first containers.
func (c containers) glimpse(r RaceInfo) sampling {
	return glimpseOf(r, promql.Selector([]string{containerCPU}, c.first(glimpsed).matchers(r.TestID)...), skew)
}

// sampling asks for raw samples at the end of a race, and at its beginning where there were none in the end.
type sampling struct{ ending, beginning *task }

// glimpseOf looks at the samples of some series; margin is added on both sides.
func glimpseOf(r RaceInfo, selector string, margin time.Duration) sampling {
	expr := selector + "[" + promql.Duration(min(r.length(), glimpse)+2*margin) + "]"
	s := sampling{ending: &task{query: promql.At(expr, r.End.Add(margin))}}
	if r.length() > glimpse {
		s.beginning = &task{query: promql.At(expr, r.Start.Add(glimpse+margin))}
	}
	return s
}

// period is how often there were samples; 0 where there were none. The ending was run.
func (s sampling) period(ctx context.Context, a *asker) (time.Duration, error) {
	every := period(s.ending.result)
	if every == 0 && s.beginning != nil {
		if err := a.run(ctx, []*task{s.beginning}); err != nil {
			return 0, err
		}
		every = period(s.beginning.result)
	}
	return every, nil
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
