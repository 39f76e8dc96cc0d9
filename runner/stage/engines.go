package stage

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/cgroup"
	"github.com/photofinish/photofinish/runner/engine"
	"github.com/photofinish/photofinish/runner/engine/docker"
	"github.com/photofinish/photofinish/runner/engine/kubernetes"
	"github.com/photofinish/photofinish/runner/engine/process"
	"github.com/photofinish/photofinish/runner/images"
	"github.com/photofinish/photofinish/runner/k6/container"
	"github.com/photofinish/photofinish/runner/k6/operator"
	"github.com/photofinish/photofinish/runner/ledger"
)

// Kind is a way to start apps.
type Kind struct {
	// Name is the engine's own: what --engine, the configuration and race.json call it.
	Name string
	// Containers: it starts containers, for each heat new ones.
	Containers bool
	// Starts says whether such an engine can start a lane, or reach it where it already runs.
	Starts func(race.LaneSpec) bool
	// Needs is what such a lane has to have, in words.
	Needs string
	// Allows says whether a lane may be started, as far as that can be told without looking at any file; nil if every lane may.
	Allows func(race.LaneSpec) error
	// Check says whether that is there which a lane is started from, as far as it has to be there before; nil where nobody can tell.
	Check func(scriptDir string, l race.LaneSpec) error
	// K6 makes a k6 of an image, if AllowsK6 lets it; nil where the engine runs no images.
	K6       func(K6Options) (CountedK6, error)
	AllowsK6 func(image string) error
	// Remote: the engine starts apps on other machines than the runner's.
	Remote bool
	// Make makes an engine for one race.
	Make func(EngineOptions) (engine.Engine, error)
	// State says in a few words how the engine stands on this machine; an error is why it cannot be used.
	State func() (string, error)
}

// EngineOptions are what an engine may need to know of a race and its machine.
type EngineOptions struct {
	// ScriptDir is the folder of the k6 script, from which relative paths are taken.
	ScriptDir string
	Cgroups   *cgroup.Tree
	Ledger    *ledger.Ledger
}

// Engines are the kinds of engines that a race may use, the preferred first.
type Engines []Kind

// Process is the kind of engine that starts local processes.
func Process() Kind {
	found := sync.OnceValue(func() cgroup.Support { return cgroup.New().Support() }) // it makes a group to see whether it may
	return Kind{
		Name:   "process",
		Starts: func(l race.LaneSpec) bool { return l.Elsewhere() || len(l.Command) > 0 },
		Needs:  "a command",
		Check: func(scriptDir string, l race.LaneSpec) error {
			e, err := process.New(process.Options{ScriptDir: scriptDir})
			if err != nil {
				return err
			}
			return e.Check(l)
		},
		Make: func(o EngineOptions) (engine.Engine, error) {
			return process.New(process.Options{ScriptDir: o.ScriptDir, Cgroups: o.Cgroups, Ledger: o.Ledger})
		},
		State: func() (string, error) {
			support := found()
			if support.Version == cgroup.None {
				return "limits are not enforced: " + support.Reason, nil
			}
			return "cgroup " + support.Version, nil
		},
	}
}

// Docker is the kind of engine that starts containers of what is allowed; nil for everything.
func Docker(allowed *images.Allowed) Kind {
	return Kind{
		Name: "docker", Containers: true,
		Starts: func(l race.LaneSpec) bool { return l.Elsewhere() || l.Image != "" || l.Build != "" || l.Compose != "" },
		Needs:  "an image, a build folder or a compose service",
		Allows: func(l race.LaneSpec) error {
			switch {
			case l.Elsewhere() || l.Compose != "":
				return nil
			case l.Build != "":
				return allowed.Building()
			}
			return allowed.Run(l.Image)
		},
		Make: func(o EngineOptions) (engine.Engine, error) {
			return docker.New(docker.Options{Allowed: allowed, ScriptDir: o.ScriptDir, Cgroups: o.Cgroups, Ledger: o.Ledger})
		},
		AllowsK6: allowed.Run,
		K6: func(o K6Options) (CountedK6, error) {
			e, err := docker.New(docker.Options{Allowed: allowed, ScriptDir: o.ScriptDir, Cgroups: o.Cgroups, Ledger: o.Ledger})
			if err != nil {
				return nil, err
			}
			return container.New(container.Options{Image: o.Spec.Image, Engine: e, K6: o.BuiltIn, PrometheusURL: o.PrometheusURL, CPUSet: o.CPUSet, Say: o.Say})
		},
		State: func() (string, error) {
			e, err := docker.New(docker.Options{})
			if err != nil {
				return "", err
			}
			return state(e)
		},
	}
}

// Kubernetes is the kind of engine that starts pods of what is allowed, on the cluster that the options name.
func Kubernetes(o kubernetes.Options) Kind {
	return Kind{
		Name:   "kubernetes",
		Remote: true,
		Starts: func(l race.LaneSpec) bool { return l.Elsewhere() || l.Image != "" },
		Needs:  "an image",
		Allows: func(l race.LaneSpec) error {
			if l.Elsewhere() {
				return nil
			}
			return kubernetes.Allows(o.Allowed, l.Image)
		},
		Make:     func(EngineOptions) (engine.Engine, error) { return kubernetes.New(o) },
		AllowsK6: func(image string) error { return kubernetes.Allows(o.Allowed, image) },
		K6: func(k K6Options) (CountedK6, error) {
			e, err := kubernetes.New(o)
			if err != nil {
				return nil, err
			}
			return operator.NewLauncher(operator.Options{
				Spec: k.Spec, Engine: e, Nodes: o.K6Nodes, Address: o.Address, K6: k.BuiltIn, PrometheusURL: k.PrometheusURL, Say: k.Say,
			})
		},
		State: func() (string, error) {
			e, err := kubernetes.New(o)
			if err != nil {
				return "", err
			}
			return state(e)
		},
	}
}

// Place notes of lanes whether they are on other machines than the runner's, so that nobody plans with this machine's CPUs.
func (k Kind) Place(lanes []race.LaneSpec) {
	for i := range lanes {
		lanes[i].Remote = k.Remote && !lanes[i].Elsewhere()
	}
}

// stateTimeout bounds the wait for an engine's state: who asks for the runner's health waits for it.
const stateTimeout = 2 * time.Second

func state(e interface {
	State(ctx context.Context) (string, error)
},
) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), stateTimeout)
	defer cancel()
	return e.State(ctx)
}

// Names are the engines' names.
func (e Engines) Names() []string {
	var names []string
	for _, k := range e {
		names = append(names, k.Name)
	}
	return names
}

// Choose finds the kind of engine for a race's lanes: the named one, or where none is named the first that can start them all.
func (e Engines) Choose(name string, lanes []race.LaneSpec) (Kind, error) {
	if name != "" {
		i := slices.IndexFunc(e, func(k Kind) bool { return k.Name == name })
		if i < 0 {
			return Kind{}, race.Errorf(race.Invalid, "choose one of: "+strings.Join(e.Names(), ", "), "engine %q is not known here", name).At("engine")
		}
		if err := e[i].startsAll(lanes); err != nil {
			return e[i], err
		}
		return e[i], e[i].allow(lanes)
	}
	for _, k := range e {
		if !slices.ContainsFunc(lanes, func(l race.LaneSpec) bool { return !k.Starts(l) }) {
			return k, k.allow(lanes)
		}
	}
	for _, l := range lanes {
		if !slices.ContainsFunc(e, func(k Kind) bool { return k.Starts(l) }) {
			return Kind{}, race.Errorf(race.Invalid, "give the lane a command, or let an engine be configured that can start it",
				"lane %s cannot be started by the engines here: %s", l.App, strings.Join(e.Names(), ", "))
		}
	}
	return Kind{}, race.Errorf(race.Invalid, "give all lanes a command, or all an image",
		"no single engine here can start all lanes; the engines are %s", strings.Join(e.Names(), ", "))
}

// startsAll says which lane the engine cannot start.
func (k Kind) startsAll(lanes []race.LaneSpec) error {
	for _, l := range lanes {
		if !k.Starts(l) {
			return race.Errorf(race.Invalid, "choose another engine, or give the lane "+k.Needs,
				"lane %s cannot be started by the engine %s: it has %s, and that engine needs %s", l.App, k.Name, has(l), k.Needs).At("engine")
		}
	}
	return nil
}

// has names the ways to start a lane that it has.
func has(l race.LaneSpec) string {
	var ways []string
	for _, way := range []struct {
		name  string
		given bool
	}{{"a command", len(l.Command) > 0}, {"an image", l.Image != ""}, {"a build folder", l.Build != ""}, {"a compose service", l.Compose != ""}} {
		if way.given {
			ways = append(ways, way.name)
		}
	}
	if len(ways) == 0 {
		return "none"
	}
	return strings.Join(ways, " and ")
}

// allow says which of the lanes, that the engine can all start, may not be started.
func (k Kind) allow(lanes []race.LaneSpec) error {
	if k.Allows == nil {
		return nil
	}
	for _, l := range lanes {
		if err := k.Allows(l); err != nil {
			return race.Errorf(race.CodeOf(err), race.HintOf(err), "lane %s: %w", l.App, err)
		}
	}
	return nil
}

// Check says which lane the engine of a name could not start, since what it is started from is not there.
func (e Engines) Check(name, scriptDir string, lanes []race.LaneSpec) error {
	i := slices.IndexFunc(e, func(k Kind) bool { return k.Name == name })
	if i < 0 || e[i].Check == nil {
		return nil
	}
	for _, l := range lanes {
		if err := e[i].Check(scriptDir, l); err != nil {
			return err
		}
	}
	return nil
}

// Containers says whether the engine of a name starts containers.
func (e Engines) Containers(name string) bool {
	return slices.ContainsFunc(e, func(k Kind) bool { return k.Name == name && k.Containers })
}
