package datasource_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/grafana/grafana-plugin-sdk-go/backend/grpcplugin"
	"github.com/grafana/grafana-plugin-sdk-go/data"
	"github.com/grafana/grafana-plugin-sdk-go/genproto/pluginv2"
	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/runnerclient"
	"github.com/photofinish/photofinish/runner/k6/confine"

	"github.com/photofinish/photofinish/runner/engine/enginetest"
)

// photofinish builds the runner as anybody does.
var photofinish = sync.OnceValues(func() (string, error) {
	path := filepath.Join(folder, "photofinish")
	cmd := exec.Command("go", "build", "-o", path, "github.com/photofinish/photofinish/runner")
	cmd.Stderr = os.Stderr
	return path, cmd.Run()
})

// service is a runner that serves in a process of its own.
type service struct {
	t          *testing.T
	dir        string
	url        string
	prometheus string
	process    *exec.Cmd
	client     *runnerclient.Client
}

// startRunner starts a runner with one script, raced by two sample apps for two heats of four seconds.
func startRunner(t *testing.T) *service {
	t.Helper()
	if err := confine.Supported(); err != nil {
		if os.Getenv("PHOTOFINISH_REQUIRE_ALL") != "" {
			t.Fatalf("confinement cannot be tried: %v", err)
		}
		t.Skipf("NOT TESTED, live: %v", err)
	}
	s := &service{t: t, dir: t.TempDir()}
	port, database := enginetest.FreePort(t), enginetest.FreePort(t)
	s.url, s.prometheus = fmt.Sprintf("http://127.0.0.1:%d", port), fmt.Sprintf("http://127.0.0.1:%d", database)
	lane := func(app string) string {
		path := filepath.Join(s.dir, app)
		said, err := exec.Command("go", "build", "-o", path, "github.com/photofinish/photofinish/testapps/"+app).CombinedOutput()
		require.NoError(t, err, "%s", said)
		return fmt.Sprintf("{ command: ['%s'], port: %d, path: '/%s', cpus: 0.5, memory: '128m' }", path, enginetest.FreePort(t), app)
	}
	require.NoError(t, os.Mkdir(filepath.Join(s.dir, "scripts"), 0o700))
	s.write("scripts/race.js", fmt.Sprintf(`import http from 'k6/http';
export const options = {
  scenarios: { load: { executor: 'constant-arrival-rate', rate: 30, timeUnit: '1s', duration: '4s', preAllocatedVUs: 10 } },
  ext: { photofinish: { baseline: 'control', heats: 2, warmup: '300ms', lanes: { control: %s, 'high-latency': %s } } },
};
export default function () { http.get(__ENV.APP_URL); }
`, lane("control"), lane("high-latency")))
	s.write("token", "s3cret")
	s.write("runner.yaml", fmt.Sprintf("listen: 127.0.0.1:%d\ntoken: {file: token}\nscripts: {folder: scripts}\nprometheus: {listen: 127.0.0.1:%d}\n", port, database))
	var err error
	s.client, err = runnerclient.New(runnerclient.Config{URL: s.url, Token: "s3cret"})
	require.NoError(t, err)
	s.start()
	t.Cleanup(s.stop)
	return s
}

func (s *service) write(name, text string) {
	s.t.Helper()
	require.NoError(s.t, os.WriteFile(filepath.Join(s.dir, name), []byte(text), 0o600))
}

func (s *service) start() {
	s.t.Helper()
	path, err := photofinish()
	require.NoError(s.t, err)
	s.process = exec.Command(path, "serve", "--config", filepath.Join(s.dir, "runner.yaml"))
	s.process.Stdout, s.process.Stderr, s.process.WaitDelay = s.t.Output(), s.t.Output(), time.Second
	require.NoError(s.t, s.process.Start())
	require.Eventually(s.t, func() bool { _, err := s.client.Health(s.t.Context()); return err == nil }, 30*time.Second, 50*time.Millisecond)
}

func (s *service) stop() {
	_ = s.process.Process.Signal(os.Interrupt)
	_ = s.process.Wait()
}

// race asks for a race and returns its id.
func (s *service) race() string {
	s.t.Helper()
	answer, err := s.client.Do(s.t.Context(), runnerclient.Call{
		Method: http.MethodPost, Path: []string{"v1", "races"}, Body: []byte(`{"script":"race.js"}`), Header: http.Header{"Content-Type": {"application/json"}},
	})
	require.NoError(s.t, err)
	require.Equal(s.t, http.StatusAccepted, answer.Status, "%s", answer.Body)
	var accepted struct{ ID string }
	require.NoError(s.t, json.Unmarshal(answer.Body, &accepted))
	return accepted.ID
}

// streams is the binary's streaming side, as Grafana speaks to it.
func (b binary) streams(t *testing.T) grpcplugin.StreamClient {
	t.Helper()
	raw, err := b.protocol.Dispense("stream")
	require.NoError(t, err)
	return raw.(grpcplugin.StreamClient)
}

func (b binary) subscribe(t *testing.T, settings *pluginv2.PluginContext, path string) backend.SubscribeStreamStatus {
	t.Helper()
	answer, err := b.streams(t).SubscribeStream(t.Context(), &pluginv2.SubscribeStreamRequest{PluginContext: settings, Path: path})
	require.NoError(t, err)
	return backend.SubscribeStreamStatus(answer.GetStatus())
}

// TestARunningRaceIsFollowedThroughTheBinary asks as Grafana does: the query, the subscription, then frames to the race's end.
func TestARunningRaceIsFollowedThroughTheBinary(t *testing.T) {
	runner, grafana := startRunner(t), startBinary(t)
	settings := settingsOf("live", runner.prometheus, `{"runnerUrl":"`+runner.url+`"}`, map[string]string{"runnerToken": "s3cret"})
	id := runner.race()
	now := &pluginv2.TimeRange{FromEpochMS: time.Now().Add(-time.Hour).UnixMilli(), ToEpochMS: time.Now().Add(time.Hour).UnixMilli()}
	answer := grafana.query(t, settings, &pluginv2.DataQuery{RefId: "A", Json: []byte(`{"queryType":"live","races":["` + id + `"],"field":"all"}`), TimeRange: now})["A"]
	require.NoError(t, answer.Error)
	path, ok := strings.CutPrefix(answer.Frames[0].Meta.Channel, "ds/live/")
	require.True(t, ok, answer.Frames[0].Meta.Channel)
	require.Equal(t, backend.SubscribeStreamStatusOK, grafana.subscribe(t, settings, path))
	require.Equal(t, backend.SubscribeStreamStatusNotFound, grafana.subscribe(t, settings, "race/bm93aGVyZQ"))
	published, err := grafana.streams(t).PublishStream(t.Context(), &pluginv2.PublishStreamRequest{PluginContext: settings, Path: path})
	require.NoError(t, err)
	require.Equal(t, backend.PublishStreamStatusPermissionDenied, backend.PublishStreamStatus(published.GetStatus()))

	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	stream, err := grafana.streams(t).RunStream(ctx, &pluginv2.RunStreamRequest{PluginContext: settings, Path: path})
	require.NoError(t, err)
	var frames []*data.Frame
	for {
		packet, err := stream.Recv()
		if err != nil {
			require.ErrorIs(t, err, io.EOF, "the stream ends with the race")
			break
		}
		f := &data.Frame{}
		require.NoError(t, json.Unmarshal(packet.GetData(), f))
		frames = append(frames, f)
	}
	checkRace(t, frames)
	keep(t, "live.json", frames)
	past := grafana.query(t, settings, &pluginv2.DataQuery{RefId: "A", IntervalMS: 1000, MaxDataPoints: 1000, TimeRange: now, Json: []byte(`{"queryType":"timeseries","races":["` + id + `"],"align":"elapsed",
"measures":["request_rate","latency_p50","latency_p95","error_rate","cpu_cores","memory_working_set"]}`)})["A"]
	require.NoError(t, past.Error)
	keep(t, "history.json", past.Frames)
	ended := grafana.query(t, settings, &pluginv2.DataQuery{RefId: "A", Json: []byte(`{"queryType":"live","races":["` + id + `"],"field":"all"}`), TimeRange: now})["A"]
	require.NoError(t, ended.Error)
	keep(t, "ended.json", ended.Frames)
	latest := grafana.query(t, settings, &pluginv2.DataQuery{RefId: "A", Json: []byte(`{"queryType":"live","races":["$latest"]}`), TimeRange: now})["A"]
	require.NoError(t, latest.Error)
	require.Equal(t, "ds/live/"+strings.TrimSuffix(path, "/all"), latest.Frames[0].Meta.Channel, "the newest, where none runs")
}

// checkRace looks at the frames of a whole race of two lanes and two heats.
func checkRace(t *testing.T, frames []*data.Frame) {
	t.Helper()
	requests, phases, heats := map[string]int64{}, map[string]bool{}, map[int64]bool{}
	racing := 0
	for _, f := range frames {
		require.Equal(t, 2, f.Rows(), "a row for each lane")
		for row := range f.Rows() {
			app := at[string](t, f, "app", row)
			require.GreaterOrEqual(t, at[int64](t, f, "requests", row), requests[app], "requests only grow")
			requests[app] = at[int64](t, f, "requests", row)
			phases[at[string](t, f, "phase", row)] = true
			heats[at[int64](t, f, "heat", row)] = true
		}
		if at[string](t, f, "phase", 0) == "race" {
			racing++
		}
	}
	require.Subset(t, phases, map[string]bool{"warmup": true, "race": true, "done": true})
	require.Subset(t, heats, map[int64]bool{1: true, 2: true})
	require.GreaterOrEqual(t, racing, 16, "eight seconds of racing, four frames a second and more, on a machine that may be busy")
	for _, app := range []string{"control", "high-latency"} {
		require.InDelta(t, 240, requests[app], 20, "30 a second, 4 s, 2 heats")
	}
	last := frames[len(frames)-1]
	require.Equal(t, "finished", at[string](t, last, "status", 0))
	require.EqualValues(t, 1, at[int64](t, last, "place", 0), "control answers sooner")
	require.Greater(t, *at[*float64](t, last, "p95", 1), *at[*float64](t, last, "p95", 0))
}

func at[T any](t *testing.T, f *data.Frame, column string, row int) T {
	t.Helper()
	field, i := f.FieldByName(column)
	require.GreaterOrEqual(t, i, 0, column)
	return field.At(row).(T)
}

// keep records what a real race sent, for the track panel's tests (go test -run RunningRace ./tests/datasource -record).
func keep(t *testing.T, name string, frames []*data.Frame) {
	t.Helper()
	if !*record {
		return
	}
	var told []json.RawMessage
	for i, f := range frames {
		include := data.IncludeAll
		if i > 0 {
			include = data.IncludeDataOnly // a stream's frames have the same columns
		}
		one, err := data.FrameToJSON(f, include)
		require.NoError(t, err)
		told = append(told, one)
	}
	text, err := json.Marshal(told)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(root, "src", "panels", "track", "testdata", name), text, 0o600))
}

// TestAStreamOutlivesItsRunner: a runner that ends in the middle of a race and comes back tells how the race ended.
func TestAStreamOutlivesItsRunner(t *testing.T) {
	runner, grafana := startRunner(t), startBinary(t)
	settings := settingsOf("broken", runner.prometheus, `{"runnerUrl":"`+runner.url+`"}`, map[string]string{"runnerToken": "s3cret"})
	id := runner.race()
	now := &pluginv2.TimeRange{FromEpochMS: time.Now().Add(-time.Hour).UnixMilli(), ToEpochMS: time.Now().Add(time.Hour).UnixMilli()}
	answer := grafana.query(t, settings, &pluginv2.DataQuery{RefId: "A", Json: []byte(`{"queryType":"live","races":["` + id + `"],"field":"all"}`), TimeRange: now})["A"]
	require.NoError(t, answer.Error)
	path := strings.TrimPrefix(answer.Frames[0].Meta.Channel, "ds/broken/")
	stream, err := grafana.streams(t).RunStream(t.Context(), &pluginv2.RunStreamRequest{PluginContext: settings, Path: path})
	require.NoError(t, err)
	last := ""
	restarted := false
	for {
		packet, err := stream.Recv()
		if err != nil {
			require.ErrorIs(t, err, io.EOF)
			break
		}
		f := &data.Frame{}
		require.NoError(t, json.Unmarshal(packet.GetData(), f))
		last = at[string](t, f, "status", 0)
		if last == "racing" && !restarted {
			restarted = true
			runner.stop()
			runner.start()
		}
	}
	require.True(t, restarted)
	require.Equal(t, "interrupted", last)
}
