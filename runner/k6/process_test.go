package k6_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/definition"
	"github.com/photofinish/photofinish/runner/k6"
	"github.com/photofinish/photofinish/runner/k6/stream"
	"github.com/stretchr/testify/require"
)

// app is a server that counts.
type app struct {
	*httptest.Server
	requests atomic.Int64
	header   atomic.Value // the last X-Test
}

func newApp(t *testing.T) *app {
	t.Helper()
	a := &app{}
	a.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a.requests.Add(1)
		a.header.Store(r.Header.Get("X-Test"))
		if strings.HasSuffix(r.URL.Path, "/bad") {
			w.WriteHeader(http.StatusTeapot)
		}
	}))
	t.Cleanup(a.Close)
	return a
}

// trial is a heat of a script with two lanes, from the script to k6's end.
type trial struct {
	k     k6.K6
	def   race.Definition
	cfg   stream.Config
	a, b  *app
	files k6.Heat
	run   k6.Run

	events []stream.Event
}

func newTrial(t *testing.T, name, text string) *trial {
	t.Helper()
	all := map[string]string{name: text}
	for n, h := range helpers {
		all[n] = h
	}
	x := &trial{k: newK6(t), a: newApp(t), b: newApp(t)}
	script := filepath.Join(files(t, all), name)
	found, err := x.k.Inspect(t.Context(), script, nil)
	require.NoError(t, err)
	x.def, err = definition.Parse(definition.Script{
		Options: found.Options, Exports: found.Exports, HasDefault: found.HasDefault, LaneOrder: found.LaneOrder,
	}, script, definition.Overrides{Lanes: []string{"a=" + x.a.URL + "/a", "b=" + x.b.URL + "/b"}})
	require.NoError(t, err)
	x.cfg = stream.Config{
		RaceID: "r1", Heat: 1, Warmup: 300 * time.Millisecond, Seed: 1,
		Lanes: []stream.Lane{together("a", x.a.URL+"/a", x.def.Duration), together("b", x.b.URL+"/b", x.def.Duration)},
	}
	return x
}

func (x *trial) start(ctx context.Context, t *testing.T) *k6.Process {
	t.Helper()
	dir := t.TempDir()
	var err error
	x.files, err = k6.WriteHeat(dir, x.def, x.cfg, k6.HeatOptions{Slack: time.Second})
	require.NoError(t, err)
	x.run.Wrapper, x.run.ConfigPath, x.run.SummaryPath = x.files.Wrapper, x.files.Config, filepath.Join(dir, "summary.json")
	x.run.RaceID, x.run.Heat = x.cfg.RaceID, x.cfg.Heat
	p, err := x.k.Start(ctx, x.run)
	require.NoError(t, err)
	t.Cleanup(func() { _ = p.Kill() })
	return p
}

// conduct answers Started and reads the events to their end.
func (x *trial) conduct(t *testing.T, p *k6.Process, on func(stream.Event)) k6.Exit {
	t.Helper()
	for e := range p.Events() {
		if e.Type == stream.Started {
			_ = p.Go(e.At.Add(x.cfg.Warmup)) // a script of one iteration may be through by now
		}
		if on != nil {
			on(e)
		}
		x.events = append(x.events, e)
	}
	exit, err := p.Wait()
	require.NoError(t, err)
	require.Positive(t, exit.CPU, "k6 cannot have run without CPU")
	exit.CPU = 0 // the rest can be compared as a whole
	return exit
}

func (x *trial) result(t *testing.T, p *k6.Process) stream.Event {
	t.Helper()
	for _, e := range x.events {
		if e.Type == stream.Result {
			return e
		}
	}
	require.Fail(t, "k6 told no result", "%s", strings.Join(p.Logs(), "\n"))
	return stream.Event{}
}

func TestEveryShapeOfScriptRuns(t *testing.T) {
	for name, c := range map[string]struct{ file, text string }{
		"an ES module with setup, open() and an async default": {"s.js", `
			import http from 'k6/http'; import { path } from './lib.js'; const d = open('./data.txt');
			export const options = { scenarios: { s: { executor: 'constant-arrival-rate', rate: 20, duration: '1s', preAllocatedVUs: 3 } } };
			export function setup() { return { token: 'from setup' }; }
			export default async function (data) { await http.asyncRequest('GET', __ENV.APP_URL + path + '/' + d, null, { headers: { 'X-Test': data.token } }); }`},
		"CommonJS with a named function": {"s.js", `
			const http = require('k6/http'); const { path } = require('./lib.cjs'); const { sleep } = require('k6');
			exports.options = { scenarios: { s: { executor: 'constant-vus', vus: 1, duration: '1s', exec: 'browse' } } };
			exports.setup = function () { return { token: 'from setup' }; };
			exports.browse = function (data) { http.get(__ENV.APP_URL + path, { headers: { 'X-Test': data.token } }); sleep(0.1); };`},
		"TypeScript with stages": {"s.ts", `
			import http from 'k6/http'; import { sleep } from 'k6';
			export const options = { stages: [{ duration: '500ms', target: 2 }, { duration: '500ms', target: 1 }] };
			export function setup(): { token: string } { return { token: 'from setup' }; }
			export default function (data: { token: string }) { http.get(__ENV.APP_URL as string, { headers: { 'X-Test': data.token } }); sleep(0.1); }`},
		"iterations": {"s.js", `
			import http from 'k6/http'; import { sleep } from 'k6';
			export const options = { vus: 2, iterations: 1000, duration: '1s' };
			export function setup() { return { token: 'from setup' }; }
			export default function (data) { http.get(__ENV.APP_URL, { headers: { 'X-Test': data.token } }); sleep(0.1); }`},
	} {
		t.Run(name, func(t *testing.T) {
			x := newTrial(t, c.file, c.text)
			p := x.start(t.Context(), t)
			pgid, err := syscall.Getpgid(p.PID())
			require.NoError(t, err)
			require.Equal(t, p.PID(), pgid, "a group of its own")
			exit := x.conduct(t, p, nil)
			require.Equal(t, k6.Exit{}, exit, "%s", strings.Join(p.Logs(), "\n"))

			result := x.result(t, p).Result
			summary, err := x.files.ReadSummary(x.run.SummaryPath)
			require.NoError(t, err)
			for app, server := range map[string]*app{"a": x.a, "b": x.b} {
				require.Positive(t, result[app].Race.Requests)
				require.Equal(t, k6.LaneSummary{Requests: result[app].Race.Requests}, summary.Lanes[app], "k6's own summary counts the same")
				require.Equal(t, server.requests.Load(), result[app].Warmup.Requests+result[app].Race.Requests, "each lane reached its own app only")
				require.Equal(t, "from setup", server.header.Load())
			}
			require.Empty(t, p.Logs(), "nothing is printed")
		})
	}
}

func TestAScriptsOwnSummaryIsWrittenAndFailuresAreCounted(t *testing.T) {
	x := newTrial(t, "s.js", `
		import http from 'k6/http';
		export const options = { scenarios: { s: { executor: 'constant-arrival-rate', rate: 10, duration: '1s' } },
			thresholds: { http_req_failed: [{ threshold: 'rate<0.5', abortOnFail: true }], 'http_req_duration{app:a}': ['p(95)<60000'] }, tags: { team: 'x' } };
		export function handleSummary(data) { return { [__ENV.OUT]: Object.keys(data.metrics).join(' '), stdout: 'my summary' }; }
		export default function () { http.get(__ENV.APP_URL + (__ENV.APP_URL.endsWith('b') ? '/bad' : '')); }`)
	out := filepath.Join(t.TempDir(), "mine.txt")
	x.run.Env = map[string]string{"OUT": out}
	p := x.start(t.Context(), t)
	require.Len(t, x.files.Notes, 1)
	exit := x.conduct(t, p, nil)

	require.Equal(t, 99, exit.Code)
	require.True(t, exit.ThresholdsCrossed)
	require.Contains(t, exit.Err, "have been crossed")
	written, err := os.ReadFile(out)
	require.NoError(t, err)
	require.Contains(t, string(written), "http_reqs{app:a,phase:race}")
	require.Contains(t, p.Logs(), "my summary")

	summary, err := x.files.ReadSummary(x.run.SummaryPath)
	require.NoError(t, err)
	require.Equal(t, []k6.Judged{
		{App: "a", Condition: "http_req_duration: p(95)<60000"},
		{App: "a", Condition: "http_req_failed: rate<0.5", Abort: true},
		{App: "b", Condition: "http_req_failed: rate<0.5", Abort: true, Crossed: true},
	}, summary.Judged, "only the lane that failed crossed one")
	require.Zero(t, summary.Lanes["a"].Failed)
	require.Positive(t, summary.Lanes["b"].Failed)
	require.Equal(t, summary.Lanes["b"].Requests, summary.Lanes["b"].Failed)
	require.Equal(t, x.result(t, p).Result["b"].Race.Failed, summary.Lanes["b"].Failed)
}

func TestAProbeShowsWhomEachLaneReachedAndWhoElseReadTheAddress(t *testing.T) {
	x := newTrial(t, "s.js", `
		import http from 'k6/http';
		export async function setup() { await null; return __ENV.APP_URL; }
		export function teardown() { __ENV.OTHER; }
		export function handleSummary() { throw new Error('not in a probe'); }
		export default function () { http.get(__ENV.APP_URL); }`)
	x.cfg.Probe, x.cfg.Lanes[0].Blocks, x.cfg.Lanes[1].Blocks = true, nil, nil
	p := x.start(t.Context(), t)
	require.Equal(t, k6.Exit{}, x.conduct(t, p, nil))
	require.Equal(t, []string{"setup"}, p.URLReaders())
	require.Empty(t, p.Logs())
	for app, server := range map[string]*app{"a": x.a, "b": x.b} {
		require.Equal(t, int64(1), server.requests.Load())
		require.Equal(t, map[string]int64{server.Listener.Addr().String(): 1}, x.result(t, p).Result[app].Reached)
	}
}

func TestAScriptThatReadsItsAddressAtInitRacesInAProcessOfItsOwn(t *testing.T) {
	x := newTrial(t, "s.js", `
		import http from 'k6/http'; const base = __ENV.APP_URL || 'http://127.0.0.1:1';
		export const options = { scenarios: { s: { executor: 'constant-arrival-rate', rate: 20, duration: '1s' } } };
		export default function () { http.get(base); }`)
	x.cfg.Lanes = x.cfg.Lanes[1:]
	x.run.Env = map[string]string{"APP_URL": x.cfg.Lanes[0].URL}
	p := x.start(t.Context(), t)
	require.Equal(t, k6.Exit{}, x.conduct(t, p, nil))
	require.Equal(t, x.b.requests.Load(), x.result(t, p).Result["b"].Warmup.Requests+x.result(t, p).Result["b"].Race.Requests)
	require.Zero(t, x.a.requests.Load())
}

const longScript = `
	import http from 'k6/http';
	export const options = { scenarios: { s: { executor: 'constant-arrival-rate', rate: 20, duration: '30s' } } };
	export default function () { http.get(__ENV.APP_URL); }`

func TestTheUsersEnvironmentDoesNotChangeTheRace(t *testing.T) {
	t.Setenv("K6_ITERATIONS", "1")
	t.Setenv("K6_TAGS", "testid=wrong")
	t.Setenv("K6_NO_SUMMARY", "true")
	t.Setenv("K6_LOG_OUTPUT", "none")
	t.Setenv("MINE", "kept")
	x := newTrial(t, "s.js", `
		import http from 'k6/http';
		export const options = { scenarios: { s: { executor: 'constant-arrival-rate', rate: 20, duration: '1s' } } };
		export default function () { http.get(__ENV.APP_URL, { headers: { 'X-Test': __ENV.MINE } }); }`)
	p := x.start(t.Context(), t)
	require.Equal(t, k6.Exit{}, x.conduct(t, p, nil))
	require.Greater(t, x.result(t, p).Result["a"].Race.Requests, int64(10))
	require.Equal(t, "kept", x.a.header.Load())
	require.FileExists(t, x.run.SummaryPath)
}

func TestAnInterruptedK6TellsWhatItHasMeasured(t *testing.T) {
	x := newTrial(t, "s.js", longScript)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	p := x.start(ctx, t)
	began := time.Now()
	exit := x.conduct(t, p, func(e stream.Event) {
		if e.Type == stream.Progress && e.Progress["a"].Requests > 3 {
			cancel()                          // the caller's context ends,
			require.NoError(t, p.Interrupt()) // and the caller stops k6 too:
			require.NoError(t, p.Interrupt()) // a second signal would make k6 drop its result
		}
	})
	require.Equal(t, 105, exit.Code)
	require.False(t, exit.Killed)
	require.NotEmpty(t, exit.Err)
	require.Less(t, time.Since(began), 15*time.Second)
	require.Positive(t, x.result(t, p).Result["a"].Race.Requests)
}

func TestAKilledK6IsReportedAsKilled(t *testing.T) {
	x := newTrial(t, "s.js", longScript)
	p := x.start(t.Context(), t)
	exit := x.conduct(t, p, func(e stream.Event) {
		if e.Type == stream.Progress {
			require.NoError(t, p.Kill())
		}
	})
	require.Equal(t, k6.Exit{Code: -1, Killed: true, Err: "ended by the signal killed"}, exit)
	require.NoError(t, p.Kill(), "again is fine")
	require.NoError(t, p.Interrupt())
	require.Error(t, p.Go(time.Now()), "nobody listens")
}

func TestAScriptThatFailsInSetupIsExplained(t *testing.T) {
	x := newTrial(t, "s.js", "export function setup() {\n  throw new Error('no token');\n}\nexport default function () {}")
	p := x.start(t.Context(), t)
	exit := x.conduct(t, p, nil)
	require.Equal(t, k6.Exit{Code: 107, ScriptError: true, Err: "Error: no token (s.js:2:9)"}, exit)
}

func TestAK6ThatIsNotThereIsToldAsSuch(t *testing.T) {
	k := k6.K6{Argv: []string{filepath.Join(t.TempDir(), "nope")}, WorkDir: t.TempDir()}
	_, err := k.Start(t.Context(), k6.Run{})
	require.ErrorContains(t, err, "k6 cannot be started")
	require.Equal(t, race.Unavailable, race.CodeOf(err))
	_, err = k6.K6{}.Start(t.Context(), k6.Run{})
	require.Error(t, err)
}

// abandonedRunner starts k6 on the run that it is given as JSON, prints k6's process id and dies without a word to it.
func abandonedRunner(argv []string, text string) {
	var r k6.Run
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		os.Exit(1)
	}
	p, err := k6.K6{Argv: argv}.Start(context.Background(), r)
	if err != nil {
		os.Exit(1)
	}
	for e := range p.Events() {
		if e.Type == stream.Started {
			_ = json.NewEncoder(os.Stdout).Encode(p.PID())
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		}
	}
}
