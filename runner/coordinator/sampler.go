package coordinator

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/photofinish/photofinish/runner/engine"
)

// sampleEvery is how often a lane's counters are read between the boundaries: often enough for a live view and for the
// highest working set, rare enough to cost nothing (a reading takes some 50 microseconds).
const sampleEvery = 250 * time.Millisecond

// Counted is anything that has counters: a lane, or the cgroup in which k6 runs.
type Counted interface {
	Counters(ctx context.Context) (engine.Counters, error)
}

// sampler reads the counters of one lane through a heat: every sampleEvery, and exactly at the boundaries it is told.
type sampler struct {
	source Counted
	wake   chan struct{}
	done   chan struct{}

	mu         sync.Mutex
	boundaries []time.Time // ascending, those still to come
	readings   []engine.Counters
}

// sample starts reading until ctx ends.
func sample(ctx context.Context, source Counted) *sampler {
	s := &sampler{source: source, wake: make(chan struct{}, 1), done: make(chan struct{})}
	go s.run(ctx)
	return s
}

// At asks for a reading at each of the times.
func (s *sampler) At(times ...time.Time) {
	s.mu.Lock()
	s.boundaries = append(s.boundaries, times...)
	slices.SortFunc(s.boundaries, time.Time.Compare)
	s.mu.Unlock()
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Wait returns all readings, ascending, once the sampler's context has ended.
func (s *sampler) Wait() []engine.Counters {
	<-s.done
	return s.readings
}

// Last returns the newest reading and the one about a second before it; ok is false before there are two.
func (s *sampler) Last() (before, last engine.Counters, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := len(s.readings)
	if n < 2 {
		return before, last, false
	}
	last = s.readings[n-1]
	for i := n - 2; i >= 0; i-- {
		before = s.readings[i]
		if last.At.Sub(before.At) >= time.Second {
			break
		}
	}
	return before, last, true
}

func (s *sampler) run(ctx context.Context) {
	defer close(s.done)
	for {
		s.read(ctx)
		timer := time.NewTimer(s.next(time.Now()))
		select {
		case <-ctx.Done():
			timer.Stop()
			s.read(context.WithoutCancel(ctx)) // what was spent up to the end
			return
		case <-s.wake:
			timer.Stop()
		case <-timer.C:
		}
	}
}

// next is how long to sleep: to the next boundary or tick, whichever is first.
func (s *sampler) next(now time.Time) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.boundaries) > 0 && !s.boundaries[0].After(now) {
		s.boundaries = s.boundaries[1:]
	}
	if len(s.boundaries) > 0 {
		return min(sampleEvery, s.boundaries[0].Sub(now))
	}
	return sampleEvery
}

// read takes one reading; a source that is gone adds none, so the last one it gave stands.
func (s *sampler) read(ctx context.Context) {
	c, err := s.source.Counters(ctx)
	if err != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.readings = append(s.readings, c)
}
