package kubetest

import (
	"context"
	"fmt"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/cache"
)

// proxy serves the addresses of all Services of one port, as kube-proxy would: it hands connections on to a pod that has an address.
type proxy struct {
	pods cache.Store

	mu        sync.Mutex
	listeners map[types.UID]net.Listener
}

// Proxy serves Services until the test ends.
func (c *Cluster) Proxy(tb testing.TB) {
	tb.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	store, watching := cache.NewInformerWithOptions(cache.InformerOptions{
		ListerWatcher: cache.NewListWatchFromClient(c.Client.CoreV1().RESTClient(), "pods", metav1.NamespaceAll, fields.Everything()), ObjectType: &corev1.Pod{},
		Handler: cache.ResourceEventHandlerFuncs{},
	})
	go watching.RunWithContext(ctx)
	p := &proxy{pods: store, listeners: map[types.UID]net.Listener{}}
	services := cache.NewListWatchFromClient(c.Client.CoreV1().RESTClient(), "services", metav1.NamespaceAll, fields.Everything())
	_, controller := cache.NewInformerWithOptions(cache.InformerOptions{ListerWatcher: services, ObjectType: &corev1.Service{}, Handler: cache.ResourceEventHandlerFuncs{
		AddFunc: func(o any) { p.serve(ctx, o.(*corev1.Service)) },
		DeleteFunc: func(o any) {
			if gone, is := o.(cache.DeletedFinalStateUnknown); is {
				o = gone.Obj
			}
			p.end(o.(*corev1.Service).UID)
		},
	}})
	go controller.RunWithContext(ctx)
	tb.Cleanup(func() {
		cancel()
		p.mu.Lock()
		defer p.mu.Unlock()
		for _, l := range p.listeners {
			_ = l.Close()
		}
	})
}

func (p *proxy) serve(ctx context.Context, s *corev1.Service) {
	if len(s.Spec.Selector) == 0 || len(s.Spec.Ports) != 1 {
		return
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", net.JoinHostPort(s.Spec.ClusterIP, fmt.Sprint(s.Spec.Ports[0].Port)))
	if err != nil {
		return // who connects sees that nobody listens
	}
	p.mu.Lock()
	p.listeners[s.UID] = l
	p.mu.Unlock()
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go p.handOn(ctx, s, conn)
		}
	}()
}

func (p *proxy) end(uid types.UID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if l := p.listeners[uid]; l != nil {
		_ = l.Close()
	}
	delete(p.listeners, uid)
}

func (p *proxy) handOn(ctx context.Context, s *corev1.Service, in net.Conn) {
	defer func() { _ = in.Close() }()
	ip := p.pod(s)
	if ip == "" {
		return
	}
	out, err := (&net.Dialer{Timeout: time.Second}).DialContext(ctx, "tcp", net.JoinHostPort(ip, s.Spec.Ports[0].TargetPort.String()))
	if err != nil {
		return
	}
	defer func() { _ = out.Close() }()
	done := make(chan struct{}, 2)
	for _, way := range [][2]net.Conn{{in, out}, {out, in}} {
		go func() {
			_, _ = io.Copy(way[0], way[1])
			done <- struct{}{}
		}()
	}
	<-done
}

// pod is the address of a pod that the Service selects; "" if there is none. It is remembered, not asked for: an API server that is gone stops nobody.
func (p *proxy) pod(s *corev1.Service) string {
	selector := labels.SelectorFromSet(s.Spec.Selector)
	for _, o := range p.pods.List() {
		pod := o.(*corev1.Pod)
		if pod.Namespace == s.Namespace && selector.Matches(labels.Set(pod.Labels)) && pod.DeletionTimestamp == nil && pod.Status.PodIP != "" {
			return pod.Status.PodIP
		}
	}
	return ""
}
