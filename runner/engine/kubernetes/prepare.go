package kubernetes

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/engine"
)

const (
	// rehearsalTimeout bounds a lane's rehearsal: a large image may take minutes to pull, and a node minutes to join.
	rehearsalTimeout = 10 * time.Minute
	// tellEvery is how often a person is told what a rehearsal waits for.
	tellEvery = 5 * time.Second
	// reachTimeout bounds the dial of a lane that is ready.
	reachTimeout = 5 * time.Second
)

// preparedRace is what the lanes of a race have in common.
type preparedRace struct {
	id        string
	namespace string
	say       func(string)
}

// preparedLane is what it takes to start a lane in any heat.
type preparedLane struct {
	race    *preparedRace
	name    string // of its Service
	port    int
	address string // host:port of its Service
	image   race.Image
	// root: the image runs as root, mostly to become somebody else after it has set up its files.
	root bool
	// writable: the app was seen to need a file system that it can write.
	writable bool
}

// HostPort implements engine.Ready: a pod has ports of its own, so any of this machine's will do.
func (p *preparedLane) HostPort() int { return 0 }

func (e *Engine) makeService(ctx context.Context, p *preparedLane, l race.LaneSpec) error {
	made, err := e.client.CoreV1().Services(p.race.namespace).Create(ctx, service(p, l), metav1.CreateOptions{})
	if err != nil {
		return e.explain(ctx, err, "make a Service for lane "+l.App)
	}
	p.address = net.JoinHostPort(made.Spec.ClusterIP, strconv.Itoa(p.port))
	return nil
}

// rehearse starts every lane once, all at the same time, and ends it again. What it takes beyond the least is found out here.
func (e *Engine) rehearse(ctx context.Context, ready map[string]*preparedLane, lanes []race.LaneSpec) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var wait sync.WaitGroup
	for _, l := range lanes {
		wait.Go(func() {
			for {
				again, err := e.rehearseOnce(ctx, ready[l.App], l)
				if err != nil {
					cancel(err) // the first reason counts, and nobody waits for the others
				}
				if !again || err != nil {
					return
				}
			}
		})
	}
	wait.Wait()
	return context.Cause(ctx)
}

// rehearsal is the number of the heat that does not count.
const rehearsal = 0

func (e *Engine) rehearseOnce(ctx context.Context, p *preparedLane, spec race.LaneSpec) (again bool, err error) {
	l, err := e.start(ctx, rehearsal, spec, p)
	if err != nil {
		return false, err
	}
	failure := l.awaitReady(ctx)
	p.image = l.image()
	if _, err := l.Counters(ctx); err != nil && !l.Ended() && !errors.Is(err, errNotYet) && ctx.Err() == nil {
		p.race.say(err.Error() + "; " + race.HintOf(err))
	}
	if p.learn(l, failure) {
		again, failure = true, nil
	}
	if err := l.Stop(ctx); failure == nil {
		failure = err
	}
	return again, failure
}

// learn finds out whether the app needs more than it was given, and tells.
func (p *preparedLane) learn(l *lane, failure error) bool {
	switch {
	case failure != nil && !p.root && strings.Contains(failure.Error(), "runAsNonRoot"):
		p.root = true
		p.race.say("lane " + l.spec.App + ": its image runs as root, with few capabilities; under the Pod Security Standard restricted it could not")
		return true
	case !p.writable && l.Ended() && engine.ReadOnlyComplaint(l.Logs()):
		p.writable = true
		p.race.say("lane " + l.spec.App + ": its file system is left writable, since the app does not start without")
		return true
	}
	return false
}

// awaitReady waits until the lane's pod is ready and this machine reaches it, or the app has ended by itself: why it did is the first heat's to tell.
func (l *lane) awaitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, rehearsalTimeout)
	defer cancel()
	tell := time.NewTicker(tellEvery)
	defer tell.Stop()
	var giveUp <-chan time.Time // the app may never get ready by its probe and still answer, or tell in the first heat why not
	running := l.running
	for {
		select {
		case <-l.Done():
			return l.Lost()
		case <-l.ready:
			return l.reach(ctx)
		case <-running:
			running, giveUp = nil, time.After(l.healthTimeout())
		case <-giveUp:
			return nil
		case <-tell.C:
			l.prepared.race.say("lane " + l.spec.App + ": " + l.waitsFor())
		case <-ctx.Done():
			if context.Cause(ctx) != context.DeadlineExceeded { //nolint:errorlint // it is our own
				return context.Cause(ctx)
			}
			return race.Errorf(race.Unavailable, "", "lane %s: its pod does not start within %s: %s", l.spec.App, rehearsalTimeout, l.waitsFor())
		}
	}
}

func (l *lane) healthTimeout() time.Duration {
	if l.spec.Health.Timeout > 0 {
		return l.spec.Health.Timeout
	}
	return 30 * time.Second
}

// reach makes sure that the lane's Service is reached from here: k6 and the runner's own questions go this way.
func (l *lane) reach(ctx context.Context) error {
	if l.spec.Queue != nil {
		return nil
	}
	d := net.Dialer{Timeout: reachTimeout}
	var err error
	for end := time.Now().Add(reachTimeout); time.Now().Before(end) && ctx.Err() == nil; time.Sleep(50 * time.Millisecond) { // kube-proxy follows a little later
		conn, dialErr := d.DialContext(ctx, "tcp", l.prepared.address)
		if dialErr == nil {
			return conn.Close()
		}
		err = dialErr
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return race.Errorf(race.Unavailable, "run the runner in the cluster (docs/kubernetes.md), and let its network policies pass it",
		"lane %s is ready in its pod, but its Service %s is not reached from here: %w", l.spec.App, l.prepared.address, err)
}

// image is what the node says it runs.
func (l *lane) image() race.Image {
	i := race.Image{Name: l.spec.Image}
	pod := l.pod()
	if pod == nil {
		return i
	}
	for _, s := range pod.Status.ContainerStatuses {
		if s.Name == container {
			i.ID = s.ImageID
			if strings.Contains(s.ImageID, "@") {
				i.Digest = s.ImageID
			}
		}
	}
	return i
}

func (l *lane) waitsFor() string {
	pod := l.pod()
	if pod == nil {
		return "its pod is not made yet"
	}
	return WaitsFor(pod)
}

// WaitsFor says what a pod waits for that does not run.
func WaitsFor(pod *corev1.Pod) string {
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodScheduled && c.Status == corev1.ConditionFalse {
			return fmt.Sprintf("no node takes its pod yet: %s", c.Message)
		}
	}
	for _, s := range pod.Status.ContainerStatuses {
		if s.State.Waiting != nil {
			return "its pod waits on node " + pod.Spec.NodeName + ": " + s.State.Waiting.Reason
		}
	}
	return "its pod starts on node " + pod.Spec.NodeName
}
