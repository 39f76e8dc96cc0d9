package docker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/pkg/stdcopy"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/cgroup"
	"github.com/photofinish/photofinish/runner/engine"
)

// ToolSpec is a container that works for a race without being one of its lanes: the k6 of an image. It gets as little as a lane does: no
// privileges, no capabilities, no mounts of the host, and a file system that it cannot write but for /tmp.
type ToolSpec struct {
	RaceID string
	Name   string // of the container, behind the race's id; also in errors
	Image  string // id
	Args   []string
	Env    []string
	CPUSet string // "" for all
	// Shared lets it have the runner's own network, as a process of the runner has. Lanes, which are strangers, never get that.
	Shared bool
	Stdin  io.ReadCloser // nil for none; it is closed when it was read, or cannot be
	// Stdout and Stderr are written by one goroutine.
	Stdout, Stderr io.Writer
}

// ToolImage finds or pulls the image of a tool, if it may be run here; whose says what it is for.
func (e *Engine) ToolImage(ctx context.Context, whose, name string, say func(string)) (race.Image, error) {
	if err := e.options.Allowed.Run(name); err != nil {
		return race.Image{}, race.Errorf(race.CodeOf(err), race.HintOf(err), "%s: %w", whose, err)
	}
	if err := e.near(ctx); err != nil {
		return race.Image{}, fmt.Errorf("%s: %w", whose, err)
	}
	found, err := e.image(ctx, whose, name, say)
	if err != nil {
		return race.Image{}, err
	}
	return sourceOf(name, found), nil
}

// Tool is a tool at work. All methods may be called concurrently.
type Tool struct {
	engine  *Engine
	spec    ToolSpec
	id      string
	group   *cgroup.Group // nil where its cgroup is not to be seen
	output  types.HijackedResponse
	cancel  context.CancelFunc
	drained chan struct{}
	done    chan struct{}
	code    int64
	err     error

	mu   sync.Mutex
	last engine.Counters
}

// StartTool makes and starts a container.
func (e *Engine) StartTool(ctx context.Context, spec ToolSpec) (*Tool, error) {
	t := &Tool{engine: e, spec: spec, drained: make(chan struct{}), done: make(chan struct{})}
	d, err := e.daemon(ctx, spec.RaceID)
	if err != nil {
		return nil, errors.Join(err, t.closeStdin())
	}
	if err := t.create(ctx, d); err != nil {
		return nil, errors.Join(err, t.closeStdin())
	}
	if err := t.run(ctx, d); err != nil {
		t.close()
		return nil, errors.Join(err, t.closeStdin(), e.removeContainer(context.WithoutCancel(ctx), t.id))
	}
	return t, nil
}

func (t *Tool) closeStdin() error {
	if t.spec.Stdin == nil {
		return nil
	}
	return t.spec.Stdin.Close()
}

func (t *Tool) create(ctx context.Context, d daemon) error {
	config := &container.Config{
		Image: t.spec.Image, Cmd: t.spec.Args, Env: t.spec.Env, Labels: t.engine.labels(t.spec.RaceID),
		AttachStdout: true, AttachStderr: true, AttachStdin: t.spec.Stdin != nil, OpenStdin: t.spec.Stdin != nil, StdinOnce: t.spec.Stdin != nil,
	}
	config.Labels[toolLabel] = t.spec.Name
	host := confined(d, race.Resources{CPUSet: &t.spec.CPUSet})
	if t.spec.Shared {
		host.NetworkMode = t.engine.ownNetwork(ctx)
	}
	made, err := t.engine.client.ContainerCreate(ctx, config, host, nil, nil, fmt.Sprintf("photofinish-%s-%s", t.spec.RaceID, t.spec.Name))
	if err != nil {
		return t.engine.explain(ctx, err, "make a container for "+t.spec.Name)
	}
	t.id = made.ID
	return nil
}

// run connects to the container and waits for its end before it starts it, so that nothing is missed.
func (t *Tool) run(ctx context.Context, d daemon) (err error) {
	var following context.Context
	following, t.cancel = context.WithCancel(context.WithoutCancel(ctx)) // they outlive the call
	t.output, err = t.engine.client.ContainerAttach(following, t.id, container.AttachOptions{Stream: true, Stdin: t.spec.Stdin != nil, Stdout: true, Stderr: true})
	if err != nil {
		return t.engine.explain(ctx, err, "listen to "+t.spec.Name)
	}
	go func() {
		defer close(t.drained)
		_, _ = stdcopy.StdCopy(t.spec.Stdout, t.spec.Stderr, t.output.Reader) // it ends with the container
	}()
	ended, failed := t.engine.client.ContainerWait(following, t.id, container.WaitConditionNextExit)
	if err := t.engine.client.ContainerStart(ctx, t.id, container.StartOptions{}); err != nil {
		if ctx.Err() != nil || unreachable(err) {
			return t.engine.explain(ctx, err, "start "+t.spec.Name)
		}
		return race.Errorf(race.Unavailable, "", "the container of %s cannot be started: %s", t.spec.Name, cause(err))
	}
	if t.spec.Stdin != nil {
		go t.feed()
	}
	if state, err := t.engine.client.ContainerInspect(ctx, t.id); err == nil && state.State != nil {
		t.group = t.engine.cgroupOf(d, t.id, state.State.Pid, cgroup.Limits{})
	}
	go t.await(following, ended, failed)
	return nil
}

// feed hands the tool its input. One that has ended, or whose container was removed, needs no more.
func (t *Tool) feed() {
	_, _ = io.Copy(t.output.Conn, t.spec.Stdin)
	_ = t.output.CloseWrite()
	_ = t.spec.Stdin.Close() // nothing was written
}

func (t *Tool) await(ctx context.Context, ended <-chan container.WaitResponse, failed <-chan error) {
	defer close(t.done)
	select {
	case answer := <-ended:
		t.code = answer.StatusCode
		t.err = t.blame(ctx)
	case err := <-failed:
		t.err = t.engine.explain(ctx, err, "follow "+t.spec.Name)
		return
	}
	select {
	case <-t.drained:
	case <-time.After(drainTimeout):
		t.output.Close() // something else has inherited it
		<-t.drained
	}
}

// blame says that a tool which did not end well was ended by whoever stopped Docker; nil if it was not.
func (t *Tool) blame(ctx context.Context) error {
	if t.code == 0 {
		return nil
	}
	asking, cancel := context.WithTimeout(context.WithoutCancel(ctx), lostAfter)
	defer cancel()
	if err := t.engine.welcomes(asking); err != nil {
		return t.engine.restarted(t.spec.Name, err)
	}
	return nil
}

// Done is closed when the tool has ended and its output was read.
func (t *Tool) Done() <-chan struct{} { return t.done }

// Code is the exit code of a tool that is done: 128 and the number of a signal if that ended it. An error says that Docker is gone.
func (t *Tool) Code() (int, error) { return int(t.code), t.err }

// Signal sends the tool a signal, as "SIGINT". One that has ended needs none.
func (t *Tool) Signal(ctx context.Context, signal string) error {
	err := t.engine.client.ContainerKill(ctx, t.id, signal)
	if errdefs.IsConflict(err) || errdefs.IsNotFound(err) {
		return nil
	}
	return t.engine.explain(ctx, err, "send a signal to "+t.spec.Name)
}

// Remove ends the tool, if it has not ended, and removes its container. It may be called again.
func (t *Tool) Remove(ctx context.Context) error {
	removing, cancel := context.WithTimeout(context.WithoutCancel(ctx), endTimeout)
	defer cancel()
	err := t.engine.removeContainer(removing, t.id)
	t.close()
	return err
}

func (t *Tool) close() {
	t.cancel()
	if t.output.Conn != nil {
		t.output.Close()
	}
}

// Counters are what the tool has spent. After its end it tells what was read last.
func (t *Tool) Counters(ctx context.Context) (engine.Counters, error) {
	c, err := t.count(ctx)
	t.mu.Lock()
	defer t.mu.Unlock()
	if err != nil {
		if t.last.At.IsZero() {
			return c, err
		}
		c = t.last
		c.At = time.Now()
		return c, nil
	}
	t.last = c
	return c, nil
}

func (t *Tool) count(ctx context.Context) (engine.Counters, error) {
	if t.group != nil {
		return t.group.Counters(ctx)
	}
	stats, at, err := t.engine.stats(ctx, t.id, t.spec.Name)
	return engine.Counters{At: at, CPU: time.Duration(stats.CPUStats.CPUUsage.TotalUsage)}, err
}

// RemoveTools removes the containers of a race that are no lanes.
func (e *Engine) RemoveTools(ctx context.Context, raceID string) error {
	return e.removeContainers(ctx, raceID, filters.Arg("label", toolLabel))
}
