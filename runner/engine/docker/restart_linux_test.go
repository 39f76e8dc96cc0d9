package docker_test

import (
	"io"
	"syscall"
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
)

// TestWhatRanInADockerThatWasRestartedIsLost: an app that Docker ends with itself ends well, with code 0, and must not be blamed for it.
func TestWhatRanInADockerThatWasRestartedIsLost(t *testing.T) {
	d := dockertest.OwnDaemon(t)
	t.Setenv("DOCKER_HOST", d.Host)
	f := newFixture(t)
	for name, signal := range map[string]syscall.Signal{"stopped": syscall.SIGTERM, "killed": syscall.SIGKILL} {
		t.Run(name, func(t *testing.T) {
			c, err := client.NewClientWithOpts(client.FromEnv, client.WithAPIVersionNegotiation())
			require.NoError(t, err)
			e := newEngine(t, docker.Options{Client: c, Cgroups: cgroup.New()})
			spec := f.lane(t, enginetest.Control)
			id, _, err := prepare(t, e, spec)
			require.NoError(t, err)
			l, err := e.Start(t.Context(), id, 1, spec)
			require.NoError(t, err)
			require.NoError(t, engine.WaitHealthy(t.Context(), l, spec))
			image, err := e.ToolImage(t.Context(), "the clock", apps, func(string) {})
			require.NoError(t, err)
			tool, err := e.StartTool(t.Context(), docker.ToolSpec{
				RaceID: id, Name: "clock", Image: image.ID, Env: []string{enginetest.AppVariable + "=" + string(enginetest.Control), "PORT=0"}, Stdout: io.Discard, Stderr: io.Discard,
			})
			require.NoError(t, err)

			d.Stop(t, signal)
			d.Start(t)
			for what, done := range map[string]<-chan struct{}{"the lane": l.Done(), "the tool": tool.Done()} {
				select {
				case <-done:
				case <-time.After(20 * time.Second):
					require.Fail(t, "its end is not noticed", what)
				}
			}
			lost := engine.Lost(l)
			require.ErrorIs(t, lost, engine.ErrDown)
			says := "^Docker at " + d.Host + " was stopped or restarted, and lane control with it$"
			if signal == syscall.SIGKILL { // it may be back before it is missed, or not
				says += "|^Docker does not answer at " + d.Host + ": cannot follow lane control$"
			}
			require.Regexp(t, says, lost.Error())
			require.NotEmpty(t, race.HintOf(lost))
			require.Equal(t, race.Killed, l.Exit().Reason)
			_, err = tool.Code()
			require.ErrorIs(t, err, engine.ErrDown)
			require.NoError(t, e.Cleanup(t.Context(), id), "it is back")
			require.Empty(t, dockertest.Left(t, f.client, id))
		})
	}
}
