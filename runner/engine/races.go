package engine

import (
	"context"
	"slices"
	"sync"

	"github.com/photofinish/photofinish/pkg/race"
)

// Ready is what it takes to start a lane in any heat, as an engine has found it out.
type Ready interface {
	// HostPort is the port of this machine where the app is to listen.
	HostPort() int
}

// Started is a lane that knows whether it still holds something that Cleanup has to free.
type Started interface {
	Lane
	Freed() bool
}

// Races are those that an engine has prepared and not yet cleaned up, with the lanes that it has started of them. The zero value holds none.
// It may be used concurrently.
type Races[R Ready, L Started] struct {
	mu    sync.Mutex
	races map[string]*prepared[R, L]
}

type prepared[R Ready, L Started] struct {
	facts Facts

	mu     sync.RWMutex // read-held while a lane is started, so that Close misses none
	lanes  map[string]R
	closed bool

	started sync.Mutex
	running []L
}

// Add takes up a race that was prepared: what it takes to start its lanes, by app, and what a record is to say of it.
func (r *Races[R, L]) Add(raceID string, lanes map[string]R, facts Facts) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.races[raceID] != nil {
		return race.Errorf(race.Conflict, "", "race %s is prepared already", raceID)
	}
	if r.races == nil {
		r.races = map[string]*prepared[R, L]{}
	}
	r.races[raceID] = &prepared[R, L]{lanes: lanes, facts: facts}
	return nil
}

// Facts are those of a race that was added, none of another.
func (r *Races[R, L]) Facts(raceID string) Facts {
	if p := r.get(raceID); p != nil {
		return p.facts
	}
	return Facts{}
}

// Start starts a lane by start, unless it runs elsewhere or its race has been closed. A port that somebody took meanwhile is race.Unavailable.
func (r *Races[R, L]) Start(ctx context.Context, raceID string, spec race.LaneSpec, start func(R) (L, error)) (Lane, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if spec.Elsewhere() {
		return Elsewhere(spec), nil
	}
	p := r.get(raceID)
	if p == nil {
		return nil, race.Errorf(race.Internal, "", "lane %s: race %s is not prepared", spec.App, raceID)
	}
	p.mu.RLock()
	defer p.mu.RUnlock()
	ready, known := p.lanes[spec.App]
	if p.closed || !known {
		return nil, race.Errorf(race.Internal, "", "lane %s is not prepared for race %s", spec.App, raceID)
	}
	if err := CheckPort(ctx, spec.App, ready.HostPort()); err != nil {
		return nil, err
	}
	l, err := start(ready)
	if err != nil {
		return nil, err
	}
	p.started.Lock()
	defer p.started.Unlock()
	p.running = append(slices.DeleteFunc(p.running, L.Freed), l)
	return l, nil
}

// Close waits for lanes that are just being started, lets no more be started, and gives those that may still hold something. known says
// whether there is such a race. It may be called again.
func (r *Races[R, L]) Close(raceID string) (running []L, known bool) {
	p := r.get(raceID)
	if p == nil {
		return nil, false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	return slices.Clone(p.running), true
}

// Remove forgets a race.
func (r *Races[R, L]) Remove(raceID string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.races, raceID)
}

func (r *Races[R, L]) get(raceID string) *prepared[R, L] {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.races[raceID]
}
