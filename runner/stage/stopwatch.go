package stage

import (
	"slices"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/cgroup"
	"github.com/photofinish/photofinish/runner/coordinator"
	"github.com/photofinish/photofinish/runner/k6"
)

// K6Options are what it takes to run k6 from an image.
type K6Options struct {
	EngineOptions
	Spec race.K6Spec
	// BuiltIn packs the script.
	BuiltIn k6.K6
	// PrometheusURL is where the series of the race are read.
	PrometheusURL string
	CPUSet        string // "" is all CPUs
	Say           func(line string)
}

// CountedK6 is a k6 that knows what it spends.
type CountedK6 interface {
	k6.Launcher
	coordinator.Counted
}

// stopwatch chooses the k6 of the race and the place in which it runs, so that its CPU use is known.
func (s *Stage) stopwatch() error {
	if !s.Race.Definition.K6.BuiltIn() {
		return s.foreignK6(s.Race.Definition.K6)
	}
	local := k6.Local{K6: s.k6}
	var limits cgroup.Limits
	if cpus := s.Race.Plan.CPUs; cpus.Pinned() {
		limits.CPUSet = &cpus.K6
	}
	group, ok, err := s.local.StopwatchGroup(s.Race.ID, limits)
	if err != nil {
		return err
	}
	if ok {
		local.Command, s.Race.Stopwatch = group.Command, group
	}
	s.Race.K6 = local
	return nil
}

// foreignK6 runs k6 from an image.
func (s *Stage) foreignK6(spec race.K6Spec) error {
	kind, err := s.options.Engines.ForK6(spec)
	if err != nil {
		return err
	}
	clock, err := kind.K6(K6Options{
		EngineOptions: s.places, Spec: spec, BuiltIn: s.k6, PrometheusURL: s.metrics.url, CPUSet: s.Race.Plan.CPUs.K6,
		Say: func(line string) { s.options.Say("%s", line) },
	})
	if err != nil {
		return err
	}
	s.Race.K6, s.Race.Stopwatch = clock, clock
	return nil
}

// ForK6 finds the kind of engine that can run a k6, and checks that it may. The one that is built in needs none.
func (e Engines) ForK6(spec race.K6Spec) (Kind, error) {
	if spec.BuiltIn() {
		return Kind{}, nil
	}
	i := slices.IndexFunc(e, func(k Kind) bool { return k.K6 != nil && k.Remote == spec.Remote() })
	switch {
	case i < 0 && spec.Remote():
		return Kind{}, race.Errorf(race.Invalid, "leave k6.pods out, or let the runner's configuration have the engine kubernetes",
			"no engine here can run k6 in pods")
	case i < 0:
		return Kind{}, race.Errorf(race.Invalid, "leave k6 out for the one that is built in, or let the runner's configuration have the engine docker",
			"no engine here can run k6 from the image %s", spec.Image)
	}
	if err := e[i].AllowsK6(spec.Image); err != nil {
		return Kind{}, race.Errorf(race.CodeOf(err), race.HintOf(err), "k6: %w", err)
	}
	return e[i], nil
}
