package operator

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"go.k6.io/k6/errext/exitcodes"
	corev1 "k8s.io/api/core/v1"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/engine"
	"github.com/photofinish/photofinish/runner/engine/kubernetes"
	"github.com/photofinish/photofinish/runner/k6/stock"
)

const (
	// askEvery is how often a TestRun and its pods are asked how they are.
	askEvery = 200 * time.Millisecond
	// patience is how long the API server may be gone: k6 runs on without it.
	patience = 30 * time.Second
	// tellAfter and tellEvery are when a person is told what k6's pods wait for.
	tellAfter, tellEvery = 5 * time.Second, 10 * time.Second
	// drainTimeout bounds the wait for the last output of a pod that has ended.
	drainTimeout = 5 * time.Second

	// container is the name of k6's in its pod.
	container = "k6"
)

// program is the k6 of a TestRun, in as many pods as share its load.
type program struct {
	launcher *Launcher
	run      *Run
	voices   []*stock.Voice
	done     chan struct{}
	began    time.Time
	told     time.Time // when a person was told what it waits for

	stopped   atomic.Bool
	instances []*instance

	mu    sync.Mutex
	pods  []corev1.Pod               // as they were seen last
	spent map[string]engine.Counters // by pod, as it was told last

	code int
	err  error
}

var _ stock.Program = (*program)(nil)

// instance is one of the pods.
type instance struct {
	name  string
	voice *stock.Voice
	read  chan struct{} // closed when its output has been read as far as it came; nil before that has begun
	code  *int          // nil before it has ended
}

func newProgram(l *Launcher, r *Run, o *stock.Order) *program {
	p := &program{launcher: l, run: r, done: make(chan struct{}), spent: map[string]engine.Counters{}, began: time.Now(), told: time.Now().Add(tellAfter - tellEvery)}
	for range r.spec.Parallelism {
		p.voices = append(p.voices, o.Voice())
	}
	return p
}

// Done implements stock.Program.
func (p *program) Done() <-chan struct{} { return p.done }

// Code implements stock.Program.
func (p *program) Code() (int, error) { return p.code, p.err }

// Signal implements stock.Program.
func (p *program) Signal(ctx context.Context, name string) error {
	p.stopped.Store(true)
	return p.run.Stop(ctx, name == "SIGKILL")
}

// Remove implements stock.Program.
func (p *program) Remove(ctx context.Context) error { return p.run.Remove(ctx) }

// Counters implements stock.Program. Of a pod that has ended what was told last still counts.
func (p *program) Counters(ctx context.Context) (engine.Counters, error) {
	p.mu.Lock()
	pods := p.pods
	p.mu.Unlock()
	told := map[string]engine.Counters{}
	for i := range pods {
		if c, err := p.launcher.options.Engine.Spent(ctx, &pods[i], container, p.launcher.resources); err == nil {
			told[pods[i].Name] = c
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	maps.Copy(p.spent, told)
	if len(p.spent) == 0 {
		return engine.Counters{}, race.Errorf(race.Unavailable, "", "what k6 spends is not known")
	}
	var sum engine.Counters
	for _, c := range p.spent {
		sum.CPU += c.CPU
		if c.At.After(sum.At) {
			sum.At = c.At
		}
	}
	return sum, nil
}

// follow looks after the pods until all have ended and their output was read.
func (p *program) follow(ctx context.Context) {
	defer close(p.done)
	ctx, end := context.WithCancel(context.WithoutCancel(ctx)) // Signal ends them
	defer end()
	heard := time.Now()
	for {
		over, err := p.look(ctx)
		switch {
		case errors.Is(err, engine.ErrDown) && time.Since(heard) < patience:
		case err != nil:
			p.err = err
			return
		default:
			heard = time.Now()
		}
		if over {
			p.drain(ctx)
			return
		}
		time.Sleep(askEvery)
	}
}

// look sees what the pods have become. over: all have ended. An error is why they will not.
func (p *program) look(ctx context.Context) (over bool, err error) {
	stage, there, err := p.run.stage(ctx)
	if err != nil {
		return false, err
	}
	pods, err := p.run.pods(ctx)
	if err != nil {
		return false, err
	}
	p.mu.Lock()
	p.pods = pods
	p.mu.Unlock()
	for i := range pods {
		if err := p.heed(ctx, &pods[i]); err != nil {
			return false, err
		}
	}
	switch {
	case !there && len(pods) == 0:
		return true, p.gone()
	case stage == "error":
		return false, race.Errorf(race.Unavailable, fmt.Sprintf("look at its initializer: kubectl logs -n %s -l k6_cr=%s", p.run.spec.Namespace, p.run.spec.Name), "k6-operator gave the TestRun %s up", p.run.spec.Name)
	case stage == "" && there && time.Since(p.began) > p.launcher.ignored:
		return false, race.Errorf(race.Unavailable, "look whether k6-operator runs: kubectl get pods -A -l app.kubernetes.io/name=k6-operator", "k6-operator has not looked at the TestRun %s for %s", p.run.spec.Name, p.launcher.ignored)
	}
	p.tell(stage, pods)
	return p.ended() == p.run.spec.Parallelism, nil
}

// heed takes in what a pod has become, and begins to read its output.
func (p *program) heed(ctx context.Context, pod *corev1.Pod) error {
	if pod.Status.Phase == corev1.PodFailed && pod.Status.Reason != "" {
		return race.Errorf(race.Unavailable, "", "pod %s of k6 is gone: %s: %s", pod.Name, pod.Status.Reason, pod.Status.Message)
	}
	at := slices.IndexFunc(pod.Status.ContainerStatuses, func(s corev1.ContainerStatus) bool { return s.Name == container })
	if at < 0 {
		return nil
	}
	state := pod.Status.ContainerStatuses[at].State
	if state.Waiting != nil {
		return kubernetes.CannotStart("k6", state.Waiting)
	}
	of, err := p.instance(pod.Name)
	if err != nil {
		return err
	}
	if of.read == nil {
		of.read = make(chan struct{})
		go func() {
			defer close(of.read)
			_ = p.read(ctx, of, true) // what is missing is read again when the pod has ended
		}()
	}
	if t := state.Terminated; t != nil && of.code == nil {
		code := int(t.ExitCode)
		of.code = &code
		return outOfMemory(pod.Name, t)
	}
	return nil
}

// outOfMemory is the end of a pod that had too little of it, nil of another's.
func outOfMemory(pod string, t *corev1.ContainerStateTerminated) error {
	if t.Reason != "OOMKilled" {
		return nil
	}
	return race.Errorf(race.Unavailable, "give it more: k6.memory in the script, or more pods", "k6 in pod %s was killed: it ran out of memory (OOMKilled)", pod)
}

func (p *program) instance(name string) (*instance, error) {
	for _, i := range p.instances {
		if i.name == name {
			return i, nil
		}
	}
	if len(p.instances) == len(p.voices) {
		return nil, race.Errorf(race.Unavailable, "", "a pod of k6 was replaced by %s in the middle of its load", name)
	}
	i := &instance{name: name, voice: p.voices[len(p.instances)]}
	p.instances = append(p.instances, i)
	return i, nil
}

// read hands what a pod prints to its voice: as it comes, or all of what it printed.
func (p *program) read(ctx context.Context, of *instance, follow bool) error {
	stream, err := p.run.cluster.client.CoreV1().Pods(p.run.spec.Namespace).GetLogs(of.name, &corev1.PodLogOptions{Container: container, Follow: follow}).Stream(ctx)
	if err != nil {
		return p.run.cluster.explain(ctx, err, "read what pod "+of.name+" of k6 counted")
	}
	defer func() { _ = stream.Close() }()
	_, err = io.Copy(of.voice, stream)
	return err
}

// gone is the end of pods that were removed: by Signal, or by somebody else.
func (p *program) gone() error {
	if !p.stopped.Load() {
		return race.Errorf(race.Unavailable, "", "the TestRun %s was removed by somebody else", p.run.spec.Name)
	}
	for _, i := range p.instances {
		if i.code == nil {
			code := int(exitcodes.ExternalAbort)
			i.code = &code
		}
	}
	if len(p.instances) == 0 {
		p.code = int(exitcodes.ExternalAbort)
	}
	return nil
}

func (p *program) ended() int {
	n := 0
	for _, i := range p.instances {
		if i.code != nil {
			n++
		}
	}
	return n
}

// drain waits for the last output, and takes the code that tells most.
func (p *program) drain(ctx context.Context) {
	for _, i := range p.instances {
		select {
		case <-i.read:
		case <-time.After(drainTimeout):
			p.err = race.Errorf(race.Unavailable, "", "what pod %s of k6 printed does not come to an end", i.name)
			return
		}
		if !i.voice.Told() && !p.stopped.Load() { // it was cut off, as by an API server that went away
			if err := p.read(ctx, i, false); err != nil {
				p.err = err
			}
		}
		if worse(*i.code, p.code) {
			p.code = *i.code
		}
	}
}

// worse says which of two exit codes tells more: a failure, then a threshold that was crossed.
func worse(code, than int) bool {
	rank := func(c int) int {
		switch c {
		case 0:
			return 0
		case int(exitcodes.ThresholdsHaveFailed):
			return 1
		}
		return 2
	}
	return rank(code) > rank(than)
}

// tell says now and then what the pods wait for, until all have started.
func (p *program) tell(stage string, pods []corev1.Pod) {
	if time.Since(p.told) < tellEvery || len(p.instances) == p.run.spec.Parallelism {
		return
	}
	p.told = time.Now()
	p.launcher.options.Say(fmt.Sprintf("k6: %d of %d pods have started; %s", len(p.instances), p.run.spec.Parallelism, waitsFor(stage, pods)))
}

func waitsFor(stage string, pods []corev1.Pod) string {
	for i := range pods {
		if pods[i].Status.Phase == corev1.PodPending {
			return kubernetes.WaitsFor(&pods[i])
		}
	}
	if stage == "" {
		return "k6-operator has not looked at the TestRun yet"
	}
	return "k6-operator is at the stage " + stage
}
