package kubernetes_test

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/config"
	"github.com/photofinish/photofinish/runner/engine"
	"github.com/photofinish/photofinish/runner/engine/enginetest"
	"github.com/photofinish/photofinish/runner/engine/kubernetes"
)

func named(name string, l race.LaneSpec) race.LaneSpec {
	l.App, l.Path, l.Health.Timeout = name, "/", 10*time.Second
	return l
}

func silent(string) {}

// cleaned makes sure that nothing is left of a race.
func (f fixture) cleaned(t *testing.T, e engine.Engine, id string) {
	t.Helper()
	t.Cleanup(func() {
		require.NoError(t, e.Cleanup(context.Background(), id))
		require.Empty(t, f.left(t, id))
	})
}

// refuses holds the sentences that a person is told where a race cannot be run.
func (f fixture) refuses(t *testing.T) {
	t.Parallel()
	control := lane(enginetest.Control)
	missing, command, pinned, hidden := control, control, control, control
	missing.Image = "photofinish-test/nowhere:1"
	command.Image, command.Command = "", []string{"control"}
	set := "0"
	pinned.CPUSet = &set
	cases := map[string]struct {
		lane  race.LaneSpec
		parts []string
	}{
		"an image that cannot be pulled": {named("a", missing), []string{"lane a", "photofinish-test/nowhere:1", "cannot be pulled", "ImagePull"}},
		"a lane without an image":        {named("b", command), []string{"lane b", "no image"}},
		"a CPU set":                      {named("c", pinned), []string{"lane c", "CPU set", "kubelet"}},
		"a name that is no label":        {named("_d", hidden), []string{"lane _d", "label"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, id := f.engine(t, kubernetes.Options{}), newID()
			f.cleaned(t, e, id)
			err := e.Prepare(t.Context(), id, []race.LaneSpec{c.lane}, silent)
			require.Error(t, err)
			for _, part := range c.parts {
				require.ErrorContains(t, err, part)
			}
			require.NotEmpty(t, race.HintOf(err))
			require.NotContains(t, err.Error(), "\n", "one sentence")
		})
	}
}

// overQuota sets a quota in the race's namespace at the moment that it is made, as operators of shared clusters do by a controller.
func (f fixture) overQuota(t *testing.T) {
	t.Parallel()
	config := rest.CopyConfig(f.Admin)
	config.Wrap(func(next http.RoundTripper) http.RoundTripper {
		return roundTrip(func(r *http.Request) (*http.Response, error) {
			resp, err := next.RoundTrip(r)
			if err == nil && r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/namespaces") {
				f.setQuota(t)
			}
			return resp, err
		})
	})
	e, id := f.engine(t, kubernetes.Options{Config: config}), "quota"
	f.cleaned(t, e, id)
	l := lane(enginetest.Control)
	cpus := 0.5
	memory := int64(64 << 20)
	l.CPUs, l.Memory = &cpus, &memory
	err := e.Prepare(t.Context(), id, []race.LaneSpec{named("a", l)}, silent)
	require.Equal(t, race.Unavailable, race.CodeOf(err), err)
	for _, part := range []string{"lane a", "exceeded quota: small", "limits.memory=64Mi", "limited: limits.memory=16Mi"} {
		require.ErrorContains(t, err, part)
	}
	require.NotEmpty(t, race.HintOf(err))
}

type roundTrip func(*http.Request) (*http.Response, error)

func (r roundTrip) RoundTrip(req *http.Request) (*http.Response, error) { return r(req) }

func (f fixture) setQuota(t *testing.T) {
	t.Helper()
	quotas := f.Client.CoreV1().ResourceQuotas("photofinish-quota")
	_, err := quotas.Create(context.Background(), &corev1.ResourceQuota{
		ObjectMeta: metav1.ObjectMeta{Name: "small"},
		Spec:       corev1.ResourceQuotaSpec{Hard: corev1.ResourceList{corev1.ResourceLimitsMemory: resource.MustParse("16Mi")}},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Error(err)
		return
	}
	for range 200 { // its controller has to have counted once
		q, err := quotas.Get(context.Background(), "small", metav1.GetOptions{})
		if err == nil && len(q.Status.Hard) > 0 {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Error("the quota is not counted")
}

// obeysRoles races as the service account of the manifest, whose rights suffice, and then takes one right after the other away.
func (f fixture) obeysRoles(t *testing.T) {
	t.Parallel()
	f.Apply(t, "provisioning", "kubernetes", "runner.yaml")
	f.loadsConfiguration(t)
	as := f.ServiceAccount(t, "photofinish", "photofinish")
	var said []string
	e, id := f.engine(t, kubernetes.Options{Config: as}), newID()
	f.cleaned(t, e, id)
	spec := named("a", lane(enginetest.Burner))
	require.NoError(t, e.Prepare(t.Context(), id, []race.LaneSpec{spec}, func(s string) { said = append(said, s) }))
	require.Empty(t, said, "it lacks nothing")
	l, err := e.Start(t.Context(), id, 1, spec)
	require.NoError(t, err)
	require.NoError(t, engine.WaitHealthy(t.Context(), l, spec))
	_, err = l.Counters(t.Context())
	require.NoError(t, err)
	require.NoError(t, l.Stop(t.Context()))
	require.NoError(t, e.Cleanup(t.Context(), id))
	_, err = e.Sweep(t.Context())
	require.NoError(t, err)

	for _, right := range []struct{ resource, verb, group string }{
		{"namespaces", "create", ""}, {"leases", "create", "coordination.k8s.io"}, {"services", "create", ""}, {"deployments", "create", "apps"},
	} {
		f.without(t, right.resource, right.verb)
		require.Eventually(t, func() bool { // the authoriser watches roles
			id := newID()
			err = e.Prepare(t.Context(), id, []race.LaneSpec{spec}, silent)
			require.NoError(t, e.Cleanup(t.Context(), id))
			require.Empty(t, f.left(t, id))
			return err != nil
		}, 60*time.Second, 50*time.Millisecond)
		require.Equal(t, race.Unavailable, race.CodeOf(err))
		require.ErrorContains(t, err, "system:serviceaccount:photofinish:photofinish may not "+right.verb+" "+right.resource)
		require.Contains(t, race.HintOf(err), `{apiGroups: ["`+right.group+`"], resources: ["`+right.resource+`"], verbs: ["`+right.verb+`"]}`)
	}
}

// loadsConfiguration holds the configuration in the manifest against the runner's own reading.
func (f fixture) loadsConfiguration(t *testing.T) {
	t.Helper()
	made, err := f.Client.CoreV1().ConfigMaps("photofinish").Get(t.Context(), "photofinish", metav1.GetOptions{})
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "runner.yaml")
	require.NoError(t, os.WriteFile(file, []byte(made.Data["runner.yaml"]), 0o600))
	c, err := config.Load(file)
	require.NoError(t, err)
	require.Equal(t, []string{"kubernetes"}, c.Engines)
}

// without takes a right out of the manifest's role, which has all others again.
func (f fixture) without(t *testing.T, resource, verb string) {
	t.Helper()
	roles := f.Client.RbacV1().ClusterRoles()
	role, err := roles.Get(t.Context(), "photofinish", metav1.GetOptions{})
	require.NoError(t, err)
	whole := role.Annotations["whole"]
	if whole == "" {
		text, err := json.Marshal(role.Rules)
		require.NoError(t, err)
		whole = string(text)
		role.Annotations = map[string]string{"whole": whole}
	}
	var rules []rbacv1.PolicyRule
	require.NoError(t, json.Unmarshal([]byte(whole), &rules))
	role.Rules = nil
	for _, r := range rules {
		if r.Resources[0] == resource {
			var verbs []string
			for _, v := range r.Verbs {
				if v != verb {
					verbs = append(verbs, v)
				}
			}
			r.Verbs = verbs
		}
		if len(r.Verbs) > 0 {
			role.Rules = append(role.Rules, r)
		}
	}
	_, err = roles.Update(t.Context(), role, metav1.UpdateOptions{})
	require.NoError(t, err)
}

// kubeletDenied races without the right to ask kubelets: it is told once, and the race goes on.
func (f fixture) kubeletDenied(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	_, err := f.Client.CoreV1().ServiceAccounts("default").Create(ctx, &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "no-metrics"}}, metav1.CreateOptions{})
	require.NoError(t, err)
	_, err = f.Client.RbacV1().ClusterRoles().Create(ctx, &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: "no-metrics"}, Rules: []rbacv1.PolicyRule{
		{APIGroups: []string{"", "apps", "coordination.k8s.io"}, Resources: []string{"namespaces", "services", "deployments", "leases", "pods", "pods/log", "nodes"}, Verbs: []string{"*"}},
	}}, metav1.CreateOptions{})
	require.NoError(t, err)
	_, err = f.Client.RbacV1().ClusterRoleBindings().Create(ctx, &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: "no-metrics"}, RoleRef: rbacv1.RoleRef{APIGroup: "rbac.authorization.k8s.io", Kind: "ClusterRole", Name: "no-metrics"},
		Subjects: []rbacv1.Subject{{Kind: "ServiceAccount", Name: "no-metrics", Namespace: "default"}},
	}, metav1.CreateOptions{})
	require.NoError(t, err)
	e, id := f.engine(t, kubernetes.Options{Config: f.ServiceAccount(t, "default", "no-metrics")}), newID()
	f.cleaned(t, e, id)
	said := make(chan string, 10)
	require.NoError(t, e.Prepare(ctx, id, []race.LaneSpec{named("a", lane(enginetest.Control))}, func(s string) { said <- s }))
	require.Contains(t, <-said, "what lane a spends is not known: the kubelet of node "+f.node.Name+" does not tell what its containers spend: status 403")
}

// evicted is how an app ends whose node ran out of memory.
func (f fixture) evicted(t *testing.T) {
	t.Parallel()
	e, id := f.engine(t, kubernetes.Options{}), newID()
	f.cleaned(t, e, id)
	spec := named("a", lane(enginetest.Control))
	require.NoError(t, e.Prepare(t.Context(), id, []race.LaneSpec{spec}, silent))
	l, err := e.Start(t.Context(), id, 1, spec)
	require.NoError(t, err)
	require.NoError(t, engine.WaitHealthy(t.Context(), l, spec))
	pod := strings.Split(l.(interface{ ContainerName() string }).ContainerName(), "/")
	f.node.Evict(t, pod[0], pod[1], "The node was low on resource: memory.")
	select {
	case <-l.Done():
	case <-time.After(20 * time.Second):
		t.Fatal("its end is not noticed")
	}
	require.Equal(t, race.Killed, l.Exit().Reason)
	require.Contains(t, l.Logs(), "Kubernetes: Evicted: The node was low on resource: memory.")
	require.NoError(t, engine.Lost(l), "the others race on")
	require.NoError(t, l.Stop(t.Context()))
}

// runsAsRoot is a lane whose image names no user.
func (f fixture) runsAsRoot(t *testing.T) {
	t.Parallel()
	e, id := f.engine(t, kubernetes.Options{}), newID()
	f.cleaned(t, e, id)
	spec := named("a", lane(enginetest.Control))
	spec.Image = rootApps
	said := make(chan string, 10)
	require.NoError(t, e.Prepare(t.Context(), id, []race.LaneSpec{spec}, func(s string) { said <- s }))
	require.Contains(t, <-said, "lane a: its image runs as root")
	l, err := e.Start(t.Context(), id, 1, spec)
	require.NoError(t, err)
	require.NoError(t, engine.WaitHealthy(t.Context(), l, spec))
	pods, err := f.Client.CoreV1().Pods("photofinish-"+id).List(t.Context(), metav1.ListOptions{LabelSelector: "photofinish.app=a"})
	require.NoError(t, err)
	require.Len(t, pods.Items, 1)
	s := pods.Items[0].Spec.Containers[0].SecurityContext
	require.False(t, *s.RunAsNonRoot)
	require.Equal(t, []corev1.Capability{"ALL"}, s.Capabilities.Drop)
	require.True(t, *s.ReadOnlyRootFilesystem)
	require.False(t, *s.AllowPrivilegeEscalation)
}

// sweeps removes what a runner left that has not renewed its lease, and nothing of one that has.
func (f fixture) sweeps(t *testing.T) {
	t.Parallel()
	dead, living := f.engine(t, kubernetes.Options{Lease: time.Second}), f.engine(t, kubernetes.Options{Lease: time.Second})
	id, other := newID(), newID()
	f.cleaned(t, living, other)
	spec := named("a", lane(enginetest.Control))
	require.NoError(t, dead.Prepare(t.Context(), id, []race.LaneSpec{spec}, silent))
	require.NoError(t, living.Prepare(t.Context(), other, []race.LaneSpec{spec}, silent))
	_, err := dead.Start(t.Context(), id, 1, spec)
	require.NoError(t, err)
	kubernetes.StopBeating(dead, id)
	time.Sleep(2500 * time.Millisecond) // the lease is for a second
	swept, err := f.engine(t, kubernetes.Options{}).Sweep(t.Context())
	require.NoError(t, err)
	require.Contains(t, swept, id)
	require.NotContains(t, swept, other)
	require.Empty(t, f.left(t, id))
	require.NotEmpty(t, f.left(t, other))
	require.NoError(t, dead.Cleanup(t.Context(), id), "of what is gone")
}

// serverGone ends the API server while apps run. It is alone in its cluster.
func serverGone(t *testing.T, f fixture) {
	t.Helper()
	spec := named("a", lane(enginetest.Control))
	begin := func(e *kubernetes.Engine, id string) engine.Lane {
		f.cleaned(t, e, id)
		require.NoError(t, e.Prepare(t.Context(), id, []race.LaneSpec{spec}, silent))
		l, err := e.Start(t.Context(), id, 1, spec)
		require.NoError(t, err)
		require.NoError(t, engine.WaitHealthy(t.Context(), l, spec))
		return l
	}
	hasty, patient := f.engine(t, kubernetes.Options{Patience: time.Second}), f.engine(t, kubernetes.Options{Patience: time.Minute})
	id := newID()
	lost, kept := begin(hasty, id), begin(patient, newID())
	f.StopServer()
	select {
	case <-lost.Done():
	case <-time.After(20 * time.Second):
		t.Fatal("nobody notices that the API server is gone")
	}
	require.ErrorIs(t, engine.Lost(lost), engine.ErrDown)
	require.ErrorContains(t, engine.Lost(lost), "the Kubernetes API server at "+f.Admin.Host+" does not answer: cannot follow lane a")
	require.ErrorIs(t, hasty.Prepare(t.Context(), newID(), []race.LaneSpec{spec}, silent), engine.ErrDown)
	require.ErrorIs(t, hasty.Cleanup(t.Context(), id), engine.ErrDown)
	_, err := hasty.State(t.Context())
	require.ErrorIs(t, err, engine.ErrDown)
	require.NoError(t, engine.WaitHealthy(t.Context(), kept, spec), "the app itself needs no API server")
	f.StartServer(t)
	require.Equal(t, race.Running, kept.Exit().Reason, "a patient race outlives the restart")
	require.NoError(t, kept.Stop(t.Context()))
	require.Equal(t, race.Stopped, kept.Exit().Reason)
}

func TestNoClusterIsConfigured(t *testing.T) {
	t.Setenv("KUBECONFIG", "/nowhere")
	t.Setenv("HOME", t.TempDir())
	_, err := kubernetes.New(kubernetes.Options{})
	require.ErrorContains(t, err, "no Kubernetes cluster is configured here")
	require.Contains(t, race.HintOf(err), "KUBECONFIG")
}
