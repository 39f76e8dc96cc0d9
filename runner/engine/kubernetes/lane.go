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
	*engine.Life
	engine   *Engine
	heat     int
	spec     race.LaneSpec
	prepared *preparedLane

	gone    chan struct{} // closed when nobody follows the pod any more: it is gone, or the API server is
	running chan struct{} // closed when the container runs
	ready   chan struct{} // closed when the startup probe has succeeded
	read    chan struct{} // closed when the output has been read to its end; nil before it is read

	counting sync.Mutex

	mu   sync.Mutex
	seen *corev1.Pod // as it was seen last
}

var _ engine.Lane = (*lane)(nil)

func newLane(e *Engine, heat int, spec race.LaneSpec, p *preparedLane) *lane {
	return &lane{
		Life: engine.NewLife(), engine: e, heat: heat, spec: spec, prepared: p,
		gone: make(chan struct{}), running: make(chan struct{}), ready: make(chan struct{}),
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

// Counters reads what the kubelet of the pod's node has counted. After the app's end it tells what was read last.
func (l *lane) Counters(ctx context.Context) (engine.Counters, error) {
	if err := ctx.Err(); err != nil {
		return engine.Counters{}, context.Cause(ctx)
	}
	l.counting.Lock()
	defer l.counting.Unlock()
	if pod := l.pod(); pod != nil && !l.Ended() {
		c, err := l.engine.kubelet.counters(ctx, pod, container, l.spec.Resources)
		switch {
		case err == nil:
			l.Spend(c)
			return c, nil
		case ctx.Err() != nil:
			return c, context.Cause(ctx)
		case !l.Ended():
			return c, l.uncounted(err)
		}
	}
	spent := l.Spent()
	if spent.At.IsZero() {
		return spent, race.Errorf(race.Unavailable, "", "lane %s: nothing was counted of its pod", l.spec.App)
	}
	return spent, nil
}

// uncounted says why nothing is known of what the lane spends.
func (l *lane) uncounted(err error) error {
	var told *race.Error
	if !errors.As(err, &told) {
		err = Explain(err, l.engine.config.Host, "count it")
	}
	return race.Errorf(race.Unavailable, race.HintOf(err), "what lane %s spends is not known: %w", l.spec.App, err)
}

// Stop removes the lane's Deployment and waits until its pod is gone: the app is sent SIGTERM, and SIGKILL after the grace period.
func (l *lane) Stop(ctx context.Context) error {
	if l.Freed() {
		return context.Cause(ctx)
	}
	if err := ctx.Err(); err != nil {
		l.BeginStop()
		return errors.Join(context.Cause(ctx), l.removeDeployment(context.WithoutCancel(ctx)))
	}
	if l.BeginStop() {
		_, _ = l.Counters(ctx) // what the app spent is gone with its pod
	}
	if err := l.removeDeployment(ctx); err != nil {
		return err
	}
	if err := l.waitGone(ctx); err != nil {
		return err
	}
	l.Free()
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

// pod is the lane's pod as it was seen last; nil before there is one.
func (l *lane) pod() *corev1.Pod {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.seen
}

// finish records how the app ended. Its output has been read to its end.
func (l *lane) finish(end ending) {
	if l.Ended() {
		return
	}
	if end.note != "" {
		l.Output.Add("Kubernetes: " + end.note)
	}
	at := end.at.UTC()
	if end.at.IsZero() {
		at = time.Now().UTC()
	}
	exit := race.Exit{Reason: end.reason, Code: end.code, At: &at}
	if l.Stopping() && end.lost == nil {
		exit.Reason = race.Stopped
	}
	if exit.Reason == race.OOM && l.Spent().At.IsZero() { // it ended before anything was counted
		l.Spend(engine.Counters{At: at})
	}
	l.End(exit, end.lost)
}

// sameLabels keeps a pod of another heat out, should a watch ever hand one on.
func (l *lane) sameLabels(pod *corev1.Pod) bool {
	want := l.prepared.labels(l.spec.App, l.heat)
	have := maps.Clone(pod.Labels)
	maps.DeleteFunc(have, func(name, _ string) bool { _, is := want[name]; return !is })
	return maps.Equal(have, want)
}
