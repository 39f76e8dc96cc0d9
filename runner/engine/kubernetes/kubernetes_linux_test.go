package kubernetes_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/engine"
	"github.com/photofinish/photofinish/runner/engine/enginetest"
	"github.com/photofinish/photofinish/runner/engine/kubernetes"
	"github.com/photofinish/photofinish/runner/engine/kubernetes/kubetest"
)

// apps and rootApps are the images of the suite's apps; the latter names no user.
const (
	apps     = "photofinish-test/apps:1"
	rootApps = "photofinish-test/root-apps:1"
)

// fixture is a cluster with one node that has those images.
type fixture struct {
	*kubetest.Cluster
	node *kubetest.Node
}

func newFixture(tb testing.TB) fixture {
	tb.Helper()
	f := fixture{Cluster: kubetest.Start(tb)}
	program := kubetest.Apps(tb)
	f.node = f.Node(tb, kubetest.Images{apps: {Program: program}, rootApps: {Program: program, Root: true}}, 8, "16Gi", nil)
	f.Proxy(tb)
	return f
}

func (f fixture) engine(tb testing.TB, o kubernetes.Options) *kubernetes.Engine {
	tb.Helper()
	if o.Config == nil {
		o.Config = f.Admin
	}
	if o.Grace == 0 {
		o.Grace = time.Second
	}
	if o.AskKubelets == 0 {
		o.AskKubelets = time.Millisecond // the stand-in counts at every question
	}
	e, err := kubernetes.New(o)
	require.NoError(tb, err)
	return e
}

// left are the namespaces that are left of a race.
func (f fixture) left(t *testing.T, raceID string) []string {
	t.Helper()
	all, err := f.Client.CoreV1().Namespaces().List(context.Background(), metav1.ListOptions{LabelSelector: "photofinish.race"})
	require.NoError(t, err)
	var found []string
	for _, ns := range all.Items {
		if ns.Annotations["photofinish.race"] == raceID {
			found = append(found, ns.Name)
		}
	}
	return found
}

func lane(kind enginetest.Kind) race.LaneSpec {
	return race.LaneSpec{Image: apps, Env: map[string]string{enginetest.AppVariable: string(kind)}}
}

var races atomic.Int64

func newID() string { return fmt.Sprintf("kubetest-%d-%d", os.Getpid(), races.Add(1)) }

// TestMain lets all parallel tests run at once: they wait for the cluster's controllers, and do little themselves.
func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("test.parallel", "32"); err != nil {
		panic(err) //nolint:forbidigo // before any test
	}
	os.Exit(m.Run())
}

func TestKubernetes(t *testing.T) {
	f := newFixture(t)
	t.Run("the suite", func(t *testing.T) {
		enginetest.Run(t, enginetest.Suite{
			New:      func(t *testing.T) engine.Engine { t.Helper(); return f.engine(t, kubernetes.Options{}) },
			Lane:     lane,
			Limits:   true,
			OwnPorts: true,
			Parallel: true,
			Left:     f.left,
		})
	})
	t.Run("what cannot be raced is told in one sentence", f.refuses)
	t.Run("a quota that is exceeded is named", f.overQuota)
	t.Run("the manifest's role suffices, and a right that is missing is named", f.obeysRoles)
	t.Run("a kubelet that may not be asked is told of once", f.kubeletDenied)
	t.Run("an evicted app has been killed, and says why", f.evicted)
	t.Run("an image that runs as root gets what it needs, and no more", f.runsAsRoot)
	t.Run("what a dead runner left is found by its label", f.sweeps)
}

func TestAnAPIServerThatIsGone(t *testing.T) {
	serverGone(t, newFixture(t))
}
