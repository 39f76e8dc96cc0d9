// Package definition turns what a k6 script says of itself, and what the user overrides, into a race.Definition that is checked.
// It is pure: it starts nothing and reads no file.
//
// Overrides, in the order in which they are applied:
//   - lanes: `--lane NAME=URL` replaces how the lane of that name is reached and keeps its place; a new name is a new lane. Nothing of
//     such a lane is started, so its command, image, port and limits are dropped.
//   - chosen lanes: only these race, in this order; each takes what the script says of it, key by key overridden. One with a url takes nothing
//     of the script but its health.
//   - rate: the one scenario of each lane becomes a constant-arrival-rate; vus: a closed model keeps its kind with that many VUs,
//     an open one becomes constant-vus; both: an open model with that many VUs.
//   - duration: start times, durations and stages are scaled together, so that the longest scenario lasts that long.
package definition

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/photofinish/photofinish/pkg/measure"
	"github.com/photofinish/photofinish/pkg/race"
)

// Script is what k6 knows of a script.
type Script struct {
	// Options are the script's k6 options as `k6 inspect` prints them: durations as strings, null for what is not set.
	Options json.RawMessage
	// Exports names the exported functions, "default" among them if there is one.
	Exports []string
	// HasDefault says whether the script has a default export that is a function.
	HasDefault bool
	// LaneOrder names the keys of options.ext.photofinish.lanes in the script's order, which k6's JSON does not keep.
	LaneOrder []string
}

// Overrides are what a flag or a request says instead of the script. Nil and "" leave the script's word.
type Overrides struct {
	Lanes    []string // NAME=URL
	Chosen   []Choice // nil lets all lanes of the script race
	VUs      *int64   // per lane
	Rate     *float64 // iterations per second and lane
	Duration *time.Duration
	Heats    *int
	// UntilDecided ends the race as soon as it is decided.
	UntilDecided *bool
	Warmup       *time.Duration
	Mode         string
	Arrivals     string
	Baseline     string
	Name         string
	// MinimumEffect are NUMBER or MEASURE=NUMBER; see Effects.
	MinimumEffect []string
	// FindCapacity are the conditions of a search for the highest rates; see Conditions.
	FindCapacity string
	// Most bounds that search, and is told in the place of our own bounds where it is lower.
	Most race.Bounds
	// MostHeats and MostDuration are told likewise; 0 leaves ours.
	MostHeats    int
	MostDuration time.Duration
}

// The bounds of what a race may be asked to be. They keep typing errors from becoming races of a week.
const (
	MaxHeats    = 1000
	MinDuration = time.Second // a lane's load in a heat; series have one sample a second
	MaxDuration = 24 * time.Hour
)

// Parse makes the definition of a race. Every error is a race.Error with the code race.Invalid that names the key or flag.
func Parse(s Script, path string, o Overrides) (race.Definition, error) {
	options, err := fields("options", s.Options)
	if err != nil {
		return race.Definition{}, err
	}
	x, err := parseExt(options["ext"], s.LaneOrder, o.Chosen)
	if err != nil {
		return race.Definition{}, err
	}
	if x.lanes, err = overrideLanes(x.lanes, o.Lanes); err != nil {
		return race.Definition{}, err
	}
	d := race.Definition{
		Name: first(o.Name, x.name, nameOf(path)), Script: path, Lanes: x.lanes,
		Measures: x.measures, Primary: x.primary, K6: x.k6,
	}
	if d.MinimumEffect, err = Effects(x.minimumEffect, o.MinimumEffect, measure.Possible(x.measures)...); err != nil {
		return race.Definition{}, err
	}
	if err := checkLanes(d.Lanes); err != nil {
		return race.Definition{}, err
	}
	if !d.K6.BuiltIn() && slices.ContainsFunc(d.Lanes, func(l race.LaneSpec) bool { return l.Queue != nil }) {
		return race.Definition{}, race.Errorf(race.Invalid, "leave k6 out: the one that is built in has the module for queues", "%s.k6: the k6 of an image cannot race workers", extPath).At("k6")
	}
	if d.Baseline, err = baseline(d.Lanes, first(o.Baseline, x.baseline)); err != nil {
		return race.Definition{}, err
	}
	if err := settings(&d, x, o); err != nil {
		return race.Definition{}, err
	}
	if err := load(&d, options, s, o, x.leftOut); err != nil {
		return race.Definition{}, err
	}
	d.Most = o.Most
	if err := findCapacity(&d, first(o.FindCapacity, x.findCapacity)); err != nil {
		return race.Definition{}, err
	}
	if d.Thresholds, err = object(options, "options", "thresholds"); err != nil {
		return race.Definition{}, err
	}
	d.Options = passedOn(options)
	return d, nil
}

// settings fills what the flags may override one by one.
func settings(d *race.Definition, x ext, o Overrides) error {
	d.Heats, d.Warmup = race.DefaultHeats, race.DefaultWarmup
	if first(o.FindCapacity, x.findCapacity) != "" {
		d.Heats = race.CapacityHeats
	}
	d.Mode, d.Arrivals = race.Auto, race.Uniform
	if x.heats != nil {
		d.Heats = *x.heats
	}
	if o.Heats != nil {
		d.Heats = *o.Heats
	}
	if d.Heats < 1 || d.Heats > MaxHeats {
		return race.Errorf(race.Invalid, "", "heats is %d; it must be 1 to %d", d.Heats, lower(MaxHeats, o.MostHeats)).At("heats")
	}
	var err error
	if d.ProfileHeats, err = profileHeats(d.Lanes, x.profileHeats); err != nil {
		return err
	}
	d.UntilDecided = x.untilDecided
	if o.UntilDecided != nil {
		d.UntilDecided = *o.UntilDecided
	}
	if x.warmup != nil {
		d.Warmup = *x.warmup
	}
	if o.Warmup != nil {
		d.Warmup = *o.Warmup
	}
	if d.Warmup < 0 || d.Warmup > MaxDuration {
		return race.Errorf(race.Invalid, "", "warmup is %v; it must be 0 to %v", d.Warmup, MaxDuration).At("warmup")
	}
	if mode := first(o.Mode, x.mode); mode != "" {
		if d.Mode, err = oneOf("mode", race.Mode(mode), race.Auto, race.Together, race.Turns); err != nil {
			return err
		}
	}
	if arrivals := first(o.Arrivals, x.arrivals); arrivals != "" {
		d.Arrivals, err = oneOf("arrivals", race.Arrivals(arrivals), race.Uniform, race.Poisson, race.Even)
	}
	return err
}

func baseline(lanes []race.LaneSpec, name string) (string, error) {
	if name == "" {
		return lanes[0].App, nil
	}
	for _, l := range lanes {
		if l.App == name {
			return name, nil
		}
	}
	return "", race.Errorf(race.Invalid, didYouMean(name, appsOf(lanes)), "baseline %q is no lane; the lanes are %s", name, strings.Join(appsOf(lanes), ", ")).At("baseline")
}

// replaced are the options that the wrapper of a heat writes itself, or that only make sense for a k6 that nobody conducts.
var replaced = map[string]bool{
	"ext": true, "scenarios": true, "vus": true, "duration": true, "iterations": true, "stages": true, "thresholds": true,
	"paused": true, "executionSegment": true, "executionSegmentSequence": true,
}

func passedOn(options map[string]json.RawMessage) map[string]json.RawMessage {
	kept := map[string]json.RawMessage{}
	for key, value := range options {
		if !replaced[key] && !isNull(value) {
			kept[key] = value
		}
	}
	return kept
}

func nameOf(path string) string {
	base := filepath.Base(path)
	return strings.TrimSuffix(base, filepath.Ext(base))
}

func appsOf(lanes []race.LaneSpec) []string {
	var apps []string
	for _, l := range lanes {
		apps = append(apps, l.App)
	}
	return apps
}

// lower is one of our bounds, or one that the runner was given where that is lower; 0 is none.
func lower[T int | int64 | float64 | time.Duration](ours, given T) T {
	if given > 0 {
		return min(ours, given)
	}
	return ours
}

func first(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}
