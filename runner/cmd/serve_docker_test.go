package cmd_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

// served is a runner that races the images, and no others.
func (i images) served(t *testing.T) *served {
	t.Helper()
	s := newServed(t, "engines: [docker]\ndocker: {images: ['photofinish-test/*']}\n")
	s.write("scripts/race.js", fmt.Sprintf(`import http from 'k6/http';
export const options = {
  scenarios: { load: { executor: 'constant-arrival-rate', rate: 50, timeUnit: '1s', duration: '2s', preAllocatedVUs: 10 } },
  ext: { photofinish: { heats: 1, warmup: '300ms', mode: 'together', lanes: { %s, %s } } },
};
export default function () { http.get(__ENV.APP_URL); }
`, i.lanes[0], i.lanes[1]))
	return s
}

func (i images) asked(t *testing.T) {
	needConfinement(t)
	temp := ownTemp(t)
	s := i.served(t)
	s.write("scripts/other.js", fmt.Sprintf(`export const options = { ext: { photofinish: { lanes: { %s, evil: { image: 'evil/miner:3', port: 80 } } } } };
export default function () {}
`, i.lanes[0]))
	s.start()
	refused := s.ask(400, "POST", "/v1/races", `{"script":"other.js"}`)
	require.Equal(t, "lane evil: the image evil/miner:3 may not be run here; those that may are photofinish-test/*", refused["message"])

	id := s.submit(`{"script":"race.js"}`)
	record := s.until(id, "finished")
	require.Equal(t, "docker", record["engine"])
	require.Contains(t, record["versions"], "docker")
	for _, l := range record["lanes"].([]any) {
		lane := l.(map[string]any)
		require.InDelta(t, 100, lane["client"].(map[string]any)["requests"], 10)
		require.NotNil(t, lane["joined"].(map[string]any)["cpu_ms_per_request"])
		require.Regexp(t, "^sha256:", lane["image"].(map[string]any)["id"])
	}
	i.nothingLeft(t, id)
	for _, phase := range []string{"preparing", "warming-up", "racing"} {
		id := s.submit(`{"script":"race.js","warmup":"1s","load":{"duration":"20s"}}`)
		s.until(id, phase)
		s.ask(202, "POST", "/v1/races/"+id+"/stop", "")
		s.until(id, "cancelled")
		i.nothingLeft(t, id)
	}
	nothingLeftIn(t, temp)
}

func (i images) outlives(t *testing.T) {
	needConfinement(t)
	temp := ownTemp(t)
	s := i.served(t)
	for _, phase := range []string{"preparing", "warming-up", "racing"} {
		s.fork()
		s.listening()
		id := s.submit(`{"script":"race.js","warmup":"1s","load":{"duration":"20s"}}`)
		s.until(id, phase)
		require.NoError(t, s.process.Process.Kill())
		<-s.ended
		s.fork()
		s.listening()
		record := s.ask(200, "GET", "/v1/races/"+id, "")
		require.Equal(t, "interrupted", record["status"], phase)
		require.Equal(t, "the runner was killed", record["error"])
		s.terminate()
		nothingLeftOf(t, temp, []string{id})
		i.nothingLeft(t, id)
	}
}

// unreachable: Docker is gone when the runner starts, and when a race's turn comes.
func (i images) unreachable(t *testing.T) {
	needConfinement(t)
	ownTemp(t)
	way := throughCut(t, i.client)
	s := i.served(t)
	s.start()
	health := s.ask(200, "GET", "/healthz", "")
	require.Equal(t, "ok", health["engines"].(map[string]any)["docker"].(map[string]any)["state"])
	way.cut()
	health = s.ask(200, "GET", "/healthz", "")
	require.Equal(t, "unavailable", health["engines"].(map[string]any)["docker"].(map[string]any)["state"])
	record := s.until(s.submit(`{"script":"race.js"}`), "failed")
	require.Contains(t, record["error"], "Docker does not answer at unix://")
}
