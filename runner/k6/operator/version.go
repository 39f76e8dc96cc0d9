package operator

import (
	"context"
	"io"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/engine/kubernetes"
	"github.com/photofinish/photofinish/runner/k6/stock"
)

const (
	// versionTimeout bounds the wait for `k6 version`: its image may be pulled first, and a node may be on its way.
	versionTimeout = 10 * time.Minute
	// accountTimeout bounds the wait for the service account of a namespace that is new, without which there are no pods.
	accountTimeout = 20 * time.Second
	// mostSaid bounds what is kept of what an image says, in bytes.
	mostSaid = 4096
)

// ask runs `k6 version` in a pod, where k6 will run: its image is pulled then, and what keeps it from starting is told before anything is measured.
func (l *Launcher) ask(ctx context.Context, raceID string, say func(string)) (image race.Image, err error) {
	image = race.Image{Name: l.options.Spec.Image}
	pods := l.cluster.client.CoreV1().Pods(l.namespace)
	made, err := l.makePod(ctx, raceID)
	if err != nil {
		return image, err
	}
	defer func() { _ = pods.Delete(context.WithoutCancel(ctx), made.Name, metav1.DeleteOptions{}) }() // the race's namespace goes anyway
	ended, err := l.await(ctx, made.Name, say)
	if err != nil {
		return image, err
	}
	if image.ID = ended.Status.ContainerStatuses[0].ImageID; strings.Contains(image.ID, "@") {
		image.Digest = image.ID
	}
	stream, err := pods.GetLogs(made.Name, &corev1.PodLogOptions{Container: container}).Stream(ctx)
	if err != nil {
		return image, l.cluster.explain(ctx, err, "read which k6 the image holds")
	}
	defer func() { _ = stream.Close() }()
	said, err := io.ReadAll(io.LimitReader(stream, mostSaid))
	if err != nil {
		return image, l.cluster.explain(ctx, err, "read which k6 the image holds")
	}
	l.version, err = stock.ReadVersion(l.options.Spec.Image, string(said))
	return image, err
}

func (l *Launcher) makePod(ctx context.Context, raceID string) (*corev1.Pod, error) {
	no := false
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{GenerateName: "k6-version-", Labels: kubernetes.Labels(raceID, kubernetes.PartK6)},
		Spec: corev1.PodSpec{
			RestartPolicy: corev1.RestartPolicyNever, AutomountServiceAccountToken: &no, NodeSelector: l.options.Nodes, Affinity: apart(), SecurityContext: confinedPod(),
			Containers: []corev1.Container{{
				Name: container, Image: l.options.Spec.Image, Command: []string{"k6"}, Args: []string{"version"}, Resources: kubernetes.Resources(l.resources), SecurityContext: confined(),
			}},
		},
	}
	for end := time.Now().Add(accountTimeout); ; time.Sleep(askEvery) {
		made, err := l.cluster.client.CoreV1().Pods(l.namespace).Create(ctx, pod, metav1.CreateOptions{})
		if err == nil || !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), "serviceaccount") || time.Now().After(end) {
			return made, l.cluster.explain(ctx, err, "make a pod for k6")
		}
	}
}

// await waits until a pod has ended.
func (l *Launcher) await(ctx context.Context, name string, say func(string)) (*corev1.Pod, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, versionTimeout, race.Errorf(race.Unavailable, "", "the pod that asks k6 for its version did not start within %s", versionTimeout))
	defer cancel()
	told := time.Now()
	for {
		pod, err := l.cluster.client.CoreV1().Pods(l.namespace).Get(ctx, name, metav1.GetOptions{})
		if err != nil {
			return nil, l.cluster.explain(ctx, err, "look at k6's pod")
		}
		for _, s := range pod.Status.ContainerStatuses {
			if s.State.Waiting != nil {
				if err := kubernetes.CannotStart("k6", s.State.Waiting); err != nil {
					return nil, err
				}
			}
			if s.State.Terminated != nil {
				return pod, outOfMemory(name, s.State.Terminated)
			}
		}
		if time.Since(told) > tellAfter {
			told = time.Now()
			say("k6: " + kubernetes.WaitsFor(pod))
		}
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-time.After(askEvery):
		}
	}
}
