package kubetest

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
)

// operator stands in for k6-operator: it does with TestRuns what that does, as far as it is seen from outside: a Job for each instance with its segment of
// the load and its tags, and the stages. It pauses nobody, and needs no initializer: the runner has read the script already.
type operator struct {
	cluster *Cluster
	objects dynamic.NamespaceableResourceInterface
}

// Operator adds the kind TestRun, of our own writing, and what looks after it, until the test ends.
func (c *Cluster) Operator(tb testing.TB) {
	tb.Helper()
	c.TestRuns(tb)
	client, err := dynamic.NewForConfig(c.Admin)
	require.NoError(tb, err)
	o := operator{c, client.Resource(testRuns)}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			found, err := o.objects.List(ctx, metav1.ListOptions{})
			if err == nil {
				for i := range found.Items {
					o.tend(ctx, &found.Items[i])
				}
			}
			time.Sleep(100 * time.Millisecond)
		}
	}()
	tb.Cleanup(func() { cancel(); <-done })
}

var testRuns = schema.GroupVersionResource{Group: "k6.io", Version: "v1alpha1", Resource: "testruns"}

// TestRuns adds the kind TestRun, which nobody looks after.
func (c *Cluster) TestRuns(tb testing.TB) {
	tb.Helper()
	client, err := dynamic.NewForConfig(c.Admin)
	require.NoError(tb, err)
	known := func() bool {
		_, err := client.Resource(testRuns).List(tb.Context(), metav1.ListOptions{})
		return err == nil
	}
	if known() {
		return
	}
	c.Apply(tb, "tests", "kubernetes", "testrun-crd.yaml")
	require.Eventually(tb, known, 20*time.Second, 50*time.Millisecond, "the API server does not serve the new kind")
	c.RestartControllers(tb)
}

func (o operator) tend(ctx context.Context, run *unstructured.Unstructured) {
	var spec struct {
		Parallelism int    `json:"parallelism"`
		Arguments   string `json:"arguments"`
		Script      struct {
			ConfigMap struct{ Name, File string } `json:"configMap"`
		} `json:"script"`
		Runner struct {
			Image                    string                      `json:"image"`
			EnvFrom                  []corev1.EnvFromSource      `json:"envFrom"`
			Affinity                 *corev1.Affinity            `json:"affinity"`
			NodeSelector             map[string]string           `json:"nodeSelector"`
			Resources                corev1.ResourceRequirements `json:"resources"`
			SecurityContext          *corev1.PodSecurityContext  `json:"securityContext"`
			ContainerSecurityContext *corev1.SecurityContext     `json:"containerSecurityContext"`
			Metadata                 struct{ Labels map[string]string }
		} `json:"runner"`
	}
	text, err := json.Marshal(run.Object["spec"])
	if err != nil || json.Unmarshal(text, &spec) != nil {
		return
	}
	jobs := o.cluster.Client.BatchV1().Jobs(run.GetNamespace())
	ended := 0
	for i := 1; i <= spec.Parallelism; i++ {
		name := fmt.Sprintf("%s-%d", run.GetName(), i)
		if job, err := jobs.Get(ctx, name, metav1.GetOptions{}); err == nil {
			ended += int(job.Status.Succeeded + job.Status.Failed)
			continue
		}
		labels := map[string]string{"app": "k6", "k6_cr": run.GetName(), "runner": "true"}
		for k, v := range spec.Runner.Metadata.Labels {
			labels[k] = v
		}
		command := []string{"k6", "run", "--quiet"}
		if n := spec.Parallelism; n > 1 {
			command = append(command, "--execution-segment="+fmt.Sprintf("%d/%d:%d/%d", i-1, n, i, n), "--execution-segment-sequence="+sequence(n))
		}
		command = append(command, strings.Fields(spec.Arguments)...)
		command = append(command, "/test/"+spec.Script.ConfigMap.File, "--address=0.0.0.0:6565", "--tag", fmt.Sprintf("instance_id=%d", i), "--tag", "testrun_name="+run.GetName())
		none, yes := int32(0), true
		_, _ = jobs.Create(ctx, &batchv1.Job{
			ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels, OwnerReferences: []metav1.OwnerReference{
				{APIVersion: run.GetAPIVersion(), Kind: run.GetKind(), Name: run.GetName(), UID: run.GetUID(), Controller: &yes},
			}},
			Spec: batchv1.JobSpec{BackoffLimit: &none, Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels}, Spec: corev1.PodSpec{
				RestartPolicy: corev1.RestartPolicyNever, Affinity: spec.Runner.Affinity, NodeSelector: spec.Runner.NodeSelector, SecurityContext: spec.Runner.SecurityContext,
				Containers: []corev1.Container{{
					Name: "k6", Image: spec.Runner.Image, Command: command, EnvFrom: spec.Runner.EnvFrom, Resources: spec.Runner.Resources, SecurityContext: spec.Runner.ContainerSecurityContext,
					VolumeMounts: []corev1.VolumeMount{{Name: "test", MountPath: "/test"}},
				}},
				Volumes: []corev1.Volume{{Name: "test", VolumeSource: corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{LocalObjectReference: corev1.LocalObjectReference{Name: spec.Script.ConfigMap.Name}}}}},
			}}},
		}, metav1.CreateOptions{})
	}
	stage := "started"
	if ended == spec.Parallelism {
		stage = "finished"
	}
	o.stage(ctx, run, stage)
}

func (o operator) stage(ctx context.Context, run *unstructured.Unstructured, stage string) {
	if is, _, _ := unstructured.NestedString(run.Object, "status", "stage"); is == stage || is == "error" {
		return
	}
	if unstructured.SetNestedField(run.Object, stage, "status", "stage") == nil {
		_, _ = o.objects.Namespace(run.GetNamespace()).UpdateStatus(ctx, run, metav1.UpdateOptions{})
	}
}

func sequence(n int) string {
	points := []string{"0"}
	for i := 1; i < n; i++ {
		points = append(points, fmt.Sprintf("%d/%d", i, n))
	}
	return strings.Join(append(points, "1"), ",")
}
