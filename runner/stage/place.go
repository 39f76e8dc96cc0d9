package stage

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/pkg/verdict"
	"github.com/photofinish/photofinish/runner/cgroup"
	"github.com/photofinish/photofinish/runner/engine"
	"github.com/photofinish/photofinish/runner/engine/process"
	"github.com/photofinish/photofinish/runner/ledger"
	"github.com/photofinish/photofinish/runner/plan"
	"github.com/photofinish/photofinish/runner/store"
)

// settle ends what dead runners left behind, and makes the places in which this race runs: its engine, its record, and k6's own cgroup.
func (s *Stage) settle(ctx context.Context, groups *cgroup.Tree) error {
	races, err := ledger.Open("")
	if err != nil {
		return err
	}
	kind, err := s.options.Engines.Choose(s.options.Engine, s.Race.Definition.Lanes)
	if err != nil {
		return err
	}
	if _, err := s.options.Engines.ForK6(s.Race.Definition.K6); err != nil {
		return err
	}
	s.Race.Plan.Series = plan.SeriesOf(s.Race.Definition, s.Race.Plan, kind.Containers)
	if err := s.Race.Plan.Series.Check(s.options.MaxSeries); err != nil {
		return err
	}
	places := EngineOptions{ScriptDir: s.scriptDir(), Cgroups: groups, Ledger: races}
	if s.Race.Engine, err = kind.Make(places); err != nil {
		return err
	}
	// k6 is a local process whatever the apps are.
	local, isLocal := s.Race.Engine.(*process.Engine)
	if !isLocal {
		if local, err = process.New(process.Options{ScriptDir: places.ScriptDir, Cgroups: groups, Ledger: races}); err != nil {
			return err
		}
		s.later(func() error { return local.Cleanup(context.WithoutCancel(ctx), s.Race.ID) })
	}
	if err := s.sweep(ctx, races, places, kind, local); err != nil {
		return err
	}
	if s.containers, err = whereabouts(ctx, s.Race.Engine, groups.Support(), s.Race.ID); err != nil {
		return err
	}
	if s.options.Watch != nil {
		s.Race.Engine = watched{Engine: s.Race.Engine, watch: s.options.Watch}
	}
	if err := s.record(races); err != nil {
		return err
	}
	s.later(func() error { return s.Race.Engine.Cleanup(context.WithoutCancel(ctx), s.Race.ID) })
	s.places, s.local = places, local
	return nil
}

// record makes the place of the record, and notes the race on the ledger.
func (s *Stage) record(races *ledger.Ledger) error {
	out := ""
	if s.Race.Recorder = s.options.Recorder; s.Race.Recorder == nil {
		if out = s.options.Out; out == "" {
			out = filepath.Join("races", s.Race.ID)
		}
		var err error
		if s.Folder, err = store.Create(out); err != nil {
			return err
		}
		s.later(s.Folder.Discard)
		s.Race.Recorder = s.Folder
		if out, err = filepath.Abs(out); err != nil {
			return fmt.Errorf("find the folder of the race: %w", err)
		}
	}
	s.note = func() error {
		err := races.Add(s.Race.ID, out, s.k6.WorkDir)
		if race.CodeOf(err) == race.Conflict { // it could not be cleaned up, and is still there
			return nil
		}
		return err
	}
	return s.note()
}

// whereabouts finds out where the lanes of an engine can be watched: below the runner's own cgroup, or where the engine says.
func whereabouts(ctx context.Context, e engine.Engine, groups cgroup.Support, raceID string) (c containers, err error) {
	if elsewhere, ok := e.(interface {
		Group(ctx context.Context, raceID string) (string, error)
		Network(container string) []engine.Interface
	}); ok {
		c.network = elsewhere.Network
		c.prefix, err = elsewhere.Group(ctx, raceID)
		return c, err
	}
	if groups.Version != cgroup.None {
		c.prefix = groups.Parent + "/" + raceID
	}
	return c, nil
}

// sweep ends what dead runners left that would be in this race's way, whichever engine they raced with. Where another engine than this
// race's cannot do it now, its leftovers are found when it is raced with again.
func (s *Stage) sweep(ctx context.Context, races *ledger.Ledger, places EngineOptions, chosen Kind, local engine.Engine) error {
	dead, err := races.Dead()
	if err != nil {
		return fmt.Errorf("look for races whose runner died: %w", err)
	}
	for _, other := range s.options.Engines {
		left := slices.ContainsFunc(dead, func(l ledger.Leftover) bool {
			record, err := store.Load(l.OutDir)
			return err == nil && (record.Engine == other.Name || record.K6 != nil && other.K6 != nil && other.Remote == (record.K6.Pods > 0))
		})
		if !left || other.Name == chosen.Name {
			continue
		}
		e, err := other.Make(places)
		if err == nil {
			_, err = e.Sweep(ctx)
		}
		if err != nil {
			s.options.Say("what dead runners left in the engine %s may still be there: %v", other.Name, err)
		}
	}
	return Sweep(ctx, races, s.options.Say, s.Race.Engine, local)
}

// watched shows the apps that an engine starts.
type watched struct {
	engine.Engine
	watch func(engine.Lane)
}

func (w watched) Start(ctx context.Context, raceID string, heat int, spec race.LaneSpec) (engine.Lane, error) {
	lane, err := w.Engine.Start(ctx, raceID, heat, spec)
	if err == nil {
		w.watch(lane)
	}
	return lane, err
}

// Sweep ends what dead runners left on this machine, and marks the races as interrupted that have a folder.
func Sweep(ctx context.Context, races *ledger.Ledger, say func(string, ...any), engines ...engine.Engine) error {
	dead, err := races.Dead()
	if err != nil {
		return fmt.Errorf("look for races whose runner died: %w", err)
	}
	for _, left := range dead {
		marked := false
		if left.OutDir != "" {
			marked, err = store.MarkInterrupted(left.OutDir, "the runner was killed", time.Now())
		}
		switch {
		case err != nil: // no reason not to race
			say("race %s was interrupted: its runner (process %d) was killed; its record cannot say so: %v", left.RaceID, left.Runner, err)
		case marked:
			say("race %s was interrupted: its runner (process %d) was killed; what was measured is in %s", left.RaceID, left.Runner, left.OutDir)
		default:
			say("race %s: its runner (process %d) is gone; what it left behind is removed", left.RaceID, left.Runner)
		}
	}
	for _, e := range engines {
		if _, err := e.Sweep(ctx); err != nil {
			return err
		}
	}
	return nil
}

// pin gives the lanes the CPUs that the plan has for them.
func (s *Stage) pin() {
	for i, l := range s.Race.Definition.Lanes {
		if set, planned := s.Race.Plan.CPUs.Lanes[l.App]; planned {
			s.Race.Definition.Lanes[i].CPUSet = &set
		}
	}
}

// measure starts the metrics store, or turns to somebody else's.
func (s *Stage) measure(ctx context.Context) error {
	s.Race.Measures = specs(s.Race.Definition)
	var err error
	s.metrics, err = startMetrics(ctx, metricsOptions{
		race: s.Race.ID, listen: s.options.Listen, dir: filepath.Join(s.k6.WorkDir, "metrics"), foreign: s.options.PrometheusURL, containers: s.containers,
		receiver: s.options.Receiver, passing: s.options.Passing, say: s.options.Say,
	})
	if err != nil {
		return err
	}
	s.later(s.metrics.close)
	s.Race.RemoteWriteURL, s.Race.Stored, s.Race.Ask = s.metrics.remoteWriteURL, s.metrics.stored, s.metrics.ask(s.Race.ID)
	if s.metrics.names != nil {
		s.Race.Watch = s.metrics.names.set
	}
	return nil
}

// specs are the measures of the contract as this race judges them.
func specs(d race.Definition) []verdict.MeasureSpec {
	all := verdict.Catalogue()
	for i, spec := range all {
		all[i] = spec.For(d)
	}
	return all
}
