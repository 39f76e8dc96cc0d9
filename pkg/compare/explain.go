package compare

import (
	"slices"
	"strings"

	"github.com/photofinish/photofinish/pkg/race"
)

// explain tells what is missing, why, and what to do about it.
// histograms says whether a histogram of latency was found.
func (p *racePlan) explain(a *asker, need needs, histograms bool) {
	r := p.race
	for _, what := range p.samples.odd {
		a.notice("race %s: %s", r.ID, what)
	}
	if !r.Own {
		p.explainStock(a, need)
	}
	if need.histograms(r) {
		p.explainHistograms(a, need, histograms)
	}
	if apps := p.silent(); need.counters && len(apps) == len(p.apps) {
		a.notice("race %s: k6 wrote no counts of requests", r.ID)
	} else if need.counters && len(apps) > 0 {
		a.notice("race %s: k6 wrote no counts of requests of %s in this time", r.ID, strings.Join(apps, ", "))
	}
	if !need.container {
		return
	}
	if apps := p.lacking(); len(apps) > 0 {
		a.notice("race %s: no cAdvisor series name the container of %s (labels looked at: %s); run cAdvisor beside the apps, or set the labels or the mapping",
			r.ID, strings.Join(apps, ", "), strings.Join(p.join.labels(), ", "))
	}
	for _, app := range p.apps {
		if p.samples.outside(app) {
			a.notice("race %s: cAdvisor sampled %s, but not while it raced; check that the clocks of k6's and cAdvisor's machines agree", r.ID, app)
		}
	}
	p.explainColumns(a, need)
}

// explainStock tells what a stock k6 cannot give.
func (p *racePlan) explainStock(a *asker, need needs) {
	var none []string
	for _, m := range need.measures {
		if m.ID == "check_rate" || m.ID == "latency_max" || m.ID == "vus" || m.Custom.Type == race.Rate || m.Custom.Stat == "max" {
			none = append(none, m.ID)
		}
	}
	if len(none) > 0 {
		a.notice("race %s was run by a stock k6, whose series cannot give %s by app; photofinish race writes them", p.race.ID, strings.Join(none, ", "))
	}
	if apps := p.pushedOnce(); need.counters && len(apps) > 0 {
		a.notice("race %s: k6 pushed only once what %s did, and a rate takes two pushes; run it for longer, or with K6_PROMETHEUS_RW_PUSH_INTERVAL=1s",
			p.race.ID, strings.Join(apps, ", "))
	}
	if need.counters {
		for _, row := range p.samples.clients {
			if row.columns[colRequests] != nil && row.columns[colFailed] == nil { // a row without requests was merely seen
				a.notice("race %s: k6's system tag expected_response is off, so nobody knows which requests failed", p.race.ID)
			}
		}
	}
}

func (p *racePlan) explainHistograms(a *asker, need needs, there bool) {
	switch {
	case !there && p.race.Own:
		a.notice("race %s has no histograms of latency in this Prometheus, though there are counts; let it take in native histograms "+
			"(before 3.0: --enable-feature=native-histograms)", p.race.ID)
	case !there:
		a.notice("race %s has no native histograms of latency; run k6 with K6_PROMETHEUS_RW_TREND_AS_NATIVE_HISTOGRAM=true, "+
			"and let Prometheus take them in (before 3.0: --enable-feature=native-histograms)", p.race.ID)
	case !p.race.Own && len(need.latencies) > 0:
		a.notice("race %s was run by a stock k6, whose histograms are 9%% wide: differences of percentiles below %.1f%% do not show",
			p.race.ID, StockPercentileEffect*100)
	}
}

// explainMean tells why a mean over time is not known: races that were run before our extension wrote the sum of the latencies lack it.
func (p *racePlan) explainMean(a *asker, need needs) {
	if !need.mean || !p.race.Own {
		return
	}
	for _, row := range p.samples.clients {
		if row.columns[colRequests] != nil && row.columns[colWaited] == nil {
			a.notice("race %s was run by an older photofinish, which did not write %s, so its latency_mean over time is not known; its standings have it",
				p.race.ID, ownWaited)
		}
	}
}

// explainColumns tells which of cAdvisor's series there are not.
func (p *racePlan) explainColumns(a *asker, need needs) {
	if len(p.samples.boxes) == 0 {
		return
	}
	wanted := map[string]bool{}
	for _, m := range need.measures {
		wanted[m.ID] = true
	}
	absent := func(name string) bool {
		for _, b := range p.samples.boxes {
			if b.columns[name] != nil {
				return false
			}
		}
		return true
	}
	if (wanted["cpu_throttled_ratio"] || wanted["throttled_ms_per_request"]) && absent(containerPeriods) {
		a.notice("race %s: no container has a CPU quota, so nothing can be throttled", p.race.ID)
	}
	if len(networkFamily().of(need)) == 0 {
		return
	}
	if absent(containerReceived) {
		a.notice("race %s: cAdvisor has no network series of these containers or their pods (local processes have none)", p.race.ID)
	}
	if len(p.sources.shared) > 0 {
		a.notice("race %s: %s race in one pod, so its network is that of none of them; give each a pod of its own", p.race.ID, strings.Join(p.sources.shared, ", "))
	}
}

// silent lists the apps of which k6 counted nothing in the time that was looked at.
func (p *racePlan) silent() []string {
	return slices.DeleteFunc(slices.Clone(p.apps), func(app string) bool {
		for l := range p.samples.clients {
			if l.app == app {
				return true
			}
		}
		return false
	})
}

// pushedOnce lists the apps of which k6 wrote a single sample, where the whole race was looked at.
func (p *racePlan) pushedOnce() (apps []string) {
	g, race := p.samples.fold.grid, p.race
	if g.n == 0 || g.at(0)-g.step > race.Start.UnixMilli() || g.at(g.n-1) < race.End.UnixMilli() {
		return nil
	}
	for _, app := range p.apps {
		pushes, rows := 0, 0
		for l, row := range p.samples.clients {
			if l.app != app {
				continue
			}
			rows++
			for i := range row.seen {
				if row.fresh(i) {
					pushes++
				}
			}
		}
		if rows > 0 && pushes <= rows {
			apps = append(apps, app)
		}
	}
	return apps
}

// outside says whether an app's containers were sampled near the race but at no point within its heats.
func (s *samples) outside(app string) bool {
	there := false
	for _, b := range s.boxes {
		if !b.of(app) || b.pod {
			continue
		}
		for _, h := range s.race.Heats {
			if _, ok := sum(b.gauge(b.seen, h.span())); ok {
				return false
			}
		}
		there = true
	}
	return there
}
