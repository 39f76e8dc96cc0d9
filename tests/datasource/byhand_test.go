package datasource_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/grafana/grafana-plugin-sdk-go/data"
	"github.com/grafana/grafana-plugin-sdk-go/genproto/pluginv2"
	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/compare"
	"github.com/photofinish/photofinish/runner/metrics/promserver"
)

// stockK6 builds k6 as anybody gets it.
func stockK6(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "k6")
	said, err := exec.Command("go", "build", "-o", path, "go.k6.io/k6").CombinedOutput()
	require.NoError(t, err, "%s", said)
	return path
}

// byHand is what somebody types who has k6 and a Prometheus: two apps under the same load for six seconds, so that a busy machine still pushes some whole ones.
func byHand(t *testing.T, k6 string, prom *promserver.Server, testid string, histograms bool, tags string) {
	t.Helper()
	app := func(wait time.Duration) string {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			time.Sleep(wait)
			w.WriteHeader(http.StatusOK)
		}))
		t.Cleanup(server.Close)
		return server.URL
	}
	script := filepath.Join(t.TempDir(), "ab2.js")
	require.NoError(t, os.WriteFile(script, fmt.Appendf(nil, `import http from 'k6/http';
const load = { executor: 'constant-arrival-rate', rate: 20, timeUnit: '1s', duration: '6s', preAllocatedVUs: 5 };
export const options = { scenarios: {
  control: Object.assign({}, load, { %[3]s env: { APP_URL: '%[1]s' } }),
  slow: Object.assign({}, load, { %[4]s env: { APP_URL: '%[2]s' } }),
} };
export default function () { http.get(__ENV.APP_URL); }
`, app(2*time.Millisecond), app(12*time.Millisecond), fmt.Sprintf(tags, "control"), fmt.Sprintf(tags, "slow")), 0o600))
	run := exec.CommandContext(t.Context(), k6, "run", "--quiet", "--no-usage-report", "--out", "experimental-prometheus-rw", "--tag", "testid="+testid, script)
	run.Env = append(os.Environ(), "K6_PROMETHEUS_RW_SERVER_URL="+prom.RemoteWriteURL(), "K6_PROMETHEUS_RW_PUSH_INTERVAL=1s",
		fmt.Sprint("K6_PROMETHEUS_RW_TREND_AS_NATIVE_HISTOGRAM=", histograms))
	said, err := run.CombinedOutput()
	require.NoError(t, err, "%s", said)
}

// TestRacesThatAStockK6RanByHandAreRaces holds the binary against what a stock k6 really writes: with native histograms and without, without
// the tag app, and with a testid that is used again after a minute.
func TestRacesThatAStockK6RanByHandAreRaces(t *testing.T) {
	k6 := stockK6(t)
	prom, err := promserver.Start(t.Context(), promserver.Options{Dir: t.TempDir()})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, prom.Close()) })
	grafana := startBinary(t)
	settings := settingsOf("s", prom.URL(), "{}", nil)
	ask := func(query string) backend.DataResponse {
		return grafana.query(t, settings, &pluginv2.DataQuery{RefId: "A", Json: []byte(query), IntervalMS: 1000, MaxDataPoints: 500, TimeRange: &pluginv2.TimeRange{
			FromEpochMS: time.Now().Add(-10 * time.Minute).UnixMilli(), ToEpochMS: time.Now().UnixMilli(),
		}})["A"]
	}
	const tagged = "tags: { app: '%s' },"
	byHand(t, k6, prom, "ab2", true, tagged)
	ended := time.Now()

	listed := ask(`{"queryType":"races"}`)
	require.NoError(t, listed.Error)
	require.Equal(t, []string{"ab2 racing control, slow Prometheus"}, rowsOf(listed.Frames[0], "id", "status", "apps", "source"), "it may still go on")
	unfinished := ask(`{"queryType":"verdict","races":["ab2"],"baseline":"control"}`)
	require.NoError(t, unfinished.Error)
	require.Empty(t, unfinished.Frames[0].Fields, "no alert yet")
	_, apps := grafana.call(t, settings, "GET", "apps?race=ab2")
	require.JSONEq(t, `["control","slow"]`, apps)
	healthy := grafana.health(t, settings)
	require.Contains(t, healthy.GetMessage(), "no cAdvisor series")
	require.NotContains(t, healthy.GetMessage(), "no k6 series")
	require.NotContains(t, healthy.GetMessage(), "no native histograms")

	byHand(t, k6, prom, "bare", false, "/* %s */")
	bare := ask(`{"queryType":"timeseries","races":["bare"]}`)
	require.ErrorContains(t, bare.Error, "no label app")
	require.ErrorContains(t, bare.Error, "tags: { app:")

	t.Parallel() // it only waits, until the race is over and its testid may name another
	time.Sleep(time.Until(ended.Add(compare.Silence + 3*time.Second)))
	byHand(t, k6, prom, "ab2", false, tagged)

	listed = ask(`{"queryType":"races"}`)
	require.NoError(t, listed.Error)
	again := listed.Frames[0].At(0, 0).(string)
	require.Regexp(t, `^ab2@\d+$`, again)
	require.Equal(t, []string{again + " ab2", "bare bare", "ab2 ab2"}, rowsOf(listed.Frames[0], "id", "name"))
	status := rowsOf(listed.Frames[0], "status")
	require.Equal(t, []string{"racing", "finished"}, []string{status[0], status[2]})

	all := ask(`{"queryType":"standings","races":["ab2"],"baseline":"control","measures":["latency_p95","latency_mean","error_rate","cpu_cores","check_rate"]}`)
	require.NoError(t, all.Error)
	board := all.Frames[0]
	require.Equal(t, []string{"control", "slow"}, rowsOf(board, "app"))
	for _, id := range []string{"latency_p95", "latency_mean"} {
		fast, slow := *numberOf(board, id, 0), *numberOf(board, id, 1)
		require.Greater(t, fast, 2.0, id)
		require.Greater(t, slow, 12.0, id)
		require.Less(t, fast, slow, id)
		require.InDelta(t, 100*(slow-fast)/fast, *numberOf(board, id+"_diff", 1), 1e-6)
	}
	require.Zero(t, *numberOf(board, "error_rate", 1))
	require.Nil(t, numberOf(board, "cpu_cores", 0))
	said := noticesOf(all.Frames)
	for _, word := range []string{"no cAdvisor series", "stock k6", "no audit"} {
		require.Contains(t, said, word)
	}
	latest := ask(`{"queryType":"verdict","races":["$latest"],"name":"ab2","baseline":"control"}`)
	require.NoError(t, latest.Error)
	require.NotEmpty(t, latest.Frames[0].Fields, "the first race is over, the second not yet")
	require.Equal(t, "ab2", latest.Frames[0].Fields[0].Labels["race_name"])

	coarse := ask(`{"queryType":"timeseries","races":["` + again + `"],"measures":["latency_p95","request_rate"]}`)
	require.NoError(t, coarse.Error)
	require.Contains(t, noticesOf(coarse.Frames), "K6_PROMETHEUS_RW_TREND_AS_NATIVE_HISTOGRAM=true")
	there := map[string]int{}
	for _, f := range coarse.Frames {
		field := f.Fields[1]
		for i := range field.Len() {
			if v := field.At(i).(*float64); v != nil {
				require.InDelta(t, 20, *v, 3)
				there[field.Name]++
			}
		}
	}
	require.Positive(t, there["request_rate"])
	require.Zero(t, there["latency_p95"], "null, not zero")
}

// rowsOf are the values of some columns, row by row.
func rowsOf(f *data.Frame, columns ...string) []string {
	var rows []string
	for i := range f.Rows() {
		row := ""
		for _, c := range columns {
			field, _ := f.FieldByName(c)
			row += fmt.Sprint(" ", field.At(i))
		}
		rows = append(rows, row[1:])
	}
	return rows
}

func numberOf(f *data.Frame, column string, row int) *float64 {
	field, _ := f.FieldByName(column)
	return field.At(row).(*float64)
}

func noticesOf(frames data.Frames) string {
	text, _ := json.Marshal(frames[0].Meta.Notices)
	return string(text)
}
