// Package fake is an engine that starts nothing: each lane is an HTTP server inside the test, and fails as it is told.
// It is for faults that real apps cannot be made to show at a given moment.
package fake

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/engine"
)

// Engine is a fake engine. Set the fields before its first use.
type Engine struct {
	// PrepareError is what Prepare returns.
	PrepareError error
	// Faults are the lanes' faults, by app. A lane without answers 200 to everything until it is stopped.
	Faults map[string]Fault
	// Leftovers are the races that Sweep pretends to have found; once.
	Leftovers []string

	mu      sync.Mutex
	calls   []string
	running map[string][]*lane // by race
}

// Fault says how a lane fails. Zero values are no fault.
type Fault struct {
	Start       error         // what Start returns
	FromHeat    int           // Start fails from this heat on; 0 is every heat
	Unhealthy   bool          // every answer is 503
	DiesAfter   time.Duration // since Start
	Exit        race.Exit     // how it dies then; Exited if no reason is given
	StopTakes   time.Duration // longer than ctx lives: Stop returns ctx's error
	Counters    error         // what Counters returns
	Logs        []string
	Handler     http.Handler  // answers in the place of 200
	CPU         time.Duration // spent by a request, as the counters tell; 0 is 1 ms
	NotEnforced bool          // the counters say that limits are not in force
}

var (
	_ engine.Engine = (*Engine)(nil)
	_ engine.Lane   = (*lane)(nil)
)

// Name is "fake".
func (e *Engine) Name() string { return "fake" }

// Calls are the calls that were made so far, such as "start heat 1 control".
func (e *Engine) Calls() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return append([]string(nil), e.calls...)
}

func (e *Engine) called(format string, args ...any) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.calls = append(e.calls, fmt.Sprintf(format, args...))
}

// Prepare fails if it was told to.
func (e *Engine) Prepare(ctx context.Context, raceID string, _ []race.LaneSpec, _ func(string)) error {
	e.called("prepare %s", raceID)
	if err := ctx.Err(); err != nil {
		return err
	}
	return e.PrepareError
}

// Facts are none.
func (e *Engine) Facts(string) engine.Facts { return engine.Facts{} }

// Start serves the lane on a loopback port: the lane's, or a free one.
func (e *Engine) Start(ctx context.Context, raceID string, heat int, spec race.LaneSpec) (engine.Lane, error) {
	e.called("start heat %d %s", heat, spec.App)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	fault := e.Faults[spec.App]
	if fault.Start != nil && heat >= fault.FromHeat {
		return nil, fault.Start
	}
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", fmt.Sprintf("127.0.0.1:%d", spec.Port))
	if err != nil {
		return nil, race.Errorf(race.Unavailable, "", "lane %s: port %d is in use: %w", spec.App, spec.Port, err)
	}
	l := &lane{Life: engine.NewLife(), engine: e, raceID: raceID, spec: spec, fault: fault, address: "http://" + listener.Addr().String()}
	l.server = &http.Server{Handler: l, ReadHeaderTimeout: time.Second}
	go func() { _ = l.server.Serve(listener) }() // it returns when the lane ends
	if fault.DiesAfter > 0 {
		exit := fault.Exit
		if exit.Reason == "" {
			exit.Reason = race.Exited
		}
		l.death = time.AfterFunc(fault.DiesAfter, func() { l.end(exit) })
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.running == nil {
		e.running = map[string][]*lane{}
	}
	e.running[raceID] = append(e.running[raceID], l)
	return l, nil
}

// Cleanup ends the race's lanes.
func (e *Engine) Cleanup(ctx context.Context, raceID string) error {
	e.called("cleanup %s", raceID)
	e.mu.Lock()
	lanes := e.running[raceID]
	delete(e.running, raceID)
	e.mu.Unlock()
	for _, l := range lanes {
		l.end(race.Exit{Reason: race.Stopped})
	}
	return ctx.Err()
}

// Sweep returns what it was told to.
func (e *Engine) Sweep(ctx context.Context) ([]string, error) {
	e.called("sweep")
	left := e.Leftovers
	e.Leftovers = nil
	return left, ctx.Err()
}

// lane is an HTTP server in this process.
type lane struct {
	*engine.Life
	engine  *Engine
	raceID  string
	spec    race.LaneSpec
	fault   Fault
	address string
	server  *http.Server
	death   *time.Timer

	requests atomic.Int64
}

// ServeHTTP answers a request to the lane.
func (l *lane) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	l.requests.Add(1)
	switch {
	case l.fault.Unhealthy:
		w.WriteHeader(http.StatusServiceUnavailable)
	case l.fault.Handler != nil:
		l.fault.Handler.ServeHTTP(w, r)
	}
}

func (l *lane) end(exit race.Exit) {
	_ = l.server.Close() // nothing to be told
	l.End(exit, nil)
}

func (l *lane) App() string { return l.spec.App }

func (l *lane) Address() string { return l.address }

func (l *lane) ContainerName() string { return "" }

// Counters charge the same CPU time to every request.
func (l *lane) Counters(ctx context.Context) (engine.Counters, error) {
	if err := ctx.Err(); err != nil {
		return engine.Counters{}, err
	}
	if l.fault.Counters != nil {
		return engine.Counters{}, l.fault.Counters
	}
	each := l.fault.CPU
	if each == 0 {
		each = time.Millisecond
	}
	c := engine.Counters{At: time.Now(), CPU: time.Duration(l.requests.Load()) * each, Enforced: !l.fault.NotEnforced}
	if e := l.Exit(); e.Reason == race.OOM {
		c.OOMKills = 1
	}
	return c, nil
}

func (l *lane) Logs() []string { return append([]string(nil), l.fault.Logs...) }

// Stop ends the lane, after a while if it was told to.
func (l *lane) Stop(ctx context.Context) error {
	l.engine.called("stop %s", l.spec.App)
	if l.death != nil {
		l.death.Stop()
	}
	select {
	case <-l.Done():
		return nil
	default:
	}
	if l.fault.StopTakes > 0 {
		select {
		case <-time.After(l.fault.StopTakes):
		case <-ctx.Done():
		}
	}
	l.end(race.Exit{Reason: race.Stopped})
	return context.Cause(ctx)
}
