package datasource_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/grafana/grafana-plugin-sdk-go/experimental"
	"github.com/grafana/grafana-plugin-sdk-go/genproto/pluginv2"
	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/plugin"
)

// settingsOf are a data source's settings as Grafana hands them to the plugin. Each uid is a data source of its own.
func settingsOf(uid, url, config string, secrets map[string]string) *pluginv2.PluginContext {
	return &pluginv2.PluginContext{
		OrgId: 1, PluginId: plugin.ID, User: &pluginv2.User{Login: "vi", Role: "Viewer"},
		DataSourceInstanceSettings: &pluginv2.DataSourceInstanceSettings{
			Uid: uid, Name: "Photofinish", Url: url, JsonData: []byte(config), DecryptedSecureJsonData: secrets, LastUpdatedMS: 1,
		},
	}
}

func recordedQueries(t *testing.T) map[string]json.RawMessage {
	t.Helper()
	file, err := os.ReadFile(filepath.Join(testdata, "queries.json"))
	require.NoError(t, err)
	var queries map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(file, &queries))
	return queries
}

func TestTheBinaryAnswersEveryQueryOverGrafanasProtocol(t *testing.T) {
	prom, binary := startPrometheus(t), startBinary(t)
	settings := settingsOf("p", prom.URL(), "{}", nil)
	around := &pluginv2.TimeRange{FromEpochMS: t0().Add(-5 * time.Minute).UnixMilli(), ToEpochMS: t0().Add(10 * time.Minute).UnixMilli()}
	var asked []*pluginv2.DataQuery
	queries := recordedQueries(t)
	for name, query := range queries {
		var typed struct{ QueryType string }
		require.NoError(t, json.Unmarshal(query, &typed))
		asked = append(asked, &pluginv2.DataQuery{RefId: name, QueryType: typed.QueryType, MaxDataPoints: 1000, IntervalMS: 1000, Json: query, TimeRange: around})
	}
	faults := map[string]string{
		`{"queryType":"nonsense"}`: "nonsense", `{"queryType":"verdict","races":["$race"]}`: "$race",
		`{"queryType":"standings","races":["golden"]}`: "its apps are control, slow", `{"queryType":`: "cannot be read",
		`{"queryType":"timeseries","races":["nowhere"]}`: `no race "nowhere"`,
	}
	for query := range faults {
		asked = append(asked, &pluginv2.DataQuery{RefId: query, Json: []byte(query), TimeRange: around})
	}
	response := binary.query(t, settings, asked...)
	for query, says := range faults {
		require.ErrorContains(t, response[query].Error, says)
		require.Equal(t, backend.ErrorSourceDownstream, response[query].ErrorSource, query)
		require.GreaterOrEqual(t, int(response[query].Status), 400, query)
	}
	for name := range queries {
		answer := response[name]
		for _, f := range answer.Frames {
			require.Equal(t, name, f.RefID)
			f.RefID = "A" // as it stands in the golden files
		}
		experimental.CheckGoldenJSONResponse(t, testdata, name, &answer, false)
	}
}

func TestTheBinaryChecksItsHealth(t *testing.T) {
	prom, binary := startPrometheus(t), startBinary(t)
	healthy := binary.health(t, settingsOf("h", prom.URL(), "{}", nil))
	require.Equal(t, pluginv2.CheckHealthResponse_OK, healthy.GetStatus(), healthy.GetMessage())
	var details struct {
		Parts []struct {
			Name string
			OK   bool
		}
	}
	require.NoError(t, json.Unmarshal(healthy.GetJsonDetails(), &details))
	require.Len(t, details.Parts, 4, "Prometheus answers; the scene's series are older than a day")
	for _, part := range details.Parts {
		require.Equal(t, part.Name == "Prometheus", part.OK, part.Name)
	}
	gone := httptest.NewServer(nil)
	gone.Close()
	down := binary.health(t, settingsOf("d", gone.URL, "{}", nil))
	require.Equal(t, pluginv2.CheckHealthResponse_ERROR, down.GetStatus())
	require.Contains(t, down.GetMessage(), "cannot be reached")
	noRunner := binary.health(t, settingsOf("r", prom.URL(), `{"runnerUrl":"`+gone.URL+`"}`, nil))
	require.Equal(t, pluginv2.CheckHealthResponse_ERROR, noRunner.GetStatus())
	require.Contains(t, noRunner.GetMessage(), "runner at")
}

func TestTheBinarysResourcesFollowTheRole(t *testing.T) {
	prom, binary := startPrometheus(t), startBinary(t)
	gone := httptest.NewServer(nil)
	gone.Close()
	runner := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if r.Header.Get("Authorization") != "Bearer s3cret" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		if r.Method == http.MethodPost {
			w.WriteHeader(http.StatusAccepted)
		}
		_ = json.NewEncoder(w).Encode(map[string]string{"called": r.Method + " " + r.URL.RequestURI(), "user": r.Header.Get("X-Photofinish-User"), "version": "9"})
	}))
	t.Cleanup(runner.Close)
	without := settingsOf("w", prom.URL(), "{}", nil)
	down := settingsOf("x", prom.URL(), `{"runnerUrl":"`+gone.URL+`"}`, nil)
	with := settingsOf("y", prom.URL(), `{"runnerUrl":"`+runner.URL+`"}`, map[string]string{"runnerToken": "s3cret"})
	editor, viewer := &pluginv2.User{Login: "ed", Role: "Editor"}, &pluginv2.User{Login: "vi", Role: "Viewer"}
	anonymous := &pluginv2.User{Role: "Admin"}
	tests := []struct {
		name         string
		settings     *pluginv2.PluginContext
		user         *pluginv2.User
		method, path string
		status       int
		says         string
	}{
		{"an editor starts", with, editor, "POST", "races", 202, `"called":"POST /v1/races"`},
		{"an editor stops", with, editor, "POST", "races/r1/stop", 202, `"called":"POST /v1/races/r1/stop"`},
		{"the runner hears who asked", with, editor, "POST", "races", 202, `"user":"ed"`},
		{"a viewer starts nothing", with, viewer, "POST", "races", 403, `"code":"forbidden"`},
		{"a viewer stops nothing", with, viewer, "POST", "races/r1/stop", 403, `"details":null`},
		{"an anonymous admin starts nothing", with, anonymous, "POST", "races", 403, `"code":"forbidden"`},
		{"nobody starts nothing", with, nil, "POST", "races", 403, `"code":"forbidden"`},
		{"a viewer reads", with, viewer, "GET", "races?limit=2&status=finished", 200, `limit=2`},
		{"a viewer reads a race", with, viewer, "GET", "races/r1", 200, `"called":"GET /v1/races/r1"`},
		{"a viewer reads logs", with, viewer, "GET", "races/r1/logs/control", 200, `/v1/races/r1/logs/control`},
		{"a viewer reads scripts", with, viewer, "GET", "scripts", 200, `/v1/scripts`},
		{"a viewer reads a script", with, viewer, "GET", "scripts/ab-test.js", 200, `/v1/scripts/ab-test.js`},
		{"a viewer's capabilities", with, viewer, "GET", "capabilities", 200, `"canStart":false`},
		{"an editor's capabilities", with, editor, "GET", "capabilities", 200, `"canStart":true,"reason":"","runner":true,"version":"9"`},
		{"an editor's without a runner", without, editor, "GET", "capabilities", 200, `"runner":false`},
		{"without a runner", without, editor, "POST", "races", 501, `"code":"no_runner"`},
		{"without a runner nothing is listed", without, viewer, "GET", "races", 501, `"code":"no_runner"`},
		{"without a runner a viewer still may not", without, viewer, "POST", "races", 403, `"code":"forbidden"`},
		{"a runner that is down", down, editor, "POST", "races", 502, `"code":"runner_unreachable"`},
		{"a token that the runner does not take", settingsOf("z", prom.URL(), `{"runnerUrl":"`+runner.URL+`"}`, nil), viewer, "GET", "races", 502, "token"},
		{"apps", without, viewer, "GET", "apps?race=nowhere", 404, `"code":"not_found"`},
		{"apps of no race", without, viewer, "GET", "apps", 400, `"code":"invalid"`},
		{"measures", without, nil, "GET", "measures", 200, `"id":"network_bytes_per_request"`},
		{"nonsense", without, viewer, "GET", "nonsense", 404, `"code":"not_found"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.settings.User = tt.user
			status, body := binary.call(t, tt.settings, tt.method, tt.path)
			require.Equal(t, tt.status, status, body)
			require.Contains(t, body, tt.says)
			require.True(t, json.Valid([]byte(body)), body)
		})
	}
}

func TestTheBinarySendsTheTenantsHeader(t *testing.T) {
	prom, binary := startPrometheus(t), startBinary(t)
	tenants := map[string]bool{}
	gateway := httptest.NewServer(&tape{target: prom.URL(), answers: map[string]json.RawMessage{}, hear: func(r *http.Request) {
		tenants[strings.Join(r.Header.Values("X-Scope-OrgID"), ",")] = true
	}})
	t.Cleanup(gateway.Close)
	settings := settingsOf("t", gateway.URL, `{"httpHeaderName1":"X-Scope-OrgID"}`, map[string]string{"httpHeaderValue1": "team-a"})
	answer := binary.query(t, settings, &pluginv2.DataQuery{
		RefId: "A", Json: []byte(`{"queryType":"races"}`), TimeRange: &pluginv2.TimeRange{FromEpochMS: t0().UnixMilli(), ToEpochMS: t0().Add(time.Minute).UnixMilli()},
	})["A"]
	require.NoError(t, answer.Error)
	require.Equal(t, 1, answer.Frames[0].Rows())
	require.Equal(t, map[string]bool{"team-a": true}, tenants)
}
