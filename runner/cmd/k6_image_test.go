package cmd_test

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/docker/docker/client"
	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/compare"
	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/pkg/verdict"
	"github.com/photofinish/photofinish/runner/coordinator"
	"github.com/photofinish/photofinish/runner/engine/docker/dockertest"
	"github.com/photofinish/photofinish/runner/stage"
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
const boxA, boxB = 30531, 30532

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
	t.Run("a script that fails", s.failsWithItsScript)
	t.Run("a threshold that is crossed", s.crosses)
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
