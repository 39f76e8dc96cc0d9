package cmd_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/runner/cmd"
	"github.com/photofinish/photofinish/runner/server/servertest"

	"github.com/photofinish/photofinish/runner/engine/enginetest"
)

const serveToken = "a long random text"

// served is a runner as a service, in this process or in one of its own.
type served struct {
	t      *testing.T
	dir    string // of the configuration, the data and the scripts
	config string
	url    string
	http   *http.Client
	log    *output

	document *servertest.Document
	process  *exec.Cmd // nil in this process
	ended    chan struct{}
	stop     context.CancelFunc
}

// newServed writes a configuration; more is YAML that is added to it.
func newServed(t *testing.T, more string) *served {
	t.Helper()
	dir := t.TempDir()
	s := &served{t: t, dir: dir, config: filepath.Join(dir, "runner.yaml"), document: servertest.Load(t, "../../docs/openapi.yaml")}
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "scripts"), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "token"), []byte(serveToken), 0o600))
	s.write("runner.yaml", "listen: 127.0.0.1:0\ntoken: {file: token}\nscripts: {folder: scripts}\nprometheus: {listen: 127.0.0.1:0}\n"+more)
	s.http = &http.Client{Transport: s.document.Transport(t), Timeout: time.Minute}
	return s
}

func (s *served) write(name, text string) {
	s.t.Helper()
	path := filepath.Join(s.dir, name)
	require.NoError(s.t, os.MkdirAll(filepath.Dir(path), 0o700))
	require.NoError(s.t, os.WriteFile(path, []byte(text), 0o600))
}

// script writes a script with two lanes of this test binary, and 50 requests a second for so long.
func (s *served) script(name, seconds, body string) {
	s.t.Helper()
	if body == "" {
		body = "export default function () { http.get(__ENV.APP_URL); }"
	}
	s.write("scripts/"+name, fmt.Sprintf(`import http from 'k6/http';
export const options = {
  scenarios: { load: { executor: 'constant-arrival-rate', rate: 50, timeUnit: '1s', duration: '%s', preAllocatedVUs: 10 } },
  ext: { photofinish: { heats: 1, warmup: '300ms', lanes: { one: %s, two: %s } } },
};
%s
`, seconds, lane(enginetest.FreePort(s.t), "cpus: 0.5, memory: '128m'"), lane(enginetest.FreePort(s.t), "cpus: 0.5, memory: '128m'"), body))
}

var listens = regexp.MustCompile(`msg="the runner listens" address=(\S+)`)

// start serves in this process, and ends with the test.
func (s *served) start() *served {
	s.t.Helper()
	var ctx context.Context
	ctx, s.stop = context.WithCancel(context.Background())
	s.log, s.ended = &output{}, make(chan struct{})
	log := io.MultiWriter(s.log, testWriter{s.t})
	ended := s.ended
	go func() {
		defer close(ended)
		_ = cmd.Run(ctx, []string{"serve", "--config", s.config}, log, log)
	}()
	s.t.Cleanup(func() { s.stop(); <-ended })
	s.listening()
	return s
}

// fork serves in a process of its own, to be killed.
func (s *served) fork() {
	s.t.Helper()
	self, err := os.Executable()
	require.NoError(s.t, err)
	s.log, s.ended = &output{}, make(chan struct{})
	s.process = exec.Command(self, "serve", "--config", s.config)
	s.process.Stdout, s.process.Stderr, s.process.WaitDelay = s.log, s.log, time.Second
	require.NoError(s.t, s.process.Start())
	process, ended := s.process, s.ended
	go func() { defer close(ended); _ = process.Wait() }()
	s.t.Cleanup(func() { _ = process.Process.Kill(); <-ended }) // of a test that failed
}

func (s *served) listening() {
	s.t.Helper()
	require.Eventually(s.t, func() bool {
		found := listens.FindStringSubmatch(s.log.String())
		if found != nil {
			s.url = "http://" + found[1]
		}
		return found != nil
	}, patience, 5*time.Millisecond, "the runner does not listen")
}

// send makes a call; an error is that of the connection.
func (s *served) send(method, path, body string, headers ...string) (status int, answer map[string]any, err error) {
	req, err := http.NewRequestWithContext(s.t.Context(), method, s.url+path, bytes.NewReader([]byte(body)))
	if err != nil {
		return 0, nil, err
	}
	req.Header.Set("Authorization", "Bearer "+serveToken)
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := s.http.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer res.Body.Close()
	return res.StatusCode, answer, json.NewDecoder(res.Body).Decode(&answer)
}

func (s *served) ask(status int, method, path, body string, headers ...string) map[string]any {
	s.t.Helper()
	got, answer, err := s.send(method, path, body, headers...)
	require.NoError(s.t, err)
	require.Equal(s.t, status, got, "%v", answer)
	return answer
}

func (s *served) submit(body string, headers ...string) string {
	s.t.Helper()
	return s.ask(http.StatusAccepted, "POST", "/v1/races", body, headers...)["id"].(string)
}

// until waits until a race has one of some statuses, and gives its record.
func (s *served) until(id string, statuses ...string) map[string]any {
	s.t.Helper()
	var record map[string]any
	require.Eventually(s.t, func() bool {
		record = s.ask(http.StatusOK, "GET", "/v1/races/"+id, "")
		for _, status := range statuses {
			if record["status"] == status {
				return true
			}
		}
		return false
	}, 2*patience, 20*time.Millisecond, "race %s does not get %v", id, statuses)
	return record
}

type sse struct {
	id, kind string
	data     map[string]any
}

// events reads a race's events to its end, each held against the document.
func (s *served) events(id, after string) []sse {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), "GET", s.url+"/v1/races/"+id+"/events", nil)
	require.NoError(s.t, err)
	req.Header.Set("Authorization", "Bearer "+serveToken)
	req.Header.Set("Last-Event-ID", after)
	client := http.Client{Transport: s.http.Transport}
	res, err := client.Do(req)
	require.NoError(s.t, err)
	defer res.Body.Close()
	require.Equal(s.t, http.StatusOK, res.StatusCode)
	var all []sse
	var e sse
	for lines := bufio.NewScanner(res.Body); lines.Scan(); {
		field, value, _ := strings.Cut(lines.Text(), ": ")
		switch field {
		case "id":
			e.id = value
		case "event":
			e.kind = value
		case "data":
			s.document.Event(s.t, strings.ToUpper(e.kind[:1])+e.kind[1:]+"Event", value)
			require.NoError(s.t, json.Unmarshal([]byte(value), &e.data))
			all, e = append(all, e), sse{}
		}
	}
	return all
}
