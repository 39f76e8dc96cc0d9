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
	Image string
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
	if s.Race.Definition.K6Image != "" {
		return s.foreignK6(s.Race.Definition.K6Image)
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
func (s *Stage) foreignK6(image string) error {
	kind, err := s.options.Engines.ForK6(image)
	if err != nil {
		return err
	}
	clock, err := kind.K6(K6Options{
		EngineOptions: s.places, Image: image, BuiltIn: s.k6, PrometheusURL: s.metrics.url, CPUSet: s.Race.Plan.CPUs.K6,
		Say: func(line string) { s.options.Say("%s", line) },
	})
	if err != nil {
		return err
	}
	s.Race.K6, s.Race.Stopwatch = clock, clock
	return nil
}

// ForK6 finds the kind of engine that can run k6 from an image, and checks that it may; "" is the k6 that is built in, which needs none.
func (e Engines) ForK6(image string) (Kind, error) {
	if image == "" {
		return Kind{}, nil
	}
	i := slices.IndexFunc(e, func(k Kind) bool { return k.K6 != nil })
	if i < 0 {
		return Kind{}, race.Errorf(race.Invalid, "leave k6 out for the one that is built in, or let the runner's configuration have the engine docker",
			"no engine here can run k6 from the image %s", image)
	}
	if err := e[i].AllowsK6(image); err != nil {
		return Kind{}, race.Errorf(race.CodeOf(err), race.HintOf(err), "k6: %w", err)
	}
	return e[i], nil
}
