// Package plan decides how a race is to be run before anything is started: together or in turns, in which order, in which blocks, on which
// CPUs, and how long it will take. It is pure: the same definition, number of CPUs and seed give the same plan.
package plan

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/capacity"
	"github.com/photofinish/photofinish/runner/k6/stream"
)

// What surrounds the races themselves, for the estimate only: small Go apps on 2 cores with the process engine. Apps that start slowly make it longer.
const (
	startUp     = 1200 * time.Millisecond // lanes started and healthy, k6 up with its VUs
	tail        = 1 * time.Second         // last answers, last push, apps stopped
	preparation = 3 * time.Second         // the metrics store, the script inspected, each lane's app proven reached
)

// Plan is a race as it will be run.
type Plan struct {
	Mode     race.Mode // Together or Turns
	Reason   string    // why this mode, to stand in brackets: "2 CPUs are too few to race together"
	Rhythm   Rhythm    // of turns
	Lanes    []string  // the apps in the definition's order
	Duration time.Duration
	Warmup   time.Duration
	Heats    []Heat
	// ProfileHeats come after Heats, and count for nothing but profiles. In turns each lane has a single block, which a profile can cover.
	ProfileHeats []Heat
	// CapacityTries is about how many heats come after Heats for the capacity of each app, 0 where none is searched. In turns each runs a single app.
	CapacityTries int
	// CapacityEstimate is the time that these take.
	CapacityEstimate time.Duration
	CPUs             CPUPlan
	// Estimate is the time from the command to the verdict.
	Estimate time.Duration
	// UntilDecided: the race may end earlier, after the first heat that decides it.
	UntilDecided bool
	// Series is what SeriesOf estimates, once it is known how the lanes are started.
	Series Series

	open bool // all loads come by the clock, whatever the answers do
}

// Heat is one repetition.
type Heat struct {
	Number int      // from 1
	Order  []string // in which the apps are started
	// Blocks by app, from the start of the heat's race part; each app's add up to the race's duration.
	Blocks map[string][]stream.Block
	// Span is from the first block's start to the last one's end.
	Span time.Duration
	// Seed for the arrivals of this heat.
	Seed uint64
}

// Make plans a race for a machine with so many CPUs. Together on too few CPUs is allowed where asked for; the audit tells what it did.
func Make(def race.Definition, cpus int, seed uint64) (Plan, error) {
	if err := check(def, cpus); err != nil {
		return Plan{}, err
	}
	p := Plan{Duration: def.Duration, Warmup: def.Warmup, UntilDecided: def.UntilDecided}
	for _, l := range def.Lanes {
		p.Lanes = append(p.Lanes, l.App)
	}
	p.Mode, p.Reason = choose(def, cpus)
	if p.Mode == race.Together {
		p.CPUs = pin(def.Lanes, cpus)
	}
	p.open = !slices.ContainsFunc(def.Scenarios, func(s race.Scenario) bool { return !s.Open() })
	p.Rhythm = rhythmOf(p.open, len(p.Lanes), p.Duration, 0)
	rng := rand.New(rand.NewPCG(seed, uint64(len(def.Lanes)))) //nolint:gosec // an order of lanes, not a secret
	p.Estimate = preparation
	for n := range def.Heats {
		h := p.cut(Heat{Number: n + 1, Order: order(p.Lanes, n), Seed: rng.Uint64()})
		p.Heats = append(p.Heats, h)
		p.Estimate += p.heatEstimate(h)
	}
	if len(def.Capacity) > 0 {
		p.CapacityTries = capacity.PlannedTries
		p.CapacityEstimate = time.Duration(tryHeats(p.CapacityTries, p.Mode, len(p.Lanes))) * (startUp + p.Warmup + p.Duration + tail)
		p.Estimate += p.CapacityEstimate
	}
	for n := range def.ProfileHeats {
		n += def.Heats
		h := Heat{Number: n + 1, Order: order(p.Lanes, n), Seed: rng.Uint64()}
		if p.Mode == race.Together {
			h.Blocks, h.Span = together(p.Lanes, def.Duration)
		} else {
			h.Blocks, h.Span = p.Rhythm.inRounds(p.Lanes, def.Duration, 1, rng)
		}
		p.ProfileHeats = append(p.ProfileHeats, h)
		p.Estimate += p.heatEstimate(h)
	}
	return p, nil
}

// cut gives the lanes their blocks in a heat, by its seed.
func (p Plan) cut(h Heat) Heat {
	if p.Mode == race.Together {
		h.Blocks, h.Span = together(p.Lanes, p.Duration)
		return h
	}
	h.Blocks, h.Span = p.Rhythm.turns(p.Lanes, p.Duration, rand.New(rand.NewPCG(h.Seed, uint64(len(p.Lanes))))) //nolint:gosec // an order of lanes, not a secret
	return h
}

// Cut is the plan for iterations that take so long, as they were seen to before the first heat.
func (p Plan) Cut(iteration time.Duration) Plan {
	if p.Mode == race.Together {
		return p
	}
	p.Rhythm = rhythmOf(p.open, len(p.Lanes), p.Duration, iteration)
	heats := make([]Heat, len(p.Heats))
	for i, h := range p.Heats {
		heats[i] = p.cut(h)
	}
	p.Heats = heats
	return p
}

// tryHeats is how many heats so many tries of each lane are.
func tryHeats(tries int, mode race.Mode, lanes int) int {
	if mode == race.Turns {
		return tries * lanes
	}
	return tries
}

// Try is a heat beyond the planned ones in which some apps run at once.
func (p Plan) Try(number int, apps []string) Heat {
	h := Heat{Number: number, Order: order(apps, number), Seed: uint64(number)}
	if len(p.Heats) > 0 {
		h.Seed += p.Heats[0].Seed
	}
	h.Blocks, h.Span = together(apps, p.Duration)
	return h
}

// HeatEstimate is the time that one heat takes, from the start of its apps to their end; all heats of a plan take the same.
func (p Plan) HeatEstimate() time.Duration {
	if len(p.Heats) == 0 {
		return 0
	}
	return p.heatEstimate(p.Heats[0])
}

func (p Plan) heatEstimate(h Heat) time.Duration { return startUp + p.Warmup + h.Span + tail }

// EstimateOf is the estimate of a race of which only its planned record is left.
func EstimateOf(r race.Race) time.Duration {
	length, warmup := fromMS(r.Load.DurationMS), fromMS(r.WarmupMS)
	rhythm := rhythmOf(true, len(r.Lanes), length, 0)
	if t := r.Turns; t != nil {
		rhythm = Rhythm{Block: fromMS(t.BlockMS), Gap: fromMS(t.GapMS)}
	}
	heat := func(rounds int) time.Duration {
		span := length
		if lanes := len(r.Lanes); r.Mode == race.Turns && lanes > 0 {
			blocks := time.Duration(lanes * rounds)
			span = length*time.Duration(lanes) + rhythm.Gap*(blocks-1)
		}
		return startUp + warmup + span + tail
	}
	estimate := preparation + time.Duration(r.PlannedHeats)*heat(rhythm.rounds(length))
	if r.Capacity != nil {
		estimate += time.Duration(tryHeats(r.Capacity.PlannedTries, r.Mode, len(r.Lanes))) * (startUp + warmup + length + tail)
	}
	if r.Profiling != nil {
		estimate += time.Duration(r.Profiling.PlannedHeats) * heat(1)
	}
	return estimate
}

func fromMS(ms float64) time.Duration { return time.Duration(ms * float64(time.Millisecond)) }

func check(def race.Definition, cpus int) error {
	const hint = "see `photofinish race --help`"
	switch {
	case len(def.Lanes) == 0:
		return race.Errorf(race.Invalid, "name them in options.ext.photofinish.lanes or with --lane NAME=URL", "the race has no lanes")
	case def.Heats < 1:
		return race.Errorf(race.Invalid, hint, "a race needs at least one heat, not %d", def.Heats)
	case def.Duration <= 0:
		return race.Errorf(race.Invalid, hint, "the duration of a heat must be above zero, not %v", def.Duration)
	case def.Warmup < 0:
		return race.Errorf(race.Invalid, hint, "the warm-up cannot be negative (%v)", def.Warmup)
	case cpus < 1:
		return race.Errorf(race.Internal, "", "the machine is said to have %d CPUs", cpus)
	}
	switch def.Mode {
	case race.Auto, race.Together, race.Turns, "":
		return nil
	}
	return race.Errorf(race.Invalid, "use together, turns or auto", "unknown mode %q", def.Mode)
}

// Describe is one line for the user: "4 apps, 8 heats of 4 s each in turns (2 CPUs are too few to race together), warm-up 1 s: about 2 min 50 s,
// about 1,800 time series (290 samples/s)".
func (p Plan) Describe() string {
	mode := string(p.Mode)
	if p.Mode == race.Turns {
		mode = "in turns"
	}
	heats := fmt.Sprintf("%d heats of %s each", len(p.Heats), length(p.Duration))
	if len(p.Heats) == 1 {
		heats = "1 heat of " + length(p.Duration)
	}
	apps := fmt.Sprintf("%d apps", len(p.Lanes))
	if len(p.Lanes) == 1 {
		apps = "1 app"
	}
	warmup := "no warm-up"
	if p.Warmup > 0 {
		warmup = "warm-up " + length(p.Warmup)
	}
	if p.CapacityTries > 0 {
		warmup += fmt.Sprintf(", then about %d for the capacity of each app", p.CapacityTries)
	}
	if n := len(p.ProfileHeats); n > 0 {
		warmup += fmt.Sprintf(", then %d for profiles", n)
	}
	about := "about"
	if p.UntilDecided {
		about = "until decided, at most about"
	}
	return fmt.Sprintf("%s, %s %s (%s), %s: %s %s%s", apps, heats, mode, p.Reason, warmup, about, length(rounded(p.Estimate)), p.Series.words())
}

// rounded is to 5 s from a minute on, to the minute from an hour on: an estimate promises no more.
func rounded(d time.Duration) time.Duration {
	switch {
	case d >= time.Hour:
		return d.Round(time.Minute)
	case d >= time.Minute:
		return d.Round(5 * time.Second)
	}
	return d.Round(time.Second)
}

// length writes a duration as people do: "1 h 5 min", "2 min 40 s", "1.5 s", "500 ms".
func length(d time.Duration) string {
	switch {
	case d >= time.Hour:
		return joined(int64(d/time.Hour), "h", int64(d%time.Hour/time.Minute), "min")
	case d >= time.Minute:
		return joined(int64(d/time.Minute), "min", int64(d%time.Minute/time.Second), "s")
	case d >= time.Second:
		return fmt.Sprintf("%.3g s", d.Seconds())
	}
	return fmt.Sprintf("%d ms", d.Milliseconds())
}

func joined(big int64, bigUnit string, small int64, smallUnit string) string {
	if small == 0 {
		return fmt.Sprintf("%d %s", big, bigUnit)
	}
	return fmt.Sprintf("%d %s %d %s", big, bigUnit, small, smallUnit)
}
