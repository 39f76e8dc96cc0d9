package plan_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/k6/stream"
	"github.com/photofinish/photofinish/runner/plan"
)

// define makes a definition with lanes a, b, c … of these limits; 0 is unlimited.
func define(mode race.Mode, heats int, duration time.Duration, cpus ...float64) race.Definition {
	def := race.Definition{Mode: mode, Heats: heats, Duration: duration, Warmup: time.Second}
	for i := range cpus {
		l := race.LaneSpec{App: string(rune('a' + i))}
		if cpus[i] > 0 {
			l.CPUs = &cpus[i]
		}
		def.Lanes = append(def.Lanes, l)
	}
	return def
}

func made(t *testing.T, def race.Definition, cpus int) plan.Plan {
	t.Helper()
	p, err := plan.Make(def, cpus, 42)
	require.NoError(t, err)
	return p
}

func TestAutoRacesTogetherOnlyWhereEveryoneHasCPUs(t *testing.T) {
	for name, c := range map[string]struct {
		mode   race.Mode
		limits []float64
		cpus   int
		want   race.Mode
		reason string
	}{
		"two halves and k6 on two CPUs":      {race.Auto, []float64{.5, .5}, 2, race.Together, "2 CPUs suffice for every app and k6"},
		"four halves and k6 on two CPUs":     {race.Auto, []float64{.5, .5, .5, .5}, 2, race.Turns, "2 CPUs are too few to race together"},
		"unlimited lanes count as one":       {race.Auto, []float64{0, 0}, 2, race.Turns, "2 CPUs are too few to race together"},
		"unlimited lanes on three CPUs":      {race.Auto, []float64{0, 0}, 3, race.Together, "3 CPUs suffice for every app and k6"},
		"a machine with one CPU":             {race.Auto, []float64{.1, .1}, 1, race.Turns, "1 CPU is too few to race together"},
		"no mode is auto":                    {"", []float64{.5, .5}, 1, race.Turns, "1 CPU is too few to race together"},
		"together on too few CPUs, as asked": {race.Together, []float64{2, 2}, 1, race.Together, "as asked"},
		"turns on many CPUs, as asked":       {race.Turns, []float64{.5, .5}, 64, race.Turns, "as asked"},
		"one app needs no turns":             {race.Auto, []float64{8}, 2, race.Together, "one app needs no turns"},
	} {
		t.Run(name, func(t *testing.T) {
			p := made(t, define(c.mode, 2, 4*time.Second, c.limits...), c.cpus)
			require.Equal(t, c.want, p.Mode)
			require.Equal(t, c.reason, p.Reason)
		})
	}
}

func TestAppsOnOtherMachinesNeedNoCPUHere(t *testing.T) {
	def := define(race.Auto, 1, time.Second, 0, 0)
	def.Lanes[0].URL, def.Lanes[1].URL = "http://shop.example:8080", "http://10.0.0.7/"
	require.Equal(t, race.Together, made(t, def, 1).Mode)
	def.Lanes[1].URL = "http://127.0.0.1:4000/x"
	require.Equal(t, race.Turns, made(t, def, 1).Mode)
}

func TestEachLaneIsAtEachPlaceEquallyOften(t *testing.T) {
	for lanes := 1; lanes <= 9; lanes++ {
		t.Run(fmt.Sprint(lanes, " lanes"), func(t *testing.T) {
			p := made(t, define(race.Turns, 2*lanes, time.Second, make([]float64, lanes)...), 2)
			places, follows := map[string]int{}, map[string]int{}
			for i, h := range p.Heats {
				require.ElementsMatch(t, p.Lanes, h.Order)
				for at, app := range h.Order {
					if i < lanes {
						places[fmt.Sprint(app, at)]++
					}
					if at > 0 {
						follows[h.Order[at-1]+app]++
					}
				}
			}
			require.Len(t, places, lanes*lanes, "a Latin square")
			require.Len(t, follows, lanes*(lanes-1), "every lane follows every other")
			for pair, n := range follows {
				require.Equal(t, 2, n, pair)
			}
		})
	}
}

// owned is one block with its owner, on the common time line.
type owned struct {
	app string
	stream.Block
}

func timeline(h plan.Heat) []owned {
	var line []owned
	for app, blocks := range h.Blocks {
		for _, b := range blocks {
			line = append(line, owned{app, b})
		}
	}
	slices.SortFunc(line, func(a, b owned) int { return int(a.Start - b.Start) })
	return line
}

func TestTurnsNeverOverlapAndGiveEveryLaneItsTime(t *testing.T) {
	for duration, rounds := range map[time.Duration]int{
		10 * time.Second: 200, 4 * time.Second: 80, time.Second: 20, 999 * time.Millisecond: 20, 74 * time.Millisecond: 1, 7*time.Second + 1: 140, 60 * time.Second: 267,
	} {
		t.Run(duration.String(), func(t *testing.T) {
			p := made(t, define(race.Turns, 3, duration, .5, .5, .5), 2)
			for _, h := range p.Heats {
				line := timeline(h)
				require.Len(t, line, 3*rounds)
				require.Zero(t, line[0].Start)
				sums := map[string]time.Duration{}
				for i, b := range line {
					sums[b.app] += b.End - b.Start
					require.Positive(t, b.End-b.Start)
					if i > 0 {
						require.Equal(t, 10*time.Millisecond, b.Start-line[i-1].End)
					}
				}
				require.Equal(t, map[string]time.Duration{"a": duration, "b": duration, "c": duration}, sums)
				require.Equal(t, line[len(line)-1].End, h.Span)
				for round := range rounds {
					seen := map[string]bool{}
					for _, b := range line[3*round : 3*round+3] {
						seen[b.app] = true
					}
					require.Len(t, seen, 3, "every lane once a round")
				}
			}
		})
	}
}

func TestTurnsAreAsLongAsIterations(t *testing.T) {
	def := define(race.Turns, 3, 10*time.Second, .5, .5)
	p := made(t, def, 2)
	for iteration, want := range map[time.Duration]plan.Rhythm{
		0:                      {Block: 50 * time.Millisecond, Gap: 10 * time.Millisecond, Tail: 100 * time.Millisecond},
		time.Millisecond:       {Block: 50 * time.Millisecond, Gap: 10 * time.Millisecond, Tail: 100 * time.Millisecond},
		50 * time.Millisecond:  {Block: 200 * time.Millisecond, Gap: 50 * time.Millisecond, Tail: 100 * time.Millisecond},
		250 * time.Millisecond: {Block: time.Second, Gap: 100 * time.Millisecond, Tail: 500 * time.Millisecond},
		time.Minute:            {Block: 2 * time.Second, Gap: 100 * time.Millisecond, Tail: time.Second},
	} {
		cut := p.Cut(iteration)
		require.Equal(t, want, cut.Rhythm)
		require.Len(t, cut.Heats[1].Blocks["a"], int(10*time.Second/want.Block))
		for i, h := range cut.Heats {
			require.Equal(t, p.Heats[i].Order, h.Order)
			require.Equal(t, p.Heats[i].Seed, h.Seed)
		}
	}
	require.Equal(t, p, p.Cut(0), "what was planned is for short ones")
	long := made(t, define(race.Turns, 3, 10*time.Minute, .5, .5), 2)
	require.Equal(t, 1500*time.Millisecond, long.Rhythm.Block)
	require.Len(t, long.Heats[0].Blocks["a"], 400, "blocks have to be written down")
	def.Scenarios = []race.Scenario{{Executor: "constant-vus"}}
	closed := made(t, def, 2)
	require.Equal(t, 2*time.Second, closed.Rhythm.Block, "all VUs begin at once with each block")
	require.Len(t, closed.Cut(time.Millisecond).Heats[0].Blocks["a"], 5)
	together := made(t, define(race.Together, 3, 10*time.Second, .5, .5), 2)
	require.Equal(t, together, together.Cut(time.Second))
}

func TestTheOrderWithinTheRoundsIsRandomAndFair(t *testing.T) {
	p := made(t, define(race.Turns, 300, 4*time.Second, .5, .5), 2)
	first := 0
	for _, h := range p.Heats {
		for i, b := range timeline(h) {
			if i%2 == 0 && b.app == "a" {
				first++
			}
		}
	}
	require.InDelta(t, 12000, first, 232, "24000 coins: 3 standard deviations")
}

func TestTheSameSeedGivesTheSamePlan(t *testing.T) {
	def := define(race.Turns, 4, 4*time.Second, .5, .5, .5)
	require.Equal(t, made(t, def, 2), made(t, def, 2))
	other, err := plan.Make(def, 2, 43)
	require.NoError(t, err)
	require.NotEqual(t, made(t, def, 2), other)
	require.NotEqual(t, other.Heats[0].Seed, other.Heats[1].Seed)
}

func TestTogetherIsOneBlock(t *testing.T) {
	p := made(t, define(race.Together, 1, 4*time.Second, .5, .5), 2)
	require.Equal(t, []stream.Block{{Start: 0, End: 4 * time.Second}}, p.Heats[0].Blocks["b"])
	require.Equal(t, 4*time.Second, p.Heats[0].Span)
}

func TestHeatsForProfilesComeLastAndGiveEachLaneOneBlock(t *testing.T) {
	for _, mode := range []race.Mode{race.Together, race.Turns} {
		def := define(mode, 3, 10*time.Second, .5, .5)
		before := made(t, def, 2)
		def.ProfileHeats = 2
		p := made(t, def, 2)
		require.Equal(t, before.Heats, p.Heats, "the heats that count stay as they are")
		require.Len(t, p.ProfileHeats, 2)
		for i, h := range p.ProfileHeats {
			require.Equal(t, 4+i, h.Number)
			require.Len(t, h.Order, 2)
			for app, blocks := range h.Blocks {
				require.Len(t, blocks, 1, app)
				require.Equal(t, 10*time.Second, blocks[0].End-blocks[0].Start)
			}
		}
		require.Greater(t, p.Estimate, before.Estimate)
	}
}

func TestCPUsArePinnedFromFourOn(t *testing.T) {
	set := "1"
	own := define(race.Together, 1, time.Second, 1, 1)
	own.Lanes[0].CPUSet = &set
	for name, c := range map[string]struct {
		def  race.Definition
		cpus int
		want plan.CPUPlan
	}{
		"three CPUs are left alone":       {define(race.Together, 1, time.Second, .5, .5), 3, plan.CPUPlan{}},
		"turns are left alone":            {define(race.Turns, 1, time.Second, .5, .5), 8, plan.CPUPlan{}},
		"halves get a whole CPU each":     {define(race.Together, 1, time.Second, .5, .5), 4, plan.CPUPlan{K6: "0-1", Lanes: map[string]string{"a": "3", "b": "2"}}},
		"k6 gets what is left":            {define(race.Together, 1, time.Second, 2, 1.5), 8, plan.CPUPlan{K6: "0-3", Lanes: map[string]string{"a": "6-7", "b": "4-5"}}},
		"too few for whole ones":          {define(race.Together, 1, time.Second, .5, .5, .5, .5), 4, plan.CPUPlan{}},
		"a limit beyond the machine":      {define(race.Together, 1, time.Second, 64, 1), 4, plan.CPUPlan{}},
		"a lane that brings its own set":  {own, 8, plan.CPUPlan{}},
		"unlimited lanes share with k6":   {define(race.Together, 1, time.Second, 0, 0, 2), 8, plan.CPUPlan{K6: "0-1", Lanes: map[string]string{"a": "6-7", "b": "4-5", "c": "2-3"}}},
		"unlimited lanes get one as well": {define(race.Together, 1, time.Second, 0, 0), 4, plan.CPUPlan{K6: "0-1", Lanes: map[string]string{"a": "3", "b": "2"}}},
	} {
		t.Run(name, func(t *testing.T) {
			got := made(t, c.def, c.cpus).CPUs
			require.Equal(t, c.want.K6, got.K6)
			require.Equal(t, c.want.Lanes, got.Lanes)
			require.Equal(t, c.want.K6 != "", got.Pinned())
			require.Equal(t, map[string]float64{"": 0, "0-1": 2, "0-3": 4}[c.want.K6], got.K6Count())
		})
	}
}

func TestALaneMayAskForCPUsThatTheMachineHas(t *testing.T) {
	for set, says := range map[string]string{
		"0": "", "0-1": "", "1,0": "", "2": `lane a: the cpuset "2" names CPU 2, and the last one of this machine is 1`,
		"0-99": "names CPU 99",
	} {
		def := define(race.Auto, 1, time.Second, 1, 1)
		def.Lanes[0].CPUSet = &set
		err := plan.CheckSets(def.Lanes, 1)
		def.Lanes[0].Remote = true
		require.NoError(t, plan.CheckSets(def.Lanes, 1), "another machine has others")
		if says == "" {
			require.NoError(t, err, set)
			continue
		}
		require.ErrorContains(t, err, says)
		require.Equal(t, race.Invalid, race.CodeOf(err))
		require.Equal(t, "name CPUs from 0 to 1", race.HintOf(err))
	}
}

func TestDescribeSaysWhatWillHappenAndHowLong(t *testing.T) {
	for want, p := range map[string]plan.Plan{
		"4 apps, 8 heats of 4 s each in turns (2 CPUs are too few to race together), warm-up 1 s: about 3 min":        made(t, define(race.Auto, 8, 4*time.Second, .5, .5, .5, .5), 2),
		"2 apps, 12 heats of 10 s each together (2 CPUs suffice for every app and k6), warm-up 1 s: about 2 min 40 s": made(t, define(race.Auto, 12, 10*time.Second, .5, .5), 2),
		"1 app, 1 heat of 500 ms together (one app needs no turns), warm-up 1 s: about 7 s":                           made(t, define(race.Auto, 1, 500*time.Millisecond, .5), 2),
		"2 apps, 100 heats of 1 min each together (as asked), warm-up 1 s: about 1 h 45 min":                          made(t, define(race.Together, 100, time.Minute, .5, .5), 2),
	} {
		require.Equal(t, want, p.Describe())
	}
}

func TestTheEstimateGrowsByTheHeat(t *testing.T) {
	one, five := made(t, define(race.Turns, 1, 4*time.Second, .5, .5), 2), made(t, define(race.Turns, 5, 4*time.Second, .5, .5), 2)
	require.Equal(t, 4*one.HeatEstimate(), five.Estimate-one.Estimate)
	require.Greater(t, one.HeatEstimate(), one.Warmup+one.Heats[0].Span)
	require.Zero(t, plan.Plan{}.HeatEstimate())
}

func TestWhatCannotBePlanned(t *testing.T) {
	for name, c := range map[string]struct {
		edit func(*race.Definition)
		says string
	}{
		"no lanes":     {func(d *race.Definition) { d.Lanes = nil }, "no lanes"},
		"no heats":     {func(d *race.Definition) { d.Heats = 0 }, "at least one heat, not 0"},
		"no duration":  {func(d *race.Definition) { d.Duration = 0 }, "above zero"},
		"bad warm-up":  {func(d *race.Definition) { d.Warmup = -1 }, "negative"},
		"unknown mode": {func(d *race.Definition) { d.Mode = "relay" }, `"relay"`},
	} {
		t.Run(name, func(t *testing.T) {
			def := define(race.Auto, 1, time.Second, 1)
			c.edit(&def)
			_, err := plan.Make(def, 2, 1)
			require.ErrorContains(t, err, c.says)
			var e *race.Error
			require.True(t, errors.As(err, &e))
			require.Equal(t, race.Invalid, e.Code)
			require.NotEmpty(t, e.Hint)
		})
	}
	_, err := plan.Make(define(race.Auto, 1, time.Second, 1), 0, 1)
	require.Equal(t, race.Internal, race.CodeOf(err))
}

func TestTheEstimateOfARecordIsThatOfItsPlan(t *testing.T) {
	for _, mode := range []race.Mode{race.Together, race.Turns} {
		for _, length := range []time.Duration{500 * time.Millisecond, 3 * time.Second, 10 * time.Second} {
			def := define(mode, 7, length, .5, .5, .5)
			def.ProfileHeats = 2
			p := made(t, def, 2)
			r := race.Race{
				Mode: p.Mode, PlannedHeats: 7, Profiling: &race.Profiling{PlannedHeats: 2}, WarmupMS: 1000, Load: race.Load{DurationMS: float64(length.Milliseconds())}, Lanes: make([]race.Lane, 3),
			}
			require.Equal(t, p.Estimate, plan.EstimateOf(r), "%s %v", mode, length)
			if mode == race.Turns {
				r.Turns = &race.Rhythm{BlockMS: 2000, GapMS: 100}
				p.Heats, p.ProfileHeats = p.Cut(2*time.Second).Heats, nil
				r.Profiling = nil
				require.Equal(t, 3*time.Second+7*p.HeatEstimate(), plan.EstimateOf(r), "%v", length)
			}
		}
	}
}

func TestASearchForCapacitiesIsInTheEstimate(t *testing.T) {
	for mode, heats := range map[race.Mode]int{race.Together: 16, race.Turns: 32} {
		def := define(mode, 1, 10*time.Second, .5, .5)
		def.Warmup = 3 * time.Second
		without := made(t, def, 4).Estimate
		def.Capacity = []race.Condition{{Measure: "latency_p95", Op: "<", Value: 200}}
		p := made(t, def, 4)
		require.Equal(t, without+time.Duration(heats)*15200*time.Millisecond, p.Estimate)
		try := p.Try(7, []string{p.Lanes[1]})
		require.Equal(t, 10*time.Second, try.Span)
		require.Len(t, try.Blocks, 1)
		require.NotEqual(t, p.Try(8, []string{p.Lanes[1]}).Seed, try.Seed)
		r := race.Race{Mode: p.Mode, Load: race.Load{DurationMS: 10_000}, WarmupMS: 3000, PlannedHeats: 1, Lanes: make([]race.Lane, 2), Capacity: &race.Capacity{PlannedTries: p.CapacityTries}}
		require.Equal(t, p.Estimate, plan.EstimateOf(r), "also from its record")
	}
}
