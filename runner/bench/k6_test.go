package bench

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/definition"
	"github.com/photofinish/photofinish/runner/k6"
	"github.com/photofinish/photofinish/runner/k6/stream"
	"github.com/photofinish/photofinish/runner/metrics/promserver"
)

// The load that k6 is measured with.
const (
	lap    = 10 * time.Second
	warmup = time.Second // of our k6; the stock one has a longer duration instead
	vus    = 20          // per lane
)

// track is where k6 runs: apps, a Prometheus, and one script for both k6.
type track struct {
	programs
	apps   []app
	rate   int // per lane
	script string
	store  *promserver.Server
	def    race.Definition
	heat   int
}

func newTrack(b *testing.B, p programs, rate int, names ...string) *track {
	b.Helper()
	t := &track{programs: p, rate: rate, apps: p.startApps(b, names...)}
	var err error
	t.store, err = promserver.Start(b.Context(), promserver.Options{})
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, t.store.Close()) })
	t.script = t.write(b, lap)
	seen, err := t.k6(b).Inspect(b.Context(), t.script, nil)
	require.NoError(b, err)
	var lanes []string
	for _, a := range t.apps {
		lanes = append(lanes, a.name+"="+a.url)
	}
	t.def, err = definition.Parse(definition.Script{
		Options: seen.Options, Exports: seen.Exports, HasDefault: seen.HasDefault, LaneOrder: seen.LaneOrder,
	}, t.script, definition.Overrides{Lanes: lanes})
	require.NoError(b, err)
	return t
}

func (t *track) k6(b *testing.B) k6.K6 {
	b.Helper()
	return k6.K6{Argv: []string{t.runner, "k6"}, WorkDir: b.TempDir()}
}

// write writes the script; a scenario for each app, as a stock k6 needs them.
func (t *track) write(b *testing.B, duration time.Duration) string {
	b.Helper()
	scenarios := map[string]any{}
	for _, a := range t.apps {
		scenarios[a.name] = map[string]any{
			"executor": "constant-arrival-rate", "rate": t.rate, "timeUnit": "1s", "duration": duration.String(), "preAllocatedVUs": vus,
			"tags": map[string]string{"app": a.name}, "env": map[string]string{"APP_URL": a.url},
		}
	}
	text, err := json.Marshal(map[string]any{"scenarios": scenarios})
	require.NoError(b, err)
	path := filepath.Join(b.TempDir(), "script.js")
	require.NoError(b, os.WriteFile(path, []byte("import http from 'k6/http';\nexport const options = "+string(text)+
		";\nexport default function () { http.get(__ENV.APP_URL); }\n"), 0o600))
	return path
}

// cost is what k6 used for a number of requests.
type cost struct {
	cpu      time.Duration
	requests int64
}

// perRequest is in microseconds.
func (c cost) perRequest() float64 { return float64(c.cpu.Microseconds()) / float64(c.requests) }

// stockRun runs `k6 run --out experimental-prometheus-rw` with native histograms, else as it is by default: it pushes every 5 s.
func (t *track) stockRun(b *testing.B, env ...string) cost {
	b.Helper()
	script, summary := t.write(b, lap+warmup), filepath.Join(b.TempDir(), "summary.json")
	cmd := exec.CommandContext(b.Context(), t.stock, "run", "--quiet", "--no-color", "--address=", "--summary-export", summary,
		"--tag", "testid=stock", "--out", "experimental-prometheus-rw", script)
	cmd.Env = append(without(os.Environ(), "GOMAXPROCS"), "K6_NO_USAGE_REPORT=true", "K6_AUTO_EXTENSION_RESOLUTION=false",
		"K6_PROMETHEUS_RW_SERVER_URL="+t.store.RemoteWriteURL(), "K6_PROMETHEUS_RW_TREND_AS_NATIVE_HISTOGRAM=true", "K6_PROMETHEUS_RW_STALE_MARKERS=true")
	cmd.Env = append(cmd.Env, env...)
	requests := summarised(b, cmd, summary)["http_reqs"]
	c := cost{cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), requests.Count}
	t.checkCount(b, c.requests)
	return c
}

// counter is a Counter in a summary of k6's.
type counter struct {
	Count int64   `json:"count"`
	Rate  float64 `json:"rate"`
}

// summarised runs a k6 that exports its summary, and reads what it counted, by metric.
func summarised(b *testing.B, k6 *exec.Cmd, summary string) map[string]counter {
	b.Helper()
	said, err := k6.CombinedOutput()
	require.NoError(b, err, "%s", said)
	text, err := os.ReadFile(summary)
	require.NoError(b, err)
	var exported struct {
		Metrics map[string]counter `json:"metrics"`
	}
	require.NoError(b, json.Unmarshal(text, &exported))
	return exported.Metrics
}

func without(env []string, name string) []string {
	var rest []string
	for _, kv := range env {
		if !strings.HasPrefix(kv, name+"=") {
			rest = append(rest, kv)
		}
	}
	return rest
}

// checkCount makes sure that a run did its work: within 2% of what was planned.
func (t *track) checkCount(b *testing.B, requests int64) {
	b.Helper()
	require.InEpsilon(b, float64(t.rate*len(t.apps))*(lap+warmup).Seconds(), float64(requests), 0.02)
}

// variant is a way to run our k6.
type variant struct {
	perLane bool // a process for each lane
	allCPUs bool // without the policy for one CPU
}

// raceRun runs one heat as the coordinator does. The results are by app.
func (t *track) raceRun(b *testing.B, v variant) (cost, map[string]stream.LaneResult) {
	b.Helper()
	t.heat++
	all := stream.Config{RaceID: "bench", Heat: t.heat, RemoteWriteURL: t.store.RemoteWriteURL(), Warmup: warmup, Seed: uint64(t.heat)}
	var parts []stream.Config
	for i := range t.apps {
		a := t.apps[(i+t.heat)%len(t.apps)] // the order rotates, as in a race
		all.Lanes = append(all.Lanes, stream.Lane{App: a.name, URL: a.url, Blocks: []stream.Block{{End: lap}}})
	}
	if v.perLane {
		for _, l := range all.Lanes {
			part := all
			part.Lanes = []stream.Lane{l}
			parts = append(parts, part)
		}
	} else {
		parts = append(parts, all)
	}
	var processes []*k6.Process
	for i, part := range parts {
		processes = append(processes, t.start(b, part, fmt.Sprintf("heat-%d-%d", t.heat, i), v))
	}
	results := map[string]stream.LaneResult{}
	var sum cost
	done := make(chan map[string]stream.LaneResult)
	for _, p := range processes {
		go func() { done <- follow(p) }()
	}
	for range processes {
		for app, r := range <-done {
			results[app] = r
			sum.requests += r.Warmup.Requests + r.Race.Requests
		}
	}
	for _, p := range processes {
		e, err := p.Wait()
		require.NoError(b, err)
		require.Zero(b, e.Code, "%v", p.Logs())
		sum.cpu += e.CPU
	}
	t.checkCount(b, sum.requests)
	return sum, results
}

func (t *track) start(b *testing.B, cfg stream.Config, name string, v variant) *k6.Process {
	b.Helper()
	clock := t.k6(b)
	dir := filepath.Join(clock.WorkDir, name)
	require.NoError(b, os.Mkdir(dir, 0o700))
	files, err := k6.WriteHeat(dir, t.def, cfg, k6.HeatOptions{})
	require.NoError(b, err)
	run := k6.Run{
		Wrapper: files.Wrapper, ConfigPath: files.Config, SummaryPath: filepath.Join(dir, "summary.json"),
		RaceID: cfg.RaceID, Heat: cfg.Heat, RemoteWriteURL: cfg.RemoteWriteURL, CPUs: files.CPUs,
	}
	if v.allCPUs {
		run.CPUs = 0
	}
	p, err := clock.Start(b.Context(), run)
	require.NoError(b, err)
	return p
}

// follow answers k6 and keeps its results.
func follow(p *k6.Process) map[string]stream.LaneResult {
	results := map[string]stream.LaneResult{}
	for ev := range p.Events() {
		if ev.Type == stream.Started {
			_ = p.Go(ev.At.Add(warmup)) // one that does not listen has ended, and its exit says so
		}
		for app, r := range ev.Result {
			results[app] = r
		}
	}
	return results
}
