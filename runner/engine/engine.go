// Package engine says what it takes to run the apps of a race. Its sub-packages do it: process (local processes in cgroups),
// docker (containers), fake (for tests of faults that real parts cannot be made to show). enginetest holds the one suite that all of them pass.
package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/photofinish/photofinish/pkg/race"
)

// Engine starts apps. Calls for one race come in the order Prepare, then per heat Start for each lane and Stop for each, then Cleanup.
// Start may be called concurrently for different lanes. Every call returns promptly with ctx's error when ctx ends.
type Engine interface {
	// Name is what race.json calls the engine: "process", "docker".
	Name() string
	// Prepare makes ready what the lanes need once per race (builds, images, checks that ports are free); say tells the user what takes long.
	Prepare(ctx context.Context, raceID string, lanes []race.LaneSpec, say func(string)) error
	// Facts tells of a race that was prepared.
	Facts(raceID string) Facts
	// Start starts one lane and returns without waiting for its health.
	Start(ctx context.Context, raceID string, heat int, lane race.LaneSpec) (Lane, error)
	// Cleanup ends and removes everything of the race. It may be called at any time, again and again, also after a failed Prepare.
	Cleanup(ctx context.Context, raceID string) error
	// Sweep ends and removes what dead runners left behind on this machine and returns the ids of their races.
	Sweep(ctx context.Context) ([]string, error)
}

// Lane is a started app. All methods may be called concurrently.
type Lane interface {
	App() string
	// Address is http://host:port where the app listens, without the lane's path.
	Address() string
	// ContainerName is the value by which cAdvisor names the lane (cgroup path or container id); "" if there is none.
	ContainerName() string
	// Counters reads what the app has spent since it was started.
	Counters(ctx context.Context) (Counters, error)
	// Logs is the tail of the app's output, at most LogLines lines.
	Logs() []string
	// Done is closed when the app has ended.
	Done() <-chan struct{}
	// Exit says how the app ended; Reason is race.Running before.
	Exit() race.Exit
	// Stop ends the app (SIGTERM, then SIGKILL after a grace period) and frees what it held. It may be called again and after the app's own end.
	Stop(ctx context.Context) error
}

// ErrDown is in every error whose cause is that the engine itself is gone: no lane can be started, stopped or watched any more.
var ErrDown = errors.New("the engine is down")

// Down is the error, for a person, of an engine that is gone because of err.
func Down(err error, hint, format string, args ...any) error {
	return &race.Error{Code: race.Unavailable, Hint: hint, Message: fmt.Sprintf(format, args...), Err: errors.Join(ErrDown, err)}
}

// Lost says why nothing is known any more of a lane that is done, nil where it simply ended. A lane that can be lost has a method of that name.
func Lost(l Lane) error {
	if lane, can := l.(interface{ Lost() error }); can {
		return lane.Lost()
	}
	return nil
}

// Facts are what a record is to say of how a race is run.
type Facts struct {
	// Versions are those of programs that take part, by their names: "docker": "28.5.2".
	Versions map[string]string
	// Images are what apps are started from, by app.
	Images map[string]race.Image
}

// LogLines bounds the tail of an app's output that is kept, so that a chatty app cannot fill the runner's memory.
const LogLines = 200

// Counters are cumulative since the app's start, but for the gauges WorkingSet and the flag Enforced. A nil pointer is unknown.
type Counters struct {
	At              time.Time
	CPU             time.Duration
	Throttled       *time.Duration // time that tasks waited for the CPU quota; nil where no quota is set
	Periods         *uint64
	ThrottledPeriod *uint64
	WorkingSet      *uint64 // bytes: usage less inactive file cache, as cAdvisor counts it
	NetworkRx       *uint64 // bytes
	NetworkTx       *uint64
	OOMKills        uint64
	// Enforced says whether the lane's limits are in force.
	Enforced bool
}

// Interface is what went through one network interface of a container, cumulative.
type Interface struct {
	Name                                    string
	RxBytes, RxPackets, RxErrors, RxDropped uint64
	TxBytes, TxPackets, TxErrors, TxDropped uint64
}
