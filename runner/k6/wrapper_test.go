package k6_test

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/definition"
	"github.com/photofinish/photofinish/runner/k6"
	"github.com/photofinish/photofinish/runner/k6/stream"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the golden files")

const seconds = time.Second

func together(app, url string, d time.Duration) stream.Lane {
	return stream.Lane{App: app, URL: url, Blocks: []stream.Block{{End: d}}}
}

// turns are two lanes that take turns of 2 s, with 100 ms between them.
func turns() []stream.Lane {
	gap := 100 * time.Millisecond
	block := func(i int) stream.Block {
		start := time.Duration(i) * (2*seconds + gap)
		return stream.Block{Start: start, End: start + 2*seconds}
	}
	return []stream.Lane{
		{App: "b", URL: "http://localhost:2/b", Blocks: []stream.Block{block(0), block(2)}},
		{App: "a", URL: "http://localhost:1/a", Blocks: []stream.Block{block(1), block(3)}},
	}
}

func definitionOf(t *testing.T, options string, o definition.Overrides) race.Definition {
	t.Helper()
	script := filepath.Join(t.TempDir(), "script.js")
	require.NoError(t, os.WriteFile(script, []byte("export default function () {}"), 0o600))
	s := definition.Script{Options: json.RawMessage(options), Exports: []string{"default", "browse", "my-flow"}, HasDefault: true}
	o.Lanes = append(o.Lanes, "a=http://localhost:1/a", "b=http://localhost:2/b")
	d, err := definition.Parse(s, script, o)
	require.NoError(t, err)
	return d
}

func TestTheWrapperOfAHeat(t *testing.T) {
	both := []stream.Lane{together("b", "http://localhost:2/b", 4*seconds), together("a", "http://localhost:1/a", 4*seconds)}
	for name, c := range map[string]struct {
		options string
		lanes   []stream.Lane
		probe   bool
		notes   int
		stock   bool
	}{
		"an open model in both lanes": {`{"scenarios": {"load": {"executor": "constant-arrival-rate", "rate": 120, "timeUnit": "1m", "duration": "4s", "preAllocatedVUs": 5, "gracefulStop": "3s"}}}`, both, false, 0, false},
		"a probe":                     {`{"scenarios": {"load": {"executor": "ramping-vus", "exec": "my-flow", "stages": [{"duration": "4s", "target": 3}]}}, "systemTags": ["status", "url"]}`, both, true, 0, false},
		"tagged scenarios keep theirs": {`{"scenarios": {
			"x": {"executor": "constant-vus", "vus": 2, "duration": "4s", "exec": "browse", "env": {"APP_URL": "http://old", "K": "v"}, "tags": {"app": "a", "team": "own"}, "startTime": "1s"},
			"y": {"executor": "per-vu-iterations", "iterations": 9, "vus": 2, "maxDuration": "5s", "tags": {"app": "b"}}},
			"tags": {"team": "all", "testid": "mine", "site": "x"}, "userAgent": "me", "ext": {"photofinish": {}}}`, both, false, 0, false},
		"thresholds": {`{"thresholds": {"http_req_duration": ["p(95)<200", {"threshold": "p(99)<300", "abortOnFail": true, "delayAbortEval": "1s"}],
			"http_req_duration{app:a}": ["p(50)<9"], "checks{check:ok,app:gone}": ["rate>0.9"], "vus": ["value>0"], "http_req_failed{group:::login}": ["rate<0.1"]}}`, both[:1], false, 1, false},
		"ramps in turns": {`{"scenarios": {
			"open": {"executor": "ramping-arrival-rate", "startRate": 10, "stages": [{"duration": "3s", "target": 100}, {"duration": "1s", "target": 0}], "maxVUs": 40},
			"closed": {"executor": "ramping-vus", "startVUs": 0, "stages": [{"duration": "2s", "target": 8}, {"duration": "2s", "target": 1}], "gracefulRampDown": "1s"}}}`, turns(), false, 0, false},
		"late and early scenarios in turns": {`{"scenarios": {
			"late": {"executor": "constant-arrival-rate", "rate": 10, "duration": "1s", "startTime": "3s", "preAllocatedVUs": 2},
			"early": {"executor": "constant-vus", "vus": 1, "duration": "1s"}}}`, turns(), false, 0, false},
		"a stock k6 in turns": {`{"scenarios": {
			"open": {"executor": "ramping-arrival-rate", "startRate": 10, "stages": [{"duration": "3s", "target": 100}, {"duration": "1s", "target": 0}], "maxVUs": 40},
			"late": {"executor": "constant-arrival-rate", "rate": 10, "duration": "1s", "startTime": "2s", "preAllocatedVUs": 2},
			"closed": {"executor": "constant-vus", "vus": 2, "duration": "4s"}},
			"summaryTrendStats": ["p(99)"], "systemTags": ["status"], "noSetup": true, "thresholds": {"http_req_duration": ["p(95)<200"]}}`, turns(), false, 0, true},
		"a probe of a stock k6": {`{}`, both, true, 0, true},
	} {
		t.Run(name, func(t *testing.T) {
			d := definitionOf(t, c.options, definition.Overrides{Arrivals: "poisson"})
			cfg := stream.Config{RaceID: "r1", Heat: 3, Warmup: 2 * seconds, Seed: 7, Lanes: c.lanes, Probe: c.probe}
			dir := t.TempDir()
			h, err := k6.WriteHeat(dir, d, cfg, k6.HeatOptions{Stock: c.stock, Starter: "http://127.0.0.1:9/start"})
			require.NoError(t, err)
			require.Len(t, h.Notes, c.notes)

			text, err := os.ReadFile(h.Wrapper)
			require.NoError(t, err)
			got := strings.ReplaceAll(string(text), filepath.Dir(d.Script), "/user")
			golden := filepath.Join("testdata", strings.ReplaceAll(name, " ", "-")+".js")
			if *update {
				require.NoError(t, os.MkdirAll("testdata", 0o750))
				require.NoError(t, os.WriteFile(golden, []byte(got), 0o600))
			}
			want, err := os.ReadFile(golden)
			require.NoError(t, err, "run with -update once")
			require.Equal(t, string(want), got)

			settings, err := os.ReadFile(h.Config)
			require.NoError(t, err)
			var read stream.Config
			require.NoError(t, json.Unmarshal(settings, &read))
			require.Equal(t, cfg, read)

			// k6 itself understands it.
			_, err = newK6(t).Inspect(t.Context(), h.Wrapper, nil)
			require.NoError(t, err)
		})
	}
}

func TestThresholdsThatK6CannotReadAreNamed(t *testing.T) {
	for expression, conditions := range map[string]string{"http_reqs{": `["x"]`, "http_reqs": `["rate>1", 3]`} {
		d := definitionOf(t, `{}`, definition.Overrides{})
		d.Thresholds = map[string]json.RawMessage{expression: json.RawMessage(conditions)}
		_, err := k6.WriteHeat(t.TempDir(), d, stream.Config{Lanes: turns()}, k6.HeatOptions{})
		require.ErrorContains(t, err, expression)
		require.Equal(t, race.Invalid, race.CodeOf(err))
	}
}

func TestAFolderThatCannotBeWrittenIsToldAsSuch(t *testing.T) {
	_, err := k6.WriteHeat(filepath.Join(t.TempDir(), "gone"), definitionOf(t, `{}`, definition.Overrides{}), stream.Config{Lanes: turns()}, k6.HeatOptions{})
	require.ErrorContains(t, err, "write the files of k6")
	require.Equal(t, race.Unavailable, race.CodeOf(err))
}
