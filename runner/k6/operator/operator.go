// Package operator runs one heat's k6 on a Kubernetes cluster with k6-operator, the distributed engine for k6: a TestRun (k6.io/v1alpha1) shares the
// load out to as many pods as it says. The wrapper of a stock k6, packed with all that its script imports and opens, is in a ConfigMap; each pod is told
// apart by the tag instance_id that k6-operator gives it, so that no two write one series; what each counted is in its output, and is summed.
//
// Nothing in the runner uses it yet: see docs/kubernetes.md.
package operator

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/dynamic"
	clients "k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/engine/kubernetes"
)

const (
	// askEvery is how often a TestRun is asked how it is: k6-operator itself looks every few seconds.
	askEvery = 200 * time.Millisecond
	// removeTimeout bounds the wait for a TestRun and its pods to go: Kubernetes looks for kinds that are new to its garbage collector every 30 s.
	removeTimeout = 2 * time.Minute
)

// Cluster is where TestRuns are made.
type Cluster struct {
	config  *rest.Config
	client  clients.Interface
	dynamic dynamic.Interface
}

// New makes a Cluster. It connects to nothing yet.
func New(config *rest.Config) (*Cluster, error) {
	client, err := clients.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("the client of Kubernetes: %w", err)
	}
	objects, err := dynamic.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("the client of Kubernetes: %w", err)
	}
	return &Cluster{config: config, client: client, dynamic: objects}, nil
}

// Run is a TestRun on the cluster.
type Run struct {
	cluster *Cluster
	spec    Spec
}

// Start makes the ConfigMap and the TestRun of a heat. What it made of them is removed if it fails.
func (c *Cluster) Start(ctx context.Context, s Spec) (*Run, error) {
	script, err := s.configMap()
	if err != nil {
		return nil, err
	}
	r := &Run{c, s}
	if _, err := c.client.CoreV1().ConfigMaps(s.Namespace).Create(ctx, script, metav1.CreateOptions{FieldValidation: metav1.FieldValidationStrict}); err != nil {
		return nil, c.explain(ctx, err, "hand k6 its script")
	}
	run, err := s.testRun()
	if err == nil {
		_, err = r.testRuns().Create(ctx, run, metav1.CreateOptions{FieldValidation: metav1.FieldValidationStrict})
		err = c.explain(ctx, err, "start k6")
	}
	if err != nil {
		_ = c.client.CoreV1().ConfigMaps(s.Namespace).Delete(context.WithoutCancel(ctx), s.Name, metav1.DeleteOptions{}) // the race's namespace goes anyway
		return nil, err
	}
	return r, nil
}

func (c *Cluster) explain(ctx context.Context, err error, doing string) error {
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return context.Cause(ctx)
	}
	return kubernetes.Explain(err, c.config.Host, doing)
}

func (r *Run) testRuns() dynamic.ResourceInterface {
	return r.cluster.dynamic.Resource(resource).Namespace(r.spec.Namespace)
}

// Wait waits until all k6 have ended. An error says what keeps one from running, or that k6-operator gave up.
func (r *Run) Wait(ctx context.Context) error {
	for {
		found, err := r.testRuns().Get(ctx, r.spec.Name, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			return race.Errorf(race.Unavailable, "", "the TestRun %s was removed by somebody else", r.spec.Name)
		}
		if err != nil {
			return r.cluster.explain(ctx, err, "follow k6")
		}
		pods, err := r.pods(ctx)
		if err != nil {
			return err
		}
		if err := r.judge(stageOf(found), pods); err != nil || ended(stageOf(found)) {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(askEvery):
		}
	}
}

func stageOf(run *unstructured.Unstructured) string {
	stage, _, _ := unstructured.NestedString(run.Object, "status", "stage") // "" before k6-operator has seen it
	return stage
}

func ended(stage string) bool { return stage == "finished" || stage == "stopped" }

// judge says why a TestRun will not come to its end, if it will not.
func (r *Run) judge(stage string, pods []corev1.Pod) error {
	for _, p := range pods {
		for _, s := range p.Status.ContainerStatuses {
			if w := s.State.Waiting; w != nil {
				if err := kubernetes.CannotStart("k6", w); err != nil {
					return err
				}
			}
			if t := s.State.Terminated; t != nil && t.ExitCode != 0 && t.ExitCode != thresholdsCrossed {
				return race.Errorf(race.Unavailable, "look at kubectl logs -n "+p.Namespace+" "+p.Name, "k6 in pod %s ended with code %d (%s)", p.Name, t.ExitCode, t.Reason)
			}
		}
		if p.Status.Phase == corev1.PodFailed && p.Status.Reason != "" {
			return race.Errorf(race.Unavailable, "", "pod %s of k6 is gone: %s: %s", p.Name, p.Status.Reason, p.Status.Message)
		}
	}
	if stage == "error" {
		return race.Errorf(race.Unavailable, "look at its initializer: kubectl logs -n "+r.spec.Namespace+" -l k6_cr="+r.spec.Name, "k6-operator gave the TestRun %s up", r.spec.Name)
	}
	return nil
}

// thresholdsCrossed is k6's exit code of a test that ran to its end and crossed a threshold (errext/exitcodes).
const thresholdsCrossed = 99

// pods are those of k6 that put load on the lanes, by name.
func (r *Run) pods(ctx context.Context) ([]corev1.Pod, error) {
	found, err := r.cluster.client.CoreV1().Pods(r.spec.Namespace).List(ctx, metav1.ListOptions{
		LabelSelector: labels.SelectorFromSet(map[string]string{"app": "k6", "k6_cr": r.spec.Name, "runner": "true"}).String(),
	})
	if err != nil {
		return nil, r.cluster.explain(ctx, err, "look at k6's pods")
	}
	slices.SortFunc(found.Items, func(a, b corev1.Pod) int { return strings.Compare(a.Name, b.Name) })
	return found.Items, nil
}

// Outputs gives the whole output of every pod that has ended, in the order of their names. One that is missing is an error: what it counted would be too.
func (r *Run) Outputs(ctx context.Context) ([][]byte, error) {
	pods, err := r.pods(ctx)
	if err != nil {
		return nil, err
	}
	if len(pods) != r.spec.Parallelism {
		return nil, race.Errorf(race.Unavailable, "", "%d of %d pods of k6 are there to tell what they counted", len(pods), r.spec.Parallelism)
	}
	var all [][]byte
	for _, p := range pods {
		stream, err := r.cluster.client.CoreV1().Pods(p.Namespace).GetLogs(p.Name, &corev1.PodLogOptions{Container: "k6"}).Stream(ctx)
		if err != nil {
			return nil, r.cluster.explain(ctx, err, "read what pod "+p.Name+" of k6 counted")
		}
		text, err := io.ReadAll(io.LimitReader(stream, longestOutput))
		_ = stream.Close()
		if err != nil {
			return nil, r.cluster.explain(ctx, err, "read what pod "+p.Name+" of k6 counted")
		}
		all = append(all, text)
	}
	return all, nil
}

// longestOutput bounds what is read of a pod, in bytes: the summary of a hundred lanes is a few hundred kB, beside what the script prints.
const longestOutput = 64 << 20

// Remove removes the TestRun with its pods, and the ConfigMap, and waits until they are gone. It may be called again.
func (r *Run) Remove(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, removeTimeout, race.Errorf(race.Unavailable, "", "the TestRun %s is not gone %s after it was removed", r.spec.Name, removeTimeout))
	defer cancel()
	background := metav1.DeletePropagationBackground
	options := metav1.DeleteOptions{PropagationPolicy: &background}
	if err := r.testRuns().Delete(ctx, r.spec.Name, options); err != nil && !apierrors.IsNotFound(err) {
		return r.cluster.explain(ctx, err, "remove the TestRun "+r.spec.Name)
	}
	if err := r.cluster.client.CoreV1().ConfigMaps(r.spec.Namespace).Delete(ctx, r.spec.Name, options); err != nil && !apierrors.IsNotFound(err) {
		return r.cluster.explain(ctx, err, "remove the script of "+r.spec.Name)
	}
	for {
		_, err := r.testRuns().Get(ctx, r.spec.Name, metav1.GetOptions{})
		if err != nil && !apierrors.IsNotFound(err) {
			return r.cluster.explain(ctx, err, "remove the TestRun "+r.spec.Name)
		}
		pods, listErr := r.pods(ctx)
		if listErr != nil {
			return listErr
		}
		if err != nil && len(pods) == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(askEvery):
		}
	}
}
