package cmd_test

import (
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/engine/docker/dockertest"
)

func TestADockerThatIsRestartedInAHeatEndsTheRaceWithOneSentence(t *testing.T) {
	d := dockertest.OwnDaemon(t)
	t.Setenv("DOCKER_HOST", d.Host)
	i := needImages(t)
	for name, signal := range map[string]syscall.Signal{"stopped": syscall.SIGTERM, "killed": syscall.SIGKILL} {
		t.Run(name, func(t *testing.T) {
			temp := ownTemp(t)
			r := startRunner(t, writeScript(t, "", i.lanes...), "--engine", "docker", "--mode", "together", "--heats", "5", "--duration", "8s", "--rate", "20")
			r.measured(t, 1)
			r.says(t, "Racing: heat 2")
			d.Stop(t, signal)
			d.Start(t)
			require.Equal(t, 3, r.exit(t))
			require.Regexp(t, `^photofinish: heat 2 of 5: Docker at `+d.Host+` was stopped or restarted, and lane (control|high-latency) with it\n  race again when Docker is there: what was measured before is kept\n$`,
				r.stderr.String())
			require.Equal(t, race.Failed, r.record().Status)
			require.NotEmpty(t, r.record().Heats, "what was measured is kept")
			require.NotContains(t, r.stdout.String(), "could not")
			i.nothingLeft(t, r.record().ID)
			nothingLeftIn(t, temp)
		})
	}
}
