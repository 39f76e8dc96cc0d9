// Package process runs the apps of a race as processes of this machine, each in a cgroup of its own where the runner may make cgroups.
// Where it may not, it samples the processes instead and says that the limits are not in force.
//
// Nothing survives a race: a lane ends with everything it forked, the kernel ends the lanes of a runner that was killed, and what they had
// forked is found by the next run (see package ledger and Engine.Sweep).
package process

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"time"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/cgroup"
	"github.com/photofinish/photofinish/runner/engine"
	"github.com/photofinish/photofinish/runner/ledger"
)

// DefaultGrace is how long an app may take to end after SIGTERM.
const DefaultGrace = 3 * time.Second

// stopwatch is k6's group beside the lanes' groups. It holds a dot, so that no lane can have its name.
const stopwatch = "k6.stopwatch"

// Options of an engine.
type Options struct {
	// ScriptDir is the folder of the k6 script: commands with a slash are relative to it, and apps are started in it. "" is the working folder.
	ScriptDir string
	// CacheDir is where sample apps are built; "" is photofinish in the user's cache folder.
	CacheDir string
	// Grace is DefaultGrace if it is 0.
	Grace time.Duration
	// Cgroups is where lanes get their groups; nil for none: limits are not in force then.
	Cgroups *cgroup.Tree
	// Ledger is told which races are run, so that a later Sweep can find what is left; nil for nobody.
	Ledger *ledger.Ledger
}

// Engine starts local processes. It may be used for several races at once.
type Engine struct {
	options Options
	support cgroup.Support
	races   engine.Races[preparedLane, *lane]
}

var _ engine.Engine = (*Engine)(nil)

// preparedLane is what it takes to start a lane in any heat.
type preparedLane struct {
	argv []string
	port int
}

// HostPort implements engine.Ready.
func (p preparedLane) HostPort() int { return p.port }

// New makes an engine.
func New(o Options) (*Engine, error) {
	if o.Grace == 0 {
		o.Grace = DefaultGrace
	}
	var err error
	if o.ScriptDir, err = filepath.Abs(o.ScriptDir); err != nil {
		return nil, race.Errorf(race.Unavailable, "", "the working folder cannot be found: %w", err)
	}
	e := &Engine{options: o, support: cgroup.Support{Version: cgroup.None, Reason: "cgroups are not wanted"}}
	if o.Cgroups != nil {
		e.support = o.Cgroups.Support()
	}
	return e, nil
}

// Name is "process".
func (e *Engine) Name() string { return "process" }

// Prepare resolves the lanes' commands, builds the sample apps among them, and makes sure that the ports are free.
func (e *Engine) Prepare(ctx context.Context, raceID string, lanes []race.LaneSpec, say func(string)) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if e.options.Ledger != nil {
		if err := e.options.Ledger.Ensure(raceID); err != nil {
			return err
		}
	}
	ready := map[string]preparedLane{}
	programs, err := e.programs(ctx, lanes, say)
	if err != nil {
		return err
	}
	taken := map[int]string{}
	for _, l := range lanes {
		if l.Elsewhere() {
			continue
		}
		port, err := engine.ChoosePort(ctx, l)
		if err != nil {
			return err
		}
		if other, twice := taken[port]; twice {
			return race.Errorf(race.Invalid, "give each app a port of its own, or race them as containers", "lanes %s and %s both have port %d", other, l.App, port)
		}
		taken[port] = l.App
		ready[l.App] = preparedLane{argv: append([]string{programs[l.App]}, l.Command[1:]...), port: port}
		if unforced := e.unforced(l.Resources); unforced != "" {
			say(fmt.Sprintf("lane %s: its limits are not in force: %s", l.App, unforced))
		}
	}
	return e.races.Add(raceID, ready, engine.Facts{})
}

// unforced says why limits cannot be put in force; "" if they can.
func (e *Engine) unforced(r race.Resources) string {
	limits := limitsOf(r)
	switch missing := e.support.Missing(limits); {
	case limits == (cgroup.Limits{}):
		return ""
	case e.support.Version == cgroup.None:
		return e.support.Reason
	case len(missing) > 0:
		return fmt.Sprintf("this machine has no cgroup controllers %v", missing)
	}
	return ""
}

func limitsOf(r race.Resources) cgroup.Limits {
	return cgroup.Limits{CPUs: r.CPUs, Memory: r.Memory, CPUSet: r.CPUSet}
}

// Facts are none: local processes are started from what is there.
func (e *Engine) Facts(raceID string) engine.Facts { return e.races.Facts(raceID) }

// Start starts a lane that was prepared.
func (e *Engine) Start(ctx context.Context, raceID string, _ int, spec race.LaneSpec) (engine.Lane, error) {
	return e.races.Start(ctx, raceID, spec, func(p preparedLane) (*lane, error) { return e.startLane(ctx, raceID, spec, p) })
}

func (e *Engine) startLane(ctx context.Context, raceID string, spec race.LaneSpec, prepared preparedLane) (*lane, error) {
	l := newLane(raceID, spec, prepared, e.options.Grace)
	l.enforced = e.unforced(spec.Resources) == ""
	if e.support.Version != cgroup.None {
		limits := limitsOf(spec.Resources)
		g, err := e.options.Cgroups.Create(raceID+"/"+folder(spec.App), limits.Without(e.support.Missing(limits)))
		if err != nil {
			return nil, fmt.Errorf("lane %s: %w", spec.App, err)
		}
		l.group = g
	}
	if err := l.start(ctx, e.options.ScriptDir); err != nil {
		return nil, errors.Join(err, l.free())
	}
	return l, nil
}

// folder is the lane's name among cgroups. Version 1 has its own files of these two names in every group.
func folder(app string) string {
	if app == "tasks" || app == "notify_on_release" {
		return app + ".lane"
	}
	return app
}

// StopwatchGroup makes the group for the k6 process of a race, also of one whose lanes are another engine's; the Cleanup of either ends and
// removes it. ok is false where there are no cgroups. limits that this machine cannot put in force are left out.
func (e *Engine) StopwatchGroup(raceID string, limits cgroup.Limits) (g *cgroup.Group, ok bool, err error) {
	if e.support.Version == cgroup.None {
		return nil, false, nil
	}
	g, err = e.options.Cgroups.Create(raceID+"/"+stopwatch, limits.Without(e.support.Missing(limits)))
	return g, err == nil, err
}

// Cleanup ends everything of the race at once, without a grace period, removes its cgroups and takes it off the ledger.
func (e *Engine) Cleanup(ctx context.Context, raceID string) error {
	running, _ := e.races.Close(raceID)
	e.races.Remove(raceID)
	var errs []error
	for _, l := range running {
		errs = append(errs, l.kill(ctx))
	}
	errs = append(errs, e.end(ctx, raceID))
	if err := errors.Join(errs...); err != nil {
		return err // and stays on the ledger
	}
	if e.options.Ledger == nil {
		return nil
	}
	return e.options.Ledger.Remove(raceID)
}

// end ends what is left of a race, whoever started it.
func (e *Engine) end(ctx context.Context, raceID string) error {
	if e.support.Version != cgroup.None {
		return e.options.Cgroups.KillAll(ctx, raceID)
	}
	return killMarked(ctx, raceID, "")
}

// Sweep ends what the runners on the ledger left that are dead, and takes their races off it.
// Who wants to mark their records asks Ledger.Dead before.
func (e *Engine) Sweep(ctx context.Context) ([]string, error) {
	if e.options.Ledger == nil {
		return nil, nil
	}
	swept := map[string]bool{}
	err := e.options.Ledger.Sweep(func(left ledger.Leftover) error {
		if err := errors.Join(e.end(ctx, left.RaceID), killMarked(ctx, left.RaceID, "")); err != nil {
			return fmt.Errorf("race %s of a dead runner: %w", left.RaceID, err)
		}
		swept[left.RaceID] = true
		return nil
	})
	return slices.Sorted(maps.Keys(swept)), err
}
