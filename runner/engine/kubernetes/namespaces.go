package kubernetes

import (
	"context"
	"os"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/photofinish/photofinish/pkg/race"
)

const (
	// leaseName is that of the Lease in a race's namespace by which its runner shows that it lives.
	leaseName = "photofinish-runner"
	// beats is how often a Lease is renewed within its duration, so that a few may fail.
	beats = 4
	// removeTimeout bounds the wait for a namespace to go: its pods have their grace period, and Kubernetes looks after them in turns.
	removeTimeout = 2 * time.Minute
	// pause between two questions whether something is there or gone.
	pause = 100 * time.Millisecond
)

// settle makes the race's namespace and shows from now on that its runner lives.
func (e *Engine) settle(ctx context.Context, of *preparedRace) error {
	if _, err := e.client.CoreV1().Namespaces().Create(ctx, namespace(of.id), metav1.CreateOptions{}); err != nil {
		return e.explain(ctx, err, "make the namespace "+of.namespace)
	}
	holder, err := os.Hostname()
	if err != nil {
		holder = "photofinish"
	}
	seconds, now := int32(max(1, e.options.Lease/time.Second)), metav1.NowMicro()
	lease := &coordinationv1.Lease{
		ObjectMeta: metav1.ObjectMeta{Name: leaseName},
		Spec:       coordinationv1.LeaseSpec{HolderIdentity: &holder, LeaseDurationSeconds: &seconds, AcquireTime: &now, RenewTime: &now},
	}
	made, err := e.client.CoordinationV1().Leases(of.namespace).Create(ctx, lease, metav1.CreateOptions{})
	if err != nil {
		return e.explain(ctx, err, "note in "+of.namespace+" that this runner lives")
	}
	beating, end := context.WithCancel(context.WithoutCancel(ctx))
	e.mu.Lock()
	e.lives[of.id] = end
	e.mu.Unlock()
	go e.beat(beating, made)
	return nil
}

// beat renews a Lease until ctx ends. What fails is tried again: the next beat is soon enough, and the race tells by itself that the API server is gone.
func (e *Engine) beat(ctx context.Context, lease *coordinationv1.Lease) {
	leases := e.client.CoordinationV1().Leases(lease.Namespace)
	ticker := time.NewTicker(e.options.Lease / beats)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		now := metav1.NowMicro()
		lease.Spec.RenewTime = &now
		if renewed, err := leases.Update(ctx, lease, metav1.UpdateOptions{}); err == nil {
			lease = renewed
		} else if current, getErr := leases.Get(ctx, leaseName, metav1.GetOptions{}); getErr == nil {
			lease = current
		}
	}
}

func (e *Engine) stopBeating(raceID string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if end := e.lives[raceID]; end != nil {
		end()
	}
	delete(e.lives, raceID)
}

// removeNamespace removes a namespace, if it is there and a race's, and waits until it is gone.
func (e *Engine) removeNamespace(ctx context.Context, name string) error {
	if err := ctx.Err(); err != nil {
		return context.Cause(ctx)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, removeTimeout, race.Errorf(race.Unavailable, "look at it with kubectl get namespace "+name+" -o yaml",
		"the namespace %s is not gone %s after it was removed", name, removeTimeout))
	defer cancel()
	namespaces := e.client.CoreV1().Namespaces()
	now := int64(0)
	err := namespaces.Delete(ctx, name, metav1.DeleteOptions{GracePeriodSeconds: &now})
	for err == nil {
		if _, err = namespaces.Get(ctx, name, metav1.GetOptions{}); err != nil {
			break
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(pause):
		}
	}
	if apierrors.IsNotFound(err) {
		return nil
	}
	return e.explain(ctx, err, "remove the namespace "+name)
}

// abandoned are the namespaces of races whose runner has been silent for longer than its Lease.
func (e *Engine) abandoned(ctx context.Context) ([]corev1.Namespace, error) {
	all, err := e.client.CoreV1().Namespaces().List(ctx, metav1.ListOptions{LabelSelector: raceLabel})
	if err != nil {
		return nil, e.explain(ctx, err, "look for what dead runners left")
	}
	var left []corev1.Namespace
	for _, ns := range all.Items {
		lease, err := e.client.CoordinationV1().Leases(ns.Name).Get(ctx, leaseName, metav1.GetOptions{})
		switch {
		case apierrors.IsNotFound(err):
			lease = nil
		case err != nil:
			return nil, e.explain(ctx, err, "look for what dead runners left")
		}
		if silent(ns, lease, e.options.Lease, time.Now()) {
			left = append(left, ns)
		}
	}
	return left, nil
}

// silent says whether the runner of a race is dead, by the Lease that it renews; nil where it has none, as one that died in the moment of making it.
func silent(ns corev1.Namespace, lease *coordinationv1.Lease, usual time.Duration, now time.Time) bool {
	if lease == nil || lease.Spec.RenewTime == nil || lease.Spec.LeaseDurationSeconds == nil {
		return now.Sub(ns.CreationTimestamp.Time) > usual
	}
	return now.Sub(lease.Spec.RenewTime.Time) > time.Duration(*lease.Spec.LeaseDurationSeconds)*time.Second
}
