// Package docker runs the apps of a race as containers of a Docker Engine: each in a fresh container for every heat, with the lane's limits,
// reached through a port on the loopback interface, in a network that is the race's own.
//
// A container gets as little as its app can do with: no privileges, no mounts of the host, no capabilities unless its image starts as
// root, and a file system that it cannot write but for /tmp and the image's volumes, unless the app turns out to need more.
//
// Nothing survives a race but images. Containers and networks bear the race's id as a label, and the ledger's owner, so that what a killed
// runner left is found by the next one (see Engine.Sweep).
package docker

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/docker/docker/api/types/image"
	"github.com/docker/docker/client"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/cgroup"
	"github.com/photofinish/photofinish/runner/engine"
	"github.com/photofinish/photofinish/runner/images"
	"github.com/photofinish/photofinish/runner/ledger"
)

// DefaultGrace is how long an app may take to end after its stop signal.
const DefaultGrace = 3 * time.Second

const (
	// backAfter is how long a clean-up waits for a Docker Engine that is gone: it ends its containers within ten seconds, or less, and starts in a few.
	backAfter = 15 * time.Second
	tryAgain  = 250 * time.Millisecond
)

// Options of an engine.
type Options struct {
	// ScriptDir is the folder of the k6 script: a build folder and a compose file are relative to it. "" is the working folder.
	ScriptDir string
	// Allowed is what lanes may run and build; nil for everything.
	Allowed *images.Allowed
	// Grace is DefaultGrace if it is 0.
	Grace time.Duration
	// Cgroups is where the containers' counters are read, if this machine is the Docker Engine's own; nil for asking the engine.
	Cgroups *cgroup.Tree
	// Ledger is told which races are run, so that a later Sweep can tell a dead runner's from a living one's; nil for nobody.
	Ledger *ledger.Ledger
	// Client is connected to the Docker Engine; nil for the one that DOCKER_HOST and its like name.
	Client *client.Client
}

// Engine starts containers. It may be used for several races at once.
type Engine struct {
	options Options
	client  *client.Client
	races   engine.Races[*preparedLane, *lane]

	containers sync.Map // box by cgroup, those that run and whose processes are to be seen

	patience atomic.Pointer[time.Time] // when a clean-up that does not succeed is given up; nil before the first that does not
}

var _ engine.Engine = (*Engine)(nil)

// preparedRace is what the lanes of a race have in common.
type preparedRace struct {
	id      string
	daemon  daemon
	say     func(string)
	network string                           // id
	built   map[string]image.InspectResponse // by tag
}

// New makes an engine. It does not connect yet.
func New(o Options) (*Engine, error) {
	if o.Grace == 0 {
		o.Grace = DefaultGrace
	}
	var err error
	if o.ScriptDir, err = filepath.Abs(o.ScriptDir); err != nil {
		return nil, race.Errorf(race.Unavailable, "", "the working folder cannot be found: %w", err)
	}
	if o.Client == nil {
		o.Client, err = client.NewClientWithOpts(client.FromEnv, client.WithAPIVersionNegotiation())
		if err != nil {
			return nil, race.Errorf(race.Unavailable, "check DOCKER_HOST, DOCKER_CERT_PATH and DOCKER_TLS_VERIFY", "Docker's client cannot be set up: %w", err)
		}
	}
	return &Engine{options: o, client: o.Client}, nil
}

// Name is "docker".
func (e *Engine) Name() string { return "docker" }

// Prepare gets the lanes' images, makes sure that the ports are free, and makes the race's network.
func (e *Engine) Prepare(ctx context.Context, raceID string, lanes []race.LaneSpec, say func(string)) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	recipes, err := e.recipes(ctx, lanes) // mistakes are told before anything is waited for
	if err != nil {
		return err
	}
	if len(recipes) > 0 {
		if err := e.reachable(ctx); err != nil {
			return err
		}
	}
	if e.options.Ledger != nil {
		if err := e.options.Ledger.Ensure(raceID); err != nil {
			return err
		}
	}
	p := &preparedRace{id: raceID, say: say, built: map[string]image.InspectResponse{}}
	if p.daemon, err = e.daemon(ctx, raceID); err != nil {
		return err
	}
	ready, facts := map[string]*preparedLane{}, engine.Facts{Versions: map[string]string{e.Name(): p.daemon.info.ServerVersion}, Images: map[string]race.Image{}}
	twice := shared(lanes)
	for _, l := range lanes {
		if l.Elsewhere() {
			continue
		}
		prepared, err := e.prepareLane(ctx, p, l, recipes[l.App], !twice[l.Port])
		if err != nil {
			return err
		}
		ready[l.App], facts.Images[l.App] = prepared, prepared.source
		if unforced := p.daemon.unforced(l.Resources); unforced != "" {
			say(fmt.Sprintf("lane %s: its limits are not in force: %s", l.App, unforced))
		}
	}
	if err := e.races.Add(raceID, ready, facts); err != nil {
		return err
	}
	p.network, err = e.makeNetwork(ctx, raceID) // from here on there is something to clean up
	return err
}

// recipes are those of the lanes that are to be started here, by app.
func (e *Engine) recipes(ctx context.Context, lanes []race.LaneSpec) (map[string]recipe, error) {
	all := map[string]recipe{}
	for _, l := range lanes {
		if l.Elsewhere() {
			continue
		}
		r, err := e.recipe(ctx, l)
		if err != nil {
			return nil, err
		}
		if err := e.allowed(l, r); err != nil {
			return nil, err
		}
		all[l.App] = r
	}
	return all, nil
}

// Start starts a lane that was prepared, in a container of its own.
func (e *Engine) Start(ctx context.Context, raceID string, heat int, spec race.LaneSpec) (engine.Lane, error) {
	return e.races.Start(ctx, raceID, spec, func(p *preparedLane) (*lane, error) {
		l := newLane(e, heat, spec, p)
		return l, l.start(ctx)
	})
}

// Facts are the version of the Docker Engine and the lanes' images.
func (e *Engine) Facts(raceID string) engine.Facts { return e.races.Facts(raceID) }

// Network is what went through the network of a lane's container, by its ContainerName; nil where it is not to be seen.
func (e *Engine) Network(containerName string) []engine.Interface {
	l, _ := e.containers.Load(containerName)
	b, known := l.(*box)
	if !known {
		return nil
	}
	interfaces, err := readNetwork(b.pid)
	if err != nil { // it has just ended
		return nil
	}
	return interfaces
}

// Cleanup ends everything of the race at once, without a grace period, and takes it off the ledger. Images stay.
func (e *Engine) Cleanup(ctx context.Context, raceID string) error {
	if running, known := e.races.Close(raceID); known { // else nothing of it was made here
		for _, l := range running {
			l.BeginStop()
			l.current() // a container that is just being made is made, and found
		}
		if err := e.removeForSure(ctx, raceID); err != nil {
			return errors.Join(err, e.killAll(ctx, raceID)) // and stays on the ledger
		}
		for _, l := range running {
			l.waitEnded(ctx)
		}
		e.races.Remove(raceID)
	}
	if err := e.killAll(ctx, raceID); err != nil || e.options.Ledger == nil {
		return err
	}
	return e.options.Ledger.Remove(raceID)
}

// removeForSure removes what is left of a race, and tries again for a while where that fails: a Docker Engine that is restarted is back in seconds.
// One that is about to end is not asked: it would forget what it removes, and find it again when it is back. Who calls again after that while does
// not wait again.
func (e *Engine) removeForSure(ctx context.Context, raceID string) error {
	for {
		err := e.explain(ctx, e.welcomes(ctx), "remove what is left of race "+raceID)
		if err == nil {
			err = e.remove(ctx, raceID)
		}
		if err == nil || ctx.Err() != nil {
			return err
		}
		until := time.Now().Add(backAfter)
		if !e.patience.CompareAndSwap(nil, &until) {
			until = *e.patience.Load()
		}
		if time.Now().After(until) {
			return fmt.Errorf("%w; the next race of containers does", err)
		}
		select {
		case <-time.After(tryAgain):
		case <-ctx.Done():
		}
	}
}

// Sweep removes the containers and networks of this ledger's owner whose runner is dead. What other owners have is not touched: nobody here
// can tell whether their runners live.
func (e *Engine) Sweep(ctx context.Context) ([]string, error) {
	if e.options.Ledger == nil {
		return nil, nil
	}
	found, err := e.racesOf(ctx, e.options.Ledger.Owner())
	if err != nil {
		return nil, err
	}
	swept := map[string]bool{}
	var errs []error
	for _, id := range found {
		lives, err := e.options.Ledger.Lives(id)
		if err == nil && !lives {
			err = e.sweep(ctx, id)
			swept[id] = err == nil
		}
		errs = append(errs, err)
	}
	maps.DeleteFunc(swept, func(_ string, done bool) bool { return !done })
	return slices.Sorted(maps.Keys(swept)), errors.Join(errs...)
}

func (e *Engine) sweep(ctx context.Context, raceID string) error {
	if err := e.remove(ctx, raceID); err != nil {
		return fmt.Errorf("race %s of a dead runner: %w", raceID, err)
	}
	return e.killAll(ctx, raceID)
}

// killAll ends what is in the race's cgroup and removes it: k6, and where Docker is gone the apps, which live on without it.
func (e *Engine) killAll(ctx context.Context, raceID string) error {
	if e.options.Cgroups == nil {
		return nil
	}
	return e.options.Cgroups.KillAll(ctx, raceID)
}
