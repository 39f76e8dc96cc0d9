package docker_test

import (
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/docker/docker/client"
	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/cgroup"
	"github.com/photofinish/photofinish/runner/engine"
	"github.com/photofinish/photofinish/runner/engine/docker"
	"github.com/photofinish/photofinish/runner/engine/docker/dockertest"
	"github.com/photofinish/photofinish/runner/engine/enginetest"
	"github.com/photofinish/photofinish/runner/ledger"
)

// apps is the image of the suite's apps.
var apps = fmt.Sprintf("photofinish-test/apps:%d", os.Getpid())

// needApps makes that image once for all tests, which run one after another below this one.
func needApps(t *testing.T) *client.Client {
	t.Helper()
	c := dockertest.Client(t)
	dockertest.Image(t, c, apps, "github.com/photofinish/photofinish/runner/engine/enginetest/app", "USER 65534", "LABEL made-for=tests")
	return c
}

func lane(kind enginetest.Kind) race.LaneSpec {
	return race.LaneSpec{Image: apps, Env: map[string]string{enginetest.AppVariable: string(kind)}}
}

func newEngine(t *testing.T, o docker.Options) *docker.Engine {
	t.Helper()
	if o.Ledger == nil {
		o.Ledger = openLedger(t, t.TempDir())
	}
	if o.Grace == 0 {
		o.Grace = 300 * time.Millisecond
	}
	e, err := docker.New(o)
	require.NoError(t, err)
	return e
}

func openLedger(t *testing.T, dir string) *ledger.Ledger {
	t.Helper()
	l, err := ledger.Open(filepath.Join(dir, "ledger"))
	require.NoError(t, err)
	return l
}

var races atomic.Int64

func newID() string { return fmt.Sprintf("dockertest-%d-%d", os.Getpid(), races.Add(1)) }

func TestDocker(t *testing.T) {
	c := needApps(t)
	left := func(t *testing.T, raceID string) []string { t.Helper(); return dockertest.Left(t, c, raceID) }
	for name, o := range map[string]docker.Options{
		"counters from cgroups": {Cgroups: cgroup.New()},
		"counters from Docker":  {},
	} {
		t.Run(name, func(t *testing.T) {
			enginetest.Run(t, enginetest.Suite{
				New:    func(t *testing.T) engine.Engine { t.Helper(); return newEngine(t, o) },
				Lane:   lane,
				Limits: true,
				Left:   left,
			})
		})
	}
}
