package plugin

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/grafana/grafana-plugin-sdk-go/data"
	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/race"
)

// call makes a resource call as a user and answers with its status and decoded body.
func call(t *testing.T, d *Datasource, user *backend.User, method, path string) (int, map[string]any) {
	t.Helper()
	status, body := callRaw(t, d, user, method, path)
	var decoded map[string]any
	require.NoError(t, json.Unmarshal(body, &decoded), "%s", body)
	return status, decoded
}

func callRaw(t *testing.T, d *Datasource, user *backend.User, method, path string) (int, []byte) {
	t.Helper()
	bare, _, _ := strings.Cut(path, "?")
	var sent []byte
	if method == http.MethodPost {
		sent = []byte(`{"script":"ab-test.js"}`)
	}
	var response *backend.CallResourceResponse
	err := d.CallResource(t.Context(), &backend.CallResourceRequest{
		PluginContext: backend.PluginContext{OrgID: 7, User: user}, //nolint:staticcheck // the runner stores the organisation's number
		Method:        method, Path: bare, URL: path, Body: sent,
		Headers: map[string][]string{"Idempotency-Key": {"k1"}, "Content-Type": {"application/json"}, "Authorization": {"Bearer mine"}},
	}, backend.CallResourceResponseSenderFunc(func(r *backend.CallResourceResponse) error {
		response = r
		return nil
	}))
	require.NoError(t, err)
	return response.Status, response.Body
}

func TestTheRoleDecidesWhoMayStartAndStop(t *testing.T) {
	d := open(t, serve(t, emptyPrometheus), fakeRunner(t, fourApps()))
	tests := []struct {
		name  string
		user  *backend.User
		start bool
	}{
		{"an admin", &backend.User{Login: "anna", Role: "Admin"}, true},
		{"an editor", &backend.User{Login: "ed", Role: "Editor"}, true},
		{"a viewer", &backend.User{Login: "vi", Role: "Viewer"}, false},
		{"somebody without a role", &backend.User{Login: "no"}, false},
		{"a role in another case", &backend.User{Login: "x", Role: "admin"}, false},
		{"an anonymous user who bears the role of an admin", &backend.User{Role: "Admin"}, false},
		{"nobody", nil, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for path, allowed := range map[string]int{"races": http.StatusAccepted, "races/" + fourApps().ID + "/stop": http.StatusConflict, "races/" + fourApps().ID + "/override": http.StatusOK, "plans": http.StatusOK} {
				status, body := call(t, d, tt.user, http.MethodPost, path)
				if tt.start {
					require.Equal(t, allowed, status, path)
				} else {
					require.Equal(t, http.StatusForbidden, status, path)
					require.Equal(t, "forbidden", body["code"])
					require.NotEmpty(t, body["message"])
				}
			}
			status, _ := call(t, d, tt.user, http.MethodGet, "races/"+fourApps().ID)
			require.Equal(t, http.StatusOK, status, "reading is everybody's")
			status, can := call(t, d, tt.user, http.MethodGet, "capabilities")
			require.Equal(t, http.StatusOK, status)
			require.Equal(t, tt.start, can["canStart"])
			require.Equal(t, tt.start, can["reason"] == "", "who may not reads why")
			require.Equal(t, "1.2.3", can["version"])
		})
	}
}

func TestAnOverrideIsSeenAtOnce(t *testing.T) {
	r, by := fourApps(), "anna"
	r.Audit.Fair = false
	overridden := false
	d := open(t, serve(t, emptyPrometheus), serve(t, func(w http.ResponseWriter, req *http.Request) {
		overridden = overridden || req.Method == http.MethodPost
		if overridden {
			r.Audit.OverriddenBy = &by
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(r)
	}))
	fields := func() int {
		response := askAt(t, d, `{"queryType":"verdict","races":["`+r.ID+`"]}`, r.FinishedAt.Add(-time.Hour), r.FinishedAt.Add(time.Hour))
		require.NoError(t, response.Error)
		return len(response.Frames[0].Fields)
	}
	require.Zero(t, fields())
	status, _ := call(t, d, &backend.User{Login: "anna", Role: "Admin"}, http.MethodPost, "races/"+r.ID+"/override")
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, 9, fields())
}

func TestAStartTellsTheRunnerWhoAskedAndKeepsTheTokenHere(t *testing.T) {
	d := open(t, serve(t, emptyPrometheus), fakeRunner(t))
	status, body := call(t, d, &backend.User{Login: "anna", Role: "Editor"}, http.MethodPost, "races")
	require.Equal(t, http.StatusAccepted, status, "the fake takes the settings' token only, not the browser's")
	require.Equal(t, map[string]any{"id": "new", "user": "anna", "org": "7", "key": "k1"}, body)
}

func TestWithoutARunnerAndWithOneThatIsDown(t *testing.T) {
	admin := &backend.User{Login: "anna", Role: "Admin"}
	without := open(t, serve(t, emptyPrometheus), "")
	status, body := call(t, without, admin, http.MethodPost, "races")
	require.Equal(t, http.StatusNotImplemented, status)
	require.Equal(t, "no_runner", body["code"])
	_, can := call(t, without, admin, http.MethodGet, "capabilities")
	require.Equal(t, false, can["runner"])
	require.Equal(t, false, can["canStart"])

	gone := httptest.NewServer(nil)
	gone.Close()
	down := open(t, serve(t, emptyPrometheus), gone.URL)
	status, body = call(t, down, admin, http.MethodGet, "races")
	require.Equal(t, http.StatusBadGateway, status)
	require.Equal(t, "runner_unreachable", body["code"])
	_, can = call(t, down, admin, http.MethodGet, "capabilities")
	require.Equal(t, false, can["canStart"])
	require.Contains(t, can["reason"], "cannot be reached")

	misspelt := open(t, serve(t, emptyPrometheus), "not an address")
	status, _ = call(t, misspelt, admin, http.MethodGet, "scripts")
	require.Equal(t, http.StatusBadGateway, status)
}

func TestNobodyCanStartWhereTheRunnerLetsTheDataSourceInOnlyToItsHealth(t *testing.T) {
	for status, says := range map[int]string{http.StatusUnauthorized: "check the runner's token", http.StatusForbidden: "check the runner's token", http.StatusInternalServerError: "look at the runner's log"} {
		d := open(t, serve(t, emptyPrometheus), serve(t, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/healthz" {
				w.WriteHeader(status)
			}
			_, _ = w.Write([]byte(`{"version":"1"}`))
		}))
		_, can := call(t, d, &backend.User{Login: "anna", Role: "Admin"}, http.MethodGet, "capabilities")
		require.Equal(t, false, can["canStart"], status)
		require.Equal(t, "1", can["version"], status)
		require.Contains(t, can["reason"], says, status)
		_, can = call(t, d, &backend.User{Login: "vi", Role: "Viewer"}, http.MethodGet, "capabilities")
		require.NotContains(t, can["reason"], says, "the settings are not a viewer's business")
	}
}

func TestTheRunnersRefusalsAreOursAndItsTokenIsNotTheUsers(t *testing.T) {
	d := open(t, serve(t, emptyPrometheus), fakeRunner(t))
	status, body := call(t, d, nil, http.MethodGet, "races/nope")
	require.Equal(t, http.StatusNotFound, status)
	require.Equal(t, "no such race", body["message"])
	locked := open(t, serve(t, emptyPrometheus), serve(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) }))
	status, body = call(t, locked, nil, http.MethodGet, "races")
	require.Equal(t, http.StatusBadGateway, status, "a 401 would log the user out of Grafana")
	require.Contains(t, body["message"], "token")
}

func TestWhatAnswersInTheRunnersPlaceIsSaid(t *testing.T) {
	d := open(t, serve(t, emptyPrometheus), serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write([]byte("<html>Sign in</html>"))
	}))
	status, body := call(t, d, nil, http.MethodGet, "races")
	require.Equal(t, http.StatusBadGateway, status)
	require.Contains(t, body["message"], "login page")
	require.ErrorContains(t, ask(t, d, `{"queryType":"verdict","races":["$latest"]}`).Error, "login page")
	prometheus := open(t, serve(t, emptyPrometheus), serve(t, http.NotFound))
	status, body = call(t, prometheus, nil, http.MethodGet, "scripts")
	require.Equal(t, http.StatusBadGateway, status)
	require.Contains(t, body["message"], "what answered is not the runner")
	require.ErrorContains(t, ask(t, prometheus, `{"queryType":"verdict","races":["r1"]}`).Error, "check that the address is the runner's own",
		"a 404 that is not the runner's does not say that it has no such race")
}

func TestOnlyTheKindsOfTheRunnersAnswersArePassedOn(t *testing.T) {
	for kind, passed := range map[string]bool{
		"application/json": true, "application/json; charset=utf-8": true, "text/plain; charset=utf-8": true, "application/octet-stream": true,
		"text/html": false, "Text/HTML": false, "application/xhtml+xml": false, "image/svg+xml": false, "text/javascript": false, "": false, ";": false,
	} {
		d := open(t, serve(t, emptyPrometheus), serve(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header()["Content-Type"] = []string{kind}
			_, _ = w.Write([]byte("<html><script>alert(1)</script>"))
		}))
		status, body := callRaw(t, d, nil, http.MethodGet, "races")
		require.Equal(t, passed, status == http.StatusOK, kind)
		require.Equal(t, passed, strings.Contains(string(body), "script"), kind)
	}
	d := open(t, serve(t, emptyPrometheus), serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["Content-Type"] = nil
		_, _ = w.Write([]byte(`{"races":[]}`))
	}))
	status, body := callRaw(t, d, nil, http.MethodGet, "races")
	require.Equal(t, http.StatusOK, status, "JSON whose kind was dropped on the way")
	require.JSONEq(t, `{"races":[]}`, string(body))
}

func TestWhatNoRouteTakesIsAnErrorInTheRunnersForm(t *testing.T) {
	d := open(t, serve(t, emptyPrometheus), fakeRunner(t))
	for _, tt := range []struct {
		method, path, code string
		status             int
	}{
		{http.MethodGet, "nonsense", "not_found", http.StatusNotFound},
		{http.MethodGet, "", "not_found", http.StatusNotFound},
		{http.MethodGet, "races//x", "not_found", http.StatusNotFound},
		{http.MethodGet, "races/../measures", "not_found", http.StatusNotFound},
		{http.MethodGet, "races/./x", "not_found", http.StatusNotFound},
		{http.MethodPost, "races//x/stop", "not_found", http.StatusNotFound},
		{http.MethodDelete, "races", "method_not_allowed", http.StatusMethodNotAllowed},
		{http.MethodPost, "capabilities", "method_not_allowed", http.StatusMethodNotAllowed},
	} {
		status, body := call(t, d, nil, tt.method, tt.path)
		require.Equal(t, tt.status, status, tt.path)
		require.Equal(t, tt.code, body["code"], tt.path)
		require.NotEmpty(t, body["message"], tt.path)
		require.Contains(t, body, "details", tt.path)
	}
}

func TestNamesCannotLeaveTheirPlaceInTheAddress(t *testing.T) {
	asked := []string{}
	d := open(t, serve(t, emptyPrometheus), serve(t, func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.EscapedPath())
		_, _ = w.Write([]byte(`{}`))
	}))
	for _, path := range []string{"scripts/a%2F..%2F..%2Fhealthz", "races/x%2Fstop", "races/..%2F..", "scripts/nested/test.js"} {
		callRaw(t, d, nil, http.MethodGet, path)
	}
	for _, path := range asked {
		require.Regexp(t, `^/v1/(scripts|races)/[^/]+$`, path)
	}
	require.Contains(t, asked, "/v1/scripts/nested%2Ftest.js")
}

func TestWhatIsKnownHereNeedsNoRunner(t *testing.T) {
	d := open(t, serve(t, emptyPrometheus), fakeRunner(t, fourApps()))
	status, body := callRaw(t, d, nil, http.MethodGet, "apps?race="+fourApps().ID)
	require.Equal(t, http.StatusOK, status)
	require.JSONEq(t, `["control","high-latency","high-cpu","memory-leak"]`, string(body))
	status, _ = callRaw(t, d, nil, http.MethodGet, "apps?race=unknown")
	require.Equal(t, http.StatusNotFound, status)
	status, _ = callRaw(t, d, nil, http.MethodGet, "apps")
	require.Equal(t, http.StatusBadRequest, status)
	_, body = callRaw(t, d, nil, http.MethodGet, "measures")
	var list []map[string]any
	require.NoError(t, json.Unmarshal(body, &list))
	require.Len(t, list, 22)
	require.Equal(t, "latency_mean", list[0]["id"])
}

func TestMeasuresOfARaceAreListedBehindThoseOfTheContract(t *testing.T) {
	r := fourApps()
	r.CustomMeasures = []race.CustomMeasure{{ID: "checkout_fast", Name: "Fast checkouts", Unit: "percentunit", Better: "higher", Type: race.Rate, Metric: "checkout_fast"}}
	d := open(t, serve(t, recordedPrometheus(t)), fakeRunner(t, r))
	behind := func(id string) []map[string]any {
		status, body := callRaw(t, d, nil, http.MethodGet, "measures?race="+id)
		require.Equal(t, http.StatusOK, status, "%s", body)
		var list []map[string]any
		require.NoError(t, json.Unmarshal(body, &list))
		return list[22:]
	}
	own := behind(r.ID)
	require.Len(t, own, 1)
	require.Equal(t, []any{"checkout_fast", "Fast checkouts", "percentunit", "higher", "script", false}, []any{
		own[0]["id"], own[0]["name"], own[0]["unit"], own[0]["better"], own[0]["source"], own[0]["primary"],
	})
	status, body := callRaw(t, open(t, serve(t, emptyPrometheus), ""), nil, http.MethodGet, "measures?race=unknown")
	require.Equal(t, http.StatusOK, status)
	var list []map[string]any
	require.NoError(t, json.Unmarshal(body, &list))
	require.Len(t, list, 22, "those of the contract")
}

func TestARecordsOwnMeasuresAreStandingsVerdictsAndAlerts(t *testing.T) {
	r := fourApps()
	r.CustomMeasures = []race.CustomMeasure{{ID: "checkout_time_p95", Name: "checkout_time p95", Unit: "ms", Better: "lower", Type: race.Trend, Metric: "checkout_time", Stat: "p95", Time: true}}
	for i := range r.Lanes {
		v := float64(10 * (i + 1))
		r.Lanes[i].Measures["checkout_time_p95"] = &v
	}
	slower := r.Verdicts[0]
	slower.Measure, slower.Outcome, slower.Primary = "checkout_time_p95", race.Slower, false
	r.Verdicts = append(r.Verdicts, slower)
	d := open(t, serve(t, emptyPrometheus), fakeRunner(t, r))
	from, to := r.StartedAt.Add(-time.Minute), r.FinishedAt.Add(time.Minute)
	ask := func(query string) backend.DataResponse {
		return askAt(t, d, `{"races":["`+r.ID+`"],`+query+`}`, from, to)
	}
	standings := ask(`"queryType":"standings","measures":["checkout_time_p95"]`)
	require.NoError(t, standings.Error)
	field, _ := standings.Frames[0].FieldByName("checkout_time_p95")
	require.Equal(t, []string{"ms", "checkout_time p95"}, []string{field.Config.Unit, field.Config.DisplayNameFromDS})
	all := ask(`"queryType":"standings"`)
	field, _ = all.Frames[0].FieldByName("checkout_time_p95")
	require.NotNil(t, field, "without measures it is every one")

	alert := ask(`"queryType":"verdict","measures":["checkout_time_p95"]`)
	require.NoError(t, alert.Error)
	regressed := alert.Frames[0].Fields[0]
	require.Equal(t, data.Labels{"app": slower.App, "measure": "checkout_time_p95", "race_name": r.Name}, regressed.Labels)
	require.InDelta(t, 1, *regressed.At(0).(*float64), 0)

	wrong := ask(`"queryType":"standings","measures":["checkout_time_p96"]`)
	require.ErrorContains(t, wrong.Error, `there is no measure "checkout_time_p96"`)
	require.ErrorContains(t, wrong.Error, "checkout_time_p95")
	none := askAt(t, d, `{"queryType":"verdict","races":["$latest"],"name":"nobody","measures":["checkout_time_p95"]}`, from, to)
	require.NoError(t, none.Error, "a rule about races that are yet to be run has no data")
}

func TestARaceWithoutAppsHasAnEmptyList(t *testing.T) {
	r := fourApps()
	r.Lanes = nil
	d := open(t, serve(t, emptyPrometheus), fakeRunner(t, r))
	status, body := callRaw(t, d, nil, http.MethodGet, "apps?race="+r.ID)
	require.Equal(t, http.StatusOK, status)
	require.JSONEq(t, `[]`, string(body))
}
