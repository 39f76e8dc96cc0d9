package compose_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/plugin"
	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/pkg/runnerclient"
	runnerconfig "github.com/photofinish/photofinish/runner/config"
)

// composeModule is the Docker Compose that the stack was tried with.
const composeModule = "github.com/docker/compose/v2/cmd@v2.40.3"

// TestStack follows docs/compose.md by its own commands, from the first app to the panel that shows both sides, but for Grafana itself.
// It is for `go tool mage stack`: Compose, and Prometheus and cAdvisor where they cannot be pulled, are built first, which takes some ten
// minutes on two cores that have never done so. It needs a Docker Engine whose loopback interface is this machine's, and busybox-static.
func TestStack(t *testing.T) {
	if os.Getenv("PHOTOFINISH_TEST_STACK") == "" {
		t.Skip("NOT TESTED: whether the stack runs as a whole; `go tool mage stack` does that")
	}
	s := newStack(t)

	s.compose("up", "control-app", "high-latency-app", "-d", "--build")
	require.Equal(t, "control\n", get(t, "http://localhost:4000/control"))
	require.Equal(t, "high-latency\n", get(t, "http://localhost:4001/high-latency"))
	s.k6("run", "./tests/simple-test.js")

	s.compose("up", "prometheus", "-d")
	s.compose("up", "cadvisor", "-d")
	s.compose("up", "high-cpu-app", "memory-leak-app", "-d", "--build")
	s.compose("up", "prometheus", "cadvisor", "-d", "--wait") // they say that they are well
	s.k6("run", "--out=experimental-prometheus-rw", "--tag", "testid=ab2", "./tests/ab-test.js")
	s.k6("run", "--out=experimental-prometheus-rw", "--tag", "testid=longer", s.longer("tests/ab-test.js"))
	time.Sleep(3 * time.Second) // cAdvisor's last reading of the race, and Prometheus's scrape of it

	for app, measures := range s.standings("ab2") {
		require.NotNil(t, measures["latency_mean"], app)
		require.NotNil(t, measures["memory_working_set"], app)
	}
	board := s.standings("longer")
	require.Len(t, board, len(samples))
	for app := range samples {
		require.Contains(t, board, app)
		for measure, value := range board[app] {
			require.NotNil(t, value, "%s of %s", measure, app)
		}
	}
	of := func(app, measure string) float64 { return *board[app][measure] }
	require.Greater(t, of("high-latency", "latency_mean"), 100.0, "k6's side: it waits that long")
	require.Less(t, of("control", "latency_mean"), 50.0)
	require.Greater(t, of("high-cpu", "cpu_ms_per_request"), 2*of("control", "cpu_ms_per_request"), "both sides: it works for each request")
	require.Greater(t, of("memory-leak", "memory_working_set"), 20e6+of("control", "memory_working_set"), "cAdvisor's side: 800 requests leave 40 MB")

	s.compose("stop", "control-app", "high-latency-app", "high-cpu-app", "memory-leak-app")
	s.compose("up", "runner", "-d", "--wait")
	raced := s.race(`{"script":"ab-test.js","heats":2,"load":{"duration":"8s"},"lanes":["control","high-cpu"]}`)
	require.Equal(t, race.Finished, raced.Status, "%v", raced.Error)
	require.Equal(t, "docker", raced.Engine)
	for _, l := range raced.Lanes {
		require.NotNil(t, l.Joined.CPUMSPerRequest, l.App)
		require.NotNil(t, l.Container.MemoryMaxBytes, l.App)
	}
	time.Sleep(3 * time.Second)
	board = s.standings(raced.ID)
	require.Greater(t, of("high-cpu", "cpu_ms_per_request"), 2*of("control", "cpu_ms_per_request"), "the runner's containers are in cAdvisor's series too")
}

// race lets the stack's runner race, and waits for the end.
func (s *stack) race(request string) (r race.Race) {
	s.t.Helper()
	token, err := s.command(root, filepath.Join(s.bin, "docker-compose"), "run", "--rm", "--no-deps", "-T", "--entrypoint", "cat", "token", "/token/token").Output()
	require.NoError(s.t, err)
	runner, err := runnerclient.New(runnerclient.Config{URL: "http://" + s.runner(), Token: strings.TrimSpace(string(token))})
	require.NoError(s.t, err)
	answer, err := runner.Do(s.t.Context(), runnerclient.Call{
		Method: http.MethodPost, Path: []string{"v1", "races"}, Body: []byte(request), Header: http.Header{"Content-Type": {"application/json"}},
	})
	require.NoError(s.t, err)
	require.Equal(s.t, http.StatusAccepted, answer.Status, "%s", answer.Body)
	var accepted struct{ ID string }
	require.NoError(s.t, json.Unmarshal(answer.Body, &accepted))
	require.Eventually(s.t, func() bool {
		record, err := runner.Race(s.t.Context(), accepted.ID)
		require.NoError(s.t, err)
		r = record.Race
		return r.Status.Ended()
	}, 3*time.Minute, 500*time.Millisecond)
	return r
}

// runner is where the stack's runner listens.
func (s *stack) runner() string {
	settings, err := runnerconfig.Load(filepath.Join(root, "stack/runner.yaml"))
	require.NoError(s.t, err)
	return settings.Listen
}

// stack runs commands as docs/compose.md has them, in the repository's folder.
type stack struct {
	t       *testing.T
	bin     string
	environ []string
}

func newStack(t *testing.T) *stack {
	t.Helper()
	s := &stack{t: t, bin: t.TempDir(), environ: append(os.Environ(), "K6_PROMETHEUS_RW_TREND_AS_NATIVE_HISTOGRAM=true", "GOFLAGS=-buildvcs=false", "CGO_ENABLED=0")}
	s.buildModule("docker-compose", composeModule)
	s.run(root, "go", "build", "-trimpath", "-o", filepath.Join(s.bin, "photofinish"), "./runner")
	s.useEngine()
	t.Cleanup(func() { s.compose("down", "--volumes", "--rmi", "local", "--timeout", "5") })
	if err := s.command(root, filepath.Join(s.bin, "docker-compose"), "pull", "token", "prometheus", "cadvisor").Run(); err != nil {
		s.standIn()
	}
	return s
}

// longer is a script with four times its load: 4 s are too few readings for the CPU time of a request.
func (s *stack) longer(script string) string {
	text := read(s.t, script)
	longer := strings.Replace(text, "duration: '4s'", "duration: '16s'", 1)
	require.NotEqual(s.t, text, longer)
	path := filepath.Join(s.bin, filepath.Base(script))
	require.NoError(s.t, os.WriteFile(path, []byte(longer), 0o600))
	return path
}

// useEngine lets the containers that want Docker's socket have that of DOCKER_HOST, where it is another one.
func (s *stack) useEngine() {
	socket, other := strings.CutPrefix(os.Getenv("DOCKER_HOST"), "unix://")
	if !other {
		return
	}
	override := filepath.Join(s.bin, "socket.yaml")
	text := "services: { cadvisor: { volumes: ['" + socket + ":/var/run/docker.sock'] }, runner: { volumes: ['" + socket + ":/var/run/docker.sock'] } }\n"
	require.NoError(s.t, os.WriteFile(override, []byte(text), 0o600))
	s.environ = append(s.environ, "COMPOSE_FILE=docker-compose.yaml:"+override)
}

// standIn makes images of the pinned names: of Prometheus's and cAdvisor's modules, of busybox, and of this machine's Go.
func (s *stack) standIn() {
	dir := filepath.Join(s.bin, "standins")
	require.NoError(s.t, os.CopyFS(dir, os.DirFS("testdata/standins")))
	require.NoError(s.t, os.Mkdir(filepath.Join(dir, "data"), 0o750))

	prometheus := "@v" + required(s.t, "github.com/prometheus/prometheus")
	s.buildModule("standins/prometheus", "github.com/prometheus/prometheus/cmd/prometheus"+prometheus)
	s.buildModule("standins/promtool", "github.com/prometheus/prometheus/cmd/promtool"+prometheus)

	source, version := filepath.Join(dir, "cadvisor"), "@v"+required(s.t, "github.com/google/cadvisor/lib")
	s.run(source, "go", "mod", "init", "standin")
	s.run(source, "go", "get", "github.com/google/cadvisor"+version, "github.com/google/cadvisor/lib"+version)
	s.run(source, "go", "mod", "tidy")
	s.run(source, "go", "build", "-o", filepath.Join(s.bin, "cadvisor"), ".")
	require.NoError(s.t, os.RemoveAll(source))
	require.NoError(s.t, os.Rename(filepath.Join(s.bin, "cadvisor"), source))

	busybox, err := exec.LookPath("busybox")
	require.NoError(s.t, err, "install busybox-static")
	goroot, err := exec.Command("go", "env", "GOROOT").Output()
	require.NoError(s.t, err)
	s.run(dir, "cp", busybox, "/etc/ssl/certs/ca-certificates.crt", filepath.Join(s.bin, "photofinish"), dir) // whose own Dockerfile needs BuildKit
	s.run(dir, "cp", "-a", strings.TrimSpace(string(goroot)), filepath.Join(dir, "go"))

	services := project(s.t).Services
	var file strings.Builder
	file.WriteString("name: photofinish-standins\nservices:\n")
	for target, image := range map[string]string{
		"busybox": services["token"].Image, "golang": "golang:" + required(s.t, "go"),
		"prometheus": services["prometheus"].Image, "cadvisor": services["cadvisor"].Image, "runner": services["runner"].Image,
	} {
		file.WriteString("  " + target + ": { image: '" + image + "', build: { context: ., target: " + target + " } }\n")
	}
	require.NoError(s.t, os.WriteFile(filepath.Join(dir, "compose.yaml"), []byte(file.String()), 0o600))
	standins := []string{filepath.Join(s.bin, "docker-compose"), "--file", filepath.Join(dir, "compose.yaml")}
	s.run(dir, append(standins, "build")...)
	s.t.Cleanup(func() {
		// Images of which there never was a container are not removed by down.
		s.run(dir, append(standins, "up", "--no-start", "--no-build")...)
		s.run(dir, append(standins, "down", "--rmi", "all")...)
	})
}

// buildModule builds a program of another module, with the versions that it asks for itself.
func (s *stack) buildModule(name, program string) {
	dir := s.t.TempDir()
	s.run(dir, "go", "mod", "init", "temporary")
	s.run(dir, "go", "get", program)
	path, _, _ := strings.Cut(program, "@")
	s.run(dir, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", filepath.Join(s.bin, name), path)
}

func (s *stack) compose(args ...string) {
	s.run(root, append([]string{filepath.Join(s.bin, "docker-compose")}, args...)...)
}

func (s *stack) k6(args ...string) {
	s.run(root, append([]string{filepath.Join(s.bin, "photofinish"), "k6"}, args...)...)
}

func (s *stack) run(dir string, args ...string) {
	s.t.Helper()
	began := time.Now()
	said, err := s.command(dir, args...).CombinedOutput()
	require.NoError(s.t, err, "%s: %s", strings.Join(args, " "), said)
	s.t.Logf("%5.1f s  %s", time.Since(began).Seconds(), strings.ReplaceAll(strings.Join(args, " "), s.bin+"/", ""))
}

func (s *stack) command(dir string, args ...string) *exec.Cmd {
	cmd := exec.Command(args[0], args[1:]...) // not with the test's context: what was started is stopped after its end
	cmd.Dir, cmd.Env = dir, s.environ
	return cmd
}

// standings are what a panel shows of a race: a row of measures for each app, from the stack's Prometheus through the data source.
func (s *stack) standings(race string) map[string]map[string]*float64 {
	s.t.Helper()
	measures := []string{"latency_mean", "cpu_ms_per_request", "memory_working_set"}
	query, err := json.Marshal(map[string]any{"queryType": "standings", "races": []string{race}, "baseline": "control", "measures": measures})
	require.NoError(s.t, err)
	instance, err := plugin.New(s.t.Context(), backend.DataSourceInstanceSettings{Type: plugin.ID, URL: "http://localhost:9090"})
	require.NoError(s.t, err)
	answer, err := instance.(backend.QueryDataHandler).QueryData(s.t.Context(), &backend.QueryDataRequest{Queries: []backend.DataQuery{{
		RefID: "A", JSON: query, Interval: time.Second, MaxDataPoints: 1000,
		TimeRange: backend.TimeRange{From: time.Now().Add(-5 * time.Minute), To: time.Now()},
	}}})
	require.NoError(s.t, err)
	require.NoError(s.t, answer.Responses["A"].Error)
	frame := answer.Responses["A"].Frames[0]
	text, err := json.Marshal(frame)
	require.NoError(s.t, err)
	s.t.Log(string(text))

	board := map[string]map[string]*float64{}
	apps, _ := frame.FieldByName("app")
	for row := range frame.Rows() {
		cells := map[string]*float64{}
		for _, id := range measures {
			field, _ := frame.FieldByName(id)
			cells[id] = field.At(row).(*float64)
		}
		board[apps.At(row).(string)] = cells
	}
	return board
}

// get waits for an app that is about to listen.
func get(t *testing.T, url string) string {
	t.Helper()
	var body bytes.Buffer
	require.Eventually(t, func() bool {
		response, err := http.Get(url)
		if err != nil {
			return false
		}
		defer response.Body.Close()
		body.Reset()
		_, err = io.Copy(&body, response.Body)
		return err == nil && response.StatusCode == http.StatusOK
	}, 10*time.Second, 50*time.Millisecond, url)
	return body.String()
}
