package k6_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/definition"
	"github.com/stretchr/testify/require"
)

func sample(name string) string { return filepath.Join("..", "..", "tests", name) }

func TestTheSampleScriptsCarryTheirRace(t *testing.T) {
	for name, apps := range map[string][]string{
		"simple-test.js":   {"control", "high-latency"},
		"ab-test.js":       {"control", "high-latency", "high-cpu", "memory-leak"},
		"measures-test.js": {"control", "high-latency"},
	} {
		t.Run(name, func(t *testing.T) {
			found, err := newK6(t).Inspect(t.Context(), sample(name), nil)
			require.NoError(t, err)
			require.False(t, found.ReadsURLAtInit())
			d, err := definition.Parse(definition.Script{
				Options: found.Options, Exports: found.Exports, HasDefault: found.HasDefault, LaneOrder: found.LaneOrder,
			}, sample(name), definition.Overrides{})
			require.NoError(t, err)
			require.Equal(t, "control", d.Baseline)
			require.Equal(t, 8, d.Heats)
			require.Positive(t, *d.Load.Rate)
			var got []string
			for i, l := range d.Lanes {
				got = append(got, l.App)
				require.Equal(t, race.LaneSpec{
					App: l.App, Command: []string{l.App}, Image: "photofinish/" + l.App, Port: 4000 + i, Path: "/" + l.App, Resources: l.Resources,
				}, l)
				require.InDelta(t, 0.5, *l.CPUs, 0)
				require.Equal(t, int64(128<<20), *l.Memory)
			}
			require.Equal(t, apps, got)
			// A heat in turns: every lane's load, the warm-up, and about a second to begin and end.
			heat := time.Duration(len(apps))*d.Duration + d.Warmup + time.Second
			require.Less(t, time.Duration(d.Heats)*heat, 3*time.Minute)
		})
	}
}

// stockK6 runs a k6 without our parts, as somebody would by hand.
func stockK6(t *testing.T, env []string, args ...string) (output string, code int) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), self(t), append([]string{stock}, args...)...)
	cmd.Env = append(append(os.Environ(), "K6_NO_USAGE_REPORT=true"), env...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return out.String(), exit.ExitCode()
	}
	require.NoError(t, err)
	return out.String(), 0
}

func TestTheSampleScriptsRunUnderAStockK6(t *testing.T) {
	a := newApp(t)
	out, code := stockK6(t, nil, "run", "--address=", "-e", "APP_URL="+a.URL, sample("simple-test.js"), "--duration", "1s")
	require.Zero(t, code, out)
	require.Positive(t, a.requests.Load())
	require.Contains(t, out, "status is 200")

	var pushes atomic.Int64
	sink := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { pushes.Add(1) }))
	defer sink.Close()
	exported := filepath.Join(t.TempDir(), "summary.json")
	out, code = stockK6(t, []string{"K6_PROMETHEUS_RW_SERVER_URL=" + sink.URL}, "run", "--address=", "--no-thresholds", "--quiet", "--summary-export", exported,
		"--out=experimental-prometheus-rw", "--tag", "testid=ab2", sample("ab-test.js"))
	require.Zero(t, code, out)
	require.Positive(t, pushes.Load())
	text, err := os.ReadFile(exported)
	require.NoError(t, err)
	var summary struct {
		Metrics struct {
			Iterations struct{ Count float64 } `json:"iterations"`
		} `json:"metrics"`
	}
	require.NoError(t, json.Unmarshal(text, &summary))
	require.InDelta(t, 4*4*50, summary.Metrics.Iterations.Count, 40, "4 lanes x 4 s x 50/s, whether or not the apps run here")
}
