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
	restarted := "Docker at " + d.Host + " was stopped or restarted, and lane (control|high-latency) with it\n  race again when Docker is there: what was measured before is kept\n"
	silent := "Docker does not answer at " + d.Host + ": cannot follow lane (control|high-latency)\n  start Docker, or let DOCKER_HOST say where it is\n"
	for name, c := range map[string]struct {
		signal syscall.Signal
		says   string
	}{
		"stopped": {syscall.SIGTERM, restarted},
		"killed":  {syscall.SIGKILL, "(" + restarted + "|" + silent + ")"}, // it may be back before it is missed, or not
	} {
		t.Run(name, func(t *testing.T) {
			temp := ownTemp(t)
			r := startRunner(t, writeScript(t, "", i.lanes...), "--engine", "docker", "--mode", "together", "--heats", "5", "--duration", "4s", "--rate", "20")
			r.measured(t, 1)
			r.says(t, "Racing: heat 2")
			d.Stop(t, c.signal)
			d.Start(t)
			require.Equal(t, 3, r.exit(t))
			require.Regexp(t, "^photofinish: heat 2 of 5: "+c.says+"$", r.stderr.String())
			require.Equal(t, race.Failed, r.record().Status)
			require.NotEmpty(t, r.record().Heats, "what was measured is kept")
			require.NotContains(t, r.stdout.String(), "could not")
			i.nothingLeft(t, r.record().ID)
			nothingLeftIn(t, temp)
		})
	}
}

// TestARunnerOutlivesItsDocker stops Docker in a heat and starts it again only when the race is over: the runner's next race removes what is left.
func TestARunnerOutlivesItsDocker(t *testing.T) {
	needConfinement(t)
	d := dockertest.OwnDaemon(t)
	t.Setenv("DOCKER_HOST", d.Host)
	i := needImages(t)
	ownTemp(t)
	s := i.served(t)
	s.start()
	lost := s.submit(`{"script":"race.js","load":{"duration":"30s"}}`)
	s.until(lost, "racing")
	d.Stop(t, syscall.SIGTERM)
	record := s.until(lost, "failed")
	require.Regexp(t, "^heat 1 of 1: Docker at "+d.Host+" was stopped or restarted, and lane (control|high-latency) with it$", record["error"])
	d.Start(t)
	require.NotEmpty(t, dockertest.Left(t, i.client, lost), "nobody could remove it")
	s.until(s.submit(`{"script":"race.js"}`), "finished")
	require.Empty(t, dockertest.Left(t, i.client, lost))
}
