package k6

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/k6/stream"
)

// abandonGrace is how long k6 may take to end by itself when the context of its start has ended.
const abandonGrace = 10 * time.Second

// pipeGrace bounds the wait for k6's output after its end, should something else have inherited it.
const pipeGrace = 2 * time.Second

// summaryMode is the environment variable by which k6 is told how to summarise. Its default, compact, counts every sample a second time, for
// a text that nobody prints here; legacy counts once, and handleSummary and --summary-export are given the same either way (k6 v1.8).
const summaryMode = "K6_SUMMARY_MODE"

// Run is one k6 process to be started.
type Run struct {
	Wrapper     string // the module to run
	ConfigPath  string // of the stream.Config
	SummaryPath string // where k6 writes its end-of-test summary; "" for nowhere
	// RaceID and Heat become the tags testid and heat.
	RaceID string
	Heat   int
	// RemoteWriteURL is where k6's own experimental-prometheus-rw output pushes; "" leaves that output out.
	RemoteWriteURL string
	Env            map[string]string // what scripts read in __ENV beside the runner's own environment
	// CPUs is how many k6 uses at once, as GOMAXPROCS; 0 leaves that to Go and the user's environment.
	CPUs      int
	ExtraArgs []string // of `k6 run`
	Outputs   []string // further --out arguments
	// Command makes the command to start, for example in a cgroup; nil is exec.CommandContext. It must not outlive what it starts.
	Command func(ctx context.Context, argv []string) *exec.Cmd
}

// Process is a running k6. All methods may be called concurrently.
type Process struct {
	cmd      *exec.Cmd
	log      *Log
	out, err *Lines
	events   chan stream.Event
	commands *os.File // the runner's end
	done     chan struct{}

	interrupt sync.Once
	mu        sync.Mutex // of commands
	waited    error
}

// Start starts k6 in a process group of its own, so that Ctrl-C in a terminal reaches the runner only. When ctx ends, k6 is interrupted,
// and killed if it has not ended 10 s later. It dies with the runner: Linux is told to kill it when the thread that started it ends,
// and that thread waits for it.
func (k K6) Start(ctx context.Context, r Run) (*Process, error) {
	env := map[string]string{stream.ConfigEnv: r.ConfigPath, summaryMode: "legacy"}
	maps.Copy(env, r.Env)
	if r.CPUs > 0 {
		env[goCPUs] = strconv.Itoa(r.CPUs)
	}
	if r.RemoteWriteURL != "" {
		maps.Copy(env, RemoteWriteEnv(r.RemoteWriteURL))
	}
	// Not killed with ctx: k6 is to tell its result first.
	cmd, err := k.command(context.WithoutCancel(ctx), r.Command, r.args(), env)
	if err != nil {
		return nil, err
	}
	p := &Process{cmd: cmd, log: NewLog(), events: make(chan stream.Event, eventBuffer), done: make(chan struct{})}
	p.out, p.err = p.log.Writer(), p.log.Writer()
	cmd.Stdout, cmd.Stderr, cmd.WaitDelay = p.out, p.err, pipeGrace
	isolate(cmd)
	if err := p.start(); err != nil {
		return nil, race.Errorf(race.Unavailable, "", "k6 cannot be started: %w", err)
	}
	go p.abandon(ctx)
	return p, nil
}

func (r Run) args() []string {
	args := []string{
		"run", "--quiet", "--no-color", "--address=", "--log-output=stderr", "--log-format=json", "--include-system-env-vars",
		"--tag", "testid=" + r.RaceID, "--tag", "heat=" + strconv.Itoa(r.Heat), "--out", "photofinish",
	}
	if r.RemoteWriteURL != "" {
		args = append(args, "--out", "experimental-prometheus-rw")
	}
	for _, out := range r.Outputs {
		args = append(args, "--out", out)
	}
	if r.SummaryPath != "" {
		args = append(args, "--summary-export", r.SummaryPath)
	}
	return append(append(args, r.ExtraArgs...), r.Wrapper)
}

// start starts the command with its pipes, from a thread that lives until k6 has ended.
func (p *Process) start() error {
	eventsOut, eventsIn, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("make a pipe for events: %w", err)
	}
	commandsOut, commandsIn, err := os.Pipe()
	if err != nil {
		return errors.Join(fmt.Errorf("make a pipe for commands: %w", err), eventsOut.Close(), eventsIn.Close())
	}
	p.cmd.ExtraFiles = []*os.File{eventsIn, commandsOut} // stream.EventsFD and stream.CommandsFD
	p.commands = commandsIn
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := p.cmd.Start()
		_ = eventsIn.Close() // k6's ends, of no use here
		_ = commandsOut.Close()
		started <- err
		if err != nil {
			return
		}
		p.waited = p.cmd.Wait()
		p.out.Flush()
		p.err.Flush()
		_ = commandsIn.Close()
		close(p.done)
	}()
	if err := <-started; err != nil {
		return errors.Join(err, eventsOut.Close(), commandsIn.Close())
	}
	go p.read(eventsOut)
	return nil
}

func (p *Process) abandon(ctx context.Context) {
	select {
	case <-p.done:
		return
	case <-ctx.Done():
	}
	_ = p.Interrupt() // an ended process needs no signal
	select {
	case <-p.done:
	case <-time.After(abandonGrace):
		_ = p.Kill()
	}
}

// PID is k6's process id.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Events are what k6 tells, in order; the channel is closed when k6 has ended. A reader that is slow misses progress, but no result.
func (p *Process) Events() <-chan stream.Event { return p.events }

// Go tells k6 when the race part begins.
func (p *Process) Go(raceStart time.Time) error {
	return p.command(stream.Command{RaceStart: raceStart.UnixNano()})
}

// Retire tells k6 to give an app no more load. Apps that it does not know are somebody else's.
func (p *Process) Retire(app string) error { return p.command(stream.Command{Retire: app}) }

func (p *Process) command(c stream.Command) error {
	line, err := json.Marshal(c)
	if err != nil {
		return fmt.Errorf("a command for k6: %w", err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, err := p.commands.Write(append(line, '\n')); err != nil {
		return race.Errorf(race.Unavailable, "", "k6 does not listen any more: %w", err)
	}
	return nil
}

// Interrupt asks k6 to stop and to tell what it has measured. Only the first call does anything: a second signal would make k6 drop all.
func (p *Process) Interrupt() error {
	var err error
	p.interrupt.Do(func() { err = p.signal(syscall.SIGINT) })
	return err
}

// Kill ends k6 and what it started at once.
func (p *Process) Kill() error { return p.signal(syscall.SIGKILL) }

func (p *Process) signal(s syscall.Signal) error {
	select {
	case <-p.done:
		return nil
	default:
	}
	if err := signalGroup(p.cmd.Process, s); err != nil && !errors.Is(err, os.ErrProcessDone) && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("signal k6 (process %d): %w", p.PID(), err)
	}
	return nil
}

// Wait waits for k6's end. The events must be read, or they are lost once the channel is full. It may be called again.
func (p *Process) Wait() (Exit, error) {
	<-p.done
	return exitOf(p.waited, p.cmd.ProcessState, p.log)
}

// Logs is the tail of k6's output, at most 200 lines, as "level=… message".
func (p *Process) Logs() []string { return p.log.Tail() }

// URLReaders names what beside the scenarios read APP_URL in a probe: "setup", "teardown". Such a script needs a k6 process for each lane.
func (p *Process) URLReaders() []string { return p.log.Readers() }
