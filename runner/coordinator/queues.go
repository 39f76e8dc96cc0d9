package coordinator

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/audit"
	"github.com/photofinish/photofinish/runner/k6"
	"github.com/photofinish/photofinish/runner/k6/stream"
	"github.com/photofinish/photofinish/runner/queue"
)

// queueTimeout bounds what is asked of the queues between two heats.
const queueTimeout = 30 * time.Second

// workerQueue is where a worker's messages and replies are.
type workerQueue struct {
	stream.Queue
	dead    string // where its messages go that were received too often; "" for nowhere
	letters int64  // that are there
}

// silent says whether a lane is a worker that listens nowhere: it shows that it is ready by an answer.
func (l *laneState) silent() bool { return l.queue != nil && l.spec.Port == 0 }

func (u *run) anySilent() bool { return slices.ContainsFunc(u.inRace(), (*laneState).silent) }

// stream is the lane as k6 is told of it.
func (l *laneState) stream() stream.Lane {
	if l.queue != nil {
		return stream.Lane{App: l.spec.App, Queue: &l.queue.Queue}
	}
	return stream.Lane{App: l.spec.App, URL: l.address}
}

// forEngine is the lane as an engine starts it: a worker is told its queues.
func (l *laneState) forEngine() race.LaneSpec {
	spec := l.spec
	if l.queue == nil {
		return spec
	}
	spec.Env = maps.Clone(spec.Env)
	if spec.Env == nil {
		spec.Env = map[string]string{}
	}
	maps.Copy(spec.Env, k6.LaneEnv(l.stream()))
	return spec
}

// workers are the lanes with queues.
func (u *run) workers() []*laneState {
	return slices.DeleteFunc(slices.Clone(u.lanes), func(l *laneState) bool { return l.spec.Queue == nil })
}

// findQueues finds the queues of all workers and empties them of what an earlier race left.
func (u *run) findQueues(ctx context.Context) (err error) {
	workers := u.workers()
	if len(workers) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, queueTimeout)
	defer cancel()
	if u.queues, err = queue.Connect(ctx, queue.Options{}); err != nil {
		return err
	}
	for _, l := range workers {
		if err := u.findQueue(ctx, l); err != nil {
			return race.Errorf(race.CodeOf(err), race.HintOf(err), "lane %s: %w", l.spec.App, err)
		}
	}
	return u.eachWorker(ctx, func(ctx context.Context, l *laneState) error {
		_, err := u.sweep(ctx, l)
		return err
	})
}

func (u *run) findQueue(ctx context.Context, l *laneState) (err error) {
	q := &workerQueue{}
	if q.Requests, err = u.queues.URL(ctx, l.spec.Queue.Requests); err != nil {
		return err
	}
	if q.Replies, err = u.queues.URL(ctx, l.spec.Queue.Replies); err != nil {
		return err
	}
	if q.dead, err = u.queues.DeadLetters(ctx, q.Requests); err != nil {
		return err
	}
	l.queue = q
	return nil
}

// sweepQueues empties the queues after a heat, so that the next begins with none, and tells the audit what they held. An error says that the race
// cannot go on: it has no queue any more.
func (u *run) sweepQueues(ctx context.Context) error {
	if u.queues == nil {
		return nil
	}
	var seen map[string]audit.LaneHeat
	if n := len(u.heats); n > 0 {
		seen = u.heats[n-1].audit.Lanes
	}
	ctx, cancel := context.WithTimeout(ctx, queueTimeout)
	defer cancel()
	var mu sync.Mutex // of seen
	return u.eachWorker(ctx, func(ctx context.Context, l *laneState) error {
		found, err := u.sweep(ctx, l)
		mu.Lock()
		defer mu.Unlock()
		if heat, ran := seen[l.spec.App]; ran {
			heat.Poison, heat.PoisonReceives, heat.DeadLetters = found.Poison, found.MostReceives, found.letters
			if err != nil {
				heat.QueueLost = err.Error()
			}
			seen[l.spec.App] = heat
		}
		return err
	})
}

// leftover is what a worker's queues held.
type leftover struct {
	queue.Swept
	letters int64 // dead letters that came since the last time
}

// sweep empties both of a worker's queues at once: each is waited at.
func (u *run) sweep(ctx context.Context, l *laneState) (found leftover, err error) {
	var ofReplies error
	var replies sync.WaitGroup
	replies.Go(func() { _, ofReplies = u.queues.Sweep(ctx, l.queue.Replies) })
	found.Swept, err = u.queues.Sweep(ctx, l.queue.Requests)
	replies.Wait()
	if err == nil {
		err = ofReplies
	}
	if err != nil || l.queue.dead == "" {
		return found, err
	}
	n, err := u.queues.Backlog(ctx, l.queue.dead)
	found.letters = max(0, n-l.queue.letters)
	l.queue.letters = n
	return found, err
}

// eachWorker does something with all workers at once: each waits for its queue.
func (u *run) eachWorker(ctx context.Context, do func(context.Context, *laneState) error) error {
	workers := u.workers()
	failed := make([]error, len(workers))
	var wait sync.WaitGroup
	for i, l := range workers {
		wait.Go(func() {
			if err := do(ctx, l); err != nil {
				failed[i] = race.Errorf(race.CodeOf(err), race.HintOf(err), "lane %s: %w", l.spec.App, err)
			}
		})
	}
	wait.Wait()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if i := slices.IndexFunc(failed, func(err error) bool { return err != nil }); i >= 0 {
		return failed[i]
	}
	return nil
}
