package kubernetes

import (
	"bufio"
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/util/flowcontrol"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/engine"
)

// kubelets asks the kubelets of the nodes what their cAdvisor has counted, with the runner's own credentials. Not by way of the API server: that
// would take the right nodes/proxy, which is as good as root on every node; a kubelet itself asks for nodes/metrics only.
type kubelets struct {
	client   kubernetes.Interface
	config   *rest.Config
	insecure bool
	every    time.Duration // one answer stands for so long, for all lanes of its node

	mu    sync.Mutex
	nodes map[string]*kubelet
}

// kubelet is that of one node.
type kubelet struct {
	mu     sync.Mutex
	client *http.Client // nil before it was asked
	url    string
	asked  time.Time
	text   []byte // what it said last
}

// ask gives the series of a node's containers, as text that is no older than it may be.
func (k *kubelets) ask(ctx context.Context, node string, age time.Duration) ([]byte, error) {
	k.mu.Lock()
	if k.nodes == nil {
		k.nodes = map[string]*kubelet{}
	}
	of := k.nodes[node]
	if of == nil {
		of = &kubelet{}
		k.nodes[node] = of
	}
	k.mu.Unlock()
	of.mu.Lock()
	defer of.mu.Unlock()
	if time.Since(of.asked) < age {
		return of.text, nil
	}
	if of.client == nil {
		if err := k.find(ctx, node, of); err != nil {
			return nil, err
		}
	}
	text, err := of.get(ctx)
	if err != nil {
		return nil, refused(node, err)
	}
	of.asked, of.text = time.Now(), text
	return text, nil
}

// find finds a node's kubelet.
func (k *kubelets) find(ctx context.Context, name string, of *kubelet) error {
	node, err := k.client.CoreV1().Nodes().Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return err
	}
	i := slices.IndexFunc(node.Status.Addresses, func(a corev1.NodeAddress) bool { return a.Type == corev1.NodeInternalIP })
	if i < 0 {
		return race.Errorf(race.Unavailable, "", "node %s has no internal address", name)
	}
	config := rest.CopyConfig(k.config)
	config.Timeout, config.RateLimiter = kubeletTimeout, flowcontrol.NewFakeAlwaysRateLimiter()
	if k.insecure {
		config.Insecure, config.CAData, config.CAFile = true, nil, ""
	}
	config.ServerName = ""
	if of.client, err = rest.HTTPClientFor(config); err != nil {
		return fmt.Errorf("reach the kubelet of node %s: %w", name, err)
	}
	of.url = "https://" + net.JoinHostPort(node.Status.Addresses[i].Address, strconv.Itoa(int(node.Status.DaemonEndpoints.KubeletEndpoint.Port))) + "/metrics/cadvisor"
	return nil
}

// kubeletTimeout bounds one answer.
const kubeletTimeout = 5 * time.Second

// status is an answer that is not 200.
type status int

func (s status) Error() string { return fmt.Sprintf("status %d %s", int(s), http.StatusText(int(s))) }

func (k *kubelet) get(ctx context.Context) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, k.url, nil)
	if err != nil {
		return nil, err
	}
	resp, err := k.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = status(resp.StatusCode)
	}
	return text, err
}

// refused says why a kubelet tells nothing.
func refused(node string, err error) error {
	var s status
	var unknown x509.UnknownAuthorityError
	var wrong x509.HostnameError
	hint := "let this pod reach the node at the kubelet's port, usually 10250"
	switch {
	case errors.As(err, &s) && (s == http.StatusForbidden || s == http.StatusUnauthorized):
		hint = `its ClusterRole misses the rule {apiGroups: [""], resources: ["nodes/metrics"], verbs: ["get"]}; provisioning/kubernetes/runner.yaml has all that is needed`
	case errors.As(err, &unknown) || errors.As(err, &wrong):
		hint = "let the kubelets have certificates of the cluster's authority (serverTLSBootstrap), or set kubernetes.kubelet_insecure_tls in the runner's configuration"
	}
	return race.Errorf(race.Unavailable, hint, "the kubelet of node %s does not tell what its containers spend: %w", node, err)
}

// counters are what a container of a pod has spent.
func (k *kubelets) counters(ctx context.Context, pod *corev1.Pod, container string, limits race.Resources) (engine.Counters, error) {
	if pod.Spec.NodeName == "" {
		return engine.Counters{}, race.Errorf(race.Unavailable, "", "pod %s has no node yet", pod.Name)
	}
	c, err := k.read(ctx, pod, container, limits, k.every)
	if errors.Is(err, errNotYet) { // the last answer may be older than the container
		c, err = k.read(ctx, pod, container, limits, 0)
	}
	return c, err
}

func (k *kubelets) read(ctx context.Context, pod *corev1.Pod, container string, limits race.Resources, age time.Duration) (engine.Counters, error) {
	text, err := k.ask(ctx, pod.Spec.NodeName, age)
	if err != nil {
		return engine.Counters{}, err
	}
	series, err := seriesOf(text, pod.Namespace, pod.Name)
	if err != nil {
		return engine.Counters{}, race.Errorf(race.Unavailable, "", "what the kubelet of node %s says of its containers cannot be read: %w", pod.Spec.NodeName, err)
	}
	return count(series, container, limits)
}

// sample is one series of a pod.
type sample struct {
	labels map[string]string
	value  float64
	at     time.Time
}

// seriesOf picks a pod's series out of a kubelet's text, by name. Only the pod's own lines are parsed: a node may have hundreds of pods.
func seriesOf(text []byte, namespace, pod string) (map[string][]sample, error) {
	var own bytes.Buffer
	lines := bufio.NewScanner(bytes.NewReader(text))
	lines.Buffer(nil, 1<<20)
	isNamespace, isPod := fmt.Appendf(nil, "namespace=%q", namespace), fmt.Appendf(nil, "pod=%q", pod)
	for lines.Scan() {
		if line := lines.Bytes(); bytes.HasPrefix(line, []byte("container_")) && bytes.Contains(line, isNamespace) && bytes.Contains(line, isPod) {
			own.Write(line)
			own.WriteByte('\n')
		}
	}
	if err := lines.Err(); err != nil {
		return nil, err
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(&own)
	if err != nil {
		return nil, err
	}
	found := map[string][]sample{}
	for name, family := range families {
		for _, m := range family.GetMetric() {
			found[name] = append(found[name], sampleOf(m))
		}
	}
	return found, nil
}

func sampleOf(m *dto.Metric) sample {
	s := sample{labels: map[string]string{}, value: m.GetUntyped().GetValue(), at: time.Now()}
	for _, l := range m.GetLabel() {
		s.labels[l.GetName()] = l.GetValue()
	}
	if m.TimestampMs != nil {
		s.at = time.UnixMilli(m.GetTimestampMs())
	}
	return s
}

// errNotYet is the answer of a kubelet whose cAdvisor has not found a container yet: that takes up to ten seconds or so.
var errNotYet = race.Errorf(race.Unavailable, "", "the kubelet counts nothing of it yet")

// count makes counters of a pod's series. They are as old as cAdvisor's own reading, which is what At says.
func count(series map[string][]sample, container string, limits race.Resources) (engine.Counters, error) {
	of := func(name string) *sample {
		for i, s := range series["container_"+name] {
			if s.labels["container"] == container && (s.labels["cpu"] == "" || s.labels["cpu"] == "total") {
				return &series["container_"+name][i]
			}
		}
		return nil
	}
	cpu := of("cpu_usage_seconds_total")
	if cpu == nil {
		return engine.Counters{}, errNotYet
	}
	c := engine.Counters{At: cpu.at, CPU: seconds(cpu.value), Enforced: enforced(of, limits)}
	if limits.CPUs != nil {
		if s := of("cpu_cfs_throttled_seconds_total"); s != nil {
			d := seconds(s.value)
			c.Throttled = &d
		}
		c.Periods, c.ThrottledPeriod = whole(of("cpu_cfs_periods_total")), whole(of("cpu_cfs_throttled_periods_total"))
	}
	c.WorkingSet = whole(of("memory_working_set_bytes"))
	c.NetworkRx, c.NetworkTx = network(series["container_network_receive_bytes_total"]), network(series["container_network_transmit_bytes_total"])
	if kills := whole(of("oom_events_total")); kills != nil {
		c.OOMKills = *kills
	}
	return c, nil
}

// enforced says whether the limits that were asked for are those of the container's cgroup.
func enforced(of func(string) *sample, limits race.Resources) bool {
	if limits.CPUs != nil {
		if quota := of("spec_cpu_quota"); quota == nil || quota.value <= 0 {
			return false
		}
	}
	if limits.Memory != nil {
		if limit := of("spec_memory_limit_bytes"); limit == nil || limit.value <= 0 || limit.value > float64(*limits.Memory) {
			return false
		}
	}
	return true
}

// network sums the interfaces of a pod, but for its loopback: they belong to the pod, not to one of its containers.
func network(series []sample) *uint64 {
	var sum uint64
	for _, s := range series {
		if !strings.HasPrefix(s.labels["interface"], "lo") {
			sum += uint64(s.value)
		}
	}
	if len(series) == 0 {
		return nil
	}
	return &sum
}

func seconds(v float64) time.Duration { return time.Duration(v * float64(time.Second)) }

func whole(s *sample) *uint64 {
	if s == nil {
		return nil
	}
	n := uint64(s.value)
	return &n
}
