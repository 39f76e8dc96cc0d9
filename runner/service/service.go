// Package service is the runner as a service: it accepts requests for races, keeps them in a queue, runs them in order, and tells of them.
// It knows neither HTTP nor how a race is run; the first is package server's, the second a Racer's.
package service

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/config"
	"github.com/photofinish/photofinish/runner/coordinator"
	"github.com/photofinish/photofinish/runner/definition"
	"github.com/photofinish/photofinish/runner/engine"
	"github.com/photofinish/photofinish/runner/events"
	"github.com/photofinish/photofinish/runner/k6"
	"github.com/photofinish/photofinish/runner/plan"
	"github.com/photofinish/photofinish/runner/scripts"
	"github.com/photofinish/photofinish/runner/stage"
	"github.com/photofinish/photofinish/runner/store/sqlite"
)

// Scripts are the scripts that may be raced.
type Scripts interface {
	Names() ([]string, error)
	Get(name string) (scripts.Script, error)
	Unchanged(name, hash string) (scripts.Script, error)
	Inspect(ctx context.Context, s scripts.Script) (k6.Inspection, error)
}

// Job is a race to be run now.
type Job struct {
	ID, RequestedBy string
	Script          scripts.Script
	Overrides       definition.Overrides
	Engine          string
	Check           func(race.Definition) error
	Recorder        coordinator.Recorder
	View            coordinator.View
	Watch           func(engine.Lane)
}

// Racer runs one race, and leaves nothing behind. It returns the last record also with an error; one without an id if nothing was recorded.
type Racer func(ctx context.Context, j Job) (race.Race, error)

// Options are what a service is made of.
type Options struct {
	DB      *sqlite.DB
	Scripts Scripts
	Race    Racer
	Engines stage.Engines
	CPUs    int // of this machine, for the plan
	LastCPU int // the highest number of a CPU of this machine
	Limits  config.Limits
	Lanes   config.Lanes
	Log     *slog.Logger
	// Phase is told how long a race was in a phase; nil for nobody.
	Phase func(status race.Status, took time.Duration)
}

// Service is a running service. It may be used concurrently.
type Service struct {
	Options
	wake chan struct{}

	mu      sync.Mutex
	running map[string]*running
	streams map[string]*events.Stream // of races that have not ended, and of those that ended last
	ended   []string
	places  map[string]int // as they were told last
}

// running is a race under way.
type running struct {
	cancel context.CancelCauseFunc
	tails  sync.Map // app -> engine.Lane, the last that was started
}

// endedStreams is of how many races the events are kept after their end, for readers who come back.
const endedStreams = 8

// New makes a service and takes up what a dead one left: races that it was at are ended, races that wait go on waiting.
func New(ctx context.Context, o Options) (*Service, error) {
	s := &Service{
		Options: o, wake: make(chan struct{}, o.Limits.Parallel), running: map[string]*running{}, streams: map[string]*events.Stream{}, places: map[string]int{},
	}
	ended, err := o.DB.Recover(ctx, time.Now())
	if err != nil {
		return nil, err
	}
	for _, id := range ended {
		o.Log.WarnContext(ctx, "the race ended with its runner; what was measured is kept", "race", id)
	}
	places, err := o.DB.Places(ctx)
	if err != nil {
		return nil, err
	}
	for id := range places {
		s.streams[id] = events.New()
	}
	s.announce(ctx)
	return s, nil
}

// Who asks.
type Who struct{ User, Org string }

// Submit accepts a race. known says that it was accepted before, under the same Idempotency-Key.
func (s *Service) Submit(ctx context.Context, who Who, key string, body []byte) (a sqlite.Accepted, known bool, err error) {
	hash := Hash(body)
	if a, known, err = s.DB.Answered(ctx, key, hash); err != nil || known {
		return a, known, err
	}
	r, err := ParseRequest(body)
	if err != nil {
		return a, false, err
	}
	// A full queue is told of before k6 is asked: its look at a script costs CPU that a race may be using.
	if places, err := s.DB.Places(ctx); err != nil {
		return a, false, err
	} else if len(places) >= s.Limits.Queue {
		return a, false, race.Errorf(race.Unavailable, "try again when one has ended", "%d races wait already, and no more may: %w", len(places), sqlite.ErrQueueFull)
	}
	n, err := s.define(ctx, r)
	if err != nil {
		return a, false, err
	}
	n.User, n.Org, n.Request, n.Key, n.RequestHash, n.CreatedAt = who.User, who.Org, body, key, hash, time.Now()
	if who.User != "" {
		n.Record.RequestedBy = &who.User
	}
	if a, known, err = s.DB.Accept(ctx, n, s.Limits.Queue); err != nil || known {
		return a, known, err
	}
	s.mu.Lock()
	if s.streams[a.ID] == nil { // it may be racing already
		s.streams[a.ID] = events.New()
	}
	s.mu.Unlock()
	s.announce(ctx)
	select {
	case s.wake <- struct{}{}:
	default:
	}
	return a, false, nil
}

// define checks what is asked for as far as it can be checked before the race's turn, and plans its record.
func (s *Service) define(ctx context.Context, r Request) (n sqlite.New, err error) {
	c, err := s.check(ctx, r)
	if err != nil {
		return n, err
	}
	id, err := stage.NewID(c.definition.Name, time.Now())
	if err != nil {
		return n, err
	}
	c.definition.Script = c.script.Name
	n.Record = coordinator.Planned(id, "", c.engine, c.definition, c.plan)
	n.ScriptText = c.script.Text
	return n, nil
}

// parse makes the definition of a request.
func (s *Service) parse(ctx context.Context, r Request, script scripts.Script) (d race.Definition, chosen []definition.Choice, err error) {
	if chosen, err = r.chosen(); err != nil {
		return d, nil, err
	}
	if len(chosen) > s.Limits.Lanes { // before anything looks at each of them
		return d, nil, race.Errorf(race.Invalid, "ask for fewer, or let limits.lanes of the runner's configuration allow more", "the request names %d lanes; this runner allows at most %d", len(chosen), s.Limits.Lanes).At("lanes")
	}
	o, err := r.overrides(chosen, s.Limits)
	if err != nil {
		return d, nil, err
	}
	seen, err := s.Scripts.Inspect(ctx, script)
	if err != nil {
		return d, nil, err
	}
	d, err = stage.Read(seen, script.Path, o)
	d.ScriptSHA256 = script.Hash
	return d, chosen, err
}

// engine is the name of the engine that is to start the lanes.
func (s *Service) engine(r Request, d race.Definition) (string, error) {
	kind, err := s.Engines.Choose(r.engine(), d.Lanes)
	if err != nil {
		return kind.Name, err
	}
	_, err = s.Engines.ForK6(d.K6)
	return kind.Name, err
}

// allows holds a definition against the limits, and what a request says of lanes against what is allowed.
func (s *Service) allows(d race.Definition, chosen []definition.Choice) error {
	p, err := plan.Make(d, s.CPUs, 0)
	if err != nil {
		return err
	}
	if err := plan.CheckSets(d.Lanes, s.LastCPU); err != nil {
		return err
	}
	if err := s.Limits.Allows(d, p); err != nil {
		return err
	}
	return s.Lanes.Allows(d, asked(chosen))
}

// Stop ends a race, or takes it out of the queue.
func (s *Service) Stop(ctx context.Context, who Who, id string) (race.Status, error) {
	status, err := s.DB.Stop(ctx, id, who.User, time.Now())
	if err != nil {
		return status, err
	}
	s.mu.Lock()
	r := s.running[id]
	s.mu.Unlock()
	switch {
	case r != nil:
		r.cancel(coordinator.Cancelled{By: who.User})
	case status == race.Cancelled:
		k, err := s.DB.Get(ctx, id)
		if err != nil {
			return status, err
		}
		var r race.Race
		if err := json.Unmarshal(k.Record, &r); err != nil {
			return status, fmt.Errorf("read race %s: %w", id, err)
		}
		s.finish(ctx, id, r.Status, r.Error)
	}
	s.announce(ctx)
	return status, nil
}

// Kept finds a race.
func (s *Service) Kept(ctx context.Context, id string) (sqlite.Kept, error) { return s.DB.Get(ctx, id) }

// Page lists races.
func (s *Service) Page(ctx context.Context, f sqlite.Filter) ([]sqlite.Kept, string, error) {
	return s.DB.Page(ctx, f)
}

// Profile is a profile of a race's app in the format of pprof.
func (s *Service) Profile(ctx context.Context, id, app string, kind race.ProfileKind) ([]byte, error) {
	return s.DB.Profile(ctx, id, app, kind)
}

// Logs is the last output of an app: of its present process while the race is under way, of its last one after it.
func (s *Service) Logs(ctx context.Context, id, app string) ([]string, error) {
	k, err := s.DB.Get(ctx, id)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	r := s.running[id]
	s.mu.Unlock()
	if r != nil {
		if lane, ok := r.tails.Load(app); ok {
			return lane.(engine.Lane).Logs(), nil //nolint:forcetypeassert // nothing else is stored
		}
	}
	lines, err := s.DB.Logs(ctx, id, app)
	if err != nil || lines != nil {
		return lines, err
	}
	var rec struct{ Lanes []struct{ App string } }
	if err := json.Unmarshal(k.Record, &rec); err != nil {
		return nil, fmt.Errorf("read race %s: %w", id, err)
	}
	var apps []string
	for _, l := range rec.Lanes {
		if l.App == app {
			return nil, nil
		}
		apps = append(apps, l.App)
	}
	return nil, race.Errorf(race.NotFound, "its apps are "+strings.Join(apps, ", "), "race %s has no app %q", id, app)
}
