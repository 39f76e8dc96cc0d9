package kubernetes

import (
	"context"
	"errors"
	"io"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/engine"
)

const (
	// drainTimeout bounds the wait for the app's last output.
	drainTimeout = 2 * time.Second
	// askDeployment is how often a lane without a pod asks why it has none.
	askDeployment = 300 * time.Millisecond
	// askTimeout bounds one question of the following.
	askTimeout = 5 * time.Second
)

// follow watches the lane's pod until it is gone. Where the API server goes away it is asked again for a while: the app runs on without it.
func (l *lane) follow(ctx context.Context) {
	defer close(l.gone)
	heard := time.Now()
	for {
		began := time.Now()
		gone, err := l.watch(ctx)
		switch {
		case gone:
			l.removedByOthers()
			return
		case err == nil || !unreachable(err): // a watch ends now and then
			heard = time.Now()
		case time.Since(began) > askTimeout*2: // it was watched meanwhile
			heard = time.Now()
		}
		if time.Since(heard) > l.engine.options.Patience {
			l.finish(ending{reason: race.Killed, lost: l.engine.explain(ctx, err, "follow lane "+l.spec.App)})
			return
		}
		time.Sleep(pause)
	}
}

// removedByOthers is the end of a pod that is gone without having ended: it was stopped by us, or somebody else removed it.
func (l *lane) removedByOthers() {
	end := ending{reason: race.Killed}
	if !l.Stopping() {
		end.note = "the pod was removed by somebody else"
	}
	l.finish(end)
}

// watch looks at the lane's pod and then at every change of it. gone: it was removed, or is not to be made any more.
func (l *lane) watch(ctx context.Context) (gone bool, err error) {
	pods := l.engine.client.CoreV1().Pods(l.namespace())
	asking, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	found, err := pods.List(asking, metav1.ListOptions{LabelSelector: l.selector()})
	if err != nil {
		return false, unanswered(err)
	}
	if len(found.Items) == 0 {
		if l.pod() != nil {
			return true, nil
		}
		if gone, err := l.whyNone(asking); gone || err != nil {
			return gone, unanswered(err)
		}
	}
	for i := range found.Items {
		l.look(ctx, &found.Items[i])
	}
	changes, err := pods.Watch(ctx, metav1.ListOptions{LabelSelector: l.selector(), ResourceVersion: found.ResourceVersion})
	if err != nil {
		return false, err
	}
	defer changes.Stop()
	return l.heed(ctx, changes)
}

// unanswered makes a question that was not answered in time one to an API server that does not answer.
func unanswered(err error) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return errors.Join(err, io.ErrUnexpectedEOF)
	}
	return err
}

// heed follows a watch to its end.
func (l *lane) heed(ctx context.Context, changes watch.Interface) (gone bool, err error) {
	ask := time.NewTicker(askDeployment)
	defer ask.Stop()
	for {
		select {
		case <-ask.C:
			if l.pod() != nil {
				ask.Stop()
				continue
			}
			if gone, err := l.whyNone(ctx); gone || err != nil {
				return gone, err
			}
		case change, open := <-changes.ResultChan():
			if !open || change.Type == watch.Error {
				return false, nil // asked again
			}
			pod, is := change.Object.(*corev1.Pod)
			switch {
			case !is || !l.sameLabels(pod):
			case change.Type == watch.Deleted:
				return true, nil
			default:
				l.look(ctx, pod)
			}
		}
	}
}

// whyNone asks the Deployment why there is no pod. gone: there will be none.
func (l *lane) whyNone(ctx context.Context) (gone bool, err error) {
	d, err := l.engine.client.AppsV1().Deployments(l.namespace()).Get(ctx, l.prepared.heatName(l.heat), metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	why := failedCreate(d)
	if why == "" {
		return false, nil
	}
	var failure error = race.Errorf(race.Unavailable, "", "cannot make a pod for lane %s: %s", l.spec.App, why)
	if overQuota(why) {
		failure = quota(why, "make a pod for lane "+l.spec.App)
	}
	l.finish(ending{reason: race.Unhealthy, lost: failure})
	return false, nil
}

// look takes in what the pod has become.
func (l *lane) look(ctx context.Context, pod *corev1.Pod) {
	l.mu.Lock()
	if l.seen != nil && l.seen.UID != pod.UID { // it was replaced; the first one's end is the app's
		l.mu.Unlock()
		return
	}
	l.seen = pod
	l.mu.Unlock()
	if s := statusOf(pod); s != nil {
		if s.State.Running != nil || terminated(s) != nil {
			closeOnce(l.running)
			l.readOutput(ctx, terminated(s) != nil && s.State.Terminated == nil)
		}
		if s.State.Running != nil && s.Ready {
			closeOnce(l.ready)
		}
	}
	end := endOf(l.spec.App, pod)
	if end == nil || l.Ended() {
		return
	}
	l.awaitOutput()
	l.finish(*end)
	if !l.Stopping() {
		_ = l.removeDeployment(ctx) // so that the app is not started again; Stop tries again, and tells
	}
}

// closeOnce closes a channel that only the following closes.
func closeOnce(c chan struct{}) {
	select {
	case <-c:
	default:
		close(c)
	}
}

// readOutput begins to read the container's output, of the run before if it was started again already.
func (l *lane) readOutput(ctx context.Context, previous bool) {
	if l.read != nil {
		return
	}
	l.read = make(chan struct{})
	pod := l.pod()
	lines := int64(engine.LogLines)
	options := &corev1.PodLogOptions{Container: container, Follow: !previous, Previous: previous, TailLines: &lines}
	go func() {
		defer close(l.read)
		stream, err := l.engine.client.CoreV1().Pods(pod.Namespace).GetLogs(pod.Name, options).Stream(ctx)
		if err != nil {
			l.Output.Add("Kubernetes: its output cannot be read: " + l.engine.explain(ctx, err, "read the output of lane "+l.spec.App).Error())
			return
		}
		defer func() { _ = stream.Close() }()
		l.Output.Read(stream)
	}()
}

func (l *lane) awaitOutput() {
	if l.read == nil {
		return
	}
	select {
	case <-l.read:
	case <-time.After(drainTimeout):
	}
}
