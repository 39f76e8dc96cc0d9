package cmd_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/engine/docker/dockertest"
	"github.com/photofinish/photofinish/runner/store"
)

// sharesItsContainer runs the runner in a container with a network of its own, where only what shares that reaches its loopback interface: k6 does,
// and lanes may not.
func (s stockK6) sharesItsContainer(t *testing.T) {
	socket, local := strings.CutPrefix(s.client.DaemonHost(), "unix://")
	if !local {
		t.Skip("NOT TESTED: the Docker Engine is on another machine")
	}
	box := boxedRunner{stockK6: s, image: fmt.Sprintf("photofinish-test/runner:%d", os.Getpid()), socket: socket}
	dockertest.Image(t, s.client, box.image, dockertest.Build(t, "github.com/photofinish/photofinish/runner"))
	control := dockertest.Build(t, "github.com/photofinish/photofinish/testapps/control")
	t.Run("with lanes that are processes", func(t *testing.T) {
		record, code, networks := box.race(t, control, "process", "a: { command: ['./control'], port: 4000, path: '/control' }", "b: { command: ['./control'], port: 4001, path: '/control' }")
		require.Zero(t, code, "%v", record.Error)
		require.InDelta(t, 100, record.Lanes[0].Client.Requests, 10)
		require.NotNil(t, record.Lanes[0].Measures["latency_p95"], "Prometheus was reached")
		require.Contains(t, networks, "container:", "it is in the runner's own")
	})
	t.Run("with lanes that would be containers", func(t *testing.T) {
		record, code, networks := box.race(t, control, "docker", "a: { image: 'nobody/a:1', port: 4000 }", "b: { image: 'nobody/b:1', port: 4001 }")
		require.Equal(t, int64(3), code)
		require.Equal(t, "photofinish runs in a container that has a network of its own: what Docker starts can be reached from the machine's network only", *record.Error)
		require.Empty(t, networks, "nothing was started")
	})
}

// boxedRunner is a runner in a container.
type boxedRunner struct {
	stockK6
	image, socket string
}

// race runs a race to its end, and says in which networks its k6 was.
func (b boxedRunner) race(t *testing.T, control, engine string, lanes ...string) (record race.Race, code int64, networks string) {
	t.Helper()
	dir := filepath.Dir(b.script(t, b.stockK6.image, "mode: 'together', heats: 1", "", lanes...))
	program, err := os.ReadFile(control)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "control"), program, 0o700))
	made, err := b.client.ContainerCreate(t.Context(), &container.Config{Image: b.image, Cmd: []string{"race", "/box/scripts/box.js", "--out", "/box/race", "--engine", engine}, Hostname: "elsewhere"},
		&container.HostConfig{Binds: []string{filepath.Dir(dir) + ":/box", b.socket + ":/var/run/docker.sock"}, Tmpfs: map[string]string{"/tmp": ""}}, nil, nil, "")
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, b.client.ContainerRemove(context.Background(), made.ID, container.RemoveOptions{Force: true}))
	})
	ended, failed := b.client.ContainerWait(t.Context(), made.ID, container.WaitConditionNextExit)
	require.NoError(t, b.client.ContainerStart(t.Context(), made.ID, container.StartOptions{}))
	for {
		select {
		case end := <-ended:
			if end.StatusCode != 0 {
				said, err := b.client.ContainerLogs(t.Context(), made.ID, container.LogsOptions{ShowStdout: true, ShowStderr: true})
				require.NoError(t, err)
				text, err := io.ReadAll(said)
				require.NoError(t, err)
				t.Logf("the runner said: %q", text)
			}
			record, err := store.Load(filepath.Join(filepath.Dir(dir), "race"))
			require.NoError(t, err)
			b.nothingLeft(t, record.ID)
			return record, end.StatusCode, networks
		case err := <-failed:
			require.NoError(t, err)
		case <-time.After(50 * time.Millisecond):
			found, err := b.client.ContainerList(t.Context(), container.ListOptions{Filters: filters.NewArgs(filters.Arg("label", "photofinish.tool"))})
			require.NoError(t, err)
			for _, one := range found {
				networks += one.HostConfig.NetworkMode + " "
			}
		}
	}
}

func (s stockK6) isServed(t *testing.T) {
	needConfinement(t)
	ownTemp(t)
	v := newServed(t, fmt.Sprintf("engines: [process, docker]\ndocker: {images: [%q]}\n", s.image))
	script := func(name, image, more string) {
		v.script(name, "2s", more+"\nimport { path } from './helper.js';\nexport default function () { http.get(__ENV.APP_URL + path); }")
		text, err := os.ReadFile(filepath.Join(v.dir, "scripts", name))
		require.NoError(t, err)
		v.write("scripts/"+name, strings.Replace(string(text), "photofinish: {", fmt.Sprintf("photofinish: { k6: { image: %q },", image), 1))
	}
	v.write("scripts/helper.js", "export const path = '?x';")
	v.write("secret.txt", "of the runner")
	script("box.js", s.image, "")
	script("evil.js", "evil/k6:1", "")
	script("nosy.js", s.image, "const secret = open('../secret.txt');")
	v.start()
	require.Contains(t, v.ask(400, "POST", "/v1/races", `{"script":"evil.js"}`)["message"], "k6: the image evil/k6:1 may not be run here")
	require.Contains(t, v.ask(400, "POST", "/v1/races", `{"script":"nosy.js"}`)["message"], "permission denied")
	id := v.submit(`{"script":"box.js","heats":2}`)
	events := v.events(id, "")
	record := v.until(id, "finished", "failed")
	require.Equal(t, "finished", record["status"], "%v", record["error"])
	require.Equal(t, s.image, record["k6"].(map[string]any)["image"].(map[string]any)["name"])
	var at []time.Time
	said := ""
	for _, e := range events {
		switch e.kind {
		case "log":
			said += e.data["line"].(string)
		case "progress":
			require.Equal(t, "prometheus", e.data["source"])
			if e.data["phase"] == "race" && e.data["heat"] == 1.0 {
				when, err := time.Parse(time.RFC3339Nano, e.data["at"].(string))
				require.NoError(t, err)
				at = append(at, when)
			}
		}
	}
	require.Contains(t, said, "live figures come from Prometheus, once a second")
	require.GreaterOrEqual(t, len(at), 2)
	for i := 1; i < len(at); i++ {
		require.Less(t, at[i].Sub(at[i-1]), 1500*time.Millisecond)
	}
	s.nothingLeft(t, id)
}
