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

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/engine/kubernetes"
)

// resource is k6-operator's kind, and those of its fields that are used are those of its documentation.
var resource = schema.GroupVersionResource{Group: "k6.io", Version: "v1alpha1", Resource: "testruns"}

// Spec is what k6 is to do of a heat.
type Spec struct {
	Namespace string // the race's
	Name      string // of the TestRun and the ConfigMap
	RaceID    string
	Heat      int
	// Archive is the packed wrapper, as k6.K6.Archive makes it.
	Archive []byte
	// Image is that of k6; its command k6 is started.
	Image string
	// Parallelism is how many pods share the load.
	Parallelism int
	// RemoteWriteURL is where their series go; "" for nowhere.
	RemoteWriteURL string
	// Env are variables that the script may read.
	Env []corev1.EnvVar
	// Nodes are labels of the nodes on which k6 runs; none for any node.
	Nodes map[string]string
	// Resources of each pod.
	Resources corev1.ResourceRequirements
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

// arguments of k6 run beside those that k6-operator adds. It splits them at spaces, so none may hold one.
func (s Spec) arguments() string {
	args := []string{
		"--no-color", "--log-output=stderr", "--log-format=json", "--no-usage-report", "--summary-mode=compact",
		"--tag", "testid=" + s.RaceID, "--tag", fmt.Sprint("heat=", s.Heat),
	}
	if s.RemoteWriteURL != "" {
		args = append(args, "--out", "experimental-prometheus-rw")
	}
	return strings.Join(args, " ")
}

func (s Spec) env() []corev1.EnvVar {
	vars := append([]corev1.EnvVar{}, s.Env...)
	if s.RemoteWriteURL != "" {
		vars = append(vars, corev1.EnvVar{Name: "K6_PROMETHEUS_RW_SERVER_URL", Value: s.RemoteWriteURL}, corev1.EnvVar{Name: "K6_PROMETHEUS_RW_TREND_AS_NATIVE_HISTOGRAM", Value: "true"},
			corev1.EnvVar{Name: "K6_PROMETHEUS_RW_PUSH_INTERVAL", Value: "1s"}, corev1.EnvVar{Name: "K6_PROMETHEUS_RW_STALE_MARKERS", Value: "true"})
	}
	return vars
}

// pod is what the documentation calls PodSpec: what a runner's pod is to be.
type pod struct {
	AutomountServiceAccountToken string                      `json:"automountServiceAccountToken"`
	Image                        string                      `json:"image"`
	Env                          []corev1.EnvVar             `json:"env,omitempty"`
	NodeSelector                 map[string]string           `json:"nodeSelector,omitempty"`
	Affinity                     *corev1.Affinity            `json:"affinity"`
	Resources                    corev1.ResourceRequirements `json:"resources"`
	SecurityContext              corev1.PodSecurityContext   `json:"securityContext"`
	ContainerSecurityContext     corev1.SecurityContext      `json:"containerSecurityContext"`
	Metadata                     struct {
		Labels map[string]string `json:"labels"`
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

func (s Spec) testRun() (*unstructured.Unstructured, error) {
	no, yes := false, true
	runner := pod{
		AutomountServiceAccountToken: "false", Image: s.Image, Env: s.env(), NodeSelector: s.Nodes, Affinity: apart(), Resources: s.Resources,
		SecurityContext: corev1.PodSecurityContext{SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault}},
		ContainerSecurityContext: corev1.SecurityContext{
			AllowPrivilegeEscalation: &no, RunAsNonRoot: &yes, Capabilities: &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
		},
	}
	runner.Metadata.Labels = s.labels()
	fields, err := runtime.DefaultUnstructuredConverter.ToUnstructured(&runner)
	if err != nil {
		return nil, fmt.Errorf("k6's pods: %w", err)
	}
	run := &unstructured.Unstructured{Object: map[string]any{
		"spec": map[string]any{
			"parallelism": int64(s.Parallelism), "quiet": "true", "arguments": s.arguments(), "runner": fields,
			"script": map[string]any{"configMap": map[string]any{"name": s.Name, "file": archive}},
		},
	}}
	run.SetAPIVersion(resource.GroupVersion().String())
	run.SetKind("TestRun")
	run.SetName(s.Name)
	run.SetLabels(s.labels())
	return run, nil
}
