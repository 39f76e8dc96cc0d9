package kubernetes

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/engine"
)

// rootCapabilities are what the entry point of an image that starts as root needs to set up its files, listen on a low port and become another
// user. They are fewer than a container's default; no others are ever given.
var rootCapabilities = []corev1.Capability{"CHOWN", "DAC_OVERRIDE", "FOWNER", "SETUID", "SETGID", "NET_BIND_SERVICE"}

func namespace(raceID string) *corev1.Namespace {
	return &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{
		Name: namespaceOf(raceID), Labels: map[string]string{raceLabel: namespaceOf(raceID)}, Annotations: map[string]string{raceLabel: raceID},
	}}
}

// labels of a lane's objects; of all heats if heat is negative.
func (p *preparedLane) labels(app string, heat int) map[string]string {
	l := Labels(p.race.id, PartLane)
	l[appLabel] = app
	if heat >= 0 {
		l[heatLabel] = strconv.Itoa(heat)
	}
	return l
}

// service leads to the lane's pod from the moment it has an address: whether the app is healthy is the runner's question, and it has its own.
func service(p *preparedLane, l race.LaneSpec) *corev1.Service {
	return &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: p.name, Labels: p.labels(l.App, -1)},
		Spec: corev1.ServiceSpec{
			Selector: p.labels(l.App, -1), PublishNotReadyAddresses: true,
			Ports: []corev1.ServicePort{{Name: "http", Port: int32(p.port), TargetPort: intstr.FromInt(p.port)}},
		},
	}
}

// deployment is a lane in a heat. It is never updated; Recreate says that two pods of a lane must never run at once.
func deployment(p *preparedLane, l race.LaneSpec, heat int, o Options) *appsv1.Deployment {
	labels, one, none := p.labels(l.App, heat), int32(1), int32(0)
	return &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: p.heatName(heat), Labels: labels},
		Spec: appsv1.DeploymentSpec{
			Replicas: &one, RevisionHistoryLimit: &none, Strategy: appsv1.DeploymentStrategy{Type: appsv1.RecreateDeploymentStrategyType},
			Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels}, Spec: pod(p, l, o)},
		},
	}
}

func (p *preparedLane) heatName(heat int) string { return fmt.Sprintf("%s-%d", p.name, heat) }

func pod(p *preparedLane, l race.LaneSpec, o Options) corev1.PodSpec {
	no, grace := false, int64((o.Grace+time.Second-1)/time.Second)
	return corev1.PodSpec{
		AutomountServiceAccountToken: &no, EnableServiceLinks: &no, TerminationGracePeriodSeconds: &grace,
		NodeSelector: o.Nodes, Affinity: apart(),
		SecurityContext: &corev1.PodSecurityContext{SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault}},
		Volumes:         []corev1.Volume{{Name: "tmp", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}}},
		Containers: []corev1.Container{{
			Name: container, Image: l.Image, Env: env(p, l), Resources: Resources(l.Resources), SecurityContext: confined(p),
			Ports:        []corev1.ContainerPort{{Name: "http", ContainerPort: int32(p.port)}},
			VolumeMounts: []corev1.VolumeMount{{Name: "tmp", MountPath: "/tmp"}},
			StartupProbe: probe(p, l),
		}},
	}
}

// apart keeps lanes off the nodes where k6 runs, and off each other's, as far as there are nodes enough. A cluster of one node still races.
func apart() *corev1.Affinity {
	term := func(part string, weight int32) corev1.WeightedPodAffinityTerm {
		return corev1.WeightedPodAffinityTerm{Weight: weight, PodAffinityTerm: corev1.PodAffinityTerm{
			TopologyKey: corev1.LabelHostname, NamespaceSelector: &metav1.LabelSelector{}, // of all namespaces: the runner has its own
			LabelSelector: &metav1.LabelSelector{MatchLabels: PartLabels(part)},
		}}
	}
	return &corev1.Affinity{PodAntiAffinity: &corev1.PodAntiAffinity{
		PreferredDuringSchedulingIgnoredDuringExecution: []corev1.WeightedPodAffinityTerm{term(PartK6, 100), term(PartLane, 50)},
	}}
}

// confined is what every lane starts from. What one needs beyond that, the rehearsal finds out.
func confined(p *preparedLane) *corev1.SecurityContext {
	no, yes := false, true
	c := &corev1.SecurityContext{
		AllowPrivilegeEscalation: &no, Privileged: &no, RunAsNonRoot: &yes, ReadOnlyRootFilesystem: &yes,
		Capabilities: &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
	}
	if p.root {
		c.RunAsNonRoot, c.Capabilities.Add = &no, slices.Clone(rootCapabilities)
	}
	if p.writable {
		c.ReadOnlyRootFilesystem = &no
	}
	return c
}

// Resources asks for what it limits: the scheduler finds a node that has it to spare, and the pod is the last that the kubelet evicts (QoS Guaranteed).
func Resources(r race.Resources) corev1.ResourceRequirements {
	amounts := corev1.ResourceList{}
	if r.CPUs != nil {
		amounts[corev1.ResourceCPU] = *resource.NewMilliQuantity(int64(*r.CPUs*1000+0.5), resource.DecimalSI)
	}
	if r.Memory != nil {
		amounts[corev1.ResourceMemory] = *resource.NewQuantity(*r.Memory, resource.BinarySI)
	}
	if len(amounts) == 0 {
		return corev1.ResourceRequirements{}
	}
	return corev1.ResourceRequirements{Requests: amounts, Limits: maps.Clone(amounts)}
}

func env(p *preparedLane, l race.LaneSpec) []corev1.EnvVar {
	vars := []corev1.EnvVar{{Name: "HOST", Value: "0.0.0.0"}}
	for _, pair := range engine.QueueEnv(l, os.Getenv, false) {
		name, value, _ := strings.Cut(pair, "=")
		vars = append(vars, corev1.EnvVar{Name: name, Value: escaped(value)})
	}
	for _, name := range slices.Sorted(maps.Keys(l.Env)) {
		vars = append(vars, corev1.EnvVar{Name: name, Value: escaped(l.Env[name])})
	}
	return append(vars, corev1.EnvVar{Name: "PORT", Value: strconv.Itoa(p.port)})
}

// escaped keeps Kubernetes from putting other variables' values in place of $(NAME).
func escaped(value string) string { return strings.ReplaceAll(value, "$(", "$$(") }

// probe asks whether the app has started, once a second until it has, and never again: an app is asked nothing but by k6 while it is measured.
// Only a path that was named is asked for by HTTP, since the kubelet takes 404 for a failure and the runner does not.
func probe(p *preparedLane, l race.LaneSpec) *corev1.Probe {
	if l.Queue != nil {
		return nil // a worker listens to nobody
	}
	handler := corev1.ProbeHandler{TCPSocket: &corev1.TCPSocketAction{Port: intstr.FromInt(p.port)}}
	if l.Health.Path != "" {
		handler = corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Path: l.Health.Path, Port: intstr.FromInt(p.port)}}
	}
	return &corev1.Probe{ProbeHandler: handler, PeriodSeconds: 1, TimeoutSeconds: 2, FailureThreshold: probeFailures}
}

// probeFailures is for ever: the runner gives an app up by the lane's health.timeout, and then removes it.
const probeFailures = 1 << 20
