package docker_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/image"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/client"
	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/cgroup"
	"github.com/photofinish/photofinish/runner/engine"
	"github.com/photofinish/photofinish/runner/engine/docker"
	"github.com/photofinish/photofinish/runner/engine/docker/dockertest"
	"github.com/photofinish/photofinish/runner/engine/enginetest"
	"github.com/photofinish/photofinish/runner/images"
)

// said collects what the engine says.
type said struct{ lines []string }

func (s *said) say(line string) { s.lines = append(s.lines, line) }

func (s *said) String() string { return strings.Join(s.lines, "\n") }

// prepare prepares a race of one lane, to be cleaned up after the test.
func prepare(t *testing.T, e *docker.Engine, l race.LaneSpec) (id string, s *said, err error) {
	t.Helper()
	id, s = newID(), &said{}
	t.Cleanup(func() { require.NoError(t, e.Cleanup(context.Background(), id)) })
	return id, s, e.Prepare(t.Context(), id, []race.LaneSpec{l}, s.say)
}

func (f fixture) lane(t *testing.T, kind enginetest.Kind) race.LaneSpec {
	t.Helper()
	l := lane(kind)
	l.App, l.Port, l.Path = string(kind), enginetest.FreePort(t), "/"
	return l
}

// inspect finds the one container of a race.
func (f fixture) inspect(t *testing.T, raceID string) container.InspectResponse {
	t.Helper()
	found, err := f.client.ContainerList(t.Context(), container.ListOptions{All: true, Filters: filters.NewArgs(filters.Arg("label", "photofinish.race="+raceID))})
	require.NoError(t, err)
	require.Len(t, found, 1)
	one, err := f.client.ContainerInspect(t.Context(), found[0].ID)
	require.NoError(t, err)
	return one
}

func (f fixture) getsLittle(t *testing.T) {
	e := newEngine(t, docker.Options{Cgroups: cgroup.New()})
	spec := f.lane(t, enginetest.Control)
	cpus, memory, set := 0.25, int64(48<<20), "0"
	spec.CPUs, spec.Memory, spec.CPUSet = &cpus, &memory, &set
	spec.Env["GREETING"] = "hello there"
	id, _, err := prepare(t, e, spec)
	require.NoError(t, err)
	l, err := e.Start(t.Context(), id, 3, spec)
	require.NoError(t, err)
	require.NoError(t, engine.WaitHealthy(t.Context(), l, spec))
	got := f.inspect(t, id)
	host := got.HostConfig
	require.False(t, host.Privileged)
	require.True(t, host.ReadonlyRootfs)
	require.Equal(t, []string{"ALL"}, []string(host.CapDrop))
	require.Empty(t, host.CapAdd, "its image does not start as root")
	require.Contains(t, host.SecurityOpt, "no-new-privileges")
	require.Empty(t, host.Binds)
	require.Empty(t, got.Mounts)
	require.EqualValues(t, "photofinish-"+id, mustNetwork(t, f, got))
	require.Equal(t, map[string]string{"/tmp": "rw,nosuid,nodev,mode=1777"}, host.Tmpfs)
	require.EqualValues(t, 25_000, host.CPUQuota)
	require.Equal(t, memory, host.Memory)
	require.Contains(t, []int64{memory, -1}, host.MemorySwap, "-1 where this kernel does not count swap")
	require.Equal(t, set, host.CpusetCpus)
	require.Positive(t, *host.PidsLimit)
	for _, ports := range host.PortBindings {
		for _, p := range ports {
			require.Equal(t, "127.0.0.1", p.HostIP)
		}
	}
	require.Equal(t, id, got.Config.Labels["photofinish.race"])
	require.Equal(t, spec.App, got.Config.Labels["photofinish.app"])
	require.Contains(t, got.Config.Env, "GREETING=hello there")
	require.Contains(t, got.Config.Env, "HOST=0.0.0.0")
	require.Contains(t, got.Config.Env, fmt.Sprint("PORT=", spec.Port))
	require.Contains(t, l.ContainerName(), id+"/"+got.ID, "its cgroup is below the race's")
}

// mustNetwork is the name of the container's one network.
func mustNetwork(t *testing.T, f fixture, c container.InspectResponse) string {
	t.Helper()
	require.Len(t, c.NetworkSettings.Networks, 1)
	for _, n := range c.NetworkSettings.Networks {
		found, err := f.client.NetworkInspect(t.Context(), n.NetworkID, network.InspectOptions{})
		require.NoError(t, err)
		return found.Name
	}
	return ""
}

func (f fixture) countsNetwork(t *testing.T) {
	for name, o := range map[string]docker.Options{"read here": {Cgroups: cgroup.New()}, "told by Docker": {}} {
		t.Run(name, func(t *testing.T) {
			e := newEngine(t, o)
			spec := f.lane(t, enginetest.Control)
			id, _, err := prepare(t, e, spec)
			require.NoError(t, err)
			l, err := e.Start(t.Context(), id, 1, spec)
			require.NoError(t, err)
			require.NoError(t, engine.WaitHealthy(t.Context(), l, spec))
			before, err := l.Counters(t.Context())
			require.NoError(t, err)
			for range 100 {
				resp, err := http.Get(l.Address() + "/")
				require.NoError(t, err)
				_, _ = io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
			}
			after, err := l.Counters(t.Context())
			require.NoError(t, err)
			require.Greater(t, *after.NetworkRx-*before.NetworkRx, uint64(100*60), "a request is some 90 bytes")
			require.Greater(t, *after.NetworkTx-*before.NetworkTx, uint64(100*60), "an answer is some 120 bytes")
			require.Less(t, *after.NetworkTx-*before.NetworkTx, uint64(100*2000))
		})
	}
}

func (f fixture) needsRoot(t *testing.T) {
	root := apps + "-root"
	dockertest.Image(t, f.client, root, f.binary)
	spec := f.lane(t, enginetest.Control)
	spec.Image = root
	e := newEngine(t, docker.Options{})
	id, _, err := prepare(t, e, spec)
	require.NoError(t, err)
	l, err := e.Start(t.Context(), id, 1, spec)
	require.NoError(t, err)
	require.NoError(t, engine.WaitHealthy(t.Context(), l, spec))
	host := f.inspect(t, id).HostConfig
	require.Equal(t, []string{"ALL"}, []string(host.CapDrop))
	require.NotEmpty(t, host.CapAdd)
	for _, c := range host.CapAdd {
		require.Contains(t, []string{"CHOWN", "DAC_OVERRIDE", "FOWNER", "SETUID", "SETGID", "NET_BIND_SERVICE"}, strings.TrimPrefix(c, "CAP_"))
	}
	writer := f.lane(t, enginetest.Writer)
	writer.Image = root
	id, s, err := prepare(t, e, writer)
	require.NoError(t, err)
	for heat := 1; heat <= 2; heat++ {
		l, err := e.Start(t.Context(), id, heat, writer)
		require.NoError(t, err)
		require.NoError(t, engine.WaitHealthy(t.Context(), l, writer), heat)
		require.False(t, f.inspect(t, id).HostConfig.ReadonlyRootfs)
		require.NoError(t, l.Stop(t.Context()))
	}
	require.Equal(t, 1, strings.Count(s.String(), "lane writer: its file system is left writable"), s)
}

func (f fixture) refuses(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	for name, c := range map[string]struct {
		lane    race.LaneSpec
		allowed *images.Allowed
		code    race.Code
		message string
		hint    string
	}{
		"no image":                      {race.LaneSpec{Command: []string{"app"}}, nil, race.Invalid, "lane x has neither image nor build nor compose", "--engine process"},
		"a name that is none":           {race.LaneSpec{Image: "UPPER case"}, nil, race.Invalid, `lane x: "UPPER case" is no name of an image`, "nginx:1.29"},
		"an image not on the list":      {race.LaneSpec{Image: "evil/miner:3"}, &images.Allowed{Images: []string{"photofinish/*", "nginx"}}, race.Invalid, "lane x: the image evil/miner:3 may not be run here; those that may are photofinish/*, nginx", "configuration"},
		"a build where there is a list": {race.LaneSpec{Build: "."}, &images.Allowed{Images: []string{"nginx"}}, race.Invalid, "lane x: this runner builds no images", ""},
		"an image that nobody has":      {race.LaneSpec{Image: "127.0.0.1:1/nobody/nothing:1"}, nil, race.Unavailable, "lane x: the image 127.0.0.1:1/nobody/nothing:1 is not on this machine and cannot be pulled: ", "check the name"},
		"a folder without Dockerfile":   {race.LaneSpec{Build: "nowhere"}, nil, race.Invalid, "lane x: there is no Dockerfile in ", "FOLDER#DOCKERFILE"},
		"a Dockerfile outside":          {race.LaneSpec{Build: "a#../../etc/passwd"}, nil, race.Invalid, "lane x: the Dockerfile \"../../etc/passwd\" is not within the folder", ""},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			require.NoError(t, os.WriteFile(filepath.Join(dir, "Dockerfile"), []byte("FROM scratch\n"), 0o600))
			c.lane.App, c.lane.Port = "x", enginetest.FreePort(t)
			_, _, err := prepare(t, newEngine(t, docker.Options{Allowed: c.allowed, ScriptDir: dir}), c.lane)
			require.Equal(t, c.code, race.CodeOf(err), err)
			require.ErrorContains(t, err, c.message)
			require.NotContains(t, err.Error(), "\n")
			require.Contains(t, race.HintOf(err), c.hint)
		})
	}
	for _, pattern := range []string{"photofinish-test/*", "photofinish-test/apps", apps} {
		_, _, err := prepare(t, newEngine(t, docker.Options{Allowed: &images.Allowed{Images: []string{"nginx", pattern}}}), f.lane(t, enginetest.Control))
		require.NoError(t, err, pattern)
	}
}

func (f fixture) cannotStart(t *testing.T) {
	broken := apps + "-broken"
	dockertest.Image(t, f.client, broken, f.binary, `ENTRYPOINT ["/no-such-program"]`)
	impossible, tiny := "4000", int64(1<<20)
	for name, c := range map[string]struct {
		change  func(*race.LaneSpec)
		code    race.Code
		message string
	}{
		"an entry point that is not there": {func(l *race.LaneSpec) { l.Image = broken }, race.Unavailable, `/no-such-program`},
		"CPUs that are not there":          {func(l *race.LaneSpec) { l.CPUSet = &impossible }, race.Invalid, "Requested CPUs are not available"},
		"less memory than Docker gives":    {func(l *race.LaneSpec) { l.Memory = &tiny }, race.Invalid, "Minimum memory limit"},
	} {
		t.Run(name, func(t *testing.T) {
			spec := f.lane(t, enginetest.Control)
			c.change(&spec)
			e := newEngine(t, docker.Options{})
			id, _, err := prepare(t, e, spec)
			require.NoError(t, err)
			_, err = e.Start(t.Context(), id, 1, spec)
			require.Equal(t, c.code, race.CodeOf(err), err)
			require.ErrorContains(t, err, c.message)
			require.ErrorContains(t, err, "lane "+spec.App)
			require.NotContains(t, err.Error(), "OCI runtime")
		})
	}
}

func (f fixture) builds(t *testing.T) {
	dir := t.TempDir()
	folder := filepath.Join(dir, "web")
	require.NoError(t, os.Mkdir(folder, 0o700))
	write := func(name, text string) {
		require.NoError(t, os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600))
	}
	require.NoError(t, os.Link(f.binary, filepath.Join(folder, "program")))
	write("Dockerfile", "FROM scratch\nCOPY program /app\nENV "+enginetest.AppVariable+"=control\nENTRYPOINT [\"/app\"]\n")
	write("secret", "is not sent")
	write(".dockerignore", "secret\n")
	write("Other", "FROM scratch\nCOPY secret /secret\n")
	spec := race.LaneSpec{App: "web", Port: enginetest.FreePort(t), Path: "/", Build: "web"}
	e := newEngine(t, docker.Options{ScriptDir: dir})
	var built []string
	var tag string
	for range 2 {
		id, s, err := prepare(t, e, spec)
		require.NoError(t, err)
		require.Contains(t, s.String(), "lane web: building Dockerfile: Step 1/")
		l, err := e.Start(t.Context(), id, 1, spec)
		require.NoError(t, err)
		require.NoError(t, engine.WaitHealthy(t.Context(), l, spec))
		built = append(built, f.inspect(t, id).Image)
		require.NoError(t, e.Cleanup(t.Context(), id))
	}
	require.Equal(t, built[0], built[1], "nothing was built anew")
	t.Run("one that fails says its last words", func(t *testing.T) {
		bad := spec
		bad.Build = "web#Other"
		_, _, err := prepare(t, e, bad)
		require.Equal(t, race.Unavailable, race.CodeOf(err))
		require.ErrorContains(t, err, "web/Other cannot be built: COPY failed")
		require.ErrorContains(t, err, "Step 2/")
	})
	t.Run("a new one takes the place of the old one", func(t *testing.T) {
		write("Dockerfile", "FROM scratch\nCOPY program /app\nENV CHANGED=1\nENTRYPOINT [\"/app\"]\n")
		_, _, err := prepare(t, e, spec)
		require.NoError(t, err)
		_, err = f.client.ImageInspect(t.Context(), built[0])
		require.Error(t, err, "the old one is gone")
	})
	same := spec
	same.App, same.Port = "again", enginetest.FreePort(t)
	t.Run("lanes of one folder race one image", func(t *testing.T) {
		id := newID()
		said := &strings.Builder{}
		require.NoError(t, e.Prepare(t.Context(), id, []race.LaneSpec{spec, same}, func(line string) { _, _ = said.WriteString(line + "\n") }))
		images := e.Facts(id).Images
		require.Equal(t, images["web"], images["again"])
		_, err := f.client.ImageInspect(t.Context(), images["web"].ID)
		require.NoError(t, err)
		require.Contains(t, said.String(), "lane again: Dockerfile is built already")
		require.NoError(t, e.Cleanup(t.Context(), id))
	})
	t.Run("whatever the lane is called, the image is the same", func(t *testing.T) {
		var ids []string
		for _, l := range []race.LaneSpec{spec, same} {
			id, _, err := prepare(t, e, l)
			require.NoError(t, err)
			ids = append(ids, e.Facts(id).Images[l.App].ID)
			tag = e.Facts(id).Images[l.App].Name
		}
		require.Equal(t, ids[0], ids[1])
	})
	_, hash, _ := strings.Cut(tag, ":")
	left, err := f.client.ImageList(t.Context(), image.ListOptions{Filters: filters.NewArgs(filters.Arg("label", "photofinish.build="+hash))})
	require.NoError(t, err)
	require.NotEmpty(t, left)
	for _, i := range left {
		_, err := f.client.ImageRemove(t.Context(), i.ID, image.RemoveOptions{Force: true, PruneChildren: true})
		require.NoError(t, err)
	}
}

func (f fixture) sweeps(t *testing.T) {
	dir := t.TempDir()
	spec := f.lane(t, enginetest.Control)
	// The runner dies: the lock on its entry goes, its containers stay.
	dead := openLedger(t, dir)
	one := newEngine(t, docker.Options{Ledger: dead, Cgroups: cgroup.New()})
	id := newID()
	require.NoError(t, one.Prepare(t.Context(), id, []race.LaneSpec{spec}, func(string) {}))
	_, err := one.Start(t.Context(), id, 1, spec)
	require.NoError(t, err)

	swept, err := newEngine(t, docker.Options{Ledger: openLedger(t, dir)}).Sweep(t.Context())
	require.NoError(t, err)
	require.NotContains(t, swept, id, "its runner lives")
	require.NoError(t, dead.Remove(id)) // as if a runner in a container had lost its folder for temporary files with its life
	swept, err = newEngine(t, docker.Options{Ledger: openLedger(t, t.TempDir())}).Sweep(t.Context())
	require.NoError(t, err)
	require.NotContains(t, swept, id, "it is another owner's")
	require.NotEmpty(t, dockertest.Left(t, f.client, id))
	swept, err = newEngine(t, docker.Options{Ledger: openLedger(t, dir), Cgroups: cgroup.New()}).Sweep(t.Context())
	require.NoError(t, err)
	require.Equal(t, []string{id}, swept)
	require.Empty(t, dockertest.Left(t, f.client, id))
	require.NoError(t, one.Cleanup(t.Context(), id))
}

func (f fixture) removedByHand(t *testing.T) {
	e := newEngine(t, docker.Options{})
	spec := f.lane(t, enginetest.Control)
	id, _, err := prepare(t, e, spec)
	require.NoError(t, err)
	l, err := e.Start(t.Context(), id, 1, spec)
	require.NoError(t, err)
	require.NoError(t, engine.WaitHealthy(t.Context(), l, spec))
	require.NoError(t, f.client.ContainerRemove(t.Context(), f.inspect(t, id).ID, container.RemoveOptions{Force: true}))
	select {
	case <-l.Done():
	case <-time.After(10 * time.Second):
		t.Fatal("its end is not noticed")
	}
	require.Equal(t, race.Killed, l.Exit().Reason)
	require.NoError(t, engine.Lost(l), "Docker is there")
	require.NoError(t, l.Stop(t.Context()))
}

func (f fixture) elsewhere(t *testing.T) {
	e := newEngine(t, docker.Options{})
	spec := race.LaneSpec{App: "far", URL: "http://127.0.0.1:9/far"}
	id, _, err := prepare(t, e, spec)
	require.NoError(t, err)
	l, err := e.Start(t.Context(), id, 1, spec)
	require.NoError(t, err)
	require.Equal(t, spec.URL, l.Address())
}

func TestDockerDown(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "docker.sock")
	c, err := client.NewClientWithOpts(client.WithHost("unix://"+socket), client.WithAPIVersionNegotiation())
	require.NoError(t, err)
	e := newEngine(t, docker.Options{Client: c})
	spec := race.LaneSpec{App: "x", Image: "nginx", Port: enginetest.FreePort(t)}
	err = e.Prepare(t.Context(), "r", []race.LaneSpec{spec}, func(string) {})
	require.Equal(t, race.Unavailable, race.CodeOf(err))
	require.ErrorIs(t, err, engine.ErrDown)
	require.EqualError(t, err, "Docker does not answer at unix://"+socket+": cannot ask what it can do")
	require.Contains(t, race.HintOf(err), "start Docker")
	_, err = e.Sweep(t.Context())
	require.ErrorIs(t, err, engine.ErrDown)
	require.NoError(t, e.Cleanup(t.Context(), "r"), "nothing was made, so nothing has to be removed")
}

func TestADockerOfAnotherMachineIsRefusedBeforeItIsAsked(t *testing.T) {
	c, err := client.NewClientWithOpts(client.WithHost("tcp://192.0.2.7:2376"), client.WithAPIVersionNegotiation()) // RFC 5737: nobody's
	require.NoError(t, err)
	e := newEngine(t, docker.Options{Client: c})
	began := time.Now()
	err = e.Prepare(t.Context(), "r", []race.LaneSpec{{App: "x", Image: "nginx", Port: enginetest.FreePort(t)}}, func(string) {})
	require.Equal(t, race.Unavailable, race.CodeOf(err))
	require.EqualError(t, err, "Docker at tcp://192.0.2.7:2376 is on another machine: what it starts can be reached on that machine only")
	require.Contains(t, race.HintOf(err), "run photofinish on that machine")
	_, err = e.ToolImage(t.Context(), "k6", "grafana/k6", func(string) {})
	require.ErrorContains(t, err, "k6: Docker at tcp://192.0.2.7:2376 is on another machine")
	_, err = e.State(t.Context())
	require.ErrorContains(t, err, "is on another machine")
	require.Less(t, time.Since(began), time.Second)
	require.NoError(t, e.Cleanup(t.Context(), "r"))
}

// sharesOwnNetwork: containers that share their memory are seen among the machine's mounts, and are not where this process is.
func (f fixture) sharesOwnNetwork(t *testing.T) {
	app := []string{enginetest.AppVariable + "=" + string(enginetest.Control), "PORT=0"}
	foreign, err := f.client.ContainerCreate(t.Context(), &container.Config{Image: apps, Env: app}, &container.HostConfig{IpcMode: container.IPCModeShareable, NetworkMode: "none"}, nil, nil, "")
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, f.client.ContainerRemove(context.Background(), foreign.ID, container.RemoveOptions{Force: true}))
	})
	require.NoError(t, f.client.ContainerStart(t.Context(), foreign.ID, container.StartOptions{}))
	e, id := newEngine(t, docker.Options{}), newID()
	t.Cleanup(func() { require.NoError(t, e.RemoveTools(context.Background(), id)) })
	image, err := e.ToolImage(t.Context(), "the clock", apps, func(string) {})
	require.NoError(t, err)
	_, err = e.StartTool(t.Context(), docker.ToolSpec{RaceID: id, Name: "clock", Image: image.ID, Env: app, Shared: true, Stdout: io.Discard, Stderr: io.Discard})
	require.NoError(t, err)
	require.NotEqual(t, container.NetworkMode("container:"+foreign.ID), f.inspect(t, id).HostConfig.NetworkMode)
}

// overTCP: an address of this machine is as good as its socket.
func (f fixture) overTCP(t *testing.T) {
	socket, local := strings.CutPrefix(f.client.DaemonHost(), "unix://")
	if !local {
		t.Skip("NOT TESTED: the Docker Engine has no socket here")
	}
	way := httptest.NewServer(&httputil.ReverseProxy{
		Rewrite:   func(r *httputil.ProxyRequest) { r.Out.URL.Scheme, r.Out.URL.Host = "http", "docker" },
		Transport: &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) { return net.Dial("unix", socket) }},
	})
	t.Cleanup(way.Close) // behind the clean-ups of the races
	_, port, err := net.SplitHostPort(way.Listener.Addr().String())
	require.NoError(t, err)
	for _, host := range []string{"127.0.0.1", "localhost"} {
		c, err := client.NewClientWithOpts(client.WithHost("tcp://"+net.JoinHostPort(host, port)), client.WithAPIVersionNegotiation())
		require.NoError(t, err)
		spec, e := f.lane(t, enginetest.Control), newEngine(t, docker.Options{Client: c})
		id, _, err := prepare(t, e, spec)
		require.NoError(t, err)
		l, err := e.Start(t.Context(), id, 1, spec)
		require.NoError(t, err)
		require.NoError(t, engine.WaitHealthy(t.Context(), l, spec))
		require.NoError(t, l.Stop(t.Context()))
	}
}
