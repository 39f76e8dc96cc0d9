// Package operator runs k6 on a Kubernetes cluster with k6-operator, the distributed engine for k6: a TestRun (k6.io/v1alpha1) shares the load of a
// heat out to as many pods as the definition says. It is a stock k6 (package stock); its packed wrapper is in a ConfigMap, its variables are in a
// Secret. Each pod is told apart by the tag instance_id that k6-operator gives it, so that no two write one series; what each counted is in its
// output, and is summed.
package operator

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/dynamic"
	clients "k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/photofinish/photofinish/runner/engine/kubernetes"
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

// Ready makes sure that the cluster knows TestRuns.
func (c *Cluster) Ready(ctx context.Context, namespace string) error {
	_, err := c.dynamic.Resource(resource).Namespace(namespace).List(ctx, metav1.ListOptions{Limit: 1})
	return c.explain(ctx, err, "race with k6 in pods")
}

// Run is a TestRun on the cluster.
type Run struct {
	cluster *Cluster
	spec    Spec
}

// Start makes the ConfigMap, the Secret and the TestRun of a heat. What it made of them is removed if it fails.
func (c *Cluster) Start(ctx context.Context, s Spec) (*Run, error) {
	script, err := s.configMap()
	if err != nil {
		return nil, err
	}
	r := &Run{c, s}
	if err := r.make(ctx, script); err != nil {
		_ = r.Remove(context.WithoutCancel(ctx)) // the race's namespace goes anyway
		return nil, err
	}
	return r, nil
}

func (r *Run) make(ctx context.Context, script *corev1.ConfigMap) error {
	if _, err := r.cluster.client.CoreV1().ConfigMaps(r.spec.Namespace).Create(ctx, script, metav1.CreateOptions{}); err != nil {
		return r.cluster.explain(ctx, err, "hand k6 its script")
	}
	if _, err := r.cluster.client.CoreV1().Secrets(r.spec.Namespace).Create(ctx, r.spec.secret(), metav1.CreateOptions{}); err != nil {
		return r.cluster.explain(ctx, err, "hand k6 its variables")
	}
	run, err := r.spec.testRun()
	if err != nil {
		return err
	}
	_, err = r.testRuns().Create(ctx, run, metav1.CreateOptions{})
	return r.cluster.explain(ctx, err, "start k6")
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

// stage is how far k6-operator says it is: "" before it has seen the TestRun; there is false where that was removed.
func (r *Run) stage(ctx context.Context) (stage string, there bool, err error) {
	found, err := r.testRuns().Get(ctx, r.spec.Name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return "", false, nil
	}
	if err != nil {
		return "", false, r.cluster.explain(ctx, err, "follow k6")
	}
	stage, _, _ = unstructured.NestedString(found.Object, "status", "stage")
	return stage, true, nil
}

// selector finds the pods of k6 that put load on the lanes.
func (r *Run) selector() string {
	return labels.SelectorFromSet(map[string]string{"app": "k6", "k6_cr": r.spec.Name, "runner": "true"}).String()
}

// pods are those of k6 that put load on the lanes, by name.
func (r *Run) pods(ctx context.Context) ([]corev1.Pod, error) {
	found, err := r.cluster.client.CoreV1().Pods(r.spec.Namespace).List(ctx, metav1.ListOptions{LabelSelector: r.selector()})
	if err != nil {
		return nil, r.cluster.explain(ctx, err, "look at k6's pods")
	}
	slices.SortFunc(found.Items, func(a, b corev1.Pod) int { return strings.Compare(a.Name, b.Name) })
	return found.Items, nil
}

// Stop removes the TestRun and its pods: k6 is sent SIGTERM and tells what it has measured, or is killed at once.
func (r *Run) Stop(ctx context.Context, atOnce bool) error {
	err := r.removeTestRun(ctx)
	pods, listErr := r.pods(ctx)
	options := metav1.DeleteOptions{}
	if atOnce {
		now := int64(0)
		options.GracePeriodSeconds = &now
	}
	err = errors.Join(err, listErr)
	for _, p := range pods {
		if podErr := r.cluster.client.CoreV1().Pods(p.Namespace).Delete(ctx, p.Name, options); podErr != nil && !apierrors.IsNotFound(podErr) {
			err = errors.Join(err, r.cluster.explain(ctx, podErr, "stop k6"))
		}
	}
	return err
}

func (r *Run) removeTestRun(ctx context.Context) error {
	background := metav1.DeletePropagationBackground
	err := r.testRuns().Delete(ctx, r.spec.Name, metav1.DeleteOptions{PropagationPolicy: &background})
	if err == nil || apierrors.IsNotFound(err) {
		return nil
	}
	return r.cluster.explain(ctx, err, "remove the TestRun "+r.spec.Name)
}

// Remove removes the TestRun, and with it its pods, the ConfigMap and the Secret, and waits for none of it: the end of the race waits until its namespace is
// gone. It may be called again.
func (r *Run) Remove(ctx context.Context) error {
	err := r.removeTestRun(ctx)
	if e := r.cluster.client.CoreV1().ConfigMaps(r.spec.Namespace).Delete(ctx, r.spec.Name, metav1.DeleteOptions{}); e != nil && !apierrors.IsNotFound(e) {
		err = errors.Join(err, r.cluster.explain(ctx, e, "remove the script of "+r.spec.Name))
	}
	if e := r.cluster.client.CoreV1().Secrets(r.spec.Namespace).Delete(ctx, r.spec.Name, metav1.DeleteOptions{}); e != nil && !apierrors.IsNotFound(e) {
		err = errors.Join(err, r.cluster.explain(ctx, e, "remove the variables of "+r.spec.Name))
	}
	return err
}
