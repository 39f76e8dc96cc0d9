// Command limited is a sample app of which the capacity is known: WORKERS of them (2) take SERVICE (10ms) for each request, one after the other, so it holds
// WORKERS/SERVICE requests a second (200) and no more. QUEUE requests (50) may wait for a worker; who comes then is answered 503.
package main

import (
	"cmp"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/photofinish/photofinish/testapps/internal/app"
)

func main() {
	p, err := newPool(os.Getenv)
	if err != nil {
		fmt.Fprintf(os.Stderr, "limited: %v\n", err)
		os.Exit(1)
	}
	os.Exit(app.App{Name: "limited", Port: 4004, Path: "/limited", Work: p.answer}.Main())
}

// pool is the workers. Each is known by the time at which it will be free: a request is given its end when it comes, and waits for that. So a timer that
// wakes up late, as all do, delays one answer and takes nothing of the capacity.
type pool struct {
	service time.Duration
	queue   int

	mu   sync.Mutex
	free []time.Time // by worker
}

func newPool(env func(string) string) (*pool, error) {
	number := func(name, usual string, least int) (int, error) {
		n, err := strconv.Atoi(cmp.Or(env(name), usual))
		if err != nil || n < least {
			return 0, fmt.Errorf("%s is %q; it must be a whole number from %d on", name, env(name), least)
		}
		return n, nil
	}
	workers, err := number("WORKERS", "2", 1)
	if err != nil {
		return nil, err
	}
	p := &pool{free: make([]time.Time, workers)}
	if p.queue, err = number("QUEUE", "50", 0); err != nil {
		return nil, err
	}
	if p.service, err = time.ParseDuration(cmp.Or(env("SERVICE"), "10ms")); err != nil || p.service <= 0 {
		return nil, fmt.Errorf("SERVICE is %q; it must be a duration above zero, such as 10ms", env("SERVICE"))
	}
	return p, nil
}

// take gives a request to the worker that is free first, and tells when it will be done; ok is false where the queue is full.
func (p *pool) take(now time.Time) (done time.Time, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	first := slices.IndexFunc(p.free, func(t time.Time) bool { return t.Equal(slices.MinFunc(p.free, time.Time.Compare)) })
	start := p.free[first]
	if start.Before(now) {
		start = now
	}
	waiting := int(start.Sub(now)) * len(p.free) / int(p.service) // each worker takes one in every service time
	if waiting > p.queue {
		return done, false
	}
	p.free[first] = start.Add(p.service)
	return p.free[first], true
}

func (p *pool) answer(w http.ResponseWriter, r *http.Request) {
	done, ok := p.take(time.Now())
	if !ok {
		http.Error(w, "limited: the queue is full", http.StatusServiceUnavailable)
		return
	}
	select {
	case <-time.After(time.Until(done)):
		_, _ = fmt.Fprintln(w, "limited")
	case <-r.Context().Done(): // the client is gone
	}
}
