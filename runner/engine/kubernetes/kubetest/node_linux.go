package kubetest

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/util/retry"

	"github.com/photofinish/photofinish/runner/cgroup"
)

// Images are the images that a node has, by name: what their containers run. Others cannot be pulled.
type Images map[string]Image

// Image is what stands for a container image.
type Image struct {
	// Program is the file that it runs, with a pod's command and args as arguments.
	Program string
	// Root: it names no user, so it runs as root.
	Root bool
}

// Node stands in for the kubelet of a node.
type Node struct {
	Name string

	client  kubernetes.Interface
	images  Images
	groups  *cgroup.Tree
	dir     string
	server  http.Server
	address string // of the server

	mu   sync.Mutex
	pods map[types.UID]*pod
	wait sync.WaitGroup
}

// nodes counts the nodes of this process: each has addresses of its own.
var nodes atomic.Int64

// Node adds a node with so many CPUs and bytes of memory, until the test ends.
func (c *Cluster) Node(tb testing.TB, images Images, cpus int64, memory string, labels map[string]string) *Node {
	tb.Helper()
	number := nodes.Add(1)
	n := &Node{
		Name: fmt.Sprintf("node-%d", number), client: c.Client, images: images, groups: cgroup.New(), dir: tb.TempDir(), pods: map[types.UID]*pod{},
	}
	n.serve(tb, c)
	capacity := corev1.ResourceList{
		corev1.ResourceCPU: *resource.NewQuantity(cpus, resource.DecimalSI), corev1.ResourceMemory: resource.MustParse(memory), corev1.ResourcePods: resource.MustParse("110"),
	}
	all := map[string]string{corev1.LabelHostname: n.Name, corev1.LabelOSStable: "linux"}
	for k, v := range labels {
		all[k] = v
	}
	made, err := c.Client.CoreV1().Nodes().Create(tb.Context(), &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: n.Name, Labels: all}}, metav1.CreateOptions{})
	require.NoError(tb, err)
	host, text, err := net.SplitHostPort(n.address)
	require.NoError(tb, err)
	at, err := strconv.ParseInt(text, 10, 32)
	require.NoError(tb, err)
	made.Status = corev1.NodeStatus{
		Capacity: capacity, Allocatable: capacity, Addresses: []corev1.NodeAddress{{Type: corev1.NodeInternalIP, Address: host}},
		DaemonEndpoints: corev1.NodeDaemonEndpoints{KubeletEndpoint: corev1.DaemonEndpoint{Port: int32(at)}},
		Conditions:      []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue, Reason: "StandIn", LastHeartbeatTime: metav1.Now(), LastTransitionTime: metav1.Now()}},
	}
	made.Spec.Taints = nil
	_, err = c.Client.CoreV1().Nodes().UpdateStatus(tb.Context(), made, metav1.UpdateOptions{})
	require.NoError(tb, err)
	require.NoError(tb, retry.RetryOnConflict(retry.DefaultRetry, func() error { // a new node is not ready, which nobody here takes back
		fresh, err := c.Client.CoreV1().Nodes().Get(tb.Context(), n.Name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		fresh.Spec.Taints = nil
		_, err = c.Client.CoreV1().Nodes().Update(tb.Context(), fresh, metav1.UpdateOptions{})
		return err
	}))
	ctx, cancel := context.WithCancel(context.Background())
	n.watch(ctx)
	tb.Cleanup(func() {
		cancel()
		n.killAll()
		n.wait.Wait()
		require.NoError(tb, n.server.Close())
		_ = n.client.CoreV1().Nodes().Delete(context.Background(), n.Name, metav1.DeleteOptions{})
		_ = n.groups.KillAll(context.Background(), n.group(""))
	})
	return n
}

// group names a cgroup of the node's.
func (n *Node) group(uid types.UID) string {
	name := fmt.Sprintf("kubetest-%d-%s", os.Getpid(), n.Name)
	if uid != "" {
		name += "/" + string(uid)
	}
	return name
}

// watch follows the pods that the scheduler gives to the node.
func (n *Node) watch(ctx context.Context) {
	pods := cache.NewListWatchFromClient(n.client.CoreV1().RESTClient(), "pods", metav1.NamespaceAll, fields.OneTermEqualSelector("spec.nodeName", n.Name))
	_, controller := cache.NewInformerWithOptions(cache.InformerOptions{
		ListerWatcher: pods, ObjectType: &corev1.Pod{},
		Handler: cache.ResourceEventHandlerFuncs{
			AddFunc:    func(o any) { n.see(ctx, o.(*corev1.Pod)) },
			UpdateFunc: func(_, o any) { n.see(ctx, o.(*corev1.Pod)) },
			DeleteFunc: func(o any) { //nolint:contextcheck // what is left of a pod is ended whatever happens
				if gone, is := o.(cache.DeletedFinalStateUnknown); is {
					o = gone.Obj
				}
				n.forget(o.(*corev1.Pod).UID)
			},
		},
	})
	go controller.RunWithContext(ctx)
}

// see starts a pod that is new, and ends one that is to be removed.
func (n *Node) see(ctx context.Context, seen *corev1.Pod) {
	n.mu.Lock()
	p := n.pods[seen.UID]
	if p == nil && seen.DeletionTimestamp == nil && seen.Status.Phase != corev1.PodFailed && seen.Status.Phase != corev1.PodSucceeded {
		p = newPod(n, seen)
		n.pods[seen.UID] = p
		n.wait.Go(func() { p.live(ctx) })
	}
	n.mu.Unlock()
	switch {
	case seen.DeletionTimestamp == nil:
	case p == nil: // it never ran here
		n.remove(ctx, seen)
	default:
		p.removeOnce.Do(func() { n.wait.Go(func() { p.end(ctx, seen) }) })
	}
}

// remove takes a pod that has ended out of the API, as a kubelet does.
func (n *Node) remove(ctx context.Context, gone *corev1.Pod) {
	now := int64(0)
	for range 100 {
		err := n.client.CoreV1().Pods(gone.Namespace).Delete(ctx, gone.Name, metav1.DeleteOptions{GracePeriodSeconds: &now, Preconditions: &metav1.Preconditions{UID: &gone.UID}})
		if err == nil || apierrors.IsNotFound(err) || apierrors.IsConflict(err) || ctx.Err() != nil {
			return
		}
		time.Sleep(100 * time.Millisecond) // the API server is gone
	}
}

// forget is told that a pod is gone: one that was removed by force is ended here.
func (n *Node) forget(uid types.UID) {
	n.mu.Lock()
	p := n.pods[uid]
	delete(n.pods, uid)
	n.mu.Unlock()
	if p != nil {
		p.kill()
	}
}

func (n *Node) killAll() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, p := range n.pods {
		p.kill()
	}
}

// find is a pod of the node's by its name.
func (n *Node) find(namespace, name string) *pod {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, p := range n.pods {
		if p.spec.Namespace == namespace && p.spec.Name == name {
			return p
		}
	}
	return nil
}

// Evict ends a pod as a kubelet does that runs out of memory.
func (n *Node) Evict(tb testing.TB, namespace, name, message string) {
	tb.Helper()
	p := n.find(namespace, name)
	require.NotNil(tb, p)
	p.evict(tb.Context(), message)
}
