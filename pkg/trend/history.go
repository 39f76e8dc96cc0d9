package trend

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/photofinish/photofinish/pkg/race"
)

// History is what a measure of an app did over the races of a name.
type History struct {
	App     string   `json:"app"`
	Measure string   `json:"measure"`
	Points  []Point  `json:"points"` // in order of time
	Changes []Change `json:"changes"`
}

// Point is one race in a history. Changes are looked for among the points that have a value and are left out for no reason.
type Point struct {
	Race  string    `json:"race"`
	At    time.Time `json:"at"`
	Value *float64  `json:"value"` // in the measure's unit; nil where it was not measured
	// LeftOut says why the race cannot be compared with the newest; "" where it can.
	LeftOut string `json:"left_out,omitempty"`
	// Note says what was changed since the race before it that is not left out, and may be why the values changed; "" where nothing is known.
	Note string `json:"note,omitempty"`
}

// Of makes the histories of the apps of the newest race, in the order of its lanes, and of the measures. Races that did not finish, were not fair, or
// were run on another machine or by another definition than the newest are marked, and no part of any change. Whose script or k6 is another one than
// that of the race before has a note. Change.Index counts the points that are left, from 0; see History.Compared.
func Of(races []race.Race, measures []string, o Options) []History {
	races = inOrder(races)
	reference, ok := newest(races)
	if !ok {
		return nil
	}
	leftOut := Against(races)
	var all []History
	for _, lane := range reference.Lanes {
		for _, m := range measures {
			h := History{App: lane.App, Measure: m, Changes: []Change{}}
			var before race.Race
			for _, r := range races {
				p := pointOf(r, lane.App, m, leftOut(r, lane.App))
				if p.LeftOut == "" {
					p.Note = Changed(r, before)
					before = r
				}
				h.Points = append(h.Points, p)
			}
			h.Changes = append(h.Changes, Changes(h.values(), o)...)
			all = append(all, h)
		}
	}
	return all
}

// Against makes the judge of the races of one name: it says why one of them, or an app of it, cannot be compared with the newest that counts; "" where it can.
func Against(races []race.Race) (leftOut func(r race.Race, app string) string) {
	races = inOrder(races)
	reference, _ := newest(races)
	limits := map[string]race.Resources{} // of each app in the newest race that has it
	for _, r := range slices.Backward(races) {
		if unsuitable(r) != "" || Different(r, reference) != "" {
			continue
		}
		for _, l := range r.Lanes {
			if _, known := limits[l.App]; !known {
				limits[l.App] = l.Resources
			}
		}
	}
	return func(r race.Race, app string) string {
		if why := cmp.Or(unsuitable(r), Different(r, reference)); why != "" {
			return why
		}
		for _, l := range r.Lanes {
			if l.App == app && !SameResources(l.Resources, limits[app]) {
				return "other limits"
			}
		}
		return ""
	}
}

func inOrder(races []race.Race) []race.Race {
	races = slices.DeleteFunc(slices.Clone(races), func(r race.Race) bool { return r.StartedAt == nil })
	slices.SortStableFunc(races, func(a, b race.Race) int { return a.StartedAt.Compare(*b.StartedAt) })
	return races
}

// newest is the newest race that tells anything, of races in order of time.
func newest(races []race.Race) (r race.Race, ok bool) {
	for _, r := range slices.Backward(races) {
		if unsuitable(r) == "" {
			return r, true
		}
	}
	return race.Race{}, false
}

// Compared are the points among which changes were looked for.
func (h History) Compared() []Point {
	return slices.DeleteFunc(slices.Clone(h.Points), func(p Point) bool { return p.LeftOut != "" || p.Value == nil })
}

func (h History) values() (values []float64) {
	for _, p := range h.Compared() {
		values = append(values, *p.Value)
	}
	return values
}

func pointOf(r race.Race, app, measure, leftOut string) Point {
	p := Point{Race: r.ID, At: *r.StartedAt, LeftOut: leftOut}
	for _, l := range r.Lanes {
		if l.App == app {
			p.Value = l.Measures[measure]
		}
	}
	return p
}

// unsuitable says why a race tells nothing.
func unsuitable(r race.Race) string {
	switch {
	case r.Status != race.Finished:
		return "not finished"
	case !r.Audit.Fair && r.Audit.OverriddenBy == nil:
		return "not fair"
	}
	return ""
}

// Different says in what a race's circumstances differ from another's, "" where they do not.
func Different(r, from race.Race) string {
	switch {
	case audited(from) && !audited(r):
		return "no audit"
	case audited(r) && !audited(from):
		return "an audit, which the newest has not"
	case machine(r) != machine(from):
		return "another machine"
	case r.Engine != from.Engine:
		return "another engine"
	case r.Mode != from.Mode || r.Arrivals != from.Arrivals:
		return "another way of racing"
	case load(r.Load) != load(from.Load):
		return "another load"
	case r.Load.DurationMS != from.Load.DurationMS: // an app that grows is larger at the end of a longer heat
		return "heats of another length"
	case r.WarmupMS != from.WarmupMS: // how warm caches and compilers are
		return "another warm-up"
	case (r.K6 == nil) != (from.K6 == nil): // the percentiles of a stock k6 come from buckets that are 9% wide
		return "another kind of k6"
	}
	return ""
}

// Changed says what was changed in how a race is run that need not change what it measures, as far as both records tell: "" where nothing was. A script is
// edited for many reasons, most of them harmless, and k6 has a new version every other month; if either ended a history, there would be none.
func Changed(r, since race.Race) string {
	var what []string
	if r.ScriptSHA256 != "" && since.ScriptSHA256 != "" && r.ScriptSHA256 != since.ScriptSHA256 {
		what = append(what, "an edited script")
	}
	if now, then := k6Version(r), k6Version(since); now != "" && then != "" && now != then {
		what = append(what, fmt.Sprintf("k6 %s after %s", now, then))
	}
	return strings.Join(what, ", ")
}

// k6Version is that of the k6 that raced, "" where it is not known.
func k6Version(r race.Race) string {
	if r.K6 != nil {
		return r.K6.Version
	}
	return r.Versions["k6"]
}

// audited is false of a race that is known from Prometheus only: nobody knows on which machine or by which definition it was run.
func audited(r race.Race) bool {
	return !slices.ContainsFunc(r.Audit.Findings, func(f race.Finding) bool { return f.Kind == race.NoAudit })
}

func machine(r race.Race) string {
	if r.Machine == nil {
		return ""
	}
	return fmt.Sprint(r.Machine.CPUModel, r.Machine.CPUs, r.Machine.Cgroup)
}

// load is how much was asked of a lane at a time.
func load(l race.Load) string {
	text := l.Executor
	if l.VUs != nil && l.Rate == nil {
		text += fmt.Sprint(" ", *l.VUs, " VUs")
	}
	if l.Rate != nil {
		text += fmt.Sprint(" ", *l.Rate, "/s")
	}
	return text
}

// SameResources says whether two lanes had the same limits.
func SameResources(a, b race.Resources) bool {
	return equal(a.CPUs, b.CPUs) && equal(a.Memory, b.Memory) && equal(a.CPUSet, b.CPUSet)
}

func equal[T comparable](a, b *T) bool {
	return a == b || a != nil && b != nil && *a == *b
}
