package cmd_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/runner/engine/docker/dockertest"
	"github.com/photofinish/photofinish/runner/store"
)

// sharesItsContainer runs the runner in a container with a network of its own, where only what shares that reaches its loopback interface.
func (s stockK6) sharesItsContainer(t *testing.T) {
	socket, local := strings.CutPrefix(s.client.DaemonHost(), "unix://")
	if !local {
		t.Skip("NOT TESTED: the Docker Engine is on another machine")
	}
	dir := filepath.Dir(s.script(t, s.image, "mode: 'together', heats: 1", "", "a: { command: ['./control'], port: 4000, path: '/control' }", "b: { command: ['./control'], port: 4001, path: '/control' }"))
	control, err := os.ReadFile(dockertest.Build(t, "github.com/photofinish/photofinish/testapps/control"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "control"), control, 0o700))
	name := fmt.Sprintf("photofinish-test/runner:%d", os.Getpid())
	dockertest.Image(t, s.client, name, dockertest.Build(t, "github.com/photofinish/photofinish/runner"))
	made, err := s.client.ContainerCreate(t.Context(), &container.Config{Image: name, Cmd: []string{"race", "/box/scripts/box.js", "--out", "/box/race"}, Hostname: "elsewhere"},
		&container.HostConfig{Binds: []string{filepath.Dir(dir) + ":/box", socket + ":/var/run/docker.sock"}, Tmpfs: map[string]string{"/tmp": ""}}, nil, nil, "")
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, s.client.ContainerRemove(context.Background(), made.ID, container.RemoveOptions{Force: true}))
	})
	ended, failed := s.client.ContainerWait(t.Context(), made.ID, container.WaitConditionNextExit)
	require.NoError(t, s.client.ContainerStart(t.Context(), made.ID, container.StartOptions{}))
	var networks []container.NetworkMode
	for {
		select {
		case end := <-ended:
			record, err := store.Load(filepath.Join(filepath.Dir(dir), "race"))
			require.NoError(t, err)
			require.Zero(t, end.StatusCode, "%v", record.Error)
			require.InDelta(t, 100, record.Lanes[0].Client.Requests, 10)
			require.NotNil(t, record.Lanes[0].Measures["latency_p95"], "Prometheus was reached")
			require.Contains(t, networks, container.NetworkMode("container:"+made.ID))
			s.nothingLeft(t, record.ID)
			return
		case err := <-failed:
			require.NoError(t, err)
		case <-time.After(50 * time.Millisecond):
			found, err := s.client.ContainerList(t.Context(), container.ListOptions{Filters: filters.NewArgs(filters.Arg("label", "photofinish.tool"))})
			require.NoError(t, err)
			for _, one := range found {
				networks = append(networks, container.NetworkMode(one.HostConfig.NetworkMode))
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
