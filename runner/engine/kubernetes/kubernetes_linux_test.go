package kubernetes_test

import (
	"context"
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

func newFixture(t *testing.T) fixture {
	t.Helper()
	f := fixture{Cluster: kubetest.Start(t)}
	program := kubetest.Apps(t)
	f.node = f.Node(t, kubetest.Images{apps: {Program: program}, rootApps: {Program: program, Root: true}}, 8, "16Gi", nil)
	f.Proxy(t)
	return f
}

func (f fixture) engine(t *testing.T, o kubernetes.Options) *kubernetes.Engine {
	t.Helper()
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
	require.NoError(t, err)
	return e
}

// left are the namespaces that are left of a race.
func (f fixture) left(t *testing.T, raceID string) []string {
	t.Helper()
	all, err := f.Client.CoreV1().Namespaces().List(context.Background(), metav1.ListOptions{LabelSelector: "photofinish.race"}) //nolint:usetesting // it is asked after a test's end
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
}
