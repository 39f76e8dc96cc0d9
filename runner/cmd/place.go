package cmd

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"github.com/photofinish/photofinish/runner/cgroup"
	"github.com/photofinish/photofinish/runner/engine/process"
	"github.com/photofinish/photofinish/runner/ledger"
	"github.com/photofinish/photofinish/runner/store"
)

// settle ends what dead runners left behind, and makes the places in which this race runs: its folder, its engine, and k6's own cgroup.
func (s *stage) settle(ctx context.Context, groups *cgroup.Tree) error {
	races, err := ledger.Open("")
	if err != nil {
		return err
	}
	engine, err := process.New(process.Options{ScriptDir: filepath.Dir(s.race.Definition.Script), Cgroups: groups, Ledger: races})
	if err != nil {
		return err
	}
	s.race.Engine = engine
	if err := sweep(ctx, s.console, engine, races); err != nil {
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
	s.note = func() error { return races.Add(s.race.ID, out, s.race.K6.WorkDir) }
	if err := s.note(); err != nil {
		return err
	}
	s.later(func() error { return engine.Cleanup(context.WithoutCancel(ctx), s.race.ID) })
	return s.stopwatch(engine)
}

// sweep ends what dead runners left on this machine and marks their races as interrupted.
func sweep(ctx context.Context, c console, engine *process.Engine, races *ledger.Ledger) error {
	dead, err := races.Dead()
	if err != nil {
		return fmt.Errorf("look for races whose runner died: %w", err)
	}
	for _, left := range dead {
		marked, err := store.MarkInterrupted(left.OutDir, "the runner was killed", time.Now())
		switch {
		case err != nil: // no reason not to race
			c.say("race %s was interrupted: its runner (process %d) was killed; its record cannot say so: %v", left.RaceID, left.Runner, err)
		case marked:
			c.say("race %s was interrupted: its runner (process %d) was killed; what was measured is in %s", left.RaceID, left.Runner, left.OutDir)
		default:
			c.say("race %s: its runner (process %d) was killed; what it left behind is removed", left.RaceID, left.Runner)
		}
	}
	_, err = engine.Sweep(ctx)
	return err
}

// stopwatch gives k6 a cgroup of its own, so that its CPU use is known, and CPUs of its own where the plan has them.
func (s *stage) stopwatch(engine *process.Engine) error {
	var limits cgroup.Limits
	if cpus := s.race.Plan.CPUs; cpus.Pinned() {
		limits.CPUSet = &cpus.K6
	}
	group, ok, err := engine.StopwatchGroup(s.race.ID, limits)
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
func (s *stage) measure(ctx context.Context, groups cgroup.Support) error {
	s.race.Measures = specs(s.race.Definition)
	var err error
	s.metrics, err = startMetrics(ctx, metricsOptions{
		race: s.race.ID, listen: s.flags.listen, dir: filepath.Join(s.race.K6.WorkDir, "metrics"), foreign: s.flags.prometheusURL, groups: groups,
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
