package operator

import (
	"fmt"
	"strings"

	"github.com/docker/go-units"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/engine/kubernetes"
)

// resource is k6-operator's kind, and those of its fields that are used are those of its documentation.
var resource = schema.GroupVersionResource{Group: "k6.io", Version: "v1alpha1", Resource: "testruns"}

// Spec is what k6 is to do of a heat.
type Spec struct {
	Namespace string // the race's
	Name      string // of the TestRun, the ConfigMap and the Secret
	RaceID    string
	// Archive is the packed wrapper, as k6.K6.Archive makes it.
	Archive []byte
	// Image is that of k6; its command k6 is started.
	Image string
	// Parallelism is how many pods share the load.
	Parallelism int
	// Arguments are those of `k6 run` beside those that k6-operator adds. It splits them at spaces, so none may hold one.
	Arguments []string
	// Env are variables for k6 and its script, as "NAME=value". Those whose names a Secret cannot hold are left out.
	Env []string
	// Nodes are labels of the nodes on which k6 runs; none for any node.
	Nodes map[string]string
	// Resources of each pod, asked for and held to.
	Resources race.Resources
}

const (
	archive = "archive.tar"
	// largest is what a ConfigMap may hold.
	largest = 1 << 20
)

func (s Spec) labels() map[string]string {
	return kubernetes.Labels(s.RaceID, kubernetes.PartK6)
}

func (s Spec) configMap() (*corev1.ConfigMap, error) {
	if len(s.Archive) > largest {
		return nil, race.Errorf(race.Invalid, "let it open and import less", "the script with all that it imports and opens is %s; a ConfigMap holds at most %s",
			units.BytesSize(float64(len(s.Archive))), units.BytesSize(largest))
	}
	return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: s.Name, Labels: s.labels()}, BinaryData: map[string][]byte{archive: s.Archive}}, nil
}

// secret holds the variables: some are passwords, which are not for everybody to see who may look at TestRuns.
func (s Spec) secret() *corev1.Secret {
	vars := map[string]string{}
	for _, pair := range s.Env {
		name, value, _ := strings.Cut(pair, "=")
		if len(validation.IsConfigMapKey(name)) == 0 && !strings.HasPrefix(name, injected) {
			vars[name] = value
		}
	}
	return &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: s.Name, Labels: s.labels()}, StringData: vars}
}

// injected begins the variables by which a pod finds its API server. Those of the runner's are not k6's.
const injected = "KUBERNETES_"

// pod is what the documentation calls PodSpec: what a runner's pod is to be.
type pod struct {
	Disabled                     bool                        `json:"disabled,omitempty"`
	AutomountServiceAccountToken string                      `json:"automountServiceAccountToken"`
	Image                        string                      `json:"image"`
	EnvFrom                      []corev1.EnvFromSource      `json:"envFrom,omitempty"`
	NodeSelector                 map[string]string           `json:"nodeSelector,omitempty"`
	Affinity                     *corev1.Affinity            `json:"affinity,omitempty"`
	Resources                    corev1.ResourceRequirements `json:"resources"`
	SecurityContext              *corev1.PodSecurityContext  `json:"securityContext"`
	ContainerSecurityContext     *corev1.SecurityContext     `json:"containerSecurityContext"`
	Metadata                     struct {
		Labels map[string]string `json:"labels,omitempty"`
	} `json:"metadata"`
}

// apart keeps k6 off the nodes of lanes, whatever it takes: on one of them it would take what it measures. Its own pods share a node only where there are too few.
func apart() *corev1.Affinity {
	term := func(part string) corev1.PodAffinityTerm {
		return corev1.PodAffinityTerm{TopologyKey: corev1.LabelHostname, LabelSelector: &metav1.LabelSelector{MatchLabels: kubernetes.PartLabels(part)}}
	}
	return &corev1.Affinity{PodAntiAffinity: &corev1.PodAntiAffinity{
		RequiredDuringSchedulingIgnoredDuringExecution:  []corev1.PodAffinityTerm{term(kubernetes.PartLane)},
		PreferredDuringSchedulingIgnoredDuringExecution: []corev1.WeightedPodAffinityTerm{{Weight: 100, PodAffinityTerm: term(kubernetes.PartK6)}},
	}}
}

// confined is as little as k6 can do with: it reads its script and asks by the network.
func confined() *corev1.SecurityContext {
	no, yes := false, true
	return &corev1.SecurityContext{AllowPrivilegeEscalation: &no, RunAsNonRoot: &yes, Capabilities: &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}}}
}

func confinedPod() *corev1.PodSecurityContext {
	return &corev1.PodSecurityContext{SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault}}
}

func (s Spec) testRun() (*unstructured.Unstructured, error) {
	runner := pod{
		AutomountServiceAccountToken: "false", Image: s.Image, NodeSelector: s.Nodes, Affinity: apart(), Resources: kubernetes.Resources(s.Resources),
		EnvFrom:         []corev1.EnvFromSource{{SecretRef: &corev1.SecretEnvSource{LocalObjectReference: corev1.LocalObjectReference{Name: s.Name}}}},
		SecurityContext: confinedPod(), ContainerSecurityContext: confined(),
	}
	runner.Metadata.Labels = s.labels()
	// It would read the script before the runners do, and ours has been read. A k6-operator that does not know the field runs it.
	initializer := pod{Disabled: true, AutomountServiceAccountToken: "false", Image: s.Image, EnvFrom: runner.EnvFrom, NodeSelector: s.Nodes, SecurityContext: confinedPod(), ContainerSecurityContext: confined()}
	parts := map[string]any{"parallelism": int64(s.Parallelism), "quiet": "true", "arguments": strings.Join(s.Arguments, " "), "script": map[string]any{"configMap": map[string]any{"name": s.Name, "file": archive}}}
	for name, p := range map[string]*pod{"runner": &runner, "initializer": &initializer} {
		fields, err := runtime.DefaultUnstructuredConverter.ToUnstructured(p)
		if err != nil {
			return nil, fmt.Errorf("k6's pods: %w", err)
		}
		parts[name] = fields
	}
	run := &unstructured.Unstructured{Object: map[string]any{"spec": parts}}
	run.SetAPIVersion(resource.GroupVersion().String())
	run.SetKind("TestRun")
	run.SetName(s.Name)
	run.SetLabels(s.labels())
	return run, nil
}
