package kubernetes

import (
	"context"
	"net"
	"net/url"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/engine"
)

// What follows is for what runs on the cluster for a race beside its lanes: the pods of k6.

// Config is how the API server is reached.
func (e *Engine) Config() *rest.Config { return e.config }

// Namespace is that of a race. It is made where it is not there, as for a race of apps that already run; Cleanup then removes it.
func (e *Engine) Namespace(ctx context.Context, raceID string) (string, error) {
	name := namespaceOf(raceID)
	_, err := e.client.CoreV1().Namespaces().Get(ctx, name, metav1.GetOptions{})
	if err == nil || !apierrors.IsNotFound(err) {
		return name, e.explain(ctx, err, "look for the namespace "+name)
	}
	if err := e.races.Add(raceID, nil, engine.Facts{}); err != nil {
		return name, err
	}
	return name, e.settle(ctx, &preparedRace{id: raceID, namespace: name})
}

// Spent reads what the kubelet of a pod's node has counted of one of its containers.
func (e *Engine) Spent(ctx context.Context, pod *corev1.Pod, container string, limits race.Resources) (engine.Counters, error) {
	return e.kubelet.counters(ctx, pod, container, limits)
}

// Outward is the address that this machine has for the API server, by which pods most likely reach it, too.
func (e *Engine) Outward(ctx context.Context) (string, error) {
	server, err := url.Parse(e.config.Host)
	if err != nil {
		return "", race.Errorf(race.Unavailable, "", "the address of the API server, %s: %w", e.config.Host, err)
	}
	port := server.Port()
	if port == "" {
		port = "443"
	}
	conn, err := (&net.Dialer{}).DialContext(ctx, "udp", net.JoinHostPort(server.Hostname(), port)) // sends nothing
	if err != nil {
		return "", race.Errorf(race.Unavailable, "set kubernetes.address in the runner's configuration", "the address by which pods reach this machine is not known: %w", err)
	}
	defer func() { _ = conn.Close() }()
	host, _, err := net.SplitHostPort(conn.LocalAddr().String())
	return host, err
}
