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

// fixture is a Docker Engine with that image.
type fixture struct {
	client *client.Client
	binary string // of the suite's apps
}

// newFixture makes the image once for all tests, which run one after another below this one.
func newFixture(t *testing.T) fixture {
	t.Helper()
	f := fixture{dockertest.Client(t), dockertest.Build(t, "github.com/photofinish/photofinish/runner/engine/enginetest/app")}
	dockertest.Image(t, f.client, apps, f.binary, "USER 65534")
	return f
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
	f := newFixture(t)
	left := func(t *testing.T, raceID string) []string { t.Helper(); return dockertest.Left(t, f.client, raceID) }
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
	t.Run("a container gets its limits, its own network, and nothing else", f.getsLittle)
	t.Run("an image that starts as root may become somebody else, and write if it has to", f.needsRoot)
	t.Run("the network is counted", f.countsNetwork)
	t.Run("a lane that cannot be raced is refused with a reason", f.refuses)
	t.Run("a container that cannot be started says why", f.cannotStart)
	t.Run("an image that is missing is pulled, and how far it is is told", f.pulls)
	t.Run("an image that is no lane's is pulled and run alike", f.runsTools)
	t.Run("a tool that shares the runner's network shares nobody else's", f.sharesOwnNetwork)
	t.Run("a pull can be stopped", f.stopsPulling)
	t.Run("a registry with a password is logged in to", f.logsIn)
	t.Run("a folder is built once", f.builds)
	t.Run("a service of a compose file brings its own settings", f.composes)
	t.Run("lanes may listen on the same port", f.sharesPort)
	t.Run("what a dead runner left is found by its labels", f.sweeps)
	t.Run("a container that somebody removed has been killed", f.removedByHand)
	t.Run("an app that runs elsewhere is left alone", f.elsewhere)
	t.Run("a Docker that is reached by an address of this machine is as good", f.overTCP)
}
