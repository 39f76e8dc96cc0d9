package cmd_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/access/accesstest"
)

// estimateOff is by how much the estimate of a race's series may be off that asks one address, or names its addresses in thresholds: which
// series cAdvisor has of a cgroup depends on the kernel (cgroup v1 or v2, PSI).
const estimateOff = 0.15

func TestTheSeriesThatARaceMakesAreThoseThatWereEstimated(t *testing.T) {
	requireCgroups(t)
	lanes := []string{"a: " + lane(portA, "cpus: 0.5"), "b: " + lane(portB, "cpus: 0.5")}
	const checked = `import { check } from 'k6';
export default function () { check(http.get(__ENV.APP_URL), { up: (r) => r.status === 200 }); }`
	const named = `import { check } from 'k6';
import { Trend } from 'k6/metrics';
options.thresholds = { 'http_req_duration{name:login}': ['p(95)<10000'], 'http_req_duration{name:buy}': ['p(95)<10000'] };
options.ext.photofinish.measures = { basket: { better: 'lower' } };
const basket = new Trend('basket');
export default function () {
  for (const name of ['login', 'buy']) { check(http.get(__ENV.APP_URL, { tags: { name } }), { up: (r) => r.status === 200 }); }
  basket.add(1);
}`
	for name, c := range map[string]struct {
		body string
		args []string
	}{
		"one address":                       {checked, []string{"--mode", "together"}},
		"in turns, without a warm-up":       {checked, []string{"--mode", "turns", "--warmup", "0s", "--heats", "3"}},
		"two names and a metric of its own": {named, []string{"--mode", "together"}},
	} {
		t.Run(name, func(t *testing.T) {
			f := runRace(t.Context(), t, append([]string{writeScript(t, c.body, lanes...), "--duration", "2s"}, c.args...)...)
			require.Equal(t, 0, f.code)
			require.NotNil(t, f.record.Series)
			require.NotNil(t, f.record.Series.Written)
			require.InEpsilon(t, *f.record.Series.Written, f.record.Series.Estimated, estimateOff)
			require.NotContains(t, kinds(f.record), race.SeriesBudget)
			require.Regexp(t, `about \d+ time series \(\d+ samples/s\)`, f.stdout)
			require.NotContains(t, f.stdout, "of photofinish's output", "nobody pays for them")
		})
	}
	nothingLeft(t)
}

func TestARaceOfMoreSeriesThanAreAllowedIsRefusedBeforeTheStart(t *testing.T) {
	script := writeScript(t, "", "a: "+lane(portA, ""), "b: "+lane(portB, ""))
	f := runRace(t.Context(), t, script, "--heats", "50", "--max-series", "3000")
	require.Equal(t, 2, f.code)
	require.Regexp(t, `the race would make about [\d,]+ time series, and at most 3,000 are allowed: .* of k6's output`, f.stderr)
	require.Contains(t, f.stderr, "fewer heats")
	require.NoDirExists(t, f.dir)
	require.Equal(t, 2, runRace(t.Context(), t, script, "--max-series", "0").code)
	nothingLeft(t)
}

func TestTheRunnersLimitOfSeriesHoldsForRequests(t *testing.T) {
	needConfinement(t)
	s := newServed(t, "limits: {series: 400}\n")
	s.script("race.js", "1s", "")
	s.start()
	told := s.ask(200, "POST", "/v1/plans", `{"script":"race.js"}`)["series"].(map[string]any)
	sum := 0.0
	for _, p := range told["parts"].([]any) {
		sum += p.(map[string]any)["series"].(float64)
	}
	require.InDelta(t, told["total"], sum, 0)
	require.Positive(t, told["samples_per_second"])
	refused := s.ask(400, "POST", "/v1/races", `{"script":"race.js","heats":9}`)
	require.Contains(t, fmt.Sprint(refused["message"]), "and at most 400 are allowed")
	require.Equal(t, "heats", refused["details"].(map[string]any)["field"])
}

// The example's addresses differ with each request, and its series do not.
func TestTheExampleForTheCloudMakesTheSeriesThatItSays(t *testing.T) {
	_, gate := hosted(t)
	t.Setenv("PHOTOFINISH_REMOTE_WRITE_TOKEN", accesstest.Token)
	one, _ := elsewhere(t, "/", 0)
	other, _ := elsewhere(t, "/", 0)
	f := runRace(t.Context(), t, "../../tests/cloud-test.js", "--lane", "control="+one, "--lane", "high-latency="+other, "--mode", "together", "--heats", "2", "--duration", "2s",
		"--remote-write-url", gate.URL+accesstest.WritePath, "--remote-write-header", "X-Scope-OrgID="+accesstest.Tenant)
	require.Equal(t, 0, f.code)
	require.NotContains(t, kinds(f.record), race.SeriesBudget)
	require.NotContains(t, kinds(f.record), race.SeriesLost)
	require.InEpsilon(t, *f.record.Series.Written, f.record.Series.Estimated, estimateOff)
}
