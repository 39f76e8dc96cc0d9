package coordinator_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	k6cmd "go.k6.io/k6/cmd"

	"github.com/photofinish/photofinish/pkg/measure"
	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/pkg/verdict"
	"github.com/photofinish/photofinish/runner/coordinator"
	"github.com/photofinish/photofinish/runner/definition"
	"github.com/photofinish/photofinish/runner/engine"
	"github.com/photofinish/photofinish/runner/engine/fake"
	"github.com/photofinish/photofinish/runner/k6"
	"github.com/photofinish/photofinish/runner/k6/stopwatch"
	"github.com/photofinish/photofinish/runner/plan"
)

// TestMain lets the test binary be our k6, as the runner is.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "k6" {
		os.Args = os.Args[1:]
		stopwatch.Register()
		k6cmd.Execute()
		return
	}
	os.Exit(m.Run())
}

const script = `
import http from 'k6/http';
export const options = {
  scenarios: { load: { executor: 'constant-arrival-rate', rate: 50, timeUnit: '1s', duration: '1s', preAllocatedVUs: 10 } },
  ext: { photofinish: { lanes: { a: { url: 'http://127.0.0.1:1/' }, b: { url: 'http://127.0.0.1:2/' } } } },
};
export default function () { http.get(__ENV.APP_URL); }
`

type view struct {
	t    *testing.T
	last map[int]race.Snapshot // of each heat
}

func (v view) Status(s race.Status, detail string) { v.t.Log("status", s, detail) }
func (v view) Progress(s race.Snapshot) {
	v.last[s.Heat] = s
	for _, l := range s.Lanes {
		v.t.Logf("%s heat %d %s: %d requests, %.0f/s, p95 %.2f ms, done %.2f racing %v", s.Phase, s.Heat, l.App, l.Requests, l.Rate, l.P95MS, l.Done, l.Racing)
	}
}
func (v view) Log(line string) { v.t.Log("log", line) }

type memory struct {
	saved    []race.Race
	profiles map[string][]byte // by app and kind
}

func (m *memory) Save(r race.Race) error {
	r.Lanes = slices.Clone(r.Lanes) // the coordinator goes on filling its own
	m.saved = append(m.saved, r)
	return nil
}

func (m *memory) SaveProfile(_, app string, kind race.ProfileKind, pprof []byte) error {
	if m.profiles == nil {
		m.profiles = map[string][]byte{}
	}
	m.profiles[app+" "+string(kind)] = pprof
	return nil
}

// servers is an engine whose lanes are servers in this process.
type servers struct{ handler map[string]http.HandlerFunc }

type server struct {
	app  string
	http *httptest.Server
	done chan struct{}
}

func (s servers) Name() string { return "servers" }

func (servers) Facts(string) engine.Facts {
	return engine.Facts{Versions: map[string]string{"servers": "1"}, Images: map[string]race.Image{"a": {Name: "server", ID: "sha256:1"}}}
}

func (s servers) Prepare(context.Context, string, []race.LaneSpec, func(string)) error { return nil }

func (s servers) Start(_ context.Context, _ string, _ int, l race.LaneSpec) (engine.Lane, error) {
	return &server{l.App, httptest.NewServer(s.handler[l.App]), make(chan struct{})}, nil
}
func (s servers) Cleanup(context.Context, string) error   { return nil }
func (s servers) Sweep(context.Context) ([]string, error) { return nil, nil }

func (s *server) App() string           { return s.app }
func (s *server) Address() string       { return s.http.URL }
func (s *server) ContainerName() string { return "" }
func (s *server) Counters(context.Context) (engine.Counters, error) {
	return engine.Counters{At: time.Now(), Enforced: true}, nil
}
func (s *server) Logs() []string             { return nil }
func (s *server) Done() <-chan struct{}      { return s.done }
func (s *server) Exit() race.Exit            { return race.Exit{Reason: race.Running} }
func (s *server) Stop(context.Context) error { s.http.Close(); return nil }

func TestARace(t *testing.T) {
	dir := t.TempDir()
	path := dir + "/script.js"
	require.NoError(t, os.WriteFile(path, []byte(script), 0o600))
	k := k6.K6{Argv: []string{os.Args[0], "k6"}, WorkDir: t.TempDir()}
	seen, err := k.Inspect(t.Context(), path, nil)
	require.NoError(t, err)
	heats, warmup := 2, 500*time.Millisecond
	def, err := definition.Parse(definition.Script{Options: seen.Options, Exports: seen.Exports, HasDefault: seen.HasDefault, LaneOrder: seen.LaneOrder}, path,
		definition.Overrides{Heats: &heats, Warmup: &warmup, Mode: "turns"})
	require.NoError(t, err)
	for i := range def.Lanes {
		def.Lanes[i].URL, def.Lanes[i].Path = "", "/x"
	}
	p, err := plan.Make(def, 2, 1)
	require.NoError(t, err)
	t.Log(p.Describe())
	var specs []verdict.MeasureSpec
	for _, m := range measure.All() {
		specs = append(specs, verdict.Spec(m.ID, verdict.Better(m.Better)))
	}
	ok := func(http.ResponseWriter, *http.Request) {}
	slow := func(http.ResponseWriter, *http.Request) { time.Sleep(20 * time.Millisecond) }
	m, shown := &memory{}, view{t, map[int]race.Snapshot{}}
	result, err := coordinator.Race{
		ID: "test", Definition: def, Plan: p, Engine: servers{map[string]http.HandlerFunc{"a": ok, "b": slow}}, K6: k6.Local{K6: k}, Measures: specs,
		Recorder: m, View: shown,
	}.Run(t.Context())
	require.NoError(t, err)
	require.Equal(t, race.Finished, result.Record.Status)
	require.Equal(t, &race.Exit{Reason: race.Running}, m.saved[1].Lanes[0].Exit, "the record tells of the apps before the first heat has ended")
	require.Empty(t, m.saved[1].Heats)
	require.Equal(t, map[string]string{"servers": "1"}, result.Record.Versions)
	require.Equal(t, "server", result.Record.Lanes[0].Image.Name)
	for _, l := range result.Record.Lanes {
		t.Logf("%+v", *l.Client)
		require.InDelta(t, 100, l.Client.Requests, 4)
		require.NotNil(t, l.Container.CPUSeconds)
	}
	so := map[string]int64{}
	for _, h := range result.Record.Heats {
		require.Equal(t, "done", shown.last[h.Number].Phase)
		for _, l := range shown.last[h.Number].Lanes {
			so[l.App] += h.Lanes[l.App].Requests
			require.Equal(t, so[l.App], l.Requests, "what is shown last of heat %d counts all of its answers", h.Number)
		}
		require.Len(t, h.Lanes["a"].Measures, len(specs), "a whole heat has every measure")
		require.Equal(t, 1000.0, h.Lanes["a"].ActiveMS)
	}
	for _, f := range result.Record.Audit.Findings {
		t.Logf("%+v", f)
	}
}

func TestAnAppThatDoesNotGetReadyEndsTheRaceAndIsRecordedWithItsLastWords(t *testing.T) {
	code := 3
	def := race.Definition{
		Name: "x", Baseline: "a", Heats: 2, Duration: time.Second, Arrivals: race.Uniform, Mode: race.Together,
		Lanes: []race.LaneSpec{{App: "a"}, {App: "dies"}, {App: "hangs", Health: race.Health{Timeout: 200 * time.Millisecond}}, {App: "elsewhere", URL: "http://127.0.0.1:1/"}},
	}
	p, err := plan.Make(def, 2, 1)
	require.NoError(t, err)
	e := &fake.Engine{Faults: map[string]fake.Fault{
		"dies":  {DiesAfter: 20 * time.Millisecond, Exit: race.Exit{Reason: race.Exited, Code: &code}, Logs: []string{"starting", "no database"}, Unhealthy: true},
		"hangs": {Unhealthy: true, Logs: []string{"waiting for godot"}},
	}}
	result, err := coordinator.Race{ID: "test", Definition: def, Plan: p, Engine: e, K6: k6.Local{}, Recorder: &memory{}, View: view{t, map[int]race.Snapshot{}}}.Run(t.Context())
	require.ErrorContains(t, err, "lane dies ended with code 3", "the first one's reason is the race's")
	require.Equal(t, race.Failed, result.Record.Status)
	exits := map[string]race.Exit{}
	logs := map[string][]string{}
	for _, l := range result.Record.Lanes {
		exits[l.App], logs[l.App] = *l.Exit, l.LastLog
	}
	require.Equal(t, race.Stopped, exits["a"].Reason)
	require.Equal(t, race.Exited, exits["dies"].Reason)
	require.Equal(t, &code, exits["dies"].Code)
	require.Equal(t, race.Unhealthy, exits["hangs"].Reason)
	require.Equal(t, race.Exit{Reason: race.Running}, exits["elsewhere"], "nobody stopped what somebody else runs")
	require.Equal(t, map[string][]string{"a": nil, "dies": {"starting", "no database"}, "hangs": {"waiting for godot"}, "elsewhere": nil}, logs)
}

func TestOfAnAppThatWasNeverStartedNobodyKnowsHowItEnded(t *testing.T) {
	def := race.Definition{
		Name: "x", Baseline: "a", Heats: 2, Duration: time.Second, Arrivals: race.Uniform, Mode: race.Together,
		Lanes: []race.LaneSpec{{App: "a"}, {App: "b", URL: "http://127.0.0.1:1/"}},
	}
	p, err := plan.Make(def, 2, 1)
	require.NoError(t, err)
	m := &memory{}
	_, err = coordinator.Race{
		ID: "test", Definition: def, Plan: p, Engine: &fake.Engine{PrepareError: errors.New("no such image")}, K6: k6.Local{}, Recorder: m, View: view{t, map[int]race.Snapshot{}},
	}.Run(t.Context())
	require.Error(t, err)
	require.Len(t, m.saved, 2, "at the start and at the end")
	for _, r := range m.saved {
		require.Nil(t, r.Lanes[0].Exit)
		require.Nil(t, r.Lanes[1].Exit)
	}
}
