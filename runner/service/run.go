package service

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"time"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/coordinator"
	"github.com/photofinish/photofinish/runner/engine"
	"github.com/photofinish/photofinish/runner/events"
	"github.com/photofinish/photofinish/runner/store/sqlite"
)

// retry is how long the queue rests after an error of the database, such as a full disk.
const retry = 5 * time.Second

// Run runs the races of the queue until ctx ends, and returns when the last one has been cleaned up.
func (s *Service) Run(ctx context.Context) {
	var workers sync.WaitGroup
	for range s.Limits.Parallel {
		workers.Go(func() { s.work(ctx) })
	}
	workers.Wait()
}

func (s *Service) work(ctx context.Context) {
	for ctx.Err() == nil {
		w, r, racing, err := s.take(ctx)
		switch {
		case err != nil && ctx.Err() == nil:
			s.Log.ErrorContext(ctx, "the queue cannot be read", "error", err, "again_in", retry)
			wait(ctx, time.After(retry))
		case racing != nil:
			s.announce(ctx)
			s.race(ctx, racing, w, r)
		default:
			select {
			case <-s.wake:
			case <-ctx.Done():
			}
		}
	}
}

func wait(ctx context.Context, c <-chan time.Time) {
	select {
	case <-c:
	case <-ctx.Done():
	}
}

// take takes the next race out of the queue. Who stops a race finds it either in the queue or among those that run.
func (s *Service) take(ctx context.Context) (w sqlite.Waiting, r *running, racing context.Context, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w, ok, err := s.DB.Take(ctx, time.Now())
	if err != nil || !ok {
		return w, nil, nil, err
	}
	r = &running{}
	racing, r.cancel = context.WithCancelCause(ctx)
	s.running[w.ID] = r
	if s.streams[w.ID] == nil {
		s.streams[w.ID] = events.New()
	}
	return w, r, racing, nil
}

// race runs one race to its end, whatever that is. ctx is the race's, serving ends with the runner.
func (s *Service) race(serving, ctx context.Context, w sqlite.Waiting, r *running) {
	defer r.cancel(nil)
	log := s.Log.With("race", w.ID)
	log.InfoContext(ctx, "race started", "name", w.Record.Name, "script", w.Script, "user", w.User, "org", w.Org)
	v := s.view(ctx, w.ID)
	rec := &recorder{ctx: context.WithoutCancel(ctx), db: s.DB, script: w.Script, last: w.Record}
	v.Status(race.Preparing, "")
	err := s.start(ctx, w, r, v, rec)
	v.close()
	ending := context.WithoutCancel(ctx)
	final := rec.outcome(ctx, err)
	s.keepLogs(ending, w.ID, r)
	// On a full disk the queue rests until there is room: a race that cannot be recorded is worth nothing. What was measured is saved already.
	for {
		saveErr := s.DB.Save(ending, final, time.Now())
		if saveErr == nil || serving.Err() != nil {
			break
		}
		log.ErrorContext(ctx, "the end of the race cannot be recorded", "error", saveErr, "again_in", retry)
		wait(serving, time.After(retry))
	}
	s.mu.Lock()
	delete(s.running, w.ID)
	s.mu.Unlock()
	s.finish(ending, w.ID, final.Status, final.Error)
	why := ""
	if final.Error != nil {
		why = *final.Error
	}
	log.InfoContext(ctx, "race ended", "status", final.Status, "error", why)
}

func (s *Service) start(ctx context.Context, w sqlite.Waiting, r *running, v coordinator.View, rec *recorder) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	request, err := ParseRequest(w.Request)
	if err != nil {
		return err
	}
	script, err := s.Scripts.Unchanged(w.Script, w.ScriptHash)
	if err != nil {
		return err
	}
	chosen, err := request.chosen()
	if err != nil {
		return err
	}
	overrides, err := request.overrides(chosen, s.Limits)
	if err != nil {
		return err
	}
	_, err = s.Race(ctx, Job{
		ID: w.ID, RequestedBy: w.User, Script: script, Overrides: overrides, Engine: w.Record.Engine,
		Check:    func(d race.Definition) error { return s.allows(d, chosen) },
		Recorder: rec, View: v,
		Watch: func(l engine.Lane) { r.tails.Store(l.App(), l) },
	})
	return err
}

func (s *Service) keepLogs(ctx context.Context, id string, r *running) {
	logs := map[string][]string{}
	r.tails.Range(func(app, lane any) bool {
		logs[app.(string)] = lane.(engine.Lane).Logs() //nolint:forcetypeassert // nothing else is stored
		return true
	})
	if err := s.DB.SaveLogs(ctx, id, logs); err != nil {
		s.Log.ErrorContext(ctx, "the logs of the apps cannot be kept", "race", id, "error", err)
	}
}

// recorder keeps the record in the database, under the script's name instead of its path.
type recorder struct {
	ctx    context.Context // coordinator.Recorder has none
	db     *sqlite.DB
	script string

	mu    sync.Mutex
	last  race.Race
	began bool
}

// Save implements coordinator.Recorder. The last record of a race is kept by who runs it, with its end.
func (r *recorder) Save(record race.Race) error {
	record.Script = r.script
	// A copy: the coordinator goes on filling its own.
	text, err := json.Marshal(record)
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.last, r.began = race.Race{}, true
	if err := json.Unmarshal(text, &r.last); err != nil {
		return err
	}
	if record.Status.Ended() {
		return nil
	}
	return r.db.Save(r.ctx, record, time.Now())
}

// SaveProfile implements coordinator.Recorder.
func (r *recorder) SaveProfile(raceID, app string, kind race.ProfileKind, pprof []byte) error {
	return r.db.SaveProfile(r.ctx, raceID, app, kind, pprof)
}

// outcome is the record of a race that is over.
func (r *recorder) outcome(ctx context.Context, err error) race.Race {
	r.mu.Lock()
	defer r.mu.Unlock()
	final := r.last
	if !final.Status.Ended() { // it did not come as far as the coordinator, or not back from it
		now := time.Now().UTC()
		final.Status, final.FinishedAt = race.Failed, &now
		if err == nil {
			err = errors.New("the race ended without a result")
		}
		if ctx.Err() != nil {
			final.Status, err = race.Interrupted, context.Cause(ctx)
		}
		why := err.Error()
		final.Error = &why
	}
	if err != nil && final.Error == nil {
		why := err.Error()
		final.Error = &why
	}
	var stopped coordinator.Cancelled
	if final.Status == race.Interrupted && errors.As(context.Cause(ctx), &stopped) {
		final.Status = race.Cancelled
	}
	return final
}
