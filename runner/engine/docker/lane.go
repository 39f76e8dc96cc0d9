package docker

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"time"

	"github.com/containerd/errdefs"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/engine"
)

// endTimeout bounds the wait for a container that is being removed.
const endTimeout = 10 * time.Second

// lane is a started app.
type lane struct {
	*engine.Life
	engine   *Engine
	race     *preparedRace
	heat     int
	spec     race.LaneSpec
	prepared *preparedLane
	enforced bool

	// changing is held while the app's container is made, or made again.
	changing sync.Mutex
	box      *box
}

var _ engine.Lane = (*lane)(nil)

func newLane(e *Engine, heat int, spec race.LaneSpec, prepared *preparedLane) *lane {
	return &lane{
		Life: engine.NewLife(), engine: e, race: prepared.race, heat: heat, spec: spec, prepared: prepared,
		enforced: prepared.race.daemon.unforced(spec.Resources) == "",
	}
}

func (l *lane) start(ctx context.Context) error {
	l.changing.Lock()
	defer l.changing.Unlock()
	b, err := l.open(ctx)
	if err != nil {
		return err
	}
	l.box = b
	go l.follow(b) //nolint:contextcheck // it outlives the call, and ctx with it
	return nil
}

// follow waits for the app's end.
func (l *lane) follow(b *box) {
	for b != nil {
		end := l.await(b)
		b.drain()
		again := l.again(b, end)
		if again == nil {
			l.finish(b, end)
		}
		b = again
	}
}

// again starts an app in another container if it ended because it could not write to its file system. A nil box means it has ended for good.
func (l *lane) again(b *box, end ending) *box {
	l.changing.Lock()
	defer l.changing.Unlock()
	if end.lost != nil || end.code == 0 || l.Stopping() || !l.wantsToWrite() {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), endTimeout)
	defer cancel()
	if err := l.engine.removeContainer(ctx, b.id); err != nil {
		return nil
	}
	l.engine.forget(b)
	b.close()
	l.prepared.writable.Store(true)
	next, err := l.open(ctx)
	if err != nil {
		l.Output.Add(err.Error())
		return nil
	}
	l.race.say("lane " + l.spec.App + ": its file system is left writable, since the app does not start without")
	l.box = next
	return next
}

// wantsToWrite says whether the app complained of a file system that it cannot write.
func (l *lane) wantsToWrite() bool {
	return !l.prepared.writable.Load() && engine.ReadOnlyComplaint(l.Logs())
}

// finish records how the app ended.
func (l *lane) finish(b *box, end ending) {
	exit := race.Exit{Reason: l.reason(end)}
	if code := int(end.code); end.lost == nil && code < signalled {
		exit.Code = &code
	}
	l.engine.forget(b)
	b.close()
	l.End(exit, end.lost)
}

// signalled and above are the codes of processes that a signal ended: 128 and its number.
const signalled = 128

func (l *lane) reason(end ending) race.ExitReason {
	switch {
	case l.Stopping():
		return race.Stopped
	case end.oom:
		return race.OOM
	case end.lost != nil || end.code > signalled:
		return race.Killed
	}
	return race.Exited
}

// App is the lane's name.
func (l *lane) App() string { return l.spec.App }

// Address is on the loopback interface, where the container's port is published.
func (l *lane) Address() string { return "http://" + loopback + ":" + strconv.Itoa(l.prepared.host) }

// ContainerName is the container's cgroup where this process sees it, else its id.
func (l *lane) ContainerName() string {
	b := l.current()
	if b.group != nil {
		return b.group.Path()
	}
	return b.id
}

// Stop asks the app to end, ends it after the grace period or when ctx ends, and removes its container.
func (l *lane) Stop(ctx context.Context) error {
	if l.Freed() {
		return context.Cause(ctx)
	}
	if l.BeginStop() {
		_, _ = l.Counters(ctx) // what the app spent is gone with its container
		l.ask(ctx)
	}
	b := l.current()
	if !l.prepared.writable.Load() && engine.ReadOnlyComplaint(l.Logs()) {
		l.prepared.writable.Store(true)
		l.race.say("lane " + l.spec.App + ": its file system is left writable from the next heat on, since the app tries to write to it")
	}
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), endTimeout)
	defer cancel()
	err := l.engine.removeContainer(ending, b.id)
	if err == nil {
		l.waitEnded(ending)
		l.Free()
	}
	return errors.Join(err, context.Cause(ctx))
}

// ask sends the stop signal and gives the app its time.
func (l *lane) ask(ctx context.Context) {
	err := l.engine.client.ContainerKill(ctx, l.current().id, l.prepared.stopSignal)
	if err != nil && !errdefs.IsConflict(err) { // it cannot be asked; a conflict says that it has just ended
		return
	}
	select {
	case <-l.Done():
	case <-time.After(l.engine.options.Grace):
	case <-ctx.Done():
	}
}

// waitEnded waits until the end has been noticed.
func (l *lane) waitEnded(ctx context.Context) {
	select {
	case <-l.Done():
	case <-ctx.Done():
	case <-time.After(endTimeout):
	}
}

// current is the container that the app is in now.
func (l *lane) current() *box {
	l.changing.Lock()
	defer l.changing.Unlock()
	return l.box
}
