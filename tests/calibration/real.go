package main

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"

	"github.com/photofinish/photofinish/pkg/verdict"
)

// Real is what the banked races of one engine say.
type Real struct {
	Engine string `json:"engine"`
	Races  int    `json:"races"`
	// Unfair are races that failed their audit; they are in no other figure.
	Unfair int `json:"unfair"`
	// Same are two identical lanes; Alone in the races without a third lane, BesideBurner in the others.
	Same         Pairs `json:"same"`
	Alone        Pairs `json:"alone"`
	BesideBurner Pairs `json:"beside_burner"`
	Slower       Pairs `json:"slower"`
}

// Pairs compares a lane with the baseline, over all races.
type Pairs struct {
	Races int `json:"races"`
	// Truth is exp of the mean log-ratio of all heats of all races: 1 is assumed for identical lanes, and this shown beside it.
	P50Truth float64 `json:"p50_truth"`
	P95Truth float64 `json:"p95_truth"`
	P50      Tally   `json:"p50"`
	P95      Tally   `json:"p95"`
	// Wrong is how many races have any wrong outcome in the primary family. Naive, RankTest and Threshold are as in Cell; the threshold is set by the baseline's
	// p95 in the race before, so that the first has none.
	Wrong     int   `json:"wrong"`
	Naive     Sides `json:"naive"`
	RankTest  Sides `json:"rank_test"`
	Threshold int   `json:"threshold"`
	// Behind is how many races have a p95 above the baseline's, by the mean of the heats.
	Behind int `json:"behind"`
	// P50Noise and P95Noise are the standard deviation of the log-ratio between heats, over that of sampling alone.
	P50Noise float64 `json:"p50_noise"`
	P95Noise float64 `json:"p95_noise"`
	// P50Spread and P95Spread are that standard deviation itself.
	P50Spread float64 `json:"p50_spread"`
	P95Spread float64 `json:"p95_spread"`
}

// sum judges the banked races of an engine.
func sum(engine string, all []Banked) Real {
	r := Real{Engine: engine}
	var same []Banked
	sorts := map[string][]Banked{}
	for _, b := range all {
		if b.Engine != engine {
			continue
		}
		r.Races++
		if !b.Fair {
			r.Unfair++
			continue
		}
		if slices.Contains(lanes[b.Sort], equal) {
			same = append(same, b)
		}
		sorts[b.Sort] = append(sorts[b.Sort], b)
	}
	r.Same, r.Alone, r.BesideBurner = pairs(same, equal, true), pairs(sorts[identical], equal, true), pairs(sorts[besideBurner], equal, true)
	r.Slower = pairs(sorts[slowed], slower, false)
	return r
}

// pairs compares one lane of the races with the baseline. The truth about identical lanes is 1, that about others what all heats together say.
func pairs(races []Banked, app string, identical bool) Pairs {
	p := Pairs{Races: len(races)}
	if len(races) == 0 {
		return p
	}
	p50, p95 := spreads{}, spreads{}
	for _, b := range races {
		p50.add(b, app, func(f Figures) (float64, float64) { return f.P50, f.P50Noise })
		p95.add(b, app, func(f Figures) (float64, float64) { return f.P95, f.P95Noise })
	}
	p.P50Truth, p.P95Truth = math.Exp(stat.Mean(p50.all, nil)), math.Exp(stat.Mean(p95.all, nil))
	p.P50Noise, p.P95Noise = p50.noise(), p95.noise()
	p.P50Spread, p.P95Spread = p50.spread(), p95.spread()
	truth := map[string]float64{"latency_p50": 1, "latency_p95": 1}
	if !identical {
		truth = map[string]float64{"latency_p50": p.P50Truth, "latency_p95": p.P95Truth}
	}
	for i, b := range races {
		p.judge(b, app, truth)
		p.Naive.count(differs(b.Pooled[app].P95 / b.Pooled[baseline].P95))
		p.RankTest.count(significant(b.Pooled[app].RankDeviate))
		if i > 0 && b.Pooled[app].P95 > threshold(races[i-1].Pooled[baseline].P95) {
			p.Threshold++
		}
		if p95.means[i] > 0 {
			p.Behind++
		}
	}
	return p
}

func (p *Pairs) judge(b Banked, app string, truths map[string]float64) {
	wrong := false
	for _, v := range verdict.Judge(b.input(app)) {
		truth, known := truths[v.Measure]
		switch v.Measure {
		case "latency_p50":
			p.P50.count(v, truth)
		case "latency_p95":
			p.P95.count(v, truth)
		}
		if !known && app == equal { // an identical lane costs the same and fails as often
			truth, known = 1, true
		}
		wrong = wrong || known && v.Primary && isWrong(v, truth)
	}
	if wrong {
		p.Wrong++
	}
}

// input is a banked race as the judge sees it, with the baseline and one app.
func (b Banked) input(app string) verdict.Input {
	in := verdict.Input{Baseline: baseline, Apps: []string{baseline, app}, Measures: specs(minimums[0]), RaceSeconds: raceSeconds}
	for _, h := range b.Heats {
		values := map[string]map[string]*float64{}
		for _, name := range in.Apps {
			if f, ok := h[name]; ok {
				values[name] = map[string]*float64{"latency_p50": &f.P50, "latency_p95": &f.P95, "cpu_ms_per_request": &f.CPU, "error_rate": &f.Errors}
			}
		}
		in.Heats = append(in.Heats, verdict.Heat{Values: values})
	}
	return in
}

// spreads collects the log-ratios of one measure to the baseline.
type spreads struct {
	all, means []float64
	variance   float64 // between the heats of a race, summed over races
	sampling   float64 // the same by sampling alone
	races      float64
}

func (s *spreads) add(b Banked, app string, of func(Figures) (value, noise float64)) {
	var ratios []float64
	sampling := 0.0
	for _, h := range b.Heats {
		base, hasBase := h[baseline]
		mine, has := h[app]
		if !hasBase || !has {
			continue
		}
		v, e := of(base)
		w, f := of(mine)
		ratios = append(ratios, math.Log(w/v))
		sampling += e*e + f*f
	}
	s.all, s.means = append(s.all, ratios...), append(s.means, stat.Mean(ratios, nil))
	s.variance, s.sampling, s.races = s.variance+stat.Variance(ratios, nil), s.sampling+sampling/float64(len(ratios)), s.races+1
}

func (s *spreads) noise() float64 { return math.Sqrt(s.variance / s.sampling) }

func (s *spreads) spread() float64 { return math.Sqrt(s.variance / s.races) }

// exact is the Clopper-Pearson interval of a share, 95%.
func exact(k, n int) (low, high float64) {
	const tail = .025
	low, high = 0, 1
	if k > 0 {
		low = distuv.Beta{Alpha: float64(k), Beta: float64(n - k + 1)}.Quantile(tail)
	}
	if k < n {
		high = distuv.Beta{Alpha: float64(k + 1), Beta: float64(n - k)}.Quantile(1 - tail)
	}
	return low, high
}

// coin is the two-sided p-value of k heads in n throws of a fair coin.
func coin(k, n int) float64 {
	return min(1, 2*distuv.Binomial{N: float64(n), P: .5}.CDF(float64(min(k, n-k))))
}

// realTable is the part of the page about real races.
func (c Calibration) realTable() string {
	var b strings.Builder
	b.WriteString("**Real races** of the sample app `control` with itself, alone or beside a third lane that burns CPU, and with a copy that spins 25 us longer for each request. As by default: two lanes together, three in turns; 12 heats of 10 s at 200 requests a second each.\n\n" +
		"| engine, pair | races | p95 of all heats to the baseline's | wrong outcome in the primary family | p95 differs by 5% | k6 threshold crossed | Mann-Whitney test | behind the baseline | sd between heats / of sampling: p50, p95 | p50, p95 called the same | p50, p95 found slower |\n" +
		"|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n")
	for _, r := range c.Real {
		for _, row := range []struct {
			name string
			Pairs
		}{{"all identical", r.Same}, {"identical, alone", r.Alone}, {"identical, beside a burner", r.BesideBurner}, {"slower by 25 us", r.Slower}} {
			if row.Races == 0 {
				continue
			}
			low, high := exact(row.Wrong, row.Races)
			fmt.Fprintf(&b, "| %s, %s | %d | %.4f | **%d** (%.1f-%.1f%%) | %d | %d | %d | %d (p = %.2g) | %.2f, %.2f | %d, %d | %d, %d |\n", r.Engine, row.name, row.Races, row.P95Truth,
				row.Wrong, 100*low, 100*high, row.Naive.Slower+row.Naive.Faster, row.Threshold, row.RankTest.Slower+row.RankTest.Faster, row.Behind, coin(row.Behind, row.Races), row.P50Noise, row.P95Noise, row.P50.Same, row.P95.Same, row.P50.Slower, row.P95.Slower)
		}
		if r.Unfair > 0 {
			fmt.Fprintf(&b, "\n%d of the %d races on %s failed their audit and are not counted.\n", r.Unfair, r.Races, r.Engine)
		}
	}
	return b.String() + "\n"
}
