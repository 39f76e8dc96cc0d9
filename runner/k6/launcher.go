package k6

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/k6/stream"
)

// Launcher starts k6 on the heats of a race: Local does it with the k6 that is built in, package container with one from an image. Calls
// for one race come in the order Prepare, Launch for each part of a probe or heat, Cleanup.
type Launcher interface {
	// Prepare gets k6 ready; say tells the user what takes long. It tells which k6 that is, nil for the one that is built in.
	Prepare(ctx context.Context, raceID string, say func(string)) (*race.K6, error)
	// Launch starts k6. When ctx ends, k6 is interrupted, and killed if it does not end.
	Launch(ctx context.Context, p Part) (Running, error)
	// Cleanup ends and removes everything of the race. It may be called at any time, again and again.
	Cleanup(ctx context.Context, raceID string) error
}

// Part is what one k6 is to do of a heat or of a probe.
type Part struct {
	Definition race.Definition
	Config     stream.Config // with the lanes that are this k6's
	Index      int           // among those of the heat
	// PerLane: the script reads APP_URL where k6 does not know lanes yet, so this k6 has one, whose address it is told.
	PerLane bool
	// Requests is how many an iteration makes, as the probe counted.
	Requests float64
}

// Running is a k6 at work. All methods may be called concurrently.
type Running interface {
	// Events are what k6 tells, or what is found out about it, in order: Started, Progress while it races, Result. The channel is closed
	// when k6 has ended.
	Events() <-chan stream.Event
	// Go tells k6 when the race part begins, in answer to Started.
	Go(raceStart time.Time) error
	// Retire asks k6 to give an app no more load. An error says that it cannot.
	Retire(app string) error
	// Interrupt asks k6 to stop and to tell what it has measured.
	Interrupt() error
	// Kill ends k6 at once.
	Kill() error
	// Wait waits for k6's end, once the events have been read.
	Wait() (Exit, error)
	// Logs is the tail of k6's output.
	Logs() []string
	// URLReaders names what beside the scenarios read APP_URL in a probe.
	URLReaders() []string
	// Notes are what a person should know of how the script's wishes were changed.
	Notes() []string
	// CPUs is how many CPUs k6 is held to; 0 is none.
	CPUs() int
	// Summary is k6's own end-of-test summary, once it has ended.
	Summary() (Summary, error)
}

// Apps are the apps of a part, in the order of its lanes.
func (p Part) Apps() []string {
	var apps []string
	for _, l := range p.Config.Lanes {
		apps = append(apps, l.App)
	}
	return apps
}

// Env are the variables that the script is told beside the user's own.
func (p Part) Env() map[string]string {
	if !p.PerLane {
		return nil
	}
	return LaneEnv(p.Config.Lanes[0])
}

// Folder makes the folder for the part's files.
func (p Part) Folder(workDir string) (string, error) {
	name := fmt.Sprintf("heat-%d-%d", p.Config.Heat, p.Index)
	if p.Config.Probe {
		name = fmt.Sprintf("probe-%d", p.Index)
	}
	dir := filepath.Join(workDir, name)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", race.Errorf(race.Unavailable, "", "cannot make a working folder for k6: %w", err)
	}
	return dir, nil
}

// Local launches the k6 that is built in, as a process.
type Local struct {
	K6
	// Command makes the command to start, for example in a cgroup; nil is exec.CommandContext.
	Command func(ctx context.Context, argv []string) *exec.Cmd
}

var _ Launcher = Local{}

// Prepare implements Launcher: there is nothing to get ready.
func (Local) Prepare(context.Context, string, func(string)) (*race.K6, error) { return nil, nil } //nolint:nilnil // nil is the k6 that is built in

// Cleanup implements Launcher: a process dies with the runner, and the working folder is the caller's.
func (Local) Cleanup(context.Context, string) error { return nil }

// Launch implements Launcher.
func (l Local) Launch(ctx context.Context, p Part) (Running, error) {
	dir, err := p.Folder(l.WorkDir)
	if err != nil {
		return nil, err
	}
	files, err := WriteHeat(dir, p.Definition, p.Config, HeatOptions{Requests: p.Requests})
	if err != nil {
		return nil, err
	}
	r := &local{heat: files, summary: filepath.Join(dir, "summary.json")}
	r.Process, err = l.Start(ctx, Run{
		Wrapper: files.Wrapper, ConfigPath: files.Config, SummaryPath: r.summary, RaceID: p.Config.RaceID, Heat: p.Config.Heat,
		RemoteWriteURL: p.Config.RemoteWriteURL, CPUs: files.CPUs, Env: p.Env(), Command: l.Command,
	})
	if err != nil {
		return nil, err
	}
	return r, nil
}

// local is a process of the k6 that is built in.
type local struct {
	*Process
	heat    Heat
	summary string // the file that k6 writes at its end
}

// Notes implements Running.
func (l *local) Notes() []string { return l.heat.Notes }

// CPUs implements Running.
func (l *local) CPUs() int { return l.heat.CPUs }

// Summary implements Running.
func (l *local) Summary() (Summary, error) { return l.heat.ReadSummary(l.summary) }
