package docker

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/docker/docker/api/types"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/pkg/stdcopy"

	"github.com/photofinish/photofinish/runner/cgroup"
)

const (
	// drainTimeout bounds the wait for the app's last output.
	drainTimeout = time.Second
	// lostAfter is how long Docker may be silent before a lane is given up: a daemon that is restarted is back within a second or two,
	// but the ports that it forwards are dead meanwhile.
	lostAfter = 3 * time.Second
	// oomPatience is how long Docker may take to learn that the kernel was short of memory: it hears of the process's end by another way.
	oomPatience = 500 * time.Millisecond
	askAgain    = 50 * time.Millisecond
)

// box is one container, from its creation on.
type box struct {
	id      string
	pid     int           // on this machine; 0 where its processes are not to be seen
	group   *cgroup.Group // nil where its cgroup is not to be seen
	ended   <-chan container.WaitResponse
	failed  <-chan error
	output  types.HijackedResponse
	drained chan struct{}
	cancel  context.CancelFunc
}

// ending is how a container ended.
type ending struct {
	code int64
	oom  bool
	lost error // it is not known how, since Docker is gone
}

// open makes and starts a container for the lane.
func (l *lane) open(ctx context.Context) (*box, error) {
	id, err := l.create(ctx)
	if err != nil {
		return nil, err
	}
	b := &box{id: id, drained: make(chan struct{})}
	if err := l.run(ctx, b); err != nil {
		b.close()
		return nil, errors.Join(err, l.engine.removeContainer(context.WithoutCancel(ctx), id))
	}
	return b, nil
}

// run listens to the container and waits for its end before it starts it, so that nothing is missed of an app that ends at once.
func (l *lane) run(ctx context.Context, b *box) (err error) {
	var following context.Context
	following, b.cancel = context.WithCancel(context.WithoutCancel(ctx)) // they outlive the call
	b.output, err = l.engine.client.ContainerAttach(following, b.id, container.AttachOptions{Stream: true, Stdout: true, Stderr: true})
	if err != nil {
		return l.engine.explain(ctx, err, "listen to lane "+l.spec.App)
	}
	go l.listen(b)
	b.ended, b.failed = l.engine.client.ContainerWait(following, b.id, container.WaitConditionNextExit)
	if err := l.engine.client.ContainerStart(ctx, b.id, container.StartOptions{}); err != nil {
		return l.startError(ctx, err)
	}
	state, err := l.engine.client.ContainerInspect(ctx, b.id)
	if err != nil {
		return l.engine.explain(ctx, err, "look at lane "+l.spec.App)
	}
	if state.State != nil {
		l.locate(b, state.State.Pid)
	}
	return nil
}

// listen keeps the tail of the app's output.
func (l *lane) listen(b *box) {
	defer close(b.drained)
	r, w := io.Pipe()
	go func() {
		_, err := stdcopy.StdCopy(w, w, b.output.Reader)
		_ = w.CloseWithError(err) // it never fails
	}()
	l.Output.Read(r)
	_ = r.Close() // it never fails
}

// drain waits for the last output.
func (b *box) drain() {
	select {
	case <-b.drained:
	case <-time.After(drainTimeout):
	}
}

func (b *box) close() {
	b.cancel()
	if b.output.Conn != nil {
		b.output.Close()
	}
}

// await waits for the container's end. Where Docker goes away it is asked again for a while.
func (l *lane) await(b *box) ending {
	select {
	case answer := <-b.ended:
		return l.diagnose(b, answer.StatusCode)
	case err := <-b.failed:
		return l.resume(b, err)
	}
}

// resume finds out whether Docker is gone, or only the connection to it.
func (l *lane) resume(b *box, err error) ending {
	ctx, cancel := context.WithTimeout(context.Background(), lostAfter)
	defer cancel()
	for {
		state, inspectErr := l.engine.client.ContainerInspect(ctx, b.id)
		switch {
		case inspectErr == nil && state.State != nil && state.State.Running: // Docker lets containers live on when it ends, if it is told so (live-restore)
			following, stop := context.WithCancel(context.Background())
			b.cancel() // of the connection that broke
			b.cancel = stop
			b.ended, b.failed = l.engine.client.ContainerWait(following, b.id, container.WaitConditionNotRunning)
			return l.await(b)
		case inspectErr == nil && state.State != nil:
			return ending{lost: l.engine.restarted("lane "+l.spec.App, err)}
		case !unreachable(inspectErr) && ctx.Err() == nil: // it was removed, by Cleanup or by hand
			return ending{code: signalled + 9}
		}
		select {
		case <-ctx.Done():
			return ending{lost: l.engine.explain(context.Background(), errors.Join(err, inspectErr), "follow lane "+l.spec.App)}
		case <-time.After(askAgain):
		}
	}
}

// diagnose says why a container ended with a code.
func (l *lane) diagnose(b *box, code int64) ending {
	end := ending{code: code}
	if l.Stopping() {
		return end
	}
	ctx, cancel := context.WithTimeout(context.Background(), lostAfter)
	defer cancel()
	if err := l.engine.welcomes(ctx); err != nil { // whoever stopped Docker stopped the app
		end.lost = l.engine.restarted("lane "+l.spec.App, err)
		return end
	}
	if code != signalled+9 {
		return end
	}
	for began := time.Now(); ; time.Sleep(askAgain) {
		state, err := l.engine.client.ContainerInspect(ctx, b.id)
		if err != nil || state.State == nil || time.Since(began) > oomPatience {
			return end
		}
		if state.State.OOMKilled {
			end.oom = true
			return end
		}
	}
}
