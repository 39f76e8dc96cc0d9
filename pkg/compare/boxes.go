package compare

import (
	"cmp"
	"maps"
	"slices"

	"github.com/photofinish/photofinish/pkg/promql"
)

// box is what cAdvisor sampled of one container: counters and gauges by metric name.
type box struct {
	track
	apps    []string
	pod     bool // it is a pod, and has its network only: the rest its containers have
	columns map[string][]float64
}

// boxes reads the answers to valuesExpr, seenExpr and, where asked, peakExpr (kept as column peakMemory).
// A container that is scraped twice (by the kubelet and by a cAdvisor of its own) is taken once: from where it has more samples.
func boxes(g grid, c containers, values, seen, peak []promql.Series) []*box {
	placeOf := func(s promql.Series) place {
		return place{s.Labels[c.label], s.Labels["id"], s.Labels[labelContainer], s.Labels[labelPod], s.Labels["instance"], s.Labels["job"]}
	}
	ofPod := podsOwn(seen)
	found := map[place]*box{}
	for _, s := range seen {
		b := &box{
			track: track{grid: g, seen: g.column(s.Points)}, apps: c.apps[s.Labels[c.label]], pod: c.network || ofPod(s.Labels),
			columns: map[string][]float64{},
		}
		for i := range b.seen {
			b.seen[i] *= 1000 // timestamp() tells seconds
		}
		found[placeOf(s)] = b
	}
	put := func(series []promql.Series, name func(promql.Series) string) {
		for _, s := range series {
			if b := found[placeOf(s)]; b != nil {
				b.columns[name(s)] = g.column(s.Points)
			}
		}
	}
	put(values, func(s promql.Series) string { return s.Labels["__name__"] })
	put(peak, func(promql.Series) string { return peakMemory })

	places := slices.SortedFunc(maps.Keys(found), place.compare)
	var once []*box
	for i, p := range places {
		b := found[p]
		switch {
		case i == 0 || !places[i-1].same(p):
			once = append(once, b)
		case b.samples() > once[len(once)-1].samples():
			once[len(once)-1] = b
		}
	}
	return slices.DeleteFunc(once, func(b *box) bool { return b.pod && !b.keepNetwork() })
}

// place is from where a container is scraped.
type place struct{ name, id, container, pod, instance, job string }

func (p place) compare(o place) int {
	return cmp.Or(cmp.Compare(p.name, o.name), cmp.Compare(p.id, o.id), cmp.Compare(p.container, o.container), cmp.Compare(p.pod, o.pod),
		cmp.Compare(p.instance, o.instance), cmp.Compare(p.job, o.job))
}

// same says whether two places have the same container. Some drop the id, since it is long.
func (p place) same(o place) bool {
	return p.name == o.name && p.id == o.id && (p.id != "" || p.container == o.container && p.pod == o.pod)
}

// keepNetwork drops all other columns, and says whether any is left.
func (b *box) keepNetwork() bool {
	maps.DeleteFunc(b.columns, func(name string, _ []float64) bool { return !slices.Contains(networkFamily().names, name) })
	return len(b.columns) > 0
}

// peakMemory is the column of the highest working set within each step.
const peakMemory = "peak"

func (b *box) samples() (n int) {
	for i := range b.seen {
		if b.fresh(i) {
			n++
		}
	}
	return n
}

func (b *box) of(app string) bool { return slices.Contains(b.apps, app) }

// spentColumns is what an app's containers did together, step by step: rates per second, each container's over its own span, and gauges.
type spentColumns struct {
	cpu, throttled, received, sent []float64 // per second
	seconds                        []float64 // that the rates of a step were taken over, the mean of the containers
	periods, throttledPeriods      []float64 // increments
	memory, peak                   []float64 // bytes
}

// spend sums an app's containers within a stretch of time. A column that no container has is nil.
func spend(all []*box, app string, window span) spentColumns {
	var s spentColumns
	var sampled []float64 // how many containers were sampled
	for _, b := range all {
		if !b.of(app) {
			continue
		}
		spans := b.spans(window)
		rate := func(sum []float64, name string) []float64 {
			if b.columns[name] == nil {
				return sum
			}
			return add(sum, over(b.grown(b.columns[name], window), spans))
		}
		if !b.pod {
			s.seconds = add(s.seconds, spans)
			sampled = add(sampled, over(spans, spans))
		}
		s.cpu = rate(s.cpu, containerCPU)
		s.throttled = rate(s.throttled, containerThrottled)
		s.received = rate(s.received, containerReceived)
		s.sent = rate(s.sent, containerSent)
		s.periods = b.plus(s.periods, containerPeriods, b.grown, window)
		s.throttledPeriods = b.plus(s.throttledPeriods, containerThrottledPeriods, b.grown, window)
		s.memory = b.plus(s.memory, containerMemory, b.gauge, window)
		s.peak = b.plus(s.peak, peakMemory, b.gauge, window)
	}
	s.seconds = over(s.seconds, sampled)
	return s
}

// plus are the columns of two heats, of which no step has both.
func (s spentColumns) plus(o spentColumns) spentColumns {
	return spentColumns{
		cpu: add(s.cpu, o.cpu), throttled: add(s.throttled, o.throttled), received: add(s.received, o.received), sent: add(s.sent, o.sent), seconds: add(s.seconds, o.seconds),
		periods: add(s.periods, o.periods), throttledPeriods: add(s.throttledPeriods, o.throttledPeriods), memory: add(s.memory, o.memory), peak: add(s.peak, o.peak),
	}
}

// folded are the columns of longer steps: rates are those of the steps within one on average, and a gauge is what it was last.
func (s spentColumns) folded(f fold) spentColumns {
	return spentColumns{
		cpu: f.means(s.cpu), throttled: f.means(s.throttled), received: f.means(s.received), sent: f.means(s.sent), seconds: f.sums(s.seconds),
		periods: f.sums(s.periods), throttledPeriods: f.sums(s.throttledPeriods), memory: f.lasts(s.memory), peak: f.lasts(s.peak),
	}
}

func (b *box) plus(sum []float64, name string, read func([]float64, span) []float64, window span) []float64 {
	if b.columns[name] == nil {
		return sum
	}
	return add(sum, read(b.columns[name], window))
}
