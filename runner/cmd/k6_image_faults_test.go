package cmd_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/coordinator"
	"github.com/photofinish/photofinish/runner/engine/docker/dockertest"
	allow "github.com/photofinish/photofinish/runner/images"
	"github.com/photofinish/photofinish/runner/stage"
)

// box waits for the container of a heat, and looks at it.
func (s stockK6) box(t *testing.T, r *runner) container.InspectResponse {
	t.Helper()
	r.says(t, "Racing: heat 1")
	found, err := s.client.ContainerList(t.Context(), container.ListOptions{Filters: filters.NewArgs(filters.Arg("label", "photofinish.race="+r.record().ID))})
	require.NoError(t, err)
	require.Len(t, found, 1)
	seen, err := s.client.ContainerInspect(t.Context(), found[0].ID)
	require.NoError(t, err)
	return seen
}

func (s stockK6) holds(t *testing.T) {
	ownTemp(t)
	t.Setenv("SECRET_OF_THE_SCRIPT", "for __ENV")
	r := startRunner(t, s.processes(t, s.image, "mode: 'together'", ""), "--heats", "1", "--duration", "4s")
	seen := s.box(t, r)
	require.False(t, seen.HostConfig.Privileged)
	require.Equal(t, []string{"ALL"}, []string(seen.HostConfig.CapDrop))
	require.Empty(t, seen.HostConfig.CapAdd)
	require.Contains(t, seen.HostConfig.SecurityOpt, "no-new-privileges")
	require.True(t, seen.HostConfig.ReadonlyRootfs)
	require.Empty(t, seen.HostConfig.Binds)
	require.Empty(t, seen.Mounts)
	require.Equal(t, container.NetworkMode("host"), seen.HostConfig.NetworkMode, "the runner's own, which is the machine's here")
	require.NotEmpty(t, seen.Config.Labels["photofinish.owner"])
	require.Contains(t, seen.Config.Env, "SECRET_OF_THE_SCRIPT=for __ENV")
	for _, variable := range seen.Config.Env {
		require.False(t, strings.HasPrefix(variable, "HOME=") || strings.HasPrefix(variable, "TMPDIR="), variable)
	}
	require.Equal(t, 0, r.exit(t))
	require.NotNil(t, r.record().Lanes[0].Client)
	s.nothingLeft(t, r.record().ID)
}

// edited is a race of local processes whose script has one thing changed.
func (s stockK6) edited(t *testing.T, from, to string) string {
	t.Helper()
	script := s.processes(t, s.image, "mode: 'together', heats: 1", "")
	text, err := os.ReadFile(script)
	require.NoError(t, err)
	changed := strings.Replace(string(text), from, to, 1)
	require.NotEqual(t, string(text), changed)
	require.NoError(t, os.WriteFile(script, []byte(changed), 0o600))
	return script
}

func (s stockK6) failsWithItsScript(t *testing.T) {
	for name, c := range map[string]struct{ from, to, says string }{
		"in setup":            {"return { from: 'setup' };", "throw new Error('no token');", "no token"},
		"when it is loaded":   {"const data =", "throw new Error('too early'); const data =", "too early"},
		"without any request": {"check(http.get(", "if (false) check(http.get(", "the script made no request"},
	} {
		t.Run(name, func(t *testing.T) {
			f := runRace(t.Context(), t, s.edited(t, c.from, c.to))
			require.Equal(t, 3, f.code)
			require.Contains(t, f.stderr, c.says)
			require.NotContains(t, f.stderr, "was killed")
			if f.record.ID != "" {
				s.nothingLeft(t, f.record.ID)
			}
		})
	}
}

func (s stockK6) crosses(t *testing.T) {
	f := runRace(t.Context(), t, s.edited(t, "checks: ['rate>0.5']", "http_req_duration: ['p(95)<30']"))
	require.Equal(t, 99, f.code, "b takes 40 ms")
	require.Equal(t, race.Finished, f.record.Status)
	require.NotNil(t, f.record.Lanes[1].Client)
	s.nothingLeft(t, f.record.ID)
}

func (s stockK6) interrupted(t *testing.T) {
	temp := ownTemp(t)
	r := startRunner(t, s.processes(t, s.image, "mode: 'together'", ""), "--duration", "20s")
	s.box(t, r)
	time.Sleep(time.Second) // something is measured
	r.signal(t, syscall.SIGINT)
	require.Equal(t, 130, r.exit(t))
	require.Equal(t, race.Interrupted, r.record().Status)
	require.Len(t, r.record().Heats, 1, "what was measured is kept")
	require.Positive(t, r.record().Lanes[0].Client.Requests)
	s.nothingLeft(t, r.record().ID)
	left, err := filepath.Glob(filepath.Join(temp, "photofinish-*", "*"))
	require.NoError(t, err)
	require.Empty(t, left)
}

func (s stockK6) swept(t *testing.T) {
	ownTemp(t)
	dead := startRunner(t, s.processes(t, s.image, "mode: 'together'", ""), "--duration", "20s")
	s.box(t, dead)
	dead.signal(t, syscall.SIGKILL)
	dead.exit(t)
	require.NotEmpty(t, dockertest.Left(t, s.client, dead.record().ID))
	// The next race has neither lanes in containers nor such a k6: the record of the dead one says what it left.
	next := runRace(t.Context(), t, "--heats", "1", "--mode", "together", plain(t))
	require.Equal(t, 0, next.code)
	require.Equal(t, race.Interrupted, dead.record().Status)
	s.nothingLeft(t, dead.record().ID)
}

// plain is a race of local processes with the k6 that is built in.
func plain(t *testing.T) string {
	t.Helper()
	return writeScript(t, "", "a: "+lane(boxA, ""), "b: "+lane(boxB, ""))
}

func (s stockK6) refuses(t *testing.T) {
	clock, err := stage.SelfAsK6()
	require.NoError(t, err)
	other := fmt.Sprintf("photofinish-test/no-k6:%d", os.Getpid())
	dockertest.Image(t, s.client, other, dockertest.Build(t, "github.com/photofinish/photofinish/testapps/control"))
	helps := fmt.Sprintf("photofinish-test/help:%d", os.Getpid())
	dockertest.Image(t, s.client, helps, dockertest.Build(t, "go.k6.io/k6"), `ENTRYPOINT ["/app", "help"]`)
	empty := fmt.Sprintf("photofinish-test/no-entry:%d", os.Getpid())
	dockertest.Image(t, s.client, empty, dockertest.Build(t, "github.com/photofinish/photofinish/testapps/control"), "ENTRYPOINT []")
	all := stage.Engines{stage.Process(), stage.Docker(nil)}
	for name, c := range map[string]struct {
		image   string
		engines stage.Engines
		message string
		hint    string
	}{
		"nobody has it":         {"127.0.0.1:1/nobody/k6:1", all, "k6: the image 127.0.0.1:1/nobody/k6:1 is not on this machine and cannot be pulled", "check the name"},
		"it is not allowed":     {s.image, stage.Engines{stage.Process(), stage.Docker(&allow.Allowed{Images: []string{"grafana/k6"}})}, "k6: the image " + s.image + " may not be run here; those that may are grafana/k6", "docker.images"},
		"no engine for it":      {s.image, stage.Engines{stage.Process()}, "no engine here can run k6 from the image " + s.image, "docker"},
		"it is another program": {helps, all, "the image " + helps + " runs no k6: asked for its version it said ", "grafana/k6"},
		"it does not answer":    {other, all, "the image " + other + " did not say within 10s which k6 it holds", "grafana/k6"},
		"it has no entry point": {empty, all, "the image " + empty + " runs no k6: ", "grafana/k6"},
		"its name is none":      {"UPPER case", all, `"UPPER case" is no name of an image`, "nginx"},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			st, err := stage.Prepare(ctx, stage.Options{
				Script: s.processes(t, c.image, "mode: 'together'", ""), Engines: c.engines, K6: clock, Out: filepath.Join(t.TempDir(), "race"), Listen: "127.0.0.1:0", Say: t.Logf,
			})
			id := ""
			if err == nil {
				defer st.Close()
				var result coordinator.Result
				result, err = st.Run(ctx, &shots{t: t})
				id = result.Record.ID
				require.Equal(t, race.Failed, result.Record.Status)
			}
			require.ErrorContains(t, err, c.message)
			require.Contains(t, race.HintOf(err), c.hint)
			t.Log(err, race.HintOf(err))
			if id != "" {
				s.nothingLeft(t, id)
			}
		})
	}
}
