package cmd_test

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/client"
	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/compare"
	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/pkg/verdict"
	"github.com/photofinish/photofinish/runner/coordinator"
	"github.com/photofinish/photofinish/runner/engine/docker/dockertest"
	allow "github.com/photofinish/photofinish/runner/images"
	"github.com/photofinish/photofinish/runner/stage"
	"github.com/photofinish/photofinish/runner/store"
)

// moreK6 names programs of k6 that cannot be built from this module, such as v2, for the race of images to be tried on, too: paths of
// static programs, separated by colons.
const moreK6 = "PHOTOFINISH_TEST_K6"

// stockK6 is an image of a k6 that is built without anything of ours.
type stockK6 struct {
	client *client.Client
	image  string
}

func needStockK6(t *testing.T) stockK6 {
	t.Helper()
	s := stockK6{client: dockertest.Client(t), image: fmt.Sprintf("photofinish-test/k6:%d", os.Getpid())}
	dockertest.Image(t, s.client, s.image, dockertest.Build(t, "go.k6.io/k6"), "USER 65534")
	return s
}

// The ports of the lanes here; other tests have others.
const boxA, boxB = 46531, 46532

func TestK6FromAnImage(t *testing.T) {
	s := needStockK6(t)
	t.Run("a race of local processes", s.races)
	t.Run("another version", s.otherVersions)
	t.Run("the record and the series agree", s.agrees)
	t.Run("a race of containers", s.racesContainers)
	t.Run("turns of a closed model", s.takesTurns)
	t.Run("a script that reads APP_URL when it is loaded, and an app that dies", s.perLane)
	t.Run("an app that dies in a shared load", s.losesALane)
	t.Run("a runner in a container", s.sharesItsContainer)
	t.Run("a runner as a service", s.isServed)
	t.Run("the container gets little", s.holds)
	t.Run("Ctrl-C", s.interrupted)
	t.Run("kill -9", s.swept)
	t.Run("what cannot be run is said before anything is started", s.refuses)
}

// script writes a race with a helper and a data file beside it. keys go into options.ext.photofinish, url is what APP_URL is read as.
func (s stockK6) script(t *testing.T, image, keys, load string, lanes ...string) string {
	t.Helper()
	dir := t.TempDir()
	write := func(name, text string) {
		require.NoError(t, os.MkdirAll(filepath.Join(dir, filepath.Dir(name)), 0o750))
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	if load == "" {
		load = "executor: 'constant-arrival-rate', rate: 50, timeUnit: '1s', duration: '2s', preAllocatedVUs: 20"
	}
	write("lib/helper.js", "export const passed = (r) => r.status === 200;\n")
	write("scripts/data.csv", "one\n")
	write("scripts/box.js", fmt.Sprintf(`import http from 'k6/http';
import { check } from 'k6';
import { passed } from '../lib/helper.js';
const data = open('./data.csv').trim();
export const options = {
  scenarios: { load: { %s } },
  thresholds: { checks: ['rate>0.5'] },
  ext: { photofinish: { heats: 2, warmup: '1s', k6: { image: %q }, lanes: { %s }, %s } },
};
export function setup() { return { from: 'setup' }; }
export default function (made) {
  check(http.get(__ENV.APP_URL + '?' + data + made.from), { passed });
}
export function handleSummary(data) { return { 'summary.json': JSON.stringify(data), stdout: 'the summary of ' + data.setup_data.from + '\n' }; }
`, load, image, strings.Join(lanes, ", "), keys))
	return filepath.Join(dir, "scripts", "box.js")
}

func (s stockK6) processes(t *testing.T, image, keys, load string, faults ...string) string {
	t.Helper()
	return s.script(t, image, keys, load, "a: "+lane(boxA, "", append(faults, "slow=20ms")...), "b: "+lane(boxB, "", "slow=40ms", "flaky"))
}

func (s stockK6) nothingLeft(t *testing.T, raceID string) {
	t.Helper()
	require.NotEmpty(t, raceID)
	require.Empty(t, dockertest.Left(t, s.client, raceID))
}

// shots is a view that keeps the snapshots of a race.
type shots struct {
	t    *testing.T
	mu   sync.Mutex
	all  []race.Snapshot
	logs []string
}

func (v *shots) Status(s race.Status, detail string) { v.t.Log(s, detail) }

func (v *shots) Progress(s race.Snapshot) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.all = append(v.all, s)
}

func (v *shots) Log(line string) {
	v.t.Log(line)
	v.mu.Lock()
	defer v.mu.Unlock()
	v.logs = append(v.logs, line)
}

// staged is a race whose Prometheus is still up.
type staged struct {
	*stage.Stage
	result coordinator.Result
	view   *shots
}

func onStage(t *testing.T, script string) staged {
	t.Helper()
	clock, err := stage.SelfAsK6()
	require.NoError(t, err)
	s, err := stage.Prepare(t.Context(), stage.Options{
		Script: script, Engines: stage.Engines{stage.Process(), stage.Docker(nil)}, K6: clock, Out: filepath.Join(t.TempDir(), "race"), Listen: "127.0.0.1:0",
		Say: t.Logf,
	})
	require.NoError(t, err)
	t.Cleanup(s.Close)
	v := &shots{t: t}
	result, err := s.Run(t.Context(), v)
	require.NoError(t, err)
	return staged{s, result, v}
}

func (s stockK6) races(t *testing.T) { s.isRaced(t, s.image, "v1.8.0") }

func (s stockK6) isRaced(t *testing.T, image, version string) {
	t.Helper()
	r := onStage(t, s.processes(t, image, "mode: 'together'", "executor: 'constant-arrival-rate', rate: 50, timeUnit: '1s', duration: '3s', preAllocatedVUs: 20"))
	record := r.result.Record
	require.Equal(t, race.Finished, record.Status)
	require.Len(t, record.Heats, 2)
	require.Equal(t, image, record.K6.Image.Name)
	require.True(t, strings.HasPrefix(record.K6.Image.ID, "sha256:"))
	require.True(t, strings.HasPrefix(record.K6.Version, version), record.K6.Version)
	require.Equal(t, record.K6.Version, record.Versions["k6"])
	for i, l := range record.Lanes {
		require.InDelta(t, 300, l.Client.Requests, 12, l.App)
		require.Equal(t, l.Client.Requests, l.Client.Checks.Passed+l.Client.Checks.Failed)
		require.Equal(t, l.Client.Failed, l.Client.Checks.Failed)
		slept := float64(20 * (i + 1))
		for _, at := range []*float64{l.Client.LatencyMS.Mean, l.Client.LatencyMS.P50, l.Client.LatencyMS.P90} {
			require.Greater(t, *at, slept/1.1, "a bucket is 9%% wide")
		}
		require.Less(t, *l.Client.LatencyMS.P50, slept*1.3)
		require.GreaterOrEqual(t, *l.Client.LatencyMS.Max, *l.Client.LatencyMS.P99)
		require.Nil(t, l.Measures["vus"], "a stock k6 does not tell")
		require.Positive(t, *l.Measures["data_received_rate"])
	}
	require.Zero(t, record.Lanes[0].Client.Failed)
	require.InDelta(t, 30, record.Lanes[1].Client.Failed, 6, "every tenth fails")
	s.liveFigures(t, r, version)
	for _, v := range record.Verdicts {
		if v.Measure == "latency_p95" {
			require.InDelta(t, verdict.StockPercentileEffect, v.MinimumEffect, 1e-9)
		}
	}
	require.NotContains(t, kinds(record), race.SeriesLost)
	require.Contains(t, kinds(record), race.StockK6)
	s.nothingLeft(t, record.ID)
}

func (s stockK6) liveFigures(t *testing.T, r staged, version string) {
	t.Helper()
	require.Contains(t, strings.Join(r.view.logs, "\n"), "the stopwatch is k6 "+version)
	require.Contains(t, strings.Join(r.view.logs, "\n"), "live figures come from Prometheus, once a second")
	var racing []race.Snapshot
	for _, shot := range r.view.all {
		require.Equal(t, race.FromPrometheus, shot.Source)
		if shot.Phase == "race" {
			racing = append(racing, shot)
		}
	}
	require.GreaterOrEqual(t, len(racing), 4, "two heats of 3 s")
	for i, shot := range racing {
		if i > 0 && racing[i-1].Heat == shot.Heat {
			require.Less(t, shot.At.Sub(racing[i-1].At), 1500*time.Millisecond)
		}
	}
	last := racing[len(racing)-1]
	require.Greater(t, last.Lanes[0].Requests, int64(150))
	require.InDelta(t, 50, last.Lanes[0].Rate, 20)
	require.InDelta(t, 22, last.Lanes[0].P95MS, 15)
	require.Positive(t, last.Lanes[1].Failed)
	require.Equal(t, 1, last.Lanes[0].Place)
}

func (s stockK6) otherVersions(t *testing.T) {
	for path := range strings.SplitSeq(os.Getenv(moreK6), ":") {
		if path == "" {
			continue
		}
		t.Run(filepath.Base(path), func(t *testing.T) {
			name := fmt.Sprintf("photofinish-test/%s:%d", strings.ToLower(filepath.Base(path)), os.Getpid())
			dockertest.Image(t, s.client, name, path, "USER 65534")
			s.isRaced(t, name, "v")
		})
	}
}

func (s stockK6) agrees(t *testing.T) {
	r := onStage(t, s.processes(t, s.image, "mode: 'together', heats: 2", ""))
	info, ok := compare.FromRecord(r.result.Record)
	require.True(t, ok)
	require.False(t, info.Own)
	totals, err := compare.Reduce(t.Context(), querier(t, r.PrometheusURL()), info, compare.Join{})
	require.NoError(t, err)
	require.True(t, totals.Coarse)
	for _, l := range r.result.Record.Lanes {
		whole := totals.Whole[l.App]
		require.InDelta(t, l.Client.Requests, whole.Requests, 0, "k6's summary and Prometheus")
		require.InDelta(t, l.Client.Failed, *whole.Failed, 0)
		require.InEpsilon(t, *l.Measures["latency_mean"], *whole.Measures["latency_mean"], 0.001, "exact in both")
		for id := range percentiles {
			require.InEpsilon(t, *l.Measures[id], *whole.Measures[id], math.Exp2(1.0/8)-1, "%s: the record keeps within k6's exact extremes", id)
		}
	}
	require.NoError(t, r.WriteReport(t.Context(), r.result))
	page, err := os.ReadFile(filepath.Join(r.Folder.Path, stage.ReportFile))
	require.NoError(t, err)
	require.Contains(t, string(page), "stock-k6")
}

func (s stockK6) racesContainers(t *testing.T) {
	i := images2(t, s.client)
	r := onStage(t, s.script(t, s.image, "mode: 'together', heats: 1", "", i...))
	require.Equal(t, "docker", r.result.Record.Engine)
	for _, l := range r.result.Record.Lanes {
		require.InDelta(t, 100, l.Client.Requests, 8, l.App)
		require.Zero(t, l.Client.Failed)
		require.Positive(t, *l.Joined.CPUMSPerRequest)
	}
	s.nothingLeft(t, r.result.Record.ID)
}

// images2 are lanes of the sample apps as images, at ports of this file.
func images2(t *testing.T, c *client.Client) (lanes []string) {
	t.Helper()
	for app, port := range map[string]int{"control": boxA, "high-latency": boxB} {
		name := fmt.Sprintf("photofinish-test/box-%s:%d", app, os.Getpid())
		dockertest.Image(t, c, name, dockertest.Build(t, "github.com/photofinish/photofinish/testapps/"+app), "USER 65534")
		lanes = append(lanes, fmt.Sprintf("'%s': { image: %q, port: %d, path: '/%s' }", app, name, port, app))
	}
	return lanes
}

func (s stockK6) takesTurns(t *testing.T) {
	r := onStage(t, s.processes(t, s.image, "mode: 'turns', heats: 1, arrivals: 'poisson'", "executor: 'constant-vus', vus: 2, duration: '2s'"))
	a, b := r.result.Record.Lanes[0].Client, r.result.Record.Lanes[1].Client
	// Two VUs that wait 20 ms for each answer make at most 100 a second, those that wait 40 ms 50; out of their turns they make none.
	require.LessOrEqual(t, a.Requests, int64(220))
	require.LessOrEqual(t, b.Requests, int64(120))
	require.Greater(t, a.Requests, int64(80))
	require.Greater(t, b.Requests, int64(40))
	require.Contains(t, kinds(r.result.Record), race.ClosedModel)
	s.nothingLeft(t, r.result.Record.ID)
}

func (s stockK6) perLane(t *testing.T) {
	script := s.processes(t, s.image, "mode: 'turns', heats: 2", "executor: 'constant-arrival-rate', rate: 50, duration: '8s', preAllocatedVUs: 20", "exit=12s")
	text, err := os.ReadFile(script)
	require.NoError(t, err)
	early := strings.Replace(string(text), "const data =", "const target = __ENV.APP_URL || 'http://127.0.0.1:1/';\nconst data =", 1)
	early = strings.Replace(early, "http.get(__ENV.APP_URL", "http.get(target", 1)
	require.NoError(t, os.WriteFile(script, []byte(early), 0o600))
	r := onStage(t, script)
	record := r.result.Record
	require.Equal(t, race.Finished, record.Status, "an app that is out ends no race: %v", record.Error)
	require.Contains(t, kinds(record), race.AppURLAtInit)
	require.Contains(t, kinds(record), race.LaneOut)
	require.Equal(t, race.Exited, record.Lanes[0].Exit.Reason)
	require.InDelta(t, 400, record.Lanes[1].Client.Requests, 20, "the other went on")
	require.Less(t, record.Lanes[0].Client.Requests, int64(350), "it was ended with its app")
	s.nothingLeft(t, record.ID)
}

func (s stockK6) losesALane(t *testing.T) {
	r := onStage(t, s.processes(t, s.image, "mode: 'together', heats: 2, arrivals: 'poisson'", "executor: 'constant-arrival-rate', rate: 50, duration: '6s', preAllocatedVUs: 20", "exit=6s"))
	record := r.result.Record
	require.Equal(t, race.Finished, record.Status)
	var said []string
	for _, f := range record.Audit.Findings {
		if f.Kind == race.StockK6 {
			said = append(said, f.Lane+": "+f.Detail)
		}
	}
	all := strings.Join(said, "\n")
	require.Contains(t, all, "no poisson arrivals")
	require.Contains(t, all, "a: was asked on after its app had ended in heat 1")
	s.nothingLeft(t, record.ID)
}

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
	made, err := s.client.ContainerCreate(t.Context(), &container.Config{Image: name, Cmd: []string{"race", "/work/scripts/box.js", "--out", "/work/race"}, Hostname: "elsewhere"},
		&container.HostConfig{Binds: []string{filepath.Dir(dir) + ":/work", socket + ":/var/run/docker.sock"}, Tmpfs: map[string]string{"/tmp": ""}}, nil, nil, "")
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
