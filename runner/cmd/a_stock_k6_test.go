package cmd_test

import (
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/compare"
	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/metrics/promserver"
)

// stockRace is a race that a stock k6 ran by hand, with the testid ab2.
type stockRace struct {
	prometheus *promserver.Server
	raw        raw
	ended      time.Time
}

func runStock(t *testing.T) stockRace {
	t.Helper()
	dir := t.TempDir()
	build := exec.Command("go", "build", "-o", filepath.Join(dir, "k6"), "go.k6.io/k6")
	said, err := build.CombinedOutput()
	require.NoError(t, err, "%s", said)
	server, err := promserver.Start(t.Context(), promserver.Options{Dir: filepath.Join(dir, "metrics")})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Close()) })
	control, _ := elsewhere(t, "/", 5*time.Millisecond)
	slow, _ := elsewhere(t, "/", 20*time.Millisecond)
	script := filepath.Join(dir, "ab.js")
	require.NoError(t, os.WriteFile(script, fmt.Appendf(nil, `import http from 'k6/http';
const load = { executor: 'constant-arrival-rate', rate: 50, timeUnit: '1s', duration: '4s', preAllocatedVUs: 10 };
export const options = { scenarios: {
  control: Object.assign({}, load, { tags: { app: 'control' }, env: { APP_URL: '%s' } }),
  slow: Object.assign({}, load, { tags: { app: 'slow' }, env: { APP_URL: '%s' } }),
} };
export default function () { http.get(__ENV.APP_URL); }
`, control, slow), 0o600))
	file := filepath.Join(dir, "raw.json")
	k6 := exec.Command(filepath.Join(dir, "k6"), "run", "--quiet", "--no-usage-report", "--out", "experimental-prometheus-rw", "--out", "json="+file, "--tag", "testid=ab2", script)
	k6.Env = append(os.Environ(), "K6_PROMETHEUS_RW_SERVER_URL="+server.RemoteWriteURL(), "K6_PROMETHEUS_RW_TREND_AS_NATIVE_HISTOGRAM=true",
		"K6_PROMETHEUS_RW_PUSH_INTERVAL=1s")
	said, err = k6.CombinedOutput()
	require.NoError(t, err, "%s", said)
	return stockRace{server, readRaw(t, file), time.Now()}
}

// TestARaceOfAStockK6IsCompared stands in the first file of this package, so that what it waits for has passed when the others are done.
func TestARaceOfAStockK6IsCompared(t *testing.T) {
	s := runStock(t)
	url := s.prometheus.URL()
	ask := func(args ...string) finished {
		return run(t.Context(), t, "", append([]string{"compare", "--prometheus-url", url}, args...)...)
	}
	f := ask("ab2")
	require.Equal(t, 2, f.code)
	require.Contains(t, f.stderr, "race ab2 has no baseline; its apps are control, slow")
	f = ask("ab3", "--baseline", "control")
	require.Equal(t, 2, f.code)
	require.Contains(t, f.stderr, `no race "ab3"`)
	require.Contains(t, f.stderr, "the newest are ab2")

	t.Parallel() // nothing races from here on: it only waits until the race counts as finished, while other tests run
	time.Sleep(time.Until(s.ended.Add(compare.Silence + 2*time.Second)))
	f = ask("ab2", "--baseline", "control")
	require.Equal(t, 0, f.code)
	require.Contains(t, f.stdout, "inconclusive")
	require.Contains(t, f.stdout, "1 heat was paired")
	f = ask("ab2", "--baseline", "control", "--json")
	require.Equal(t, 0, f.code)
	r := onlyRecord(t, f.stdout)
	require.NotEmpty(t, r.Verdicts)
	for _, v := range r.Verdicts {
		require.Equal(t, race.Inconclusive, v.Outcome, v.Measure)
	}
	schema3 := math.Pow(2, 1.0/8) - 1 // the width of a bucket of a stock k6
	for _, l := range r.Lanes {
		require.Len(t, s.raw.latencies[l.App], int(l.Client.Requests))
		for id := range percentiles {
			s.raw.agrees(t, l.App, id, *l.Measures[id], schema3)
		}
		require.Nil(t, l.Measures["cpu_ms_per_request"])
	}
	require.Contains(t, f.stderr, "cAdvisor", "a notice says why there is no CPU")
}
