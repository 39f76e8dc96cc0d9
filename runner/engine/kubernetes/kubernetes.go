// Package kubernetes runs the apps of a race on a Kubernetes cluster: a namespace for each race, and in it for each lane a Service, which lives
// as long as the race, and a Deployment with one pod, which is made anew for every heat.
//
// A pod gets as little as its app can do with: requests that are its limits (so that the node has room for them), no service account's token, no
// privileges, no capabilities, a file system that it cannot write but for /tmp. A rehearsal before the first heat starts every lane once: then
// its image is pulled, what keeps it from starting is told before anything is measured, and an app that needs more gets it.
//
// Nothing survives a race: everything is in its namespace, which bears the race's label, and a Lease that the runner renews as long as it lives,
// so that any other runner finds what a dead one left (see Engine.Sweep).
package kubernetes

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/engine"
	"github.com/photofinish/photofinish/runner/images"
)

// DefaultGrace is how long an app may take to end after SIGTERM. Kubernetes knows whole seconds only.
const DefaultGrace = 3 * time.Second

// Options of an engine.
type Options struct {
	// Config is how the API server is reached; nil for the file that KUBECONFIG names, ~/.kube/config, or the pod's own service account.
	Config *rest.Config
	// Allowed is what lanes may run; nil for everything.
	Allowed *images.Allowed
	// Nodes are labels of the nodes on which apps run, K6Nodes of those for the pods of k6; none for any node.
	Nodes, K6Nodes map[string]string
	// Address is that by which pods reach this machine; "" for the one that Engine.Outward finds.
	Address string
	// KubeletInsecureTLS takes any certificate of a kubelet's: by default they sign their own. Whoever pretends to be one gets the runner's token.
	KubeletInsecureTLS bool
	// AskKubelets is how often a kubelet is asked at most, once a second if it is 0. An answer is some hundred kilobytes of a node's CPU time, and
	// cAdvisor counts every ten seconds or so by itself.
	AskKubelets time.Duration
	// Grace is DefaultGrace if it is 0.
	Grace time.Duration
	// Patience is how long the API server may be gone before the race is given up, 30 s if it is 0: one that is replaced is back sooner.
	Patience time.Duration
	// Lease is how long a runner may be silent before others take it for dead, a minute if it is 0.
	Lease time.Duration
}

// Engine starts pods. It may be used for several races at once.
type Engine struct {
	options Options
	config  *rest.Config
	client  kubernetes.Interface
	races   engine.Races[*preparedLane, *lane]
	kubelet kubelets

	mu    sync.Mutex
	lives map[string]func() // ends the heartbeat of a race
}

var _ engine.Engine = (*Engine)(nil)

// New makes an engine. It does not connect yet.
func New(o Options) (*Engine, error) {
	if o.Grace == 0 {
		o.Grace = DefaultGrace
	}
	if o.AskKubelets == 0 {
		o.AskKubelets = time.Second
	}
	if o.Patience == 0 {
		o.Patience = 30 * time.Second
	}
	if o.Lease == 0 {
		o.Lease = time.Minute
	}
	config, err := connection(o.Config)
	if err != nil {
		return nil, err
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, race.Errorf(race.Unavailable, "check the file that KUBECONFIG names", "the client of Kubernetes cannot be set up: %w", err)
	}
	return &Engine{options: o, config: config, client: client, kubelet: kubelets{client: client, config: config, insecure: o.KubeletInsecureTLS, every: o.AskKubelets}, lives: map[string]func(){}}, nil
}

// Name is "kubernetes".
func (e *Engine) Name() string { return "kubernetes" }

// State says in a few words how the API server answers.
func (e *Engine) State(ctx context.Context) (string, error) {
	version, err := e.version(ctx)
	if err != nil {
		return "", err
	}
	return "Kubernetes " + version + " at " + e.config.Host, nil
}

// Prepare makes the race's namespace with a Service for each lane, and starts every lane once.
func (e *Engine) Prepare(ctx context.Context, raceID string, lanes []race.LaneSpec, say func(string)) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	var own []race.LaneSpec
	for _, l := range lanes {
		if l.Elsewhere() {
			continue
		}
		if err := e.check(l); err != nil {
			return err
		}
		own = append(own, l)
	}
	version, err := e.version(ctx)
	if err != nil {
		return err
	}
	of := &preparedRace{id: raceID, namespace: namespaceOf(raceID), say: say}
	ready, facts := map[string]*preparedLane{}, engine.Facts{Versions: map[string]string{e.Name(): version}, Images: map[string]race.Image{}}
	for _, l := range own {
		ready[l.App] = &preparedLane{race: of, name: objectOf(l.App), port: portOf(l)}
	}
	if err := e.races.Add(raceID, ready, facts); err != nil || len(own) == 0 {
		return err
	}
	if err := e.settle(ctx, of); err != nil { // from here on there is something to clean up
		return err
	}
	for _, l := range own {
		if err := e.makeService(ctx, ready[l.App], l); err != nil {
			return err
		}
	}
	if err := e.rehearse(ctx, ready, own); err != nil {
		return err
	}
	for app, p := range ready {
		facts.Images[app] = p.image
	}
	return nil
}

// Start starts a lane that was prepared, in a pod of its own.
func (e *Engine) Start(ctx context.Context, raceID string, heat int, spec race.LaneSpec) (engine.Lane, error) {
	return e.races.Start(ctx, raceID, spec, func(p *preparedLane) (*lane, error) { return e.start(ctx, heat, spec, p) })
}

func (e *Engine) start(ctx context.Context, heat int, spec race.LaneSpec, p *preparedLane) (*lane, error) {
	l := newLane(e, heat, spec, p)
	return l, l.start(ctx)
}

// Facts are the version of Kubernetes and the lanes' images.
func (e *Engine) Facts(raceID string) engine.Facts { return e.races.Facts(raceID) }

// Group is none: the containers of a cluster are not below a cgroup of this machine's.
func (e *Engine) Group(context.Context, string) (string, error) { return "", nil }

// Network is nil: the kubelet counts it.
func (e *Engine) Network(string) []engine.Interface { return nil }

// Cleanup removes the namespace of the race, with all that is in it, and waits until it is gone.
func (e *Engine) Cleanup(ctx context.Context, raceID string) error {
	running, known := e.races.Close(raceID)
	if !known {
		return nil // nothing of it was made here
	}
	for _, l := range running {
		l.BeginStop()
	}
	e.stopBeating(raceID)
	if err := e.removeNamespace(ctx, namespaceOf(raceID)); err != nil {
		return err
	}
	for _, l := range running {
		_ = l.waitGone(ctx) // its namespace is gone
	}
	e.races.Remove(raceID)
	return nil
}

// Sweep removes the namespaces of races whose runner has not renewed its lease, whichever machine it ran on.
func (e *Engine) Sweep(ctx context.Context) ([]string, error) {
	left, err := e.abandoned(ctx)
	if err != nil {
		return nil, err
	}
	var swept []string
	var errs []error
	for _, ns := range left {
		if err := e.removeNamespace(ctx, ns.Name); err != nil {
			errs = append(errs, fmt.Errorf("race %s of a dead runner: %w", ns.Annotations[raceLabel], err))
			continue
		}
		swept = append(swept, ns.Annotations[raceLabel])
	}
	return swept, errors.Join(errs...)
}
