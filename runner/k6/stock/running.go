package stock

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/k6"
	"github.com/photofinish/photofinish/runner/k6/stream"
)

const (
	// abandonGrace is how long k6 may take to end by itself when the context of its start has ended.
	abandonGrace = 10 * time.Second
	// signalTimeout bounds one order to Docker.
	signalTimeout = 5 * time.Second
	// askEvery is how often Prometheus is asked; k6 pushes once a second.
	askEvery = time.Second
	// askTimeout bounds one question, so that a slow Prometheus holds nothing up.
	askTimeout = 900 * time.Millisecond
	// window is how far back pushes are looked for: further than any that may have been missed by one question.
	window = 5 * time.Second
	// eventBuffer is how many events wait for a slow reader.
	eventBuffer = 64
)

// running is a stock k6 at work.
type running struct {
	conductor *Conductor
	part      k6.Part
	site      Site
	door      *door
	began     time.Time
	heat      k6.Heat
	program   Program
	log       *k6.Log
	voices    []*Voice
	reached   reached
	events    chan stream.Event
	done      chan struct{}

	interrupt sync.Once
	retired   atomic.Bool

	mu        sync.Mutex
	raceStart time.Time
	racing    chan struct{} // told when the race part has begun, so that this is seen at once

	// How it ended, for those who have waited.
	exit       k6.Exit
	exitErr    error
	summary    k6.Summary
	summaryErr error
}

var _ k6.Running = (*running)(nil)

func newRunning(c *Conductor, p k6.Part, at Site, d *door) *running {
	r := &running{
		conductor: c, part: p, site: at, door: d, began: time.Now(), log: k6.NewLog(), reached: reached{},
		events: make(chan stream.Event, eventBuffer), done: make(chan struct{}), racing: make(chan struct{}, 1),
	}
	for _, app := range p.Apps() {
		r.reached[app] = stream.LaneResult{Reached: map[string]int64{}}
	}
	return r
}

func (r *running) start(ctx context.Context) error {
	o, err := r.conductor.order(ctx, r)
	if err != nil {
		return err
	}
	if r.program, err = r.site.Start(ctx, o); err != nil {
		return err
	}
	go r.conduct(ctx)
	return nil
}

// conduct tells what happens until k6 has ended.
func (r *running) conduct(ctx context.Context) {
	defer close(r.done)
	defer close(r.events)
	defer r.door.close()
	ready, abandoned := r.door.ready, ctx.Done()
	clock := time.NewTicker(askEvery)
	defer clock.Stop()
	following := context.WithoutCancel(ctx)
	figures := newLive(r.part.Apps())
	for {
		select {
		case <-ready:
			ready = nil
			r.events <- stream.Event{Type: stream.Started, At: time.Now(), Phase: "warmup"}
		case <-clock.C:
			if ready == nil && !r.part.Config.Probe {
				r.progress(following, figures)
			}
		case <-r.racing:
			r.progress(following, figures)
		case <-abandoned:
			abandoned = nil
			_ = r.Interrupt()                                     //nolint:contextcheck // ctx has ended
			time.AfterFunc(abandonGrace, func() { _ = r.Kill() }) //nolint:contextcheck // ctx has ended
		case <-r.program.Done():
			r.finish(following, figures)
			return
		}
	}
}

// progress asks Prometheus how the lanes do. A question that fails is told of once: the next may be answered.
func (r *running) progress(ctx context.Context, figures *live) {
	asking, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	pushes, err := r.conductor.prometheus.pushed(asking, r.part.Config.RaceID, r.part.Config.Heat, window)
	if err != nil {
		r.conductor.complain(err)
		return
	}
	now := time.Now()
	r.tell(figures.take(pushes, now), now)
}

func (r *running) tell(lanes map[string]stream.LaneProgress, now time.Time) {
	select {
	case r.events <- stream.Event{Type: stream.Progress, At: now, Phase: r.phase(now), Progress: lanes}:
	default: // its reader is slow
	}
}

func (r *running) phase(now time.Time) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.raceStart.IsZero() || now.Before(r.raceStart):
		return "warmup"
	case now.Sub(r.raceStart) < r.part.Config.Span():
		return "race"
	}
	return "done"
}

// Events implements k6.Running.
func (r *running) Events() <-chan stream.Event { return r.events }

// Go implements k6.Running. It is called once.
func (r *running) Go(at time.Time) error {
	r.mu.Lock()
	r.raceStart = at
	r.mu.Unlock()
	r.door.begin(at)
	if !r.part.Config.Probe {
		time.AfterFunc(time.Until(at), func() { r.racing <- struct{}{} })
	}
	return nil
}

// Retire implements k6.Running: a k6 with one lane is ended, another cannot be asked.
func (r *running) Retire(app string) error {
	if r.part.PerLane && r.part.Config.Lanes[0].App == app {
		r.retired.Store(true)
		return r.Interrupt()
	}
	return race.Errorf(race.Unavailable, "", "a stock k6 cannot take one lane out of its load")
}

// Interrupt implements k6.Running. Only the first call does anything: a second signal would make k6 drop all.
func (r *running) Interrupt() error {
	var err error
	r.interrupt.Do(func() { err = r.signal("SIGINT") })
	return err
}

// Kill implements k6.Running.
func (r *running) Kill() error { return r.signal("SIGKILL") }

func (r *running) signal(name string) error {
	select {
	case <-r.program.Done():
		return nil
	default:
	}
	ctx, cancel := context.WithTimeout(context.Background(), signalTimeout)
	defer cancel()
	return r.program.Signal(ctx, name)
}

// Wait implements k6.Running.
func (r *running) Wait() (k6.Exit, error) {
	<-r.done
	return r.exit, r.exitErr
}

// Logs implements k6.Running.
func (r *running) Logs() []string { return r.log.Tail() }

// URLReaders implements k6.Running.
func (r *running) URLReaders() []string { return r.log.Readers() }

// Notes implements k6.Running.
func (r *running) Notes() []string { return r.heat.Notes }

// CPUs implements k6.Running.
func (r *running) CPUs() int {
	if r.site.CPUs > 0 {
		return r.site.CPUs
	}
	return r.heat.CPUs
}

// Summary implements k6.Running.
func (r *running) Summary() (k6.Summary, error) { return r.summary, r.summaryErr }
