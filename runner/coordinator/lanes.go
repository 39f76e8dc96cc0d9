package coordinator

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
	"time"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/engine"
	"github.com/photofinish/photofinish/runner/plan"
	"github.com/photofinish/photofinish/runner/pyroscope"
)

// elsewhereTimeout is how long an app is asked that is said to run already: it has nothing left to start.
const elsewhereTimeout = 5 * time.Second

// startLanes starts the apps that are in the race, each afresh, and waits until they are healthy.
// An app that cannot be started for the first heat ends the race: nothing has been measured yet, and the user has something to mend.
// One that fails later leaves the race, and the others go on, unless it is the engine that failed.
func (u *run) startLanes(ctx context.Context, h plan.Heat) (map[string]engine.Lane, error) {
	var (
		mu      sync.Mutex
		started = map[string]engine.Lane{}
		failed  = map[string]error{}
		wait    sync.WaitGroup
	)
	for _, l := range u.inRace() {
		wait.Go(func() {
			lane, err := u.startLane(ctx, h.Number, l)
			mu.Lock()
			defer mu.Unlock()
			if lane != nil {
				started[l.spec.App] = lane
			}
			if err != nil {
				failed[l.spec.App] = err
			}
		})
	}
	wait.Wait()
	if err := ctx.Err(); err != nil {
		_ = u.stopLanes(ctx, started) // the race has ended anyway
		return nil, err
	}
	var fatal error
	for _, l := range u.inRace() {
		lane, err := started[l.spec.App], failed[l.spec.App]
		if lane != nil {
			l.started, l.address = true, address(lane, l)
		}
		if err == nil {
			continue
		}
		down := errors.Is(err, engine.ErrDown)
		if !down {
			u.retire(ctx, l, lane, race.Exit{Reason: race.Unhealthy}, time.Now())
			delete(started, l.spec.App)
		}
		switch {
		case h.Number > 1 && !down:
			u.View.Log(err.Error())
		case fatal == nil:
			fatal = err
		}
	}
	if fatal != nil {
		_ = u.stopLanes(ctx, started) // the race has ended anyway
		return nil, fatal
	}
	return started, nil
}

// address is what APP_URL holds for a lane, the whole URL of an app that already ran; of a worker it is its queue's.
func address(lane engine.Lane, l *laneState) string {
	switch {
	case l.queue != nil:
		return l.queue.Requests
	case l.spec.URL != "":
		return l.spec.URL
	}
	return lane.Address() + l.spec.Path
}

func (u *run) startLane(ctx context.Context, heat int, l *laneState) (engine.Lane, error) {
	spec := l.forEngine()
	if server := spec.Profile.Pyroscope; server != "" && spec.URL == "" {
		env := pyroscope.Server(server).Environment(spec.App, pyroscope.Labels(u.ID, spec.App, heat))
		maps.Copy(env, spec.Env) // the script has the last word
		spec.Env = env
	}
	lane, err := u.Engine.Start(ctx, u.ID, heat, spec)
	if err != nil {
		return nil, err
	}
	if u.Watch != nil && lane.ContainerName() != "" {
		u.Watch(lane.ContainerName(), spec.App)
	}
	if spec.URL != "" && spec.Health.Timeout == 0 {
		spec.Health.Timeout = elsewhereTimeout
	}
	if l.silent() {
		return lane, nil
	}
	return lane, engine.WaitHealthy(ctx, lane, spec)
}

// retire takes a lane out of the race, with its reason and last log lines.
func (u *run) retire(ctx context.Context, l *laneState, lane engine.Lane, exit race.Exit, at time.Time) {
	if lane != nil {
		l.lastLog = lane.Logs()
		if e := lane.Exit(); e.Reason != race.Running {
			exit = e
		}
		if err := lane.Stop(context.WithoutCancel(ctx)); err != nil {
			u.View.Log(fmt.Sprintf("lane %s: could not be stopped: %v", l.spec.App, err))
		}
	}
	if exit.At == nil {
		at = at.UTC()
		exit.At = &at
	}
	l.exit = &exit
	l.out = outSentence(exit, u.since(*exit.At))
}

// outSentence is the few words that the live views show beside a lane that is out.
func outSentence(e race.Exit, after time.Duration) string {
	why := string(e.Reason)
	switch {
	case e.Reason == race.OOM:
		why = "memory"
	case e.Reason == race.Exited && e.Code != nil:
		why = fmt.Sprintf("exit code %d", *e.Code)
	}
	return fmt.Sprintf("%s, %.0f s", why, max(0, after.Seconds())) // a race starts after its first warm-up
}

// since is the time from the start of the race.
func (u *run) since(t time.Time) time.Duration {
	if u.record.StartedAt == nil {
		return 0
	}
	return t.Sub(*u.record.StartedAt)
}

// stopLanes stops the apps of a heat, all at once. Its error says that the engine is gone; what else may fail is told here, and no reason to end the race.
func (u *run) stopLanes(ctx context.Context, lanes map[string]engine.Lane) error {
	ctx = context.WithoutCancel(ctx) // an interrupted race still stops its apps
	var (
		mu   sync.Mutex
		down error
		wait sync.WaitGroup
	)
	for app, lane := range lanes {
		wait.Go(func() {
			err := lane.Stop(ctx)
			if err == nil {
				return
			}
			mu.Lock()
			defer mu.Unlock()
			if errors.Is(err, engine.ErrDown) {
				down = err
				return
			}
			u.View.Log(fmt.Sprintf("lane %s: could not be stopped: %v", app, err))
		})
	}
	wait.Wait()
	return down
}
