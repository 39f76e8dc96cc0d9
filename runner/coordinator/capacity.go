package coordinator

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/photofinish/photofinish/pkg/measure"
	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/pkg/scoreboard"
	"github.com/photofinish/photofinish/runner/audit"
	"github.com/photofinish/photofinish/runner/capacity"
	"github.com/photofinish/photofinish/runner/definition"
	"github.com/photofinish/photofinish/runner/results"
)

const (
	// sentShare is the least share of the planned iterations that must be started, and answered, for a rate to be held.
	sentShare = 0.99
	// strayArrivals allow for those at both ends of a heat; Poisson arrivals vary by the root of their number besides.
	strayArrivals = 3
)

// search is the search for the capacity of one lane.
type search struct {
	lane  *laneState
	steps *capacity.Search
	tries []race.Try
	// limit is what ended the search, where that was not the app's breaking a condition.
	limit race.CapacityLimit
	why   string // the lane could not be tried any more
	over  bool
}

// findCapacity searches the highest rate that each app holds, once the race itself is run. The lanes go up and down on their own, one try each in turn (or
// all at once where the race is run together), and each stops as soon as its own search is over. What is tried is in no other measure of the race.
func (u *run) findCapacity(ctx context.Context) error {
	if len(u.Definition.Capacity) == 0 {
		return nil
	}
	for _, l := range u.inRace() {
		start, err := definition.RateOf(u.Definition, l.spec.App)
		if err != nil {
			return err
		}
		u.searches = append(u.searches, &search{lane: l, steps: capacity.New(start, u.Definition.Duration, u.Definition.Most.Rate)})
	}
	heat := len(u.Plan.Heats) + len(u.Plan.ProfileHeats)
	for open := u.open(); len(open) > 0; open = u.open() {
		for _, together := range u.groups(open) {
			heat++
			if err := u.try(ctx, heat, together); err != nil {
				return fmt.Errorf("heat %d, in which the capacity of %s was searched: %w", heat, strings.Join(appsOf(together), " and "), err)
			}
			if err := u.save(); err != nil {
				return err
			}
		}
	}
	return nil
}

// open are the searches that go on.
func (u *run) open() []*search {
	return slices.DeleteFunc(slices.Clone(u.searches), func(s *search) bool { return s.over })
}

// groups are the searches that try a rate in the same heat.
func (u *run) groups(open []*search) [][]*search {
	if u.Plan.Mode == race.Together {
		return [][]*search{open}
	}
	return slices.Collect(slices.Chunk(open, 1))
}

func appsOf(searches []*search) []string {
	apps := make([]string, len(searches))
	for i, s := range searches {
		apps[i] = s.lane.spec.App
	}
	return apps
}

// try runs a heat in which some lanes have the rates that their searches want, and tells them what came of it.
func (u *run) try(ctx context.Context, number int, searches []*search) error {
	rates := map[string]float64{}
	var said []string
	for _, s := range searches {
		rate, phase, _ := s.steps.Next()
		app := s.lane.spec.App
		rates[app] = rate
		verb := map[race.TryPhase]string{race.TrySearch: "tries", race.TryConfirm: "confirms"}[phase]
		said = append(said, fmt.Sprintf("%s %s %s/s (%d)", app, verb, scoreboard.Rate(rate), len(s.tries)+1))
	}
	u.status(race.Racing, "finding the capacity: "+strings.Join(said, ", "))
	p := u.apart("while the capacity was searched", appsOf(searches)...)
	var err error
	if p.Definition, err = definition.AtRates(u.Definition, rates); err != nil {
		return err
	}
	p.fewest = 1
	if err := p.heat(ctx, u.Plan.Try(number, appsOf(searches))); err != nil {
		return err
	}
	for _, h := range p.heats {
		if h.audit.Lost == "" {
			u.tried = append(u.tried, h.audit)
		}
	}
	for _, s := range searches {
		if err := u.tell(s, p, number); err != nil {
			return err
		}
	}
	return nil
}

// tell tells a search what came of its try in a heat.
func (u *run) tell(s *search, p *run, number int) error {
	app := s.lane.spec.App
	l := p.lane(app)
	heat, ran := l.results.Heats[number]
	if !ran && len(p.heats) > 0 && p.heats[0].audit.Lost != "" {
		return race.Errorf(race.Unavailable, "", "the heat gave no result: %s", p.heats[0].audit.Lost)
	}
	if !ran { // it was told why when it happened
		s.over, s.limit, s.why = true, race.LimitStart, "it did not start again: "+l.out
		return nil
	}
	rate, phase, _ := s.steps.Next()
	t := race.Try{Heat: number, Phase: phase, Rate: rate, Broke: []string{}}
	began := p.heats[0].began.UTC()
	t.StartedAt = &began
	if err := u.judgeTry(&t, heat, l, p); err != nil {
		return err
	}
	t.Held = t.Limit == ""
	s.tries = append(s.tries, t)
	s.steps.Tell(t.Held)
	_, _, more := s.steps.Next()
	s.over = !more
	u.View.Log(tryWords(app, t))
	return nil
}

// judgeTry says what stood in the way of a rate: a condition, the app's end, or who should have sent it.
func (u *run) judgeTry(t *race.Try, heat results.LaneHeat, l *laneState, p *run) error {
	own := p.own()
	values := results.Measures(heat, own...)
	t.Measures = map[string]*float64{}
	for _, id := range []string{"latency_p50", "latency_p95", "error_rate", "request_rate"} {
		t.Measures[id] = values[id]
	}
	seen := heat.Totals
	if planned := seen.Iterations + seen.Dropped; planned > 0 {
		t.Unsent = float64(seen.Dropped) / float64(planned)
	}
	if l.out != "" {
		t.Broke = append(t.Broke, "it left the race: "+l.out)
	}
	for _, c := range u.Definition.Capacity {
		v := values[c.Measure]
		t.Measures[c.Measure] = v
		switch {
		case v == nil && l.out != "":
		case v == nil && seen.Requests == 0:
			t.Broke = append(t.Broke, fmt.Sprintf("%s: nothing was answered", c))
		case v == nil:
			return race.Errorf(race.Invalid, "choose a measure that this race has, like latency_p95<200,error_rate<0.01",
				"find_capacity: %s of %s was not measured, so nobody knows whether %s is kept", c.Measure, l.spec.App, c).At("find_capacity")
		case !c.Keeps(*v):
			t.Broke = append(t.Broke, fmt.Sprintf("%s: %s", c, measureOf(c.Measure, own).Format(*v)))
		}
	}
	if answered := float64(seen.Iterations + seen.Dropped); len(t.Broke) == 0 && answered < u.leastIterations(t.Rate, heat) {
		t.Broke = append(t.Broke, fmt.Sprintf("only %.0f of %.0f iterations were answered before the heat's end", answered, t.Rate*heat.Active.Seconds()))
	}
	switch {
	case len(t.Broke) == 0 && t.Unsent <= 1-sentShare:
	case p.heats[0].audit.K6Saturated(u.Machine.CPUs):
		t.Limit = race.LimitK6
		t.Broke = slices.Insert(t.Broke, 0, "k6 itself ran out of CPU")
	case len(t.Broke) == 0:
		t.Limit = race.LimitVUs
		t.Broke = append(t.Broke, fmt.Sprintf("%.3g%% of the iterations were not started, because no VU was free", 100*t.Unsent))
	default:
		t.Limit = race.LimitApp
	}
	return nil
}

// leastIterations is how many iterations a rate must come to.
func (u *run) leastIterations(rate float64, heat results.LaneHeat) float64 {
	planned := rate * heat.Active.Seconds()
	stray := float64(strayArrivals)
	if u.Definition.Arrivals == race.Poisson {
		stray += 4 * math.Sqrt(planned)
	}
	return sentShare*planned - stray
}

func measureOf(id string, own []race.CustomMeasure) measure.Measure {
	return scoreboard.ColumnOf(id, own...).Measure
}

// tryWords is a try in a line.
func tryWords(app string, t race.Try) string {
	at := fmt.Sprintf("%s at %s/s: ", app, scoreboard.Rate(t.Rate))
	if t.Held {
		return at + "held"
	}
	return at + "not held, " + strings.Join(t.Broke, "; ")
}

// capacityRecord is what is known of the searches; nil where none was asked for.
func (u *run) capacityRecord() *race.Capacity {
	if len(u.Definition.Capacity) == 0 {
		return nil
	}
	c := plannedCapacity(u.Definition, u.Plan)
	for _, s := range u.searches {
		c.Lanes = append(c.Lanes, s.record())
	}
	return c
}

// record is what is known of the lane's capacity.
func (s *search) record() race.LaneCapacity {
	l := race.LaneCapacity{App: s.lane.spec.App, Tries: append([]race.Try{}, s.tries...)}
	if !s.over || len(s.tries) == 0 {
		l.Limit = s.limit
		return l
	}
	return capacity.Conclude(l, s.limit)
}

// capacityOf is the rate that was found of a lane, nil where none is known.
func (u *run) capacityOf(app string) *float64 {
	for _, s := range u.searches {
		if s.lane.spec.App == app {
			return s.record().Rate
		}
	}
	return nil
}

// unknownCapacities tells the audit of which apps the capacity is not known, or only a lower bound of it.
func (u *run) unknownCapacities() []audit.Capacity {
	var all []audit.Capacity
	for _, s := range u.searches {
		if !s.over {
			continue
		}
		r := s.record()
		if r.Rate == nil || r.Open() {
			all = append(all, audit.Capacity{App: r.App, Found: r, Why: s.why})
		}
	}
	return all
}
