package docker_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/docker/docker/api/types/network"
	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/engine"
	"github.com/photofinish/photofinish/runner/engine/docker"
	"github.com/photofinish/photofinish/runner/engine/enginetest"
	"github.com/photofinish/photofinish/runner/images"
)

func (f fixture) composes(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	write("compose.yaml", fmt.Sprintf(`
name: shop%d
services:
  web:
    image: %s
    user: "65533"
    environment:
      %s: control
      GREETING: ${GREETING}
      SECRET: ${PHOTOFINISH_TEST_SECRET:-none}
      FROM_RUNNER:
    env_file: [web.env]
    stop_signal: SIGQUIT
    networks: [back, nowhere]
    ports: ["4000:4000"]
  mounted: { image: nginx, volumes: ["/etc:/host"] }
  powerful: { image: nginx, privileged: true }
  host: { image: nginx, network_mode: host }
networks: { back: {}, nowhere: {} }
`, os.Getpid(), apps, enginetest.AppVariable))
	write(".env", "GREETING=hello\n")
	write("web.env", "FILE=read\n")
	t.Setenv("PHOTOFINISH_TEST_SECRET", "of the runner")
	t.Setenv("FROM_RUNNER", "of the runner")
	back := fmt.Sprintf("shop%d_back", os.Getpid())
	_, err := f.client.NetworkCreate(t.Context(), back, network.CreateOptions{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, f.client.NetworkRemove(context.Background(), back)) })

	e := newEngine(t, docker.Options{ScriptDir: dir})
	spec := race.LaneSpec{App: "web", Compose: "compose.yaml#web", Port: enginetest.FreePort(t), Path: "/", Env: map[string]string{"LANE": "own"}}
	id, s, err := prepare(t, e, spec)
	require.NoError(t, err)
	require.Contains(t, s.String(), "_nowhere of its compose project does not exist")
	l, err := e.Start(t.Context(), id, 1, spec)
	require.NoError(t, err)
	require.NoError(t, engine.WaitHealthy(t.Context(), l, spec))
	got := f.inspect(t, id)
	require.Equal(t, "65533", got.Config.User)
	for _, want := range []string{"GREETING=hello", "FILE=read", "LANE=own", "SECRET=none"} {
		require.Contains(t, got.Config.Env, want)
	}
	require.NotContains(t, fmt.Sprint(got.Config.Env), "of the runner")
	require.Contains(t, got.NetworkSettings.Networks, back)
	require.Contains(t, got.NetworkSettings.Networks, "photofinish-"+id)
	require.NoError(t, e.Cleanup(t.Context(), id))

	for service, why := range map[string]string{
		"mounted": "has volumes", "powerful": "has privileged", "host": "has network_mode", "nobody": "has no service nobody",
	} {
		spec.Compose = "compose.yaml#" + service
		_, _, err := prepare(t, e, spec)
		require.Equal(t, race.Invalid, race.CodeOf(err), err)
		require.ErrorContains(t, err, why)
	}
	spec.Compose = "nofile.yaml#web"
	_, _, err = prepare(t, e, spec)
	require.Equal(t, race.Invalid, race.CodeOf(err))
	require.ErrorContains(t, err, "nofile.yaml cannot be read")
	_, _, err = prepare(t, newEngine(t, docker.Options{ScriptDir: dir, Allowed: &images.Allowed{Images: []string{"nginx"}}}), race.LaneSpec{App: "web", Compose: "compose.yaml#web", Port: 4000})
	require.ErrorContains(t, err, "may not be run here")
}

func (f fixture) sharesPort(t *testing.T) {
	e := newEngine(t, docker.Options{})
	a, b := f.lane(t, enginetest.Control), f.lane(t, enginetest.Chatty)
	a.Port, b.Port = 80, 80
	id := newID()
	defer func() { require.NoError(t, e.Cleanup(t.Context(), id)) }()
	require.NoError(t, e.Prepare(t.Context(), id, []race.LaneSpec{a, b}, func(string) {}))
	addresses := map[string]bool{}
	for _, spec := range []race.LaneSpec{a, b} {
		l, err := e.Start(t.Context(), id, 1, spec)
		require.NoError(t, err)
		require.NoError(t, engine.WaitHealthy(t.Context(), l, spec))
		addresses[l.Address()] = true
	}
	require.Len(t, addresses, 2)
}
