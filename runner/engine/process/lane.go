package process

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"syscall"
	"time"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/cgroup"
	"github.com/photofinish/photofinish/runner/engine"
)

const (
	// endTimeout bounds the wait for a process that was sent SIGKILL.
	endTimeout = 10 * time.Second
	// drainTimeout bounds the wait for the app's last output, in case the output was handed to somebody who lives on.
	drainTimeout = 500 * time.Millisecond
)

// The variables that mark the processes of a lane, so that they are found where there are no cgroups.
const (
	raceMark = "PHOTOFINISH_RACE"
	laneMark = "PHOTOFINISH_LANE"
)

// lane is a running app.
type lane struct {
	*engine.Life
	raceID   string
	spec     race.LaneSpec
	argv     []string
	port     int
	grace    time.Duration
	group    *cgroup.Group // nil without cgroups
	enforced bool
	family   *family // without cgroups
	pid      int
}

var _ engine.Lane = (*lane)(nil)

func newLane(raceID string, spec race.LaneSpec, p preparedLane, grace time.Duration) *lane {
	return &lane{Life: engine.NewLife(), raceID: raceID, spec: spec, argv: p.argv, port: p.port, grace: grace}
}

// start starts the process in dir, and returns once it runs.
func (l *lane) start(ctx context.Context, dir string) error {
	ctx = context.WithoutCancel(ctx) // the app outlives the call
	var cmd *exec.Cmd
	if l.group != nil {
		cmd = l.group.Command(ctx, l.argv)
	} else {
		cmd = exec.CommandContext(ctx, l.argv[0], l.argv[1:]...) //nolint:gosec // running what the user asks for is the purpose
	}
	cmd.Dir, cmd.Env = dir, l.env(os.Getenv)
	isolate(cmd)
	output, input, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("lane %s: %w", l.spec.App, err)
	}
	cmd.Stdout, cmd.Stderr = input, input
	started := make(chan error)
	go l.run(cmd, output, started) //nolint:gosec,contextcheck // it outlives the call, and ctx with it
	err = <-started
	_ = input.Close() // the app has its own
	if err != nil {
		_ = output.Close()
		return race.Errorf(race.Unavailable, "", "lane %s: cannot start %s: %w", l.spec.App, l.argv[0], err)
	}
	return nil
}

// run starts the process and waits for its end. The kernel ends a process together with the thread that forked it, not with the runner
// (PR_SET_PDEATHSIG), so that thread is kept.
func (l *lane) run(cmd *exec.Cmd, output *os.File, started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := cmd.Start(); err != nil {
		started <- err
		return
	}
	l.pid = cmd.Process.Pid
	if l.group == nil {
		l.family = newFamily(l.pid)
	}
	drained := make(chan struct{})
	go func() { defer close(drained); l.Output.Read(output) }()
	started <- nil
	_ = cmd.Wait() // what it says is read from ProcessState
	at := time.Now().UTC()
	exit := l.reason(cmd.ProcessState)
	exit.At = &at
	ending, cancel := context.WithTimeout(context.Background(), endTimeout)
	defer cancel()
	_ = l.killRest(ending) // Stop and Cleanup try again, and tell
	select {
	case <-drained:
	case <-time.After(drainTimeout):
	}
	_ = output.Close()
	l.Spend(l.final(ending, cmd.ProcessState))
	l.End(exit, nil)
}

// reason says how the app ended.
func (l *lane) reason(state *os.ProcessState) race.Exit {
	e := race.Exit{}
	status, _ := state.Sys().(syscall.WaitStatus)
	if status.Exited() {
		code := status.ExitStatus()
		e.Code = &code
	}
	switch {
	case l.Stopping():
		e.Reason = race.Stopped
	case status.Signaled() && status.Signal() == syscall.SIGKILL && l.oomKills() > 0:
		e.Reason = race.OOM
	case status.Signaled():
		e.Reason = race.Killed
	default:
		e.Reason = race.Exited
	}
	return e
}

func (l *lane) oomKills() uint64 {
	if l.group == nil {
		return 0
	}
	c, err := l.group.Counters(context.Background())
	if err != nil {
		return 0
	}
	return c.OOMKills
}

// final reads the counters at the app's end.
func (l *lane) final(ctx context.Context, state *os.ProcessState) engine.Counters {
	if l.group != nil {
		if c, err := l.group.Counters(ctx); err == nil {
			c.WorkingSet = nil // nothing is left of it
			return c
		}
	}
	return engine.Counters{CPU: max(l.family.last(), state.UserTime()+state.SystemTime())}
}

// env is the app's environment: nothing of the runner's but what programs cannot do without.
func (l *lane) env(get func(string) string) []string {
	var env []string
	for _, name := range []string{"PATH", "HOME", "TMPDIR", "LANG"} {
		if v := get(name); v != "" {
			env = append(env, name+"="+v)
		}
	}
	env = append(append(env, "HOST=127.0.0.1"), engine.QueueEnv(l.spec, get, true)...)
	for name, v := range l.spec.Env {
		env = append(env, name+"="+v)
	}
	return append(env, "PORT="+strconv.Itoa(l.port), raceMark+"="+l.raceID, laneMark+"="+l.spec.App)
}

// App is the lane's name.
func (l *lane) App() string { return l.spec.App }

// Address is on the loopback interface, where the app is told to listen.
func (l *lane) Address() string { return "http://127.0.0.1:" + strconv.Itoa(l.port) }

// ContainerName is the lane's cgroup.
func (l *lane) ContainerName() string {
	if l.group == nil {
		return ""
	}
	return l.group.Path()
}

// Counters reads the cgroup, or samples the processes. After the app's end it tells what the app had spent.
func (l *lane) Counters(ctx context.Context) (engine.Counters, error) {
	if err := ctx.Err(); err != nil {
		return engine.Counters{}, err
	}
	if l.Ended() {
		return l.total(), nil
	}
	var c engine.Counters
	var err error
	if l.group != nil {
		c, err = l.group.Counters(ctx)
	} else {
		c, err = l.family.counters(ctx)
	}
	if err != nil && l.Ended() {
		return l.total(), nil
	}
	c.Enforced = l.enforced
	return c, err
}

func (l *lane) total() engine.Counters {
	c := l.Spent()
	c.At, c.Enforced = time.Now(), l.enforced
	return c
}

// Stop asks the app's process group to end, ends it after the grace period or when ctx ends, and removes its cgroup.
func (l *lane) Stop(ctx context.Context) error {
	if l.BeginStop() {
		_ = syscall.Kill(-l.pid, syscall.SIGTERM) // it may just have ended
		select {
		case <-l.Done():
		case <-time.After(l.grace):
		case <-ctx.Done():
		}
	}
	err := l.kill(context.WithoutCancel(ctx))
	return errors.Join(err, context.Cause(ctx))
}

// kill ends the app with everything that it forked, and frees what it held.
func (l *lane) kill(ctx context.Context) error {
	l.BeginStop()
	if err := l.killRest(ctx); err != nil {
		return fmt.Errorf("lane %s: %w", l.spec.App, err)
	}
	select {
	case <-l.Done():
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(endTimeout):
		return race.Errorf(race.Unavailable, "end it by hand", "lane %s: process %d does not end", l.spec.App, l.pid)
	}
	return l.free()
}

// killRest ends all processes of the lane.
func (l *lane) killRest(ctx context.Context) error {
	if !l.Ended() { // afterwards the process group's number may be somebody else's
		_ = syscall.Kill(-l.pid, syscall.SIGKILL)
	}
	if l.group != nil {
		return l.group.Kill(ctx)
	}
	return killMarked(ctx, l.raceID, l.spec.App)
}

// free removes the cgroup. It may be called again.
func (l *lane) free() error {
	if l.group != nil {
		if err := l.group.Remove(); err != nil {
			return fmt.Errorf("lane %s: %w", l.spec.App, err)
		}
	}
	l.Free()
	return nil
}
