package cmd

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/cgroup"
	"github.com/photofinish/photofinish/runner/engine/docker"
	"github.com/photofinish/photofinish/runner/engine/process"
	"github.com/photofinish/photofinish/runner/ledger"
	"github.com/photofinish/photofinish/runner/store"
)

// The engines, as --engine names them.
const (
	processEngine = "process"
	dockerEngine  = "docker"
)

// engines start the lanes of this race, and remove what dead runners left.
type engines struct {
	process *process.Engine
	docker  func() (*docker.Engine, error) // not everybody has one
}

func (s *stage) engines(groups *cgroup.Tree, races *ledger.Ledger) (engines, error) {
	dir := filepath.Dir(s.race.Definition.Script)
	local, err := process.New(process.Options{ScriptDir: dir, Cgroups: groups, Ledger: races})
	return engines{process: local, docker: func() (*docker.Engine, error) {
		return docker.New(docker.Options{ScriptDir: dir, Cgroups: groups, Ledger: races})
	}}, err
}

// settle ends what dead runners left behind, and makes the places in which this race runs: its folder, its engine, and k6's own cgroup.
func (s *stage) settle(ctx context.Context, groups *cgroup.Tree) error {
	races, err := ledger.Open("")
	if err != nil {
		return err
	}
	engines, err := s.engines(groups, races)
	if err != nil {
		return err
	}
	if err := s.sweep(ctx, engines, races); err != nil {
		return err
	}
	if err := s.choose(ctx, engines, groups.Support()); err != nil {
		return err
	}
	out := s.flags.out
	if out == "" {
		out = filepath.Join("races", s.race.ID)
	}
	if s.folder, err = store.Create(out); err != nil {
		return err
	}
	s.later(s.folder.Discard)
	s.race.Recorder = s.folder
	if out, err = filepath.Abs(out); err != nil {
		return fmt.Errorf("find the folder of the race: %w", err)
	}
	s.note = func() error {
		err := races.Add(s.race.ID, out, s.race.K6.WorkDir)
		if race.CodeOf(err) == race.Conflict { // it could not be cleaned up, and is still there
			return nil
		}
		return err
	}
	if err := s.note(); err != nil {
		return err
	}
	s.later(func() error { return s.race.Engine.Cleanup(context.WithoutCancel(ctx), s.race.ID) })
	return s.stopwatch(engines.process) // k6 is a local process whatever the apps are
}

// choose takes the engine that the user asked for, and finds out where its lanes can be watched.
func (s *stage) choose(ctx context.Context, e engines, groups cgroup.Support) error {
	if s.flags.engine == processEngine {
		s.race.Engine = e.process
		if groups.Version != cgroup.None {
			s.watched.prefix = groups.Parent + "/" + s.race.ID
		}
		return nil
	}
	containers, err := e.docker()
	if err != nil {
		return err
	}
	s.race.Engine = containers
	s.watched.network = containers.Network
	s.watched.prefix, err = containers.Group(ctx, s.race.ID)
	return err
}

// sweep ends what dead runners left on this machine and marks their races as interrupted.
func (s *stage) sweep(ctx context.Context, e engines, races *ledger.Ledger) error {
	dead, err := races.Dead()
	if err != nil {
		return fmt.Errorf("look for races whose runner died: %w", err)
	}
	containers := s.flags.engine == dockerEngine
	for _, left := range dead {
		if record, err := store.Load(left.OutDir); err == nil && record.Engine == dockerEngine {
			containers = true
		}
		mark(s.console, left)
	}
	if containers {
		if err := sweepDocker(ctx, e); err != nil && s.flags.engine == dockerEngine {
			return err
		} else if err != nil { // they are found by their labels when Docker is raced with again
			s.console.say("containers of dead runners may be left: %v", err)
		}
	}
	_, err = e.process.Sweep(ctx)
	return err
}

func sweepDocker(ctx context.Context, e engines) error {
	containers, err := e.docker()
	if err != nil {
		return err
	}
	_, err = containers.Sweep(ctx)
	return err
}

// mark tells of a race whose runner died, also in its record.
func mark(c console, left ledger.Leftover) {
	marked, err := store.MarkInterrupted(left.OutDir, "the runner was killed", time.Now())
	switch {
	case err != nil: // no reason not to race
		c.say("race %s was interrupted: its runner (process %d) was killed; its record cannot say so: %v", left.RaceID, left.Runner, err)
	case marked:
		c.say("race %s was interrupted: its runner (process %d) was killed; what was measured is in %s", left.RaceID, left.Runner, left.OutDir)
	default:
		c.say("race %s: its runner (process %d) is gone; what it left behind is removed", left.RaceID, left.Runner)
	}
}

// stopwatch gives k6 a cgroup of its own, so that its CPU use is known, and CPUs of its own where the plan has them.
func (s *stage) stopwatch(local *process.Engine) error {
	var limits cgroup.Limits
	if cpus := s.race.Plan.CPUs; cpus.Pinned() {
		limits.CPUSet = &cpus.K6
	}
	group, ok, err := local.StopwatchGroup(s.race.ID, limits)
	if err != nil {
		return err
	}
	if ok {
		s.race.Stopwatch = group
	}
	return nil
}

// pin gives the lanes the CPUs that the plan has for them.
func (s *stage) pin() {
	for i, l := range s.race.Definition.Lanes {
		if set, planned := s.race.Plan.CPUs.Lanes[l.App]; planned {
			s.race.Definition.Lanes[i].CPUSet = &set
		}
	}
}

// measure starts the metrics store, or turns to somebody else's.
func (s *stage) measure(ctx context.Context) error {
	s.race.Measures = specs(s.race.Definition)
	var err error
	s.metrics, err = startMetrics(ctx, metricsOptions{
		race: s.race.ID, listen: s.flags.listen, dir: filepath.Join(s.race.K6.WorkDir, "metrics"), foreign: s.flags.prometheusURL, watched: s.watched,
	})
	if err != nil {
		return err
	}
	s.later(s.metrics.close)
	s.race.RemoteWriteURL = s.metrics.remoteWriteURL
	if s.metrics.names != nil {
		s.race.Watch = s.metrics.names.set
	}
	return nil
}
