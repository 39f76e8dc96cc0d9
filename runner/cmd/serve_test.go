package cmd_test

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/pkg/runnerclient"
	"github.com/photofinish/photofinish/runner/k6/confine"
)

// needConfinement skips loudly where the kernel cannot keep scripts in their folder.
func needConfinement(t *testing.T) {
	t.Helper()
	if err := confine.Supported(); err != nil {
		if os.Getenv("PHOTOFINISH_REQUIRE_ALL") != "" {
			t.Fatalf("confinement cannot be tried: %v", err)
		}
		t.Skipf("NOT TESTED, serve: %v", err)
	}
}

func TestServeRunsARaceAndTellsOfItAllTheWay(t *testing.T) {
	s := serving(t, "2s")
	require.Equal(t, []any{"race.js"}, s.ask(200, "GET", "/v1/scripts", "")["scripts"])
	require.Equal(t, "one", s.ask(200, "GET", "/v1/scripts/race.js", "")["baseline"])

	client, err := runnerclient.New(runnerclient.Config{URL: s.url, Token: serveToken})
	require.NoError(t, err)
	answer, err := client.Do(t.Context(), runnerclient.Call{
		Method: http.MethodPost, Path: []string{"v1", "races"}, Body: []byte(`{"script":"race.js","heats":2,"name":"nightly"}`),
		Header: http.Header{"X-Photofinish-User": {"anna"}, "Content-Type": {"application/json"}},
	})
	require.NoError(t, err)
	require.Equal(t, 202, answer.Status, "%s", answer.Body)
	var accepted struct{ ID string }
	require.NoError(t, json.Unmarshal(answer.Body, &accepted))
	waiting := s.submit(`{"script":"race.js"}`)

	events := s.events(accepted.ID, "")
	record, err := client.Race(t.Context(), accepted.ID)
	require.NoError(t, err)
	require.Equal(t, race.Finished, record.Status, "%v", record.Error)
	require.Nil(t, record.Position)
	require.Equal(t, "anna", *record.RequestedBy)
	require.Equal(t, "race.js", record.Script)
	require.Len(t, record.Heats, 2)
	require.NotNil(t, record.Lanes[0].Client)
	require.InDelta(t, 200, record.Lanes[0].Client.Requests, 20, "50 a second, 2 s, 2 heats")
	require.NotEmpty(t, record.Verdicts)

	checkEvents(t, events)
	rest := s.events(accepted.ID, events[len(events)/2].id)
	require.Equal(t, events[len(events)/2+1:], rest, "who comes back goes on where he was")

	logs := s.ask(200, "GET", "/v1/races/"+accepted.ID+"/logs/one", "")
	require.Equal(t, "one", logs["app"])
	page, err := client.Races(t.Context(), runnerclient.Filter{Name: "nightly"})
	require.NoError(t, err)
	require.Len(t, page.Races, 1)
	require.Equal(t, record.Heats, page.Races[0].Heats)
	s.ask(202, "POST", "/v1/races/"+waiting+"/stop", "")
	s.until(waiting, "cancelled")
	s.ask(409, "POST", "/v1/races/"+accepted.ID+"/stop", "")

	answer, err = client.Do(t.Context(), runnerclient.Call{Method: http.MethodGet, Path: []string{"metrics"}})
	require.NoError(t, err)
	metrics := string(answer.Body)
	require.Contains(t, metrics, `photofinish_races{status="finished"} 1`)
	require.Contains(t, metrics, `photofinish_races{status="cancelled"} 1`)
	require.Contains(t, metrics, "photofinish_queue_length 0")
	for _, phase := range []string{"warming-up", "racing"} {
		require.Regexp(t, `photofinish_race_phase_duration_seconds_count\{phase="`+phase+`"\} [2-9]`, metrics, "once a heat")
	}
}

// serving is a runner that serves race.js, whose heats are so long.
func serving(t *testing.T, length string) *served {
	t.Helper()
	needConfinement(t)
	ownTemp(t)
	s := newServed(t, "")
	s.script("race.js", length, "")
	s.start()
	return s
}

func TestAReaderOfEventsWhoNeverReadsDoesNotHoldUpARace(t *testing.T) {
	s := serving(t, "3s")
	first := s.submit(`{"script":"race.js"}`)
	for range 20 {
		deaf, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
		require.NoError(t, err)
		defer deaf.Close()
		require.NoError(t, deaf.(*net.TCPConn).SetReadBuffer(1))
		_, err = fmt.Fprintf(deaf, "GET /v1/races/%s/events HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\n\r\n", first, deaf.RemoteAddr(), serveToken)
		require.NoError(t, err)
	}
	events := s.events(first, "")
	require.Equal(t, "end", events[len(events)-1].kind, "who reads is told all the way")
	require.Equal(t, "finished", s.until(first, "finished", "failed")["status"])
	require.Equal(t, "finished", s.until(s.submit(`{"script":"race.js"}`), "finished", "failed")["status"], "and the next one runs")
}

func TestTwoStartsAtOnceWithOneKeyAreOneRace(t *testing.T) {
	s := serving(t, "1s")
	var wait sync.WaitGroup
	ids := make([]string, 8)
	for i := range ids {
		wait.Go(func() {
			status, answer, err := s.send("POST", "/v1/races", `{"script":"race.js"}`, "Idempotency-Key", "k")
			if err == nil && status == http.StatusAccepted {
				ids[i], _ = answer["id"].(string)
			}
		})
	}
	wait.Wait()
	require.Equal(t, slices.Repeat(ids[:1], len(ids)), ids)
	require.Len(t, s.ask(200, "GET", "/v1/races", "")["races"], 1)
	s.until(ids[0], "finished")
}

// checkEvents looks at the events of a whole race.
func checkEvents(t *testing.T, events []sse) {
	t.Helper()
	var statuses []string
	var at []time.Time
	var gaps []time.Duration
	for _, e := range events {
		when, err := time.Parse(time.RFC3339Nano, e.data["at"].(string))
		require.NoError(t, err)
		switch e.kind {
		case "status":
			if status := e.data["status"].(string); len(statuses) == 0 || statuses[len(statuses)-1] != status {
				statuses = append(statuses, status)
			}
		case "progress":
			if e.data["phase"] == "race" {
				at = append(at, when)
			}
		}
	}
	if statuses[0] == "queued" {
		statuses = statuses[1:]
	}
	require.Equal(t, []string{"preparing", "warming-up", "racing", "warming-up", "racing", "collecting", "finished"}, statuses)
	require.Equal(t, "end", events[len(events)-1].kind)
	for i := 1; i < len(at); i++ {
		gaps = append(gaps, at[i].Sub(at[i-1]))
	}
	slices.Sort(gaps)
	require.NotEmpty(t, gaps)
	require.LessOrEqual(t, gaps[len(gaps)/2], 250*time.Millisecond, "four times a second or more")
}

func TestServeStopsARaceInEveryPhase(t *testing.T) {
	s := serving(t, "20s")
	for _, phase := range []string{"preparing", "warming-up", "racing"} {
		t.Run(phase, func(t *testing.T) {
			id := s.submit(`{"script":"race.js","warmup":"1s"}`)
			s.until(id, phase)
			s.ask(202, "POST", "/v1/races/"+id+"/stop", "", "X-Photofinish-User", "bob")
			if status, _, err := s.send("POST", "/v1/races/"+id+"/stop", ""); status != http.StatusConflict { // it may be over already
				require.NoError(t, err)
				require.Equal(t, 202, status)
			}
			record := s.until(id, "cancelled")
			require.Contains(t, record["error"], "stopped by bob")
			events := s.events(id, "")
			require.Equal(t, "cancelled", events[len(events)-1].data["status"])
		})
	}
	require.Empty(t, relatives(), "apps and k6 are gone")
}

func TestServeKeepsScriptsInTheirFolder(t *testing.T) {
	needConfinement(t)
	ownTemp(t)
	t.Setenv("RUNNER_SECRET", "of the runner")
	s := newServed(t, "")
	const secret = "nobody's business"
	s.write("secret.txt", secret)
	s.write("secret.js", "export const secret = '"+secret+"'; export default 1;")
	s.write("scripts/data/own.txt", "own data")
	require.NoError(t, os.Symlink(filepath.Join(s.dir, "secret.js"), filepath.Join(s.dir, "scripts", "link.js")))
	s.script("own.js", "1s", "if (open('./data/own.txt') !== 'own data' || __ENV.RUNNER_SECRET) throw new Error('bad'); export default function () { http.get(__ENV.APP_URL); }")
	reads := map[string]string{
		"open.js":    "const x = open('../secret.txt'); throw new Error(x);",
		"etc.js":     "const x = open('/etc/passwd'); throw new Error(x);",
		"proc.js":    "const x = open('/proc/self/environ'); throw new Error(x);",
		"fs.js":      "import fs from 'k6/experimental/fs'; const f = await fs.open('" + filepath.Join(s.dir, "secret.txt") + "'); const b = new Uint8Array(99); await f.read(b); throw new Error(String.fromCharCode(...b));",
		"import.js":  "import { secret } from '../secret.js'; throw new Error(secret);",
		"require.js": "const x = require('../secret.js'); throw new Error(x.secret);",
		"linked.js":  "import { secret } from './link.js'; throw new Error(secret);",
	}
	for name, body := range reads {
		s.script(name, "1s", body)
	}
	s.start()
	for name := range reads {
		refused := s.ask(400, "POST", "/v1/races", `{"script":"`+name+`"}`)
		require.NotContains(t, refused["message"], secret, name)
		require.NotContains(t, refused["message"], "root:", name)
		require.NotContains(t, refused["message"], "PATH=", name)
		require.Contains(t, refused["message"], "permission denied", name)
	}
	for _, name := range []string{"../secret.js", "/etc/passwd", filepath.Join(s.dir, "scripts", "own.js"), "data/../own.js", "./own.js", "link.js", "data", "", "own.js\\u0000"} {
		require.Equal(t, "invalid", s.ask(400, "POST", "/v1/races", `{"script":"`+name+`"}`)["code"], name)
	}
	require.Equal(t, "invalid", s.ask(400, "GET", "/v1/scripts/..%2Fsecret.js", "")["code"])
	require.NotContains(t, s.ask(200, "GET", "/v1/scripts", "")["scripts"], "link.js")
	s.ask(200, "GET", "/v1/scripts/own.js", "")
	s.until(s.submit(`{"script":"own.js"}`), "finished")
}

func TestAScriptThatIsGoneWhenItsTurnComesFailsTheRace(t *testing.T) {
	needConfinement(t)
	ownTemp(t)
	s := newServed(t, "")
	s.script("first.js", "20s", "")
	s.script("gone.js", "1s", "")
	s.script("changed.js", "1s", "")
	s.start()
	first := s.submit(`{"script":"first.js"}`)
	gone, changed := s.submit(`{"script":"gone.js"}`), s.submit(`{"script":"changed.js"}`)
	require.NoError(t, os.Remove(filepath.Join(s.dir, "scripts", "gone.js")))
	s.script("changed.js", "2s", "")
	s.ask(202, "POST", "/v1/races/"+first+"/stop", "")
	require.Contains(t, s.until(gone, "failed")["error"], "the script is gone")
	require.Contains(t, s.until(changed, "failed")["error"], "changed.js was changed")
}

func TestServeRefusesToStartWhereItWouldBeUnsafeOrInTheWay(t *testing.T) {
	ownTemp(t)
	s := newServed(t, "")
	tests := map[string]struct {
		config, says string
		code         int
	}{
		"no token for others": {"listen: 0.0.0.0:0\nscripts: {folder: scripts}", "can be reached from other machines", 2},
		"an unknown key":      {"lisen: x", `unknown key "lisen"`, 2},
		"an unknown engine":   {"engines: [podman]\nscripts: {folder: scripts}", `engine "podman" is not known`, 2},
		"no scripts":          {"scripts: {folder: nowhere}", "folder of the scripts cannot be found", 2},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s.write("bad.yaml", tt.config)
			f := run(t.Context(), t, "", "serve", "--config", filepath.Join(s.dir, "bad.yaml"))
			require.Equal(t, tt.code, f.code)
			require.Contains(t, f.stderr, tt.says)
		})
	}
	needConfinement(t)
	s.start()
	f := run(t.Context(), t, "", "serve", "--config", s.config)
	require.Equal(t, 3, f.code)
	require.Contains(t, f.stderr, "another runner uses the data folder")
}

func TestRacesAreExportedImportedAndPruned(t *testing.T) {
	s := serving(t, "1s")
	id := s.submit(`{"script":"race.js"}`)
	s.until(id, "finished")
	exported := run(t.Context(), t, "", "races", "export", "--config", s.config)
	require.Zero(t, exported.code)
	require.Equal(t, 1, strings.Count(exported.stdout, "\n"))
	require.Contains(t, exported.stdout, "import http from 'k6/http'", "the script as it was run")
	other := newServed(t, "")
	other.write("races.jsonl", exported.stdout)
	for _, says := range []string{"added 1 races; 0 were known", "added 0 races; 1 were known"} {
		f := run(t.Context(), t, "", "races", "import", "--config", other.config, filepath.Join(other.dir, "races.jsonl"))
		require.Zero(t, f.code)
		require.Contains(t, f.stderr, says)
	}
	other.start()
	require.Equal(t, s.ask(200, "GET", "/v1/races/"+id, ""), other.ask(200, "GET", "/v1/races/"+id, ""))
	f := run(t.Context(), t, "", "races", "prune", "--config", other.config, "--keep", "0", "--older-than", "0s", "--dry-run")
	require.Contains(t, f.stderr, "would remove 1 races")
	f = run(t.Context(), t, "", "races", "prune", "--config", other.config, "--keep", "0", "--older-than", "0s")
	require.Contains(t, f.stderr, "removed 1 races")
	other.ask(404, "GET", "/v1/races/"+id, "")
}
