package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/definition"
)

// asByDefault is the step that leaves nothing out.
const asByDefault = "as by default"

// longTurns are as turns were before it was measured what they do.
const longTurns = "in turns of 2 s"

// iterations are the shortest that iterations are taken to last in a step, by which turns are cut.
var iterations = map[string]time.Duration{longTurns: 2 * time.Second}

// steps are races of two identical apps in which something is not as by default. They are shorter than a race is by default, so that there can be many.
func steps() map[string]definition.Overrides {
	number, length, none := 6, 5*time.Second, time.Duration(0)
	all := map[string]definition.Overrides{ // two lanes race together by default where there are two CPUs
		asByDefault:                       {},
		"no warm-up":                      {Warmup: &none},
		"requests tick in step":           {Arrivals: string(race.Even)},
		"Poisson arrivals":                {Arrivals: string(race.Poisson)},
		"in turns":                        {Mode: string(race.Turns)},
		longTurns:                         {Mode: string(race.Turns)},
		"in turns, requests tick in step": {Mode: string(race.Turns), Arrivals: string(race.Even)},
	}
	for name, o := range all {
		o.Heats, o.Duration = &number, &length
		all[name] = o
	}
	return all
}

// stepRaces is how many races of each step are run: the fewest of which a coin tells at 1% whether one lane is always behind.
const stepRaces = 8

// inTurn wants so many races of each step, always one of which there are the fewest; each round begins with another.
func inTurn(number int) func([]Banked) (kindOf, bool) {
	return func(raced []Banked) (kindOf, bool) {
		names := slices.Sorted(maps.Keys(steps()))
		counts := map[string]int{}
		for _, b := range raced {
			counts[b.Step]++
		}
		round := len(raced) / len(names)
		fewest := names[round%len(names)]
		for i := range names {
			if name := names[(round+i)%len(names)]; counts[name] < counts[fewest] {
				fewest = name
			}
		}
		return kindOf{sort: identical, step: fewest}, counts[fewest] < number
	}
}

// Step is what the races say in which something was not as by default. Those that failed their audit are among them: what it says is one of the things to see.
type Step struct {
	Name   string `json:"name"`
	Engine string `json:"engine"`
	Unfair int    `json:"unfair"`
	Pairs  Pairs  `json:"pairs"`
}

// sumSteps sums up the races of an engine, those of the default first.
func sumSteps(engine string, all []Banked) (sums []Step) {
	names := slices.SortedFunc(maps.Keys(steps()), func(x, y string) int {
		return strings.Compare(strings.TrimPrefix(x, asByDefault), strings.TrimPrefix(y, asByDefault))
	})
	for _, name := range names {
		raced := slices.DeleteFunc(slices.Clone(all), func(b Banked) bool { return b.Step != name || b.Engine != engine })
		if len(raced) == 0 {
			continue
		}
		s := Step{Name: name, Engine: engine, Pairs: pairs(raced, equal, true)}
		for _, b := range raced {
			if !b.Fair {
				s.Unfair++
			}
		}
		sums = append(sums, s)
	}
	return sums
}

// stepsTable is the part of docs/fairness.md about them.
func (c Calibration) stepsTable() string {
	var b strings.Builder
	b.WriteString("\n| two identical apps | races | pooled p95 differs by 5% | behind the baseline | sd of the log-ratio between heats: p50, p95 | over that of sampling: p50, p95 | failed their audit |\n" +
		"|---|--:|--:|--:|--:|--:|--:|\n")
	for _, s := range c.Steps {
		p := s.Pairs
		fmt.Fprintf(&b, "| %s, %s | %d | %d | %d (p = %.2g) | %.3f, %.3f | %.2f, %.2f | %d |\n", s.Engine, s.Name, p.Races, p.Naive.Slower+p.Naive.Faster,
			p.Behind, coin(p.Behind, p.Races), p.P50Spread, p.P95Spread, p.P50Noise, p.P95Noise, s.Unfair)
	}
	return b.String() + "\n"
}
