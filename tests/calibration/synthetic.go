package main

import (
	"hash/fnv"
	"maps"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/pkg/verdict"
)

// A race as photofinish runs it by default: 12 heats of 10 s, 200 requests a second.
const (
	heats       = race.DefaultHeats
	perHeat     = 2000
	raceSeconds = 120
	// costSpread is the standard deviation of the CPU time of a request from heat to heat.
	costSpread = 0.004
)

// Cell is one kind of race, many times over.
type Cell struct {
	World         string  `json:"world"`
	Ratio         float64 `json:"ratio"` // the app takes so many times as long; its cost per request is the baseline's
	MinimumEffect float64 `json:"minimum_effect"`
	Races         int     `json:"races"`
	P50           Tally   `json:"p50"`
	P95           Tally   `json:"p95"`
	// Wrong is how many races have any wrong outcome in the primary family.
	Wrong int `json:"wrong"`
	// Naive is how many would be called slower or faster because the pooled p95 differs by more than 5%, RankTest by a Mann-Whitney test of all latencies at 5%;
	// Threshold is how many fail a k6 threshold on the p95, 5% above that of an earlier run of the baseline.
	Naive     Sides `json:"naive"`
	RankTest  Sides `json:"rank_test"`
	Threshold int   `json:"threshold"`
	// UntilDecided are the same races with --until-decided.
	UntilDecided Sequential `json:"until_decided"`
}

// Sequential counts races that end as soon as every primary measure is decided, or with their last heat.
type Sequential struct {
	Heats int   `json:"heats"` // of all races together
	P95   Tally `json:"p95"`
	Wrong int   `json:"wrong"`
}

// Tally counts the verdicts about one measure.
type Tally struct {
	Covered      int `json:"covered"` // the plain 95% interval holds the truth
	Slower       int `json:"slower"`
	Faster       int `json:"faster"`
	Same         int `json:"same"`
	Inconclusive int `json:"inconclusive"`
}

// Sides counts how often a rule says slower and faster.
type Sides struct {
	Slower int `json:"slower"`
	Faster int `json:"faster"`
}

// measure races in one world and judges each race by every ratio and minimum effect. The same world has the same races every time.
func measure(world string, races int, ratios, minimums []float64) []Cell {
	workers := runtime.GOMAXPROCS(0)
	parts := make([][]Cell, workers)
	var working sync.WaitGroup
	for w := range workers {
		parts[w] = emptyCells(world, races, ratios, minimums)
		working.Go(func() {
			for i := w; i < races; i += workers {
				r := draw(random(world, i), worlds()[world]())
				rank, limit := r.ranks(), threshold(earlier(random(world, -1-i), worlds()[world]()))
				for j := range parts[w] {
					parts[w][j].add(r, rank, limit)
				}
			}
		})
	}
	working.Wait()
	all := parts[0]
	for _, part := range parts[1:] {
		for j := range all {
			all[j].merge(part[j])
		}
	}
	return all
}

func emptyCells(world string, races int, ratios, minimums []float64) (all []Cell) {
	for _, e := range minimums {
		for _, r := range ratios {
			all = append(all, Cell{World: world, Ratio: r, MinimumEffect: e, Races: races})
		}
	}
	return all
}

func random(world string, number int) *rand.Rand {
	seed := fnv.New64a()
	_, _ = seed.Write([]byte(world))
	return rand.New(rand.NewPCG(seed.Sum64(), uint64(number))) //nolint:gosec // to be repeated
}

// add judges one race as if its app took the cell's ratio as long.
func (c *Cell) add(r drawn, rank ranks, limit float64) {
	in := r.input(c.Ratio, c.MinimumEffect)
	verdicts := verdict.Judge(in)
	for _, v := range verdicts {
		switch v.Measure {
		case "latency_p50":
			c.P50.count(v, c.Ratio)
		case "latency_p95":
			c.P95.count(v, c.Ratio)
		}
	}
	if c.anyWrong(verdicts) {
		c.Wrong++
	}
	c.untilDecided(in)
	c.Naive.count(r.naive(c.Ratio))
	c.RankTest.count(rank.test(c.Ratio))
	if c.Ratio*r.p95(1) > limit {
		c.Threshold++
	}
}

// anyWrong says whether the primary family has a wrong outcome. What is no latency is the same in both apps.
func (c *Cell) anyWrong(verdicts []race.Verdict) bool {
	return slices.ContainsFunc(verdicts, func(v race.Verdict) bool {
		truth := 1.0
		if strings.HasPrefix(v.Measure, "latency_") {
			truth = c.Ratio
		}
		return v.Primary && isWrong(v, truth)
	})
}

// levels are those at which a race until decided is judged, by its heats.
var levels = sync.OnceValue(func() map[int]float64 { return verdict.Looks(heats) })

// untilDecided judges the race after each heat, as --until-decided does, until it ends.
func (c *Cell) untilDecided(whole verdict.Input) {
	for n := 1; n <= heats; n++ {
		level, look := levels()[n]
		if !look {
			continue
		}
		in := whole
		in.Heats, in.Alpha = whole.Heats[:n], level
		verdicts := verdict.Judge(in)
		if n < heats && !verdict.Decided(verdicts) {
			continue
		}
		s := &c.UntilDecided
		s.Heats += n
		for _, v := range verdicts {
			if v.Measure == "latency_p95" {
				s.P95.count(v, c.Ratio)
			}
		}
		if c.anyWrong(verdicts) {
			s.Wrong++
		}
		return
	}
}

func (c *Cell) merge(o Cell) {
	c.UntilDecided.Heats += o.UntilDecided.Heats
	c.UntilDecided.P95.merge(o.UntilDecided.P95)
	c.UntilDecided.Wrong += o.UntilDecided.Wrong
	c.P50.merge(o.P50)
	c.P95.merge(o.P95)
	c.Wrong += o.Wrong
	c.Naive = Sides{c.Naive.Slower + o.Naive.Slower, c.Naive.Faster + o.Naive.Faster}
	c.RankTest = Sides{c.RankTest.Slower + o.RankTest.Slower, c.RankTest.Faster + o.RankTest.Faster}
	c.Threshold += o.Threshold
}

func (t *Tally) count(v race.Verdict, truth float64) {
	if v.Low != nil && *v.Low <= truth && truth <= *v.High {
		t.Covered++
	}
	switch v.Outcome {
	case race.Slower:
		t.Slower++
	case race.Faster:
		t.Faster++
	case race.Same:
		t.Same++
	case race.Inconclusive:
		t.Inconclusive++
	}
}

func (t *Tally) merge(o Tally) {
	t.Covered, t.Slower, t.Faster = t.Covered+o.Covered, t.Slower+o.Slower, t.Faster+o.Faster
	t.Same, t.Inconclusive = t.Same+o.Same, t.Inconclusive+o.Inconclusive
}

func (s *Sides) count(side int) {
	switch {
	case side > 0:
		s.Slower++
	case side < 0:
		s.Faster++
	}
}

// isWrong says whether an outcome is not the region in which the truth lies; a truth on the edge belongs to neither of the regions beside it.
func isWrong(v race.Verdict, truth float64) bool {
	const rounding = 1e-9
	log, mark := math.Log(truth), math.Log1p(v.MinimumEffect)
	switch v.Outcome {
	case race.Slower:
		return log <= mark+rounding
	case race.Faster:
		return log >= -mark-rounding
	case race.Same:
		return math.Abs(log) >= mark-rounding
	case race.Inconclusive:
	}
	return false
}

// drawn is one race of two identical apps: lane 0 is the baseline.
type drawn struct {
	heats  []verdict.Heat
	pooled [2][]float64 // all latencies, ascending
}

const (
	baseline = "control"
	tested   = "app"
)

func draw(rng *rand.Rand, w world) drawn {
	var r drawn
	for range heats {
		w.heat(rng)
		values := map[string]map[string]*float64{}
		for lane, app := range []string{baseline, tested} {
			w.lane(rng)
			ms := make([]float64, perHeat)
			for i := range ms {
				ms[i] = w.next(rng)
			}
			slices.Sort(ms)
			cost, errors := math.Exp(costSpread*rng.NormFloat64()), 0.0
			p50, p95 := quantile(ms, .5), quantile(ms, .95)
			values[app] = map[string]*float64{"latency_p50": &p50, "latency_p95": &p95, "cpu_ms_per_request": &cost, "error_rate": &errors}
			r.pooled[lane] = append(r.pooled[lane], ms...)
		}
		r.heats = append(r.heats, verdict.Heat{Values: values})
	}
	for _, lane := range r.pooled {
		slices.Sort(lane)
	}
	return r
}

// p95 of all latencies of a lane.
func (r drawn) p95(lane int) float64 { return quantile(r.pooled[lane], .95) }

// earlier is the pooled p95 of the baseline in a run of its own.
func earlier(rng *rand.Rand, w world) float64 {
	var ms []float64
	for range heats {
		w.heat(rng)
		w.lane(rng)
		for range perHeat {
			ms = append(ms, w.next(rng))
		}
	}
	slices.Sort(ms)
	return quantile(ms, .95)
}

// quantile of ascending values.
func quantile(sorted []float64, q float64) float64 {
	return sorted[int(q*float64(len(sorted)-1)+.5)]
}

// input is the race as the judge sees it, if the app takes ratio times as long.
func (r drawn) input(ratio, minimum float64) verdict.Input {
	in := verdict.Input{Baseline: baseline, Apps: []string{baseline, tested}, Measures: specs(minimum), RaceSeconds: raceSeconds}
	for _, h := range r.heats {
		slowed := maps.Clone(h.Values[tested])
		for _, id := range []string{"latency_p50", "latency_p95"} {
			v := *slowed[id] * ratio
			slowed[id] = &v
		}
		in.Heats = append(in.Heats, verdict.Heat{Values: map[string]map[string]*float64{baseline: h.Values[baseline], tested: slowed}})
	}
	return in
}

// specs are the measures that are judged.
func specs(minimum float64) (all []verdict.MeasureSpec) {
	for _, id := range []string{"latency_p50", "latency_p95", "cpu_ms_per_request", "error_rate"} {
		spec := verdict.Spec(id, verdict.Lower)
		if !spec.Difference {
			spec.MinimumEffect = minimum
		}
		all = append(all, spec)
	}
	return all
}
