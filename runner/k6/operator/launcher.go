package operator

import (
	"context"
	"fmt"
	"math"
	"os"
	"time"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/engine"
	"github.com/photofinish/photofinish/runner/engine/kubernetes"
	"github.com/photofinish/photofinish/runner/k6"
	"github.com/photofinish/photofinish/runner/k6/stock"
)

// Options of a Launcher.
type Options struct {
	// Spec is the image, how many pods share a heat's load, and what each of them may use.
	Spec race.K6Spec
	// Engine knows the cluster, and the race's namespace in it.
	Engine *kubernetes.Engine
	// Nodes are labels of the nodes on which k6 runs; none for any node.
	Nodes map[string]string
	// Address is that by which pods reach this machine; "" for that which it has for the API server.
	Address string
	// K6 is the built-in one, which packs the script.
	K6 k6.K6
	// PrometheusURL is where the series are read that k6 writes to a heat's RemoteWriteURL.
	PrometheusURL string
	// Say tells a person what goes on beside the race.
	Say func(line string)
}

// The resources of a pod for which the script says none. More pods are the way to more load.
const (
	defaultCPUs   = 1.0
	defaultMemory = int64(1 << 30)
)

// ignored is long: k6-operator sees a TestRun within a second or two.
const ignored = 30 * time.Second

// Launcher runs k6 in pods. It is for one race.
type Launcher struct {
	options   Options
	cluster   *Cluster
	conductor *stock.Conductor
	resources race.Resources
	ignored   time.Duration // how long k6-operator may take to see a TestRun

	// As Prepare found them.
	namespace, address string
	version            stock.Version
}

var _ k6.Launcher = (*Launcher)(nil)

// NewLauncher makes a Launcher. It connects to nothing yet.
func NewLauncher(o Options) (*Launcher, error) {
	cluster, err := New(o.Engine.Config())
	if err != nil {
		return nil, err
	}
	conductor, err := stock.New(o.K6, o.PrometheusURL, o.Say)
	if err != nil {
		return nil, err
	}
	resources := o.Spec.Resources
	if resources.CPUs == nil {
		cpus := defaultCPUs
		resources.CPUs = &cpus
	}
	if resources.Memory == nil {
		memory := defaultMemory
		resources.Memory = &memory
	}
	return &Launcher{options: o, cluster: cluster, conductor: conductor, resources: resources, ignored: ignored}, nil
}

// Prepare makes sure that the cluster has k6-operator, and asks the image which k6 it holds.
func (l *Launcher) Prepare(ctx context.Context, raceID string, say func(string)) (*race.K6, error) {
	var err error
	if l.namespace, err = l.options.Engine.Namespace(ctx, raceID); err != nil {
		return nil, err
	}
	if l.address = l.options.Address; l.address == "" {
		if l.address, err = l.options.Engine.Outward(ctx); err != nil {
			return nil, err
		}
	}
	if err := l.cluster.Ready(ctx, l.namespace); err != nil {
		return nil, err
	}
	image, err := l.ask(ctx, raceID, say)
	if err != nil {
		return nil, err
	}
	return &race.K6{Image: image, Version: l.version.Text, Pods: l.options.Spec.Pods}, nil
}

// Cleanup implements k6.Launcher.
func (l *Launcher) Cleanup(ctx context.Context, raceID string) error {
	return l.options.Engine.Cleanup(ctx, raceID)
}

// Counters are what k6 spends in the heat under way, all its pods together.
func (l *Launcher) Counters(ctx context.Context) (engine.Counters, error) {
	return l.conductor.Counters(ctx)
}

// Launch implements k6.Launcher.
func (l *Launcher) Launch(ctx context.Context, p k6.Part) (k6.Running, error) {
	pods := l.options.Spec.Pods
	if p.Config.Probe { // every lane runs the script once
		pods = 1
	}
	at := stock.Site{
		Version: l.version, Host: l.address, Instances: pods, Elsewhere: true, CPUs: int(math.Ceil(*l.resources.CPUs * float64(pods))),
		Start: func(ctx context.Context, o *stock.Order) (stock.Program, error) { return l.start(ctx, p, pods, o) },
	}
	return l.conductor.Launch(ctx, p, at)
}

func (l *Launcher) start(ctx context.Context, p k6.Part, pods int, o *stock.Order) (stock.Program, error) {
	packed, err := os.ReadFile(o.Archive)
	if err != nil {
		return nil, race.Errorf(race.Unavailable, "", "read the packed script: %w", err)
	}
	run, err := l.cluster.Start(ctx, Spec{
		Namespace: l.namespace, Name: nameOf(p), RaceID: p.Config.RaceID, Archive: packed, Image: l.options.Spec.Image, Parallelism: pods,
		Arguments: o.Arguments, Env: append(o.Env, fmt.Sprint("GOMAXPROCS=", math.Ceil(*l.resources.CPUs))), Nodes: l.options.Nodes, Resources: l.resources,
	})
	if err != nil {
		return nil, err
	}
	program := newProgram(l, run, o)
	go program.follow(ctx)
	return program, nil
}

// nameOf names a TestRun within its race.
func nameOf(p k6.Part) string {
	if p.Config.Probe {
		return fmt.Sprintf("k6-probe-%d", p.Index)
	}
	return fmt.Sprintf("k6-heat-%d-%d", p.Config.Heat, p.Index)
}
