// Package kubetest is a Kubernetes cluster for tests. Its control plane is real: etcd, kube-apiserver with RBAC and the usual admission plugins, the
// controllers of kube-controller-manager that races need, and kube-scheduler, built from their own sources (tests/kubernetes/cluster).
// Its nodes are stand-ins: Node does what a kubelet does with a pod, but runs its app as a process of this machine, in a cgroup with the pod's
// limits and at an address of the loopback network, and pulls no image. Service addresses are served as kube-proxy would.
package kubetest

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	authenticationv1 "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/photofinish/photofinish/runner/cgroup"
	"github.com/photofinish/photofinish/runner/engine/enginetest"
)

// Cluster is a control plane of a test's own.
type Cluster struct {
	// Admin is who may do everything.
	Admin *rest.Config
	// Client is his.
	Client kubernetes.Interface

	ca           authority
	dir          string // of all its files
	binary       string
	port         int
	etcd, server *program
	controllers  []*program
}

// controllers are those of kube-controller-manager that a race has to do with.
const controllers = "deployment-controller,replicaset-controller,garbage-collector-controller,namespace-controller,serviceaccount-controller," +
	"resourcequota-controller,job-controller"

// services are addresses of the loopback network, so that kube-proxy's stand-in can listen on them.
const services = "127.96.0.0/16"

// Start starts a control plane, until the test ends.
func Start(tb testing.TB) *Cluster {
	tb.Helper()
	if cgroup.New().Support().Version == cgroup.None {
		if os.Getenv("PHOTOFINISH_REQUIRE_ALL") != "" {
			tb.Fatalf("no cgroups for the nodes of a cluster: %s", cgroup.New().Support().Reason)
		}
		tb.Skipf("NOT TESTED: no cgroups for the nodes of a cluster: %s", cgroup.New().Support().Reason)
	}
	c := &Cluster{ca: newAuthority(tb), dir: tb.TempDir(), binary: build(tb)}
	tb.Cleanup(func() { c.stop(tb) })
	c.writeFiles(tb)
	etcd := c.startEtcd(tb)
	c.port = enginetest.FreePort(tb)
	c.Admin = c.as(tb, "admin", "system:masters")
	c.startServer(tb, etcd)
	var err error
	c.Client, err = kubernetes.NewForConfig(c.Admin)
	require.NoError(tb, err)
	c.awaitServer(tb)
	c.startControllers(tb)
	return c
}

func (c *Cluster) startControllers(tb testing.TB) {
	tb.Helper()
	c.controllers = []*program{
		c.launch(tb, "kube-controller-manager", "--kubeconfig", c.kubeconfig(tb, "system:kube-controller-manager"), "--controllers", controllers,
			"--use-service-account-credentials", "--leader-elect=false", "--secure-port=0", "--resource-quota-sync-period=2s", "--kube-api-qps=200", "--kube-api-burst=400"),
		c.launch(tb, "kube-scheduler", "--kubeconfig", c.kubeconfig(tb, "system:kube-scheduler"), "--leader-elect=false", "--secure-port=0"),
	}
}

func (c *Cluster) file(name string) string { return filepath.Join(c.dir, name) }

func (c *Cluster) write(tb testing.TB, name string, text []byte) string {
	tb.Helper()
	require.NoError(tb, os.WriteFile(c.file(name), text, 0o600))
	return c.file(name)
}

func (c *Cluster) writeFiles(tb testing.TB) {
	tb.Helper()
	c.write(tb, "ca.crt", c.ca.pem)
	for name, p := range map[string]pair{"server": c.ca.sign(tb, "kube-apiserver"), "to-kubelets": c.ca.sign(tb, "kube-apiserver", "system:masters")} {
		c.write(tb, name+".crt", p.cert)
		c.write(tb, name+".key", p.key)
	}
}

func (c *Cluster) startEtcd(tb testing.TB) (address string) {
	tb.Helper()
	address, peers := fmt.Sprintf("http://127.0.0.1:%d", enginetest.FreePort(tb)), fmt.Sprintf("http://127.0.0.1:%d", enginetest.FreePort(tb))
	c.etcd = c.launch(tb, "etcd", "--data-dir", c.file("etcd"), "--listen-client-urls", address, "--advertise-client-urls", address,
		"--listen-peer-urls", peers, "--initial-advertise-peer-urls", peers, "--initial-cluster", "default="+peers, "--unsafe-no-fsync", "--log-level=error")
	return address
}

func (c *Cluster) startServer(tb testing.TB, etcd string) {
	tb.Helper()
	c.server = c.launch(tb, "kube-apiserver", "--etcd-servers", etcd, "--bind-address=127.0.0.1", "--advertise-address=127.0.0.1", "--endpoint-reconciler-type=none",
		"--secure-port", fmt.Sprint(c.port), "--tls-cert-file", c.file("server.crt"), "--tls-private-key-file", c.file("server.key"), "--client-ca-file", c.file("ca.crt"),
		"--authorization-mode=RBAC", "--service-cluster-ip-range", services, "--enable-admission-plugins=ResourceQuota,PodSecurity",
		"--service-account-issuer=https://kubetest", "--service-account-key-file", c.file("server.key"), "--service-account-signing-key-file", c.file("server.key"),
		"--kubelet-certificate-authority", c.file("ca.crt"), "--kubelet-client-certificate", c.file("to-kubelets.crt"), "--kubelet-client-key", c.file("to-kubelets.key"),
		"--kubelet-preferred-address-types=InternalIP")
}

// StopServer ends the API server in the middle of what it does.
func (c *Cluster) StopServer() { c.server.kill() }

// StartServer starts the API server again, which finds everything in etcd, and waits until it answers. The controllers are started with it: they
// would take a minute to come back by themselves.
func (c *Cluster) StartServer(tb testing.TB) {
	tb.Helper()
	again := exec.CommandContext(context.Background(), c.server.cmd.Path, c.server.cmd.Args[1:]...) //nolint:gosec // a test
	var err error
	c.server, err = launch(again, c.log(tb, "kube-apiserver"))
	require.NoError(tb, err)
	c.awaitServer(tb)
	c.RestartControllers(tb)
}

// RestartControllers lets the controllers look at all there is anew: the one for garbage would know a new kind half a minute later only.
func (c *Cluster) RestartControllers(tb testing.TB) {
	tb.Helper()
	for _, p := range c.controllers {
		p.kill()
	}
	c.startControllers(tb)
}

func (c *Cluster) awaitServer(tb testing.TB) {
	tb.Helper()
	require.Eventually(tb, func() bool {
		ctx, cancel := context.WithTimeout(tb.Context(), time.Second)
		defer cancel()
		said, err := c.Client.Discovery().RESTClient().Get().AbsPath("/readyz").Do(ctx).Raw()
		return err == nil && string(said) == "ok"
	}, 2*time.Minute, 50*time.Millisecond, "the API server does not get ready")
}

func (c *Cluster) launch(tb testing.TB, part string, flags ...string) *program {
	tb.Helper()
	cmd := exec.CommandContext(context.Background(), c.binary, append([]string{part}, flags...)...) //nolint:gosec // a test
	p, err := launch(cmd, c.log(tb, part))
	require.NoError(tb, err)
	return p
}

func (c *Cluster) log(tb testing.TB, part string) *os.File {
	tb.Helper()
	f, err := os.OpenFile(c.file(part+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	require.NoError(tb, err)
	tb.Cleanup(func() { _ = f.Close() })
	return f
}

func (c *Cluster) stop(tb testing.TB) {
	tb.Helper()
	for _, p := range append(c.controllers, c.server, c.etcd) {
		if p != nil {
			p.kill()
		}
	}
	if !tb.Failed() {
		return
	}
	for _, part := range []string{"etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"} {
		said, _ := os.ReadFile(c.file(part + ".log"))
		tb.Logf("%s said at its end:\n%s", part, said[max(0, len(said)-4000):])
	}
}

// as is a user with a certificate.
func (c *Cluster) as(tb testing.TB, user string, groups ...string) *rest.Config {
	tb.Helper()
	p := c.ca.sign(tb, user, groups...)
	return &rest.Config{
		Host: fmt.Sprintf("https://127.0.0.1:%d", c.port), QPS: 500, Burst: 1000,
		TLSClientConfig: rest.TLSClientConfig{CAData: c.ca.pem, CertData: p.cert, KeyData: p.key},
	}
}

// ServiceAccount is who has a token of a service account.
func (c *Cluster) ServiceAccount(tb testing.TB, namespace, name string) *rest.Config {
	tb.Helper()
	made, err := c.Client.CoreV1().ServiceAccounts(namespace).CreateToken(tb.Context(), name, &authenticationv1.TokenRequest{}, metav1.CreateOptions{})
	require.NoError(tb, err)
	return &rest.Config{Host: c.Admin.Host, BearerToken: made.Status.Token, TLSClientConfig: rest.TLSClientConfig{CAData: c.ca.pem}}
}

// Kubeconfig is a file by which kubectl and the runner find the cluster, as its administrator.
func (c *Cluster) Kubeconfig(tb testing.TB) string {
	tb.Helper()
	return c.configFile(tb, "admin", c.Admin)
}

func (c *Cluster) kubeconfig(tb testing.TB, user string) string {
	tb.Helper()
	return c.configFile(tb, user, c.as(tb, user))
}

func (c *Cluster) configFile(tb testing.TB, user string, as *rest.Config) string {
	tb.Helper()
	file := c.file(user + ".kubeconfig")
	require.NoError(tb, clientcmd.WriteToFile(clientcmdapi.Config{
		Clusters:       map[string]*clientcmdapi.Cluster{"c": {Server: as.Host, CertificateAuthorityData: as.CAData}},
		AuthInfos:      map[string]*clientcmdapi.AuthInfo{"u": {ClientCertificateData: as.CertData, ClientKeyData: as.KeyData}},
		Contexts:       map[string]*clientcmdapi.Context{"x": {Cluster: "c", AuthInfo: "u"}},
		CurrentContext: "x",
	}, file))
	return file
}
