package kubernetes

import (
	"context"
	"errors"
	"maps"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/engine"
)

// endTimeout bounds the wait for a pod that is being removed, beyond its grace period: its node may be slow, or gone.
const endTimeout = 30 * time.Second

// lane is a started app.
type lane struct {
	engine   *Engine
	heat     int
	spec     race.LaneSpec
	prepared *preparedLane
	logs     engine.Tail

	done    chan struct{} // closed when the app has ended, or nothing is known of it any more
	gone    chan struct{} // closed when nobody follows the pod any more: it is gone, or the API server is
	running chan struct{} // closed when the container runs
	ready   chan struct{} // closed when the startup probe has succeeded
	read    chan struct{} // closed when the output has been read to its end; nil before it is read

	counting sync.Mutex

	mu       sync.Mutex
	stopping bool
	removed  bool
	exit     race.Exit
	lost     error
	last     engine.Counters
	seen     *corev1.Pod // as it was seen last
}

var _ engine.Lane = (*lane)(nil)

func newLane(e *Engine, heat int, spec race.LaneSpec, p *preparedLane) *lane {
	return &lane{
		engine: e, heat: heat, spec: spec, prepared: p, exit: race.Exit{Reason: race.Running},
		done: make(chan struct{}), gone: make(chan struct{}), running: make(chan struct{}), ready: make(chan struct{}),
	}
}

func (l *lane) namespace() string { return l.prepared.race.namespace }

func (l *lane) selector() string {
	return labels.SelectorFromSet(l.prepared.labels(l.spec.App, l.heat)).String()
}

// start makes the lane's Deployment.
func (l *lane) start(ctx context.Context) error {
	d := deployment(l.prepared, l.spec, l.heat, l.engine.options)
	if _, err := l.engine.client.AppsV1().Deployments(l.namespace()).Create(ctx, d, metav1.CreateOptions{}); err != nil {
		return l.engine.explain(ctx, err, "make a Deployment for lane "+l.spec.App)
	}
	go l.follow(context.WithoutCancel(ctx)) // it outlives the call
	return nil
}

// App is the lane's name.
func (l *lane) App() string { return l.spec.App }

// Address is that of the lane's Service.
func (l *lane) Address() string { return "http://" + l.prepared.address }

// ContainerName is namespace/pod/container, the labels by which a kubelet's cAdvisor names it; "" before there is a pod.
func (l *lane) ContainerName() string {
	pod := l.pod()
	if pod == nil {
		return ""
	}
	return pod.Namespace + "/" + pod.Name + "/" + container
}

// Logs is the tail of stdout and stderr, and what Kubernetes says of the app's end.
func (l *lane) Logs() []string { return l.logs.Lines() }

// Done is closed when the app has ended, or could not be started, or the API server is gone.
func (l *lane) Done() <-chan struct{} { return l.done }

// Exit says how the app ended.
func (l *lane) Exit() race.Exit {
	l.mu.Lock()
	defer l.mu.Unlock()
	e := l.exit
	return e
}

// Lost says why the app could not be started, or that the API server went away while it ran.
func (l *lane) Lost() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lost
}

// Counters reads what the kubelet of the pod's node has counted. After the app's end it tells what was read last.
func (l *lane) Counters(ctx context.Context) (engine.Counters, error) {
	if err := ctx.Err(); err != nil {
		return engine.Counters{}, context.Cause(ctx)
	}
	l.counting.Lock()
	defer l.counting.Unlock()
	if pod := l.pod(); pod != nil && !l.hasEnded() {
		c, err := l.engine.kubelet.counters(ctx, pod, l.spec.Resources)
		switch {
		case err == nil:
			l.keep(c)
			return c, nil
		case ctx.Err() != nil:
			return c, context.Cause(ctx)
		case !l.hasEnded():
			return c, l.uncounted(err)
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.last.At.IsZero() {
		return l.last, race.Errorf(race.Unavailable, "", "lane %s: nothing was counted of its pod", l.spec.App)
	}
	return l.last, nil
}

// uncounted says why nothing is known of what the lane spends.
func (l *lane) uncounted(err error) error {
	var told *race.Error
	if !errors.As(err, &told) {
		err = Explain(err, l.engine.config.Host, "count it")
	}
	return race.Errorf(race.Unavailable, race.HintOf(err), "what lane %s spends is not known: %w", l.spec.App, err)
}

func (l *lane) keep(c engine.Counters) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last = c
}

// Stop removes the lane's Deployment and waits until its pod is gone: the app is sent SIGTERM, and SIGKILL after the grace period.
func (l *lane) Stop(ctx context.Context) error {
	if l.Freed() {
		return context.Cause(ctx)
	}
	if err := ctx.Err(); err != nil {
		l.markStopping()
		return errors.Join(context.Cause(ctx), l.removeDeployment(context.WithoutCancel(ctx)))
	}
	if l.markStopping() {
		_, _ = l.Counters(ctx) // what the app spent is gone with its pod
	}
	if err := l.removeDeployment(ctx); err != nil {
		return err
	}
	if err := l.waitGone(ctx); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.removed = true
	return nil
}

func (l *lane) removeDeployment(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, endTimeout)
	defer cancel()
	background := metav1.DeletePropagationBackground
	err := l.engine.client.AppsV1().Deployments(l.namespace()).Delete(ctx, l.prepared.heatName(l.heat), metav1.DeleteOptions{PropagationPolicy: &background})
	if apierrors.IsNotFound(err) {
		return nil
	}
	return l.engine.explain(ctx, err, "stop lane "+l.spec.App)
}

// waitGone waits until the pod is gone.
func (l *lane) waitGone(ctx context.Context) error {
	select {
	case <-l.gone:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(l.engine.options.Grace + endTimeout):
		return race.Errorf(race.Unavailable, "look at its node: kubectl get pods -n "+l.namespace()+" -o wide", "lane %s: its pod is not gone %s after it was removed", l.spec.App, l.engine.options.Grace+endTimeout)
	}
}

// markStopping marks the end as the runner's own doing; false if the app has ended already.
func (l *lane) markStopping() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.exit.Reason != race.Running {
		return false
	}
	l.stopping = true
	return true
}

func (l *lane) isStopping() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.stopping
}

// Freed says whether its pod was removed.
func (l *lane) Freed() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.removed
}

func (l *lane) hasEnded() bool {
	select {
	case <-l.done:
		return true
	default:
		return false
	}
}

// pod is the lane's pod as it was seen last; nil before there is one.
func (l *lane) pod() *corev1.Pod {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.seen
}

// finish records how the app ended, once. Its output has been read to its end.
func (l *lane) finish(end ending) {
	if l.hasEnded() {
		return
	}
	if end.note != "" {
		l.logs.Add("Kubernetes: " + end.note)
	}
	at := end.at.UTC()
	if end.at.IsZero() {
		at = time.Now().UTC()
	}
	l.mu.Lock()
	l.exit, l.lost = race.Exit{Reason: end.reason, Code: end.code, At: &at}, end.lost
	if l.stopping && end.lost == nil {
		l.exit = race.Exit{Reason: race.Stopped, Code: end.code, At: &at}
	}
	l.last.WorkingSet = nil // nothing is left of it
	if l.exit.Reason == race.OOM {
		l.last.OOMKills = max(l.last.OOMKills, 1)
		if l.last.At.IsZero() { // it ended before anything was counted
			l.last.At = at
		}
	}
	l.mu.Unlock()
	close(l.done)
}

// sameLabels keeps a pod of another heat out, should a watch ever hand one on.
func (l *lane) sameLabels(pod *corev1.Pod) bool {
	want := l.prepared.labels(l.spec.App, l.heat)
	have := maps.Clone(pod.Labels)
	maps.DeleteFunc(have, func(name, _ string) bool { _, is := want[name]; return !is })
	return maps.Equal(have, want)
}
