package stopwatch_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/photofinish/photofinish/runner/k6/stopwatch"
	"github.com/photofinish/photofinish/runner/k6/stream"
	"github.com/stretchr/testify/require"
	"go.k6.io/k6/cmd"
)

// beK6 makes this test binary a k6 with our parts, as the runner's own binary is.
const beK6 = "PHOTOFINISH_TEST_BE_K6"

func TestMain(m *testing.M) {
	if os.Getenv(beK6) != "" {
		stopwatch.Register()
		cmd.Execute() // exits
		return
	}
	os.Exit(m.Run())
}

// heatRun is a k6 process and what it left behind.
type heatRun struct {
	script string
	config *stream.Config // nil: k6 on its own
	args   []string
	hangUp bool          // the runner goes away instead of answering Started
	slow   time.Duration // the runner takes so long to answer it
	json   bool          // keep k6's raw samples

	dir       string
	output    bytes.Buffer
	events    []stream.Event
	raceStart time.Time
	err       error // of the process
}

func (r *heatRun) run(t *testing.T) {
	t.Helper()
	r.dir = t.TempDir()
	script := filepath.Join(r.dir, "script.js")
	require.NoError(t, os.WriteFile(script, []byte(r.script), 0o600))
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	args := append([]string{"run", "--quiet", "--no-color", "--address=", "--summary-export", r.path("summary.json")}, r.args...)
	if r.json {
		args = append(args, "--out", "json="+r.path("raw.json"))
	}
	k6 := exec.CommandContext(ctx, os.Args[0], append(args, script)...)
	k6.Env = append(os.Environ(), beK6+"=1", "K6_NO_USAGE_REPORT=true", "K6_AUTO_EXTENSION_RESOLUTION=false", "HOME="+r.dir)
	k6.Stdout, k6.Stderr = &r.output, &r.output
	if r.config == nil {
		require.NoError(t, k6.Start())
		r.err = k6.Wait()
		return
	}
	text, err := json.Marshal(r.config)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(r.path("heat.json"), text, 0o600))
	k6.Env = append(k6.Env, stream.ConfigEnv+"="+r.path("heat.json"))
	eventsOut, eventsIn, err := os.Pipe()
	require.NoError(t, err)
	commandsOut, commandsIn, err := os.Pipe()
	require.NoError(t, err)
	k6.ExtraFiles = []*os.File{eventsIn, commandsOut}
	require.NoError(t, k6.Start())
	require.NoError(t, eventsIn.Close())
	require.NoError(t, commandsOut.Close())
	r.listen(t, eventsOut, commandsIn)
	r.err = k6.Wait()
}

// listen is the runner's side of the wire.
func (r *heatRun) listen(t *testing.T, events, commands *os.File) {
	t.Helper()
	defer events.Close()
	defer commands.Close()
	lines := bufio.NewScanner(events)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var e stream.Event
		require.NoError(t, json.Unmarshal(lines.Bytes(), &e))
		r.events = append(r.events, e)
		if e.Type != stream.Started {
			continue
		}
		if r.hangUp {
			return
		}
		time.Sleep(r.slow)
		r.raceStart = e.At.Add(r.config.Warmup + r.slow)
		text, err := json.Marshal(stream.Command{RaceStart: r.raceStart.UnixNano()})
		require.NoError(t, err)
		_, err = commands.Write(append(text, '\n'))
		require.NoError(t, err)
	}
	require.NoError(t, lines.Err())
}

func (r *heatRun) path(name string) string { return filepath.Join(r.dir, name) }

// result is the last event, which must be the only Result.
func (r *heatRun) result(t *testing.T) stream.Event {
	t.Helper()
	require.NotEmpty(t, r.events, r.output.String())
	last := r.events[len(r.events)-1]
	require.Equal(t, stream.Result, last.Type, r.output.String())
	return last
}

// point is one raw sample of k6's JSON output.
type point struct {
	Type   string `json:"type"`
	Metric string `json:"metric"`
	Data   struct {
		Time  time.Time         `json:"time"`
		Value float64           `json:"value"`
		Tags  map[string]string `json:"tags"`
	} `json:"data"`
}

func (r *heatRun) points(t *testing.T, metric string) []point {
	t.Helper()
	f, err := os.Open(r.path("raw.json"))
	require.NoError(t, err)
	defer f.Close()
	var points []point
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var p point
		require.NoError(t, json.Unmarshal(lines.Bytes(), &p))
		if p.Type == "Point" && p.Metric == metric {
			points = append(points, p)
		}
	}
	require.NoError(t, lines.Err())
	return points
}

// app is a server that answers at once, and with an error every tenth time if flaky.
func app(t *testing.T, flaky bool) *httptest.Server {
	t.Helper()
	requests := make(chan int, 1)
	requests <- 0
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		n := <-requests + 1
		requests <- n
		if flaky && n%10 == 0 {
			w.WriteHeader(http.StatusInternalServerError)
		}
	}))
	t.Cleanup(s.Close)
	return s
}

func block(start, end time.Duration) stream.Block { return stream.Block{Start: start, End: end} }
