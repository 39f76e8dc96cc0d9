package cmd_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/prometheus/client_golang/api"
	v1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/compare"
	"github.com/photofinish/photofinish/pkg/promql"
	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/access/accesstest"
	"github.com/photofinish/photofinish/runner/metrics/promserver"
)

// hosted is a Prometheus behind a gate that wants a tenant, and a token or a name and a password.
func hosted(t *testing.T) (behind *promserver.Server, gate *accesstest.Gate) {
	t.Helper()
	behind, err := promserver.Start(t.Context(), promserver.Options{Dir: t.TempDir()})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, behind.Close()) })
	return behind, accesstest.New(t, behind.URL(), nil)
}

// prying fails the script where it sees a secret.
const prying = `export default function () {
  for (const [name, value] of Object.entries(__ENV)) { if (value.includes('glc_')) { throw new Error('a secret in ' + name); } }
  http.get(__ENV.APP_URL);
}`

// noSecrets proves that nothing which was printed or written holds a secret.
func (f finished) noSecrets(t *testing.T) {
	t.Helper()
	require.NotContains(t, f.stdout+f.stderr, "glc_")
	files, err := filepath.Glob(filepath.Join(f.dir, "*"))
	require.NoError(t, err)
	for _, name := range files {
		text, err := os.ReadFile(name)
		require.NoError(t, err)
		require.NotContains(t, string(text), "glc_", name)
	}
}

func TestResultsGoToAHostedPrometheusAndComeBack(t *testing.T) {
	requireCgroups(t)
	behind, gate := hosted(t)
	t.Setenv("PHOTOFINISH_REMOTE_WRITE_TOKEN", accesstest.Token)
	script := writeScript(t, prying, "a: "+lane(portA, "", "spin=2ms"), "b: "+lane(portB, "", "spin=4ms"))
	f := runRace(t.Context(), t, script, "--mode", "together", "--duration", "6s", // cAdvisor looks once a second
		"--remote-write-url", gate.URL+accesstest.WritePath, "--remote-write-header", "X-Scope-OrgID="+accesstest.Tenant)
	require.Equal(t, 0, f.code)
	require.NotContains(t, kinds(f.record), race.SeriesLost)
	require.Contains(t, f.stdout, "of photofinish's output", "what the receiver will hold")
	require.Empty(t, os.Getenv("PHOTOFINISH_REMOTE_WRITE_TOKEN"), "it was hidden before anything was started")
	f.noSecrets(t)
	writes, refused := gate.Counts()
	require.Greater(t, writes, 3)
	require.Zero(t, refused)

	t.Run("both sides are there", func(t *testing.T) {
		info, ok := compare.FromRecord(f.record)
		require.True(t, ok)
		totals, err := compare.Reduce(t.Context(), querier(t, behind.URL()), info, compare.Join{})
		require.NoError(t, err)
		for _, app := range []string{"a", "b"} {
			require.InDelta(t, f.lane(t, app).Client.Requests, totals.Whole[app].Requests, 0)
			require.InEpsilon(t, *f.lane(t, app).Measures["latency_p95"], *totals.Whole[app].Measures["latency_p95"], 3*bucket)
			require.InEpsilon(t, *f.lane(t, app).Measures["cpu_ms_per_request"], *totals.Whole[app].Measures["cpu_ms_per_request"], .25)
		}
	})
	t.Run("so many samples a second were to be expected", func(t *testing.T) {
		const window = 3 // s, the end of a heat
		client, err := api.NewClient(api.Config{Address: behind.URL()})
		require.NoError(t, err)
		got, _, _, err := v1.NewAPI(client).Query(t.Context(), `{__name__!=""}[3s]`, *f.record.Heats[0].FinishedAt)
		require.NoError(t, err)
		samples := 0.0
		for _, s := range got.(model.Matrix) {
			samples += float64(len(s.Values) + len(s.Histograms))
		}
		require.InEpsilon(t, f.record.Series.SamplesPerSecond, samples/window, .4, "each writer's second may fall to either side of the window's ends")
	})
	t.Run("the series end with the race", func(t *testing.T) {
		got, err := querier(t, behind.URL()).Query(t.Context(), promql.At("photofinish_vus or container_cpu_usage_seconds_total", time.Now()))
		require.NoError(t, err)
		for _, s := range got.Series {
			require.Empty(t, s.Labels["testid"], "%v", s.Labels)
		}
	})
	t.Run("compare reads them back through the gate", func(t *testing.T) {
		token := filepath.Join(t.TempDir(), "token")
		require.NoError(t, os.WriteFile(token, []byte(accesstest.Token), 0o600))
		c := run(t.Context(), t, "", "compare", f.record.ID, "--baseline", "a", "--json", "--prometheus-url", gate.URL,
			"--prometheus-token-file", token, "--prometheus-header", "X-Scope-OrgID="+accesstest.Tenant)
		require.Equal(t, 0, c.code)
		var past race.Race
		require.NoError(t, json.Unmarshal([]byte(c.stdout), &past))
		for i, l := range past.Lanes {
			require.Equal(t, f.record.Lanes[i].Client.Requests, l.Client.Requests)
		}
		c = run(t.Context(), t, "", "compare", f.record.ID, "--baseline", "a", "--prometheus-url", gate.URL)
		require.Equal(t, 3, c.code, "without the token")
	})
	nothingLeft(t)
}

func TestAReceiverThatRefusesSeriesIsFoundByTheAudit(t *testing.T) {
	_, gate := hosted(t)
	gate.Answer(-1, &accesstest.Bad{Status: 400, Says: "per-user series limit of 5 exceeded"})
	password := filepath.Join(t.TempDir(), "password")
	require.NoError(t, os.WriteFile(password, []byte(accesstest.Password), 0o600))
	script := writeScript(t, "", "a: "+lane(portA, ""), "b: "+lane(portB, ""))
	f := runRace(t.Context(), t, script, "--mode", "together", "--remote-write-url", gate.URL+accesstest.WritePath, "--remote-write-username", accesstest.Username,
		"--remote-write-password-file", password, "--remote-write-header", "X-Scope-OrgID="+accesstest.Tenant)
	require.Equal(t, 0, f.code, "the race itself is whole")
	require.Contains(t, f.stdout, "refused samples, which are not sent again (said once): HTTP status 400 Bad Request: per-user series limit of 5 exceeded")
	lost := f.foundOf(t, "", race.SeriesLost)
	require.Equal(t, race.Warning, lost.Severity)
	require.Regexp(t, `/api/v1/push refused (\d+) of (\d+) samples, .*: HTTP status 400 Bad Request: per-user series limit of 5 exceeded`, lost.Detail)
	f.noSecrets(t)
	nothingLeft(t)
}

func TestABusyReceiverDelaysResultsAndLosesNone(t *testing.T) {
	_, gate := hosted(t)
	gate.Answer(4, &accesstest.Bad{Status: 429, Says: "too many requests", RetryAfter: "1"})
	t.Setenv("PHOTOFINISH_REMOTE_WRITE_URL", gate.URL+accesstest.WritePath)
	t.Setenv("PHOTOFINISH_REMOTE_WRITE_USERNAME", accesstest.Username)
	t.Setenv("PHOTOFINISH_REMOTE_WRITE_PASSWORD", accesstest.Password)
	t.Setenv("PHOTOFINISH_REMOTE_WRITE_HEADERS", "X-Scope-OrgID:"+accesstest.Tenant)
	f := runRace(t.Context(), t, writeScript(t, prying, "a: "+lane(portA, ""), "b: "+lane(portB, "")), "--mode", "together")
	require.Equal(t, 0, f.code)
	require.Contains(t, f.stdout, "429 Too Many Requests: too many requests")
	require.NotContains(t, kinds(f.record), race.SeriesLost)
	f.noSecrets(t)
	nothingLeft(t)
}

func TestWhatAReceiverWantsIsFoundBeforeTheRace(t *testing.T) {
	_, gate := hosted(t)
	token := filepath.Join(t.TempDir(), "token")
	require.NoError(t, os.WriteFile(token, []byte("glc_wrong"), 0o600))
	url, tenant := gate.URL+accesstest.WritePath, "X-Scope-OrgID="+accesstest.Tenant
	for name, c := range map[string]struct {
		args []string
		code int
		says string
	}{
		"the wrong token":       {[]string{"--remote-write-url", url, "--remote-write-token-file", token, "--remote-write-header", tenant}, 3, "does not let us in: HTTP status 401"},
		"a password in the URL": {[]string{"--remote-write-url", "http://me:glc_x@127.0.0.1/push"}, 2, "--remote-write-url: holds a name or a password"},
		"no address":            {[]string{"--remote-write-username", "1"}, 2, "--remote-write-url"},
		"no file":               {[]string{"--remote-write-url", url, "--remote-write-token-file", token + "s"}, 2, "is not there"},
		"no password":           {[]string{"--remote-write-url", url, "--remote-write-username", "1"}, 2, "the environment variable PHOTOFINISH_REMOTE_WRITE_PASSWORD is empty"},
		"a header that is ours": {[]string{"--remote-write-url", url, "--remote-write-header", "Authorization=glc_x"}, 2, `setting header "Authorization" is not allowed`},
		"no header":             {[]string{"--remote-write-url", url, "--remote-write-header", "team-a"}, 2, "is not NAME=VALUE"},
		"two places":            {[]string{"--remote-write-url", url, "--prometheus-url", gate.URL}, 2, "leave one of them out"},
	} {
		t.Run(name, func(t *testing.T) {
			f := runRace(t.Context(), t, append([]string{writeScript(t, "", "a: "+lane(portA, ""), "b: "+lane(portB, ""))}, c.args...)...)
			require.Equal(t, c.code, f.code)
			require.Contains(t, f.stderr, c.says)
			require.NotContains(t, f.stderr, "glc_")
			require.NoDirExists(t, f.dir, "a folder without a race")
		})
	}
	nothingLeft(t)
}

func TestServePassesResultsOn(t *testing.T) {
	needConfinement(t)
	behind, gate := hosted(t)
	s := newServed(t, "remote_write:\n  url: "+gate.URL+accesstest.WritePath+"\n  token: {file: cloud}\n  headers: {X-Scope-OrgID: "+accesstest.Tenant+"}\n")
	s.write("cloud", accesstest.Token)
	s.script("race.js", "1s", prying)
	s.start()
	id := s.submit(`{"script":"race.js"}`)
	s.events(id, "")
	record := s.ask(200, "GET", "/v1/races/"+id, "")
	require.Equal(t, "finished", record["status"], "%v", record["error"])
	text, err := json.Marshal(record)
	require.NoError(t, err)
	require.NotContains(t, string(text), "series-lost")
	require.NotContains(t, string(text)+s.log.String(), "glc_")
	got, err := querier(t, behind.URL()).Query(t.Context(), promql.At(`sum(last_over_time(photofinish_http_reqs_total{testid="`+id+`",phase="race"}[1m]))`, time.Now()))
	require.NoError(t, err)
	require.Len(t, got.Series, 1)
	require.InDelta(t, 100, got.Series[0].Last(), 10, "50 a second, 1 s, two lanes")
}
