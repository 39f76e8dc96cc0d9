package datasource_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/pprof/profile"
	"github.com/grafana/grafana-plugin-sdk-go/data"
	"github.com/grafana/grafana-plugin-sdk-go/genproto/pluginv2"
	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/runner/engine/enginetest"
)

// profiledScript races three of the sample apps, and profiles them. Of the memory more is sampled than by default, where 100 requests give ten samples.
const profiledScript = `import http from 'k6/http';
export const options = {
  scenarios: { load: { executor: 'constant-arrival-rate', rate: 50, timeUnit: '1s', duration: '2s', preAllocatedVUs: 10 } },
  ext: { photofinish: { heats: 1, warmup: '300ms', lanes: {
    control: { command: ['%[1]s/control'], port: %[2]d, path: '/control', profile: { pprof: '/debug/pprof' } },
    'memory-leak': { command: ['%[1]s/memory-leak'], port: %[4]d, path: '/memory-leak', env: { GODEBUG: 'memprofilerate=4096' }, profile: { pprof: '/debug/pprof' } },
    'high-cpu': { command: ['%[1]s/high-cpu'], port: %[3]d, path: '/high-cpu', profile: { pprof: '/debug/pprof' } },
  } } },
};
export default function () { http.get(__ENV.APP_URL); }
`

// TestTheFlameGraphsOfARealRace asks the binary for what a real runner took of the sample apps, over Grafana's protocol.
func TestTheFlameGraphsOfARealRace(t *testing.T) {
	apps := t.TempDir()
	build := exec.Command("go", "build", "-o", apps, "./testapps/control", "./testapps/high-cpu", "./testapps/memory-leak")
	build.Dir, build.Stderr = root, os.Stderr
	require.NoError(t, build.Run())
	runner, prometheus := serveRunner(t, map[string]string{"profiled.js": fmt.Sprintf(profiledScript, filepath.ToSlash(apps), enginetest.FreePort(t), enginetest.FreePort(t), enginetest.FreePort(t))})
	b := startBinary(t)
	settings := settingsOf("pf", prometheus, fmt.Sprintf(`{"runnerUrl":%q}`, runner), map[string]string{"runnerToken": runnerToken})
	settings.User = &pluginv2.User{Login: "vi", Role: "Viewer"}

	ask, err := http.NewRequest(http.MethodPost, runner.JoinPath("v1", "races").String(), bytes.NewBufferString(`{"script":"profiled.js"}`))
	require.NoError(t, err)
	ask.Header = http.Header{"Authorization": {"Bearer " + runnerToken}, "Content-Type": {"application/json"}}
	answer, err := http.DefaultClient.Do(ask)
	require.NoError(t, err)
	defer answer.Body.Close()
	var accepted struct{ ID string }
	require.NoError(t, json.NewDecoder(answer.Body).Decode(&accepted))
	require.Eventually(t, func() bool {
		_, body := b.call(t, settings, http.MethodGet, "races/"+accepted.ID)
		var r struct{ Status string }
		return json.Unmarshal([]byte(body), &r) == nil && r.Status == "finished"
	}, 2*time.Minute, 200*time.Millisecond)

	flames := func(query string) *data.Frame {
		raw := fmt.Sprintf(`{"queryType":"profile","races":[%q],%s}`, accepted.ID, query)
		now := time.Now().UnixMilli()
		response := b.query(t, settings, &pluginv2.DataQuery{RefId: "A", Json: []byte(raw), IntervalMS: 1000, MaxDataPoints: 100, TimeRange: &pluginv2.TimeRange{FromEpochMS: now - 3600_000, ToEpochMS: now}})["A"]
		require.NoError(t, response.Error)
		require.EqualValues(t, data.VisTypeFlameGraph, response.Frames[0].Meta.PreferredVisualization)
		return response.Frames[0]
	}
	cpu := flames(`"apps":["high-cpu"]`)
	require.InDelta(t, 4e6, rootOf(cpu, "value"), 3.5e6, "ns of CPU for a request: about 4 ms")
	require.True(t, slices.ContainsFunc(rowsOf(cpu, "label"), func(label string) bool { return label == "main.chain" }), "the function that does the work")
	diff := flames(`"apps":["high-cpu"],"field":"cpu_diff"`)
	require.InDelta(t, rootOf(diff, "value"), rootOf(diff, "valueRight"), 1, "both sides are levelled")
	require.Contains(t, rowsOf(diff, "label"), "(control takes less)")
	leak := flames(`"apps":["memory-leak"],"field":"inuse"`)
	require.InDelta(t, 115*50_000+1e6, rootOf(leak, "value"), 1e6, "bytes in use: 50 kB of each of 100 requests and 15 of the warm-up, and 1 MB of the app itself")
	require.Contains(t, rowsOf(leak, "label"), "main.(*leaker).answer")
	require.InDelta(t, 55_000, rootOf(flames(`"apps":["memory-leak"],"field":"heap"`), "value"), 10_000, "bytes allocated for a request: those that leak, and its handling")

	status, body := b.call(t, settings, http.MethodGet, "races/"+accepted.ID+"/profiles/high-cpu/cpu")
	require.Equal(t, http.StatusOK, status)
	p, err := profile.ParseData([]byte(body))
	require.NoError(t, err)
	require.InDelta(t, 2e9, p.DurationNanos, 5e8)
}

// rootOf is a value of the whole graph.
func rootOf(f *data.Frame, column string) float64 {
	field, _ := f.FieldByName(column)
	return field.At(0).(float64)
}
