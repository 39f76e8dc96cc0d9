package kubetest

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/photofinish/photofinish/runner/cgroup"
)

const (
	probeEvery   = 50 * time.Millisecond // a kubelet takes the probe's period, at least a second
	pullBackOff  = 300 * time.Millisecond
	crashBackOff = time.Second
)

// addresses counts the pods of this process: each has an address of its own.
var addresses atomic.Int64

// pod is a pod of one container on a node.
type pod struct {
	node *Node
	spec *corev1.Pod
	ip   string

	removeOnce sync.Once
	started    chan struct{} // closed when live has made a process, or given up
	group      *cgroup.Group
	program    *program // nil if it was never started

	mu      sync.Mutex
	ending  bool // it is to be removed, or was evicted: nothing more is told of it
	output  *os.File
	drained chan struct{} // closed when the output is whole
}

func newPod(n *Node, spec *corev1.Pod) *pod {
	number := addresses.Add(1)
	return &pod{
		node: n, spec: spec, ip: fmt.Sprintf("127.97.%d.%d", number/250, number%250+1),
		started: make(chan struct{}), drained: make(chan struct{}),
	}
}

func (p *pod) container() corev1.Container { return p.spec.Spec.Containers[0] }

// live starts the pod's container and tells how it fares, until it ends.
func (p *pod) live(ctx context.Context) {
	if !p.start(ctx) {
		close(p.drained)
		close(p.started)
		return
	}
	close(p.started)
	begun := metav1.Now()
	running := corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: begun}}
	p.tell(ctx, corev1.PodRunning, running, corev1.ContainerState{}, p.container().StartupProbe == nil)
	go p.probe(ctx, running)
	<-p.program.done
	oom := p.oomKilled() //nolint:contextcheck // the kernel answers at once
	close(p.drained)
	if ctx.Err() != nil {
		return
	}
	ended := corev1.ContainerState{Terminated: p.terminated(begun, oom)}
	if p.spec.Spec.RestartPolicy == corev1.RestartPolicyNever {
		phase := corev1.PodSucceeded
		if ended.Terminated.ExitCode != 0 {
			phase = corev1.PodFailed
		}
		p.tell(ctx, phase, ended, corev1.ContainerState{}, false)
		return
	}
	if !p.tell(ctx, corev1.PodRunning, ended, corev1.ContainerState{}, false) {
		return
	}
	select {
	case <-ctx.Done():
	case <-time.After(crashBackOff): // a kubelet would start it again; here it stays in the back-off
		waiting := corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "CrashLoopBackOff", Message: "back-off restarting failed container"}}
		p.tell(ctx, corev1.PodRunning, waiting, ended, false)
	}
}

// start makes the container's process; false if it cannot be, which has been told.
func (p *pod) start(ctx context.Context) bool {
	c := p.container()
	image, has := p.node.images[c.Image]
	if !has {
		p.waits(ctx, "ErrImagePull", fmt.Sprintf("failed to pull and unpack image %q: not found", c.Image))
		time.Sleep(pullBackOff)
		p.waits(ctx, "ImagePullBackOff", fmt.Sprintf("Back-off pulling image %q: ErrImagePull: not found", c.Image))
		return false
	}
	if s := c.SecurityContext; image.Root && s != nil && s.RunAsNonRoot != nil && *s.RunAsNonRoot && s.RunAsUser == nil {
		p.waits(ctx, "CreateContainerConfigError", fmt.Sprintf("container has runAsNonRoot and image will run as root (pod: %q, container: %s)", p.spec.Name, c.Name))
		return false
	}
	if err := p.launch(image); err != nil { //nolint:contextcheck // a process outlives the call
		p.waits(ctx, "RunContainerError", err.Error())
		return false
	}
	return true
}

func (p *pod) waits(ctx context.Context, reason, message string) {
	p.tell(ctx, corev1.PodPending, corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: message}}, corev1.ContainerState{}, false)
}

func (p *pod) launch(image Image) error {
	var limits cgroup.Limits
	c := p.container()
	if q, is := c.Resources.Limits[corev1.ResourceCPU]; is {
		cpus := q.AsApproximateFloat64()
		limits.CPUs = &cpus
	}
	if q, is := c.Resources.Limits[corev1.ResourceMemory]; is {
		bytes := q.Value()
		limits.Memory = &bytes
	}
	var err error
	if p.group, err = p.node.groups.Create(p.node.group(p.spec.UID), limits); err != nil {
		return err
	}
	if p.output, err = os.Create(filepath.Join(p.node.dir, string(p.spec.UID))); err != nil {
		return err
	}
	argv, err := p.argv(image)
	if err != nil {
		return err
	}
	cmd := p.group.Command(context.Background(), argv)
	if cmd.Env, err = p.secrets(); err != nil {
		return err
	}
	for _, v := range c.Env {
		if v.Name == "HOST" {
			v.Value = p.ip // all addresses of its own network
		}
		cmd.Env = append(cmd.Env, v.Name+"="+v.Value)
	}
	cmd.Dir = p.node.dir
	p.program, err = launch(cmd, p.output)
	return err
}

func (p *pod) oomKilled() bool {
	c, err := p.group.Counters(context.Background())
	return err == nil && c.OOMKills > 0
}

func (p *pod) terminated(begun metav1.Time, oom bool) *corev1.ContainerStateTerminated {
	t := &corev1.ContainerStateTerminated{Reason: "Error", StartedAt: begun, FinishedAt: metav1.Now()}
	status, _ := p.program.cmd.ProcessState.Sys().(syscall.WaitStatus)
	t.ExitCode = int32(status.ExitStatus())
	if status.Signaled() {
		t.ExitCode = 128 + int32(status.Signal())
	}
	switch {
	case oom:
		t.Reason = "OOMKilled"
	case t.ExitCode == 0:
		t.Reason = "Completed"
	}
	return t
}

// probe asks whether the app has started, until it has.
func (p *pod) probe(ctx context.Context, running corev1.ContainerState) {
	probe := p.container().StartupProbe
	if probe == nil {
		return
	}
	for ; ; time.Sleep(probeEvery) {
		select {
		case <-p.program.done:
			return
		case <-ctx.Done():
			return
		default:
		}
		if p.asked(ctx, probe.ProbeHandler) {
			p.tell(ctx, corev1.PodRunning, running, corev1.ContainerState{}, true)
			return
		}
	}
}

func (p *pod) asked(ctx context.Context, h corev1.ProbeHandler) bool {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	if h.HTTPGet == nil {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", net.JoinHostPort(p.ip, h.TCPSocket.Port.String()))
		return err == nil && conn.Close() == nil
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+net.JoinHostPort(p.ip, h.HTTPGet.Port.String())+h.HTTPGet.Path, nil)
	if err != nil {
		return false
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	_ = resp.Body.Close()
	return resp.StatusCode >= 200 && resp.StatusCode < 400
}

// tell writes the pod's status; false if it is to be removed and nothing is told any more.
func (p *pod) tell(ctx context.Context, phase corev1.PodPhase, state, last corev1.ContainerState, ready bool) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ending {
		return false
	}
	p.update(ctx, func(s *corev1.PodStatus) {
		c := p.container()
		restarts := int32(0)
		if last.Terminated != nil {
			restarts = 1
		}
		s.Phase, s.PodIP, s.PodIPs = phase, p.ip, []corev1.PodIP{{IP: p.ip}}
		s.ContainerStatuses = []corev1.ContainerStatus{{
			Name: c.Name, Image: c.Image, ImageID: c.Image + "@sha256:" + strings.Repeat("a", 64), State: state, LastTerminationState: last, Ready: ready, Started: &ready, RestartCount: restarts,
		}}
		is := corev1.ConditionFalse
		if ready {
			is = corev1.ConditionTrue
		}
		s.Conditions = append(s.Conditions[:0:0], corev1.PodCondition{Type: corev1.PodScheduled, Status: corev1.ConditionTrue},
			corev1.PodCondition{Type: corev1.ContainersReady, Status: is}, corev1.PodCondition{Type: corev1.PodReady, Status: is})
	})
	return true
}

func (p *pod) update(ctx context.Context, change func(*corev1.PodStatus)) {
	pods := p.node.client.CoreV1().Pods(p.spec.Namespace)
	for range 200 {
		fresh, err := pods.Get(ctx, p.spec.Name, metav1.GetOptions{})
		if err == nil && fresh.UID == p.spec.UID {
			change(&fresh.Status)
			_, err = pods.UpdateStatus(ctx, fresh, metav1.UpdateOptions{})
		}
		if err == nil || apierrors.IsNotFound(err) || ctx.Err() != nil {
			return
		}
		time.Sleep(20 * time.Millisecond) // a conflict, or no API server
	}
}

// end ends a pod that is to be removed: SIGTERM, SIGKILL after the grace period, and then it is gone.
func (p *pod) end(ctx context.Context, seen *corev1.Pod) {
	<-p.started
	p.mu.Lock()
	p.ending = true
	p.mu.Unlock()
	if p.program != nil {
		_ = p.program.cmd.Process.Signal(syscall.SIGTERM)
		grace := time.Duration(0)
		if seen.DeletionGracePeriodSeconds != nil {
			grace = time.Duration(*seen.DeletionGracePeriodSeconds) * time.Second
		}
		select {
		case <-p.program.done:
		case <-time.After(grace):
		}
	}
	p.kill() //nolint:contextcheck // what is left of a pod is ended whatever happens
	p.node.remove(ctx, seen)
	p.node.forget(p.spec.UID) //nolint:contextcheck // as above
}

func (p *pod) evict(ctx context.Context, message string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ending = true
	p.update(ctx, func(s *corev1.PodStatus) { s.Phase, s.Reason, s.Message = corev1.PodFailed, "Evicted", message })
	p.kill() //nolint:contextcheck // as above
}

// kill ends all processes of the pod.
func (p *pod) kill() {
	<-p.started
	if p.group == nil {
		return
	}
	_ = p.group.Kill(context.Background())
	if p.program != nil {
		<-p.program.done
	}
	_ = p.group.Remove()
	if p.output != nil {
		_ = p.output.Close()
	}
}
