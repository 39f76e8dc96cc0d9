package cmd_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/docker/docker/client"
	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/compare"
	"github.com/photofinish/photofinish/pkg/measure"
	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/engine/docker/dockertest"
	"github.com/photofinish/photofinish/runner/engine/enginetest"
)

// images are the sample apps control and high-latency; lanes made of them are called a and b.
type images struct {
	client *client.Client
	lanes  []string
}

// needImages makes them of the sample apps, once for all tests that run below this one.
func needImages(t *testing.T) images {
	t.Helper()
	i := images{client: dockertest.Client(t)}
	for n, app := range []string{"control", "high-latency"} {
		port := 30111 + n
		name := fmt.Sprintf("photofinish-test/%s:%d", app, os.Getpid())
		dockertest.Image(t, i.client, name, dockertest.Build(t, "github.com/photofinish/photofinish/testapps/"+app), "USER 65534")
		i.lanes = append(i.lanes, fmt.Sprintf("'%s': { image: %q, port: %d, path: '/%s', cpus: 0.9, memory: '64m' }", app, name, port, app))
	}
	return i
}

func (i images) nothingLeft(t *testing.T, raceID string) {
	t.Helper()
	require.NotEmpty(t, raceID)
	require.Empty(t, dockertest.Left(t, i.client, raceID))
	nothingLeft(t)
}

func TestDocker(t *testing.T) {
	i := needImages(t)
	t.Run("a race of containers measures both sides and leaves nothing", i.races)
	t.Run("the series hold every measure of the record", i.agrees)
	t.Run("after kill -9 the next race removes the containers", i.sweeps)
	t.Run("an app that fails in its container is told of with its reason", i.fails)
	t.Run("an app that dies in the second heat leaves the race with the heat before", i.dies)
	t.Run("a Docker that goes away in a heat ends the race", i.loses)
	t.Run("a Docker that is not there is said before anything is started", i.misses)
	t.Run("a runner races containers of allowed images, and stops them in every phase", i.asked)
	t.Run("a runner that was killed leaves no container to the next one", i.outlives)
	t.Run("a runner tells that Docker is gone, and fails the race", i.unreachable)
}

func (i images) races(t *testing.T) {
	f := runRace(t.Context(), t, writeScript(t, "", i.lanes...), "--engine", "docker", "--mode", "together", "--heats", "2", "--duration", "3s")
	require.Equal(t, 0, f.code)
	require.Equal(t, "docker", f.record.Engine)
	require.Equal(t, race.Finished, f.record.Status)
	require.Len(t, f.record.Heats, 2)
	for _, l := range f.record.Lanes {
		require.InDelta(t, 300, l.Client.Requests, 15, l.App)
		require.Zero(t, l.Client.Failed)
		require.Positive(t, *l.Container.CPUSeconds)
		require.Positive(t, *l.Container.MemoryMaxBytes)
		require.NotNil(t, l.Container.ThrottledSeconds)
		require.Positive(t, *l.Joined.CPUMSPerRequest)
		require.Greater(t, *l.Joined.NetworkBytesPerRequest, 100.0, "a request and its answer have headers")
		require.Equal(t, race.Stopped, l.Exit.Reason)
		require.Regexp(t, `^sha256:[0-9a-f]{64}$`, l.Image.ID)
	}
	require.NotEmpty(t, f.record.Versions["docker"])
	require.Greater(t, *f.lane(t, "high-latency").Measures["latency_p50"], *f.lane(t, "control").Measures["latency_p50"])
	_, found := f.finding(race.LimitsNotEnforced)
	require.False(t, found)
	i.nothingLeft(t, f.record.ID)
}

// fails: apps of the engines' suite, in a whole race.
func (i images) fails(t *testing.T) {
	name := fmt.Sprintf("photofinish-test/faults:%d", os.Getpid())
	dockertest.Image(t, i.client, name, dockertest.Build(t, "github.com/photofinish/photofinish/runner/engine/enginetest/app"), "USER 65534")
	for name, c := range map[string]struct{ keys, says string }{
		"at once": {
			fmt.Sprintf("image: %q, env: { %s: %q }", name, enginetest.AppVariable, enginetest.Crasher),
			"(?s)lane bad ended with code 7 before it was healthy; it printed:.*\n  " + enginetest.LastWords, // its two outputs come by two ways
		},
		"never healthy, since it listens for its own container only": {
			fmt.Sprintf("image: %q, env: { %s: %q, HOST: '127.0.0.1' }, health: { path: '/', timeout: '1s' }", name, enginetest.AppVariable, enginetest.Control),
			"lane bad did not get healthy within 1s: http://127.0.0.1:30113/: ",
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := runRace(t.Context(), t, writeScript(t, "", i.lanes[0], "bad: { port: 30113, "+c.keys+" }"), "--engine", "docker")
			require.Equal(t, 3, f.code)
			require.Regexp(t, c.says, f.stderr)
			require.Equal(t, race.Failed, f.record.Status)
			i.nothingLeft(t, f.record.ID)
		})
	}
	t.Run("out of memory", func(t *testing.T) {
		eater := fmt.Sprintf("bad: { image: %q, port: 30113, memory: '64m', env: { %s: %q } }", name, enginetest.AppVariable, enginetest.Eater)
		f := runRace(t.Context(), t, writeScript(t, "", append([]string{eater}, i.lanes...)...), "--engine", "docker", "--mode", "together", "--heats", "2")
		if f.code == 0 { // it takes its memory when it is asked first, which may be by the probe
			require.Equal(t, race.OOM, f.lane(t, "bad").Exit.Reason)
		} else {
			require.Contains(t, f.stderr, "more memory than its limit")
		}
		i.nothingLeft(t, f.record.ID)
	})
}

func (i images) dies(t *testing.T) {
	temp := ownTemp(t)
	third := strings.NewReplacer("'control'", "third", "30111", "30113").Replace(i.lanes[0])
	r := startRunner(t, writeScript(t, "", append(i.lanes, third)...), "--engine", "docker", "--mode", "together", "--heats", "2", "--duration", "5s", "--rate", "20")
	r.says(t, "Racing: heat 2")
	require.NoError(t, i.client.ContainerKill(t.Context(), fmt.Sprintf("photofinish-%s-2-third", r.record().ID), "SIGKILL"))
	require.Equal(t, 0, r.exit(t))
	require.Equal(t, race.Finished, r.record().Status)
	require.Len(t, r.record().Heats, 2)
	for _, l := range r.record().Lanes {
		reason := race.Stopped
		if l.App == "third" {
			reason = race.Killed
		}
		require.Equal(t, reason, l.Exit.Reason, l.App)
	}
	i.nothingLeft(t, r.record().ID)
	nothingLeftIn(t, temp)
}

func (i images) sweeps(t *testing.T) {
	temp := ownTemp(t)
	r := startRunner(t, writeScript(t, "", i.lanes...), "--engine", "docker", "--mode", "together", "--duration", "20s")
	r.says(t, "Racing: heat 1")
	r.signal(t, syscall.SIGKILL)
	r.exit(t)
	require.NotEmpty(t, dockertest.Left(t, i.client, r.record().ID))
	// The next race is one of local processes: it is in the way of those, too.
	cleansUp(t, r, temp)
	i.nothingLeft(t, r.record().ID)
}

// cut is a way to the Docker Engine that can be cut.
type cut struct {
	listener net.Listener
	ctx      context.Context
	end      context.CancelFunc
}

// throughCut lets DOCKER_HOST of this test lead through a way that can be cut.
func throughCut(t *testing.T, c *client.Client) *cut {
	t.Helper()
	path := filepath.Join(t.TempDir(), "docker.sock")
	l, err := net.Listen("unix", path)
	require.NoError(t, err)
	w := &cut{listener: l}
	w.ctx, w.end = context.WithCancel(context.Background())
	t.Cleanup(w.cut)
	go w.forward(strings.TrimPrefix(c.DaemonHost(), "unix://"))
	t.Setenv("DOCKER_HOST", "unix://"+path)
	return w
}

func (w *cut) cut() { w.end(); _ = w.listener.Close() }

func (w *cut) forward(to string) {
	for {
		near, err := w.listener.Accept()
		if err != nil {
			return
		}
		far, err := net.Dial("unix", to)
		if err != nil {
			_ = near.Close()
			continue
		}
		context.AfterFunc(w.ctx, func() { _ = near.Close(); _ = far.Close() })
		go pipe(near, far)
		go pipe(far, near)
	}
}

// pipe copies until one side ends, and tells the other that no more comes.
func pipe(to, from net.Conn) {
	buffer := make([]byte, 1<<15)
	for {
		n, err := from.Read(buffer)
		if _, failed := to.Write(buffer[:n]); err != nil || failed != nil {
			_ = to.(*net.UnixConn).CloseWrite()
			return
		}
	}
}

func (i images) loses(t *testing.T) {
	temp := ownTemp(t)
	way := throughCut(t, i.client)
	r := startRunner(t, writeScript(t, "", i.lanes...), "--engine", "docker", "--mode", "together", "--heats", "5", "--duration", "4s", "--rate", "20")
	r.measured(t, 1)
	r.says(t, "Racing: heat 2")
	way.cut()
	require.Equal(t, 3, r.exit(t))
	require.Equal(t, race.Failed, r.record().Status)
	require.Contains(t, r.stderr.String(), "Docker does not answer at unix://")
	require.Contains(t, r.stdout.String(), "could not clean up after the race")
	require.NotEmpty(t, r.record().Heats, "what was measured is kept")
	require.NotEmpty(t, dockertest.Left(t, i.client, r.record().ID), "nobody could remove them")
	// With Docker back, the next race of containers finds them.
	t.Setenv("DOCKER_HOST", i.client.DaemonHost())
	next := runRace(t.Context(), t, writeScript(t, "", i.lanes...), "--engine", "docker", "--mode", "together", "--heats", "1")
	require.Equal(t, 0, next.code)
	i.nothingLeft(t, r.record().ID)
	nothingLeftIn(t, temp)
}

func (i images) misses(t *testing.T) {
	t.Setenv("DOCKER_HOST", "unix://"+filepath.Join(t.TempDir(), "nobody.sock"))
	began := time.Now()
	f := runRace(t.Context(), t, writeScript(t, "", i.lanes...), "--engine", "docker")
	require.Equal(t, 3, f.code)
	require.Contains(t, f.stderr, "Docker does not answer at unix://")
	require.Contains(t, f.stderr, "start Docker, or let DOCKER_HOST say where it is")
	require.Less(t, time.Since(began), 20*time.Second)
	nothingLeft(t)
}

func (i images) agrees(t *testing.T) {
	requireCgroups(t)
	k := keep(t, writeScript(t, "", i.lanes...), "--engine", "docker", "--mode", "together", "--heats", "1", "--duration", "6s")
	info, ok := compare.FromRecord(k.record)
	require.True(t, ok)
	totals, err := compare.Reduce(t.Context(), querier(t, k.url), info, compare.Join{})
	require.NoError(t, err)
	for _, l := range k.record.Lanes {
		for _, id := range measure.IDs() {
			require.Equal(t, l.Measures[id] == nil, totals.Whole[l.App].Measures[id] == nil, "%s %s: %v", l.App, id, totals.Notices)
		}
		for id, off := range map[string]float64{"network_receive_rate": .2, "network_transmit_rate": .2, "cpu_cores": .25, "request_rate": .1} {
			require.InEpsilon(t, *l.Measures[id], *totals.Whole[l.App].Measures[id], off, "%s %s", l.App, id)
		}
	}
}
