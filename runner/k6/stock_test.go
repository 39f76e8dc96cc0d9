package k6_test

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/definition"
	"github.com/photofinish/photofinish/runner/k6"
	"github.com/photofinish/photofinish/runner/k6/stream"
	"github.com/stretchr/testify/require"
)

func TestWhatAStockK6CountedIsRead(t *testing.T) {
	d := definitionOf(t, `{"scenarios": {"load": {"executor": "constant-arrival-rate", "rate": 50, "duration": "4s", "preAllocatedVUs": 5}},
		"thresholds": {"checks": [{"threshold": "rate>0.99", "abortOnFail": true}], "vus": ["value<5"]}}`, definition.Overrides{})
	h, err := k6.WriteHeat(t.TempDir(), d, stream.Config{Heat: 1, Lanes: turns()}, k6.HeatOptions{Stock: true})
	require.NoError(t, err)
	_, _, is, err := h.ReadStock("the script's own words")
	require.NoError(t, err)
	require.False(t, is)
	_, _, is, err = h.ReadStock("photofinish-summary {")
	require.True(t, is)
	require.ErrorContains(t, err, "k6's summary cannot be read")

	totals, summary, is, err := h.ReadStock(`photofinish-summary {
		"http_reqs{app:a,phase:race}": {"values": {"count": 200, "rate": 50}}, "http_req_failed{app:a,phase:race}": {"values": {"passes": 3, "fails": 197}},
		"checks{app:a,phase:race}": {"values": {"passes": 190, "fails": 10}, "thresholds": {"rate>0.99": {"ok": false}}}, "iterations{app:a,phase:race}": {"values": {"count": 200}},
		"data_sent{app:a,phase:race}": {"values": {"count": 1000}}, "data_received{app:a,phase:race}": {"values": {"count": 2000}},
		"http_req_duration{app:a,phase:race}": {"values": {"avg": 2, "min": 1, "max": 30, "count": 200}},
		"dropped_iterations{scenario:02-a-load}": {"values": {"count": 4}}, "http_reqs": {"values": {"count": 999}},
		"vus": {"values": {"value": 9}, "thresholds": {"value<5": {"ok": false}, "value<50": {"ok": true}}}}`)
	require.NoError(t, err)
	require.True(t, is)
	a := totals["a"]
	require.Equal(t, []int64{200, 3, 190, 10, 200, 4}, []int64{a.Requests, a.Failed, a.ChecksPassed, a.ChecksFailed, a.Iterations, a.Dropped})
	require.Equal(t, []float64{1000, 2000}, []float64{a.DataSent, a.DataReceived})
	require.InDelta(t, .002, a.Latency.Mean(), 1e-12)
	require.Equal(t, []float64{.001, .03}, []float64{a.Latency.Min, a.Latency.Max})
	require.Zero(t, totals["b"].Requests, "a lane without requests is there too")
	require.Equal(t, k6.LaneSummary{Requests: 200, Failed: 3}, summary.Lanes["a"])
	require.Equal(t, []k6.Judged{
		{App: "a", Condition: "checks: rate>0.99", Abort: true, Crossed: true},
		{Condition: "vus: value<5", Crossed: true},
		{Condition: "vus: value<50"},
	}, summary.Judged)
}

// packed lists what is in an archive of a script in a folder.
func packed(t *testing.T, k k6.K6, dir, script string) (names []string, err error) {
	t.Helper()
	d := race.Definition{Script: filepath.Join(dir, script), Scenarios: []race.Scenario{{Name: "load", Exec: "default", Executor: "per-vu-iterations"}}}
	h, err := k6.WriteHeat(t.TempDir(), d, stream.Config{Heat: 1, Probe: true, Lanes: turns()}, k6.HeatOptions{Stock: true})
	require.NoError(t, err)
	path, err := k.Archive(t.Context(), h.Wrapper, nil)
	if err != nil {
		return nil, err
	}
	f, err := os.Open(path)
	require.NoError(t, err)
	defer f.Close()
	for r := tar.NewReader(f); ; {
		entry, err := r.Next()
		if errors.Is(err, io.EOF) {
			return names, nil
		}
		require.NoError(t, err)
		text, err := io.ReadAll(r)
		require.NoError(t, err)
		require.NotContains(t, string(text), "a secret of the environment")
		names = append(names, filepath.Base(entry.Name))
	}
}

func TestOnlyWhatTheScriptNeedsIsPacked(t *testing.T) {
	t.Setenv("A_SECRET", "a secret of the environment")
	dir := files(t, map[string]string{
		"s.js":       "import { x } from './x.js'; const data = open('./data.csv'); export default function () { return x + data; }",
		"x.js":       "export const x = 1;",
		"data.csv":   "a,b",
		"secret.pem": "-----BEGIN",
	})
	names, err := packed(t, newK6(t), dir, "s.js")
	require.NoError(t, err)
	for _, name := range []string{"s.js", "x.js", "data.csv", "wrapper.js", "environment.js"} {
		require.Contains(t, names, name)
	}
	require.NotContains(t, names, "secret.pem")
}

func TestAScriptThatCannotBePackedIsToldOf(t *testing.T) {
	dir := files(t, map[string]string{
		"big.js":  "const data = open('./big.bin', 'b'); export default function () {}",
		"lost.js": "import './nowhere.js'; export default function () {}",
	})
	f, err := os.Create(filepath.Join(dir, "big.bin"))
	require.NoError(t, err)
	require.NoError(t, f.Truncate(65<<20))
	require.NoError(t, f.Close())
	_, err = packed(t, newK6(t), dir, "big.js")
	require.Equal(t, race.Invalid, race.CodeOf(err))
	require.ErrorContains(t, err, "a k6 in a container is handed at most 64MiB")
	require.Contains(t, race.HintOf(err), "built in")
	_, err = packed(t, newK6(t), dir, "lost.js")
	require.ErrorContains(t, err, "cannot be packed")
	require.ErrorContains(t, err, "nowhere.js")
}

func TestTheMachinesOwnVariablesStayOnTheMachine(t *testing.T) {
	k := k6.K6{Env: []string{"TOKEN=x", "HOME=/root", "PATH=/bin", "LD_PRELOAD=y", "K6_VUS=3", "K6_NO_SETUP=true", "DOCKER_HOST=z"}}
	env := strings.Join(k.ScriptEnv(), " ")
	require.Contains(t, env, "TOKEN=x")
	require.Contains(t, env, "K6_NO_USAGE_REPORT=true")
	for _, name := range []string{"HOME", "PATH", "LD_PRELOAD", "K6_VUS", "K6_NO_SETUP", "DOCKER_HOST"} {
		require.NotContains(t, env, name+"=", fmt.Sprint("not ", name))
	}
}

func TestWhatOneK6DidNotKeepToIsCrossed(t *testing.T) {
	part := func(requests int64, crossed ...bool) k6.Summary {
		s := k6.Summary{Lanes: map[string]k6.LaneSummary{"a": {Requests: requests, Failed: 1}}}
		for i, c := range crossed {
			s.Judged = append(s.Judged, k6.Judged{App: []string{"a", "b"}[i], Condition: "checks: rate>0.5", Crossed: c})
		}
		return s
	}
	joined := k6.JoinSummaries([]k6.Summary{part(3, false, true), part(4, false, false), part(5, false, false)})
	require.Equal(t, part(12, false, true).Judged, joined.Judged)
	require.Equal(t, k6.LaneSummary{Requests: 12, Failed: 3}, joined.Lanes["a"])
	require.Empty(t, k6.JoinSummaries(nil).Judged)
}
