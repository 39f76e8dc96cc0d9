package plugin

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/google/pprof/profile"
	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/grafana/grafana-plugin-sdk-go/data"
	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/flame"
	"github.com/photofinish/photofinish/pkg/race"
)

// cpuProfile is one of an app that spent so many ns in each of these functions, which main calls.
func cpuProfile(t *testing.T, ns map[string]int64) []byte {
	t.Helper()
	p := &profile.Profile{
		SampleType: []*profile.ValueType{{Type: "samples", Unit: "count"}, {Type: "cpu", Unit: "nanoseconds"}},
		PeriodType: &profile.ValueType{Type: "cpu", Unit: "nanoseconds"}, Period: 1e7,
	}
	at := func(name string) *profile.Location {
		f := &profile.Function{ID: uint64(len(p.Function) + 1), Name: name}
		l := &profile.Location{ID: f.ID, Line: []profile.Line{{Function: f}}}
		p.Function, p.Location = append(p.Function, f), append(p.Location, l)
		return l
	}
	main := at("main.main")
	for name, n := range ns {
		p.Sample = append(p.Sample, &profile.Sample{Value: []int64{n / 1e7, n}, Location: []*profile.Location{at(name), main}})
	}
	raw, err := flame.Encode(p)
	require.NoError(t, err)
	return raw
}

// profiledRace is the race of four apps with CPU profiles of three of them, and a runner that keeps them.
func profiledRace(t *testing.T) (race.Race, string) {
	t.Helper()
	r := fourApps()
	r.Profiling = &race.Profiling{PlannedHeats: 1, Heats: []race.Heat{}}
	kept := map[string][]byte{
		"control":      cpuProfile(t, map[string]int64{"serve": 2e9}),
		"high-cpu":     cpuProfile(t, map[string]int64{"serve": 2e9, "hash": 6e9}),
		"high-latency": cpuProfile(t, map[string]int64{"serve": 5e7}),
	}
	for i, l := range r.Lanes {
		if kept[l.App] != nil {
			r.Lanes[i].Profiles = []race.Profile{{Kind: race.CPUProfile, Bytes: int64(len(kept[l.App])), Seconds: 10, Requests: 1000}}
		}
	}
	r.Audit.Findings = append(r.Audit.Findings, race.Finding{Lane: "memory-leak", Kind: race.ProfileMissing, Severity: race.Warning, Detail: "there is no cpu profile: GET http://127.0.0.1:4003/debug/pprof/profile: there is nothing (404)"})
	behind := fakeRunner(t, r)
	asked := 0
	return r, serve(t, func(w http.ResponseWriter, req *http.Request) {
		parts := strings.Split(strings.Trim(req.URL.Path, "/"), "/")
		if len(parts) == 6 && parts[3] == "profiles" && parts[5] == "cpu" && kept[parts[4]] != nil {
			require.Equal(t, "Bearer secret", req.Header.Get("Authorization"))
			asked++
			w.Header().Set("Content-Type", "application/octet-stream")
			w.Header().Set("Content-Disposition", `attachment; filename="x.pb.gz"`)
			_, _ = w.Write(kept[parts[4]])
			return
		}
		if len(parts) > 3 && parts[3] == "profiles" {
			w.WriteHeader(http.StatusNotFound)
			_, _ = w.Write([]byte(`{"code":"not_found","message":"no such profile","details":null}`))
			return
		}
		http.Redirect(w, req, behind+req.URL.RequestURI(), http.StatusTemporaryRedirect)
	})
}

// column reads a field of a frame as JSON shows it.
func column(t *testing.T, f *data.Frame, name string) []any {
	t.Helper()
	field, _ := f.FieldByName(name)
	require.NotNil(t, field, name)
	var values []any
	for i := range field.Len() {
		values = append(values, field.At(i))
	}
	return values
}

func TestAFlameGraphIsWhatOneRequestCosts(t *testing.T) {
	r, runner := profiledRace(t)
	d := open(t, serve(t, emptyPrometheus), runner)
	response := ask(t, d, `{"queryType":"profile","races":["`+r.ID+`"],"apps":["high-cpu"]}`)
	require.NoError(t, response.Error)
	require.Len(t, response.Frames, 1)
	f := response.Frames[0]
	require.Equal(t, data.VisType(data.VisTypeFlameGraph), f.Meta.PreferredVisualization)
	require.Equal(t, "high-cpu: CPU per request", f.Name)
	require.Equal(t, []any{"total", "main.main", "hash", "serve"}, column(t, f, "label"))
	require.Equal(t, []any{int64(0), int64(1), int64(2), int64(2)}, column(t, f, "level"))
	require.Equal(t, []any{8e6, 8e6, 6e6, 2e6}, column(t, f, "value"), "ns for a request")
	require.Equal(t, []any{0.0, 0.0, 6e6, 2e6}, column(t, f, "self"))
	value, _ := f.FieldByName("value")
	require.Equal(t, "ns", value.Config.Unit)
	require.Equal(t, "high-cpu", value.Labels["app"])
	require.Contains(t, f.Meta.ExecutedQueryString, "GET /v1/races/"+r.ID+"/profiles/high-cpu/cpu")
	last := f.Meta.Notices[len(f.Meta.Notices)-1]
	require.Equal(t, data.NoticeSeverityInfo, last.Severity)
	require.True(t, strings.HasSuffix(last.Link, "/resources/races/"+r.ID+"/profiles/high-cpu/cpu"), last.Link)
}

func TestADifferenceIsThatOfOneRequest(t *testing.T) {
	r, runner := profiledRace(t)
	d := open(t, serve(t, emptyPrometheus), runner)
	response := ask(t, d, `{"queryType":"profile","races":["`+r.ID+`"],"apps":["high-cpu"],"field":"cpu_diff"}`)
	require.NoError(t, response.Error)
	f := response.Frames[0]
	require.Equal(t, "high-cpu against control: CPU per request", f.Name)
	require.Equal(t, []any{"total", "main.main", "hash", "serve", "(control takes less)"}, column(t, f, "label"))
	require.Equal(t, []any{8e6, 2e6, 0.0, 2e6, 6e6}, column(t, f, "value"), "the baseline")
	require.Equal(t, []any{8e6, 8e6, 6e6, 2e6, 0.0}, column(t, f, "valueRight"), "the app")
	require.Equal(t, []any{0.0, 0.0, 6e6, 2e6, 0.0}, column(t, f, "selfRight"))

	response = ask(t, d, `{"queryType":"profile","races":["`+r.ID+`"],"baseline":"high-cpu","field":"cpu_diff"}`)
	require.NoError(t, response.Error)
	require.Len(t, response.Frames, 2, "of control and high-latency: the others have none, or are the baseline")
	require.Contains(t, noticesOf(response.Frames), "shows the first of these 2 profiles")
	require.Contains(t, noticesOf(response.Frames), "high-latency has 5 samples of 10 ms")
}

func TestWhyThereIsNoFlameGraph(t *testing.T) {
	r, runner := profiledRace(t)
	plain := fourApps()
	plain.ID = "plain"
	tests := []struct{ name, runner, query, says string }{
		{"a race without profiles", fakeRunner(t, plain), `"races":["plain"]`, "write profile: {pprof: '/debug/pprof'} into the lanes"},
		{"an app whose profile failed", runner, `"races":["` + r.ID + `"],"apps":["memory-leak"]`, "there is no cpu profile of memory-leak: there is no cpu profile: GET http://127.0.0.1:4003/debug/pprof/profile: there is nothing (404)"},
		{"a kind that was not taken", runner, `"races":["` + r.ID + `"],"apps":["control"],"field":"heap"`, "there is no heap profile of control"},
		{"the baseline against itself", runner, `"races":["` + r.ID + `"],"apps":["control"],"field":"cpu_diff"`, "control is the baseline"},
		{"a race by hand", "", `"races":["by-hand"]`, "which alone keeps profiles"},
		{"no race", runner, `"races":["$latest"],"name":"nobody"`, "no race called \"nobody\" finished"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			response := ask(t, open(t, serve(t, recordedPrometheus(t)), tt.runner), `{"queryType":"profile",`+tt.query+`}`)
			require.NoError(t, response.Error, "no red triangle")
			require.Contains(t, noticesOf(response.Frames), tt.says)
			require.Equal(t, 1, response.Frames[0].Rows(), "Grafana's panel fails on a flame graph without rows")
			require.Equal(t, []any{0.0}, column(t, response.Frames[0], "value"))
			for _, n := range response.Frames[0].Meta.Notices {
				require.NotEqual(t, data.NoticeSeverityError, n.Severity)
			}
		})
	}
	d := open(t, serve(t, emptyPrometheus), runner)
	require.ErrorContains(t, ask(t, d, `{"queryType":"profile","races":["`+r.ID+`"],"apps":["nobody"]}`).Error, `has no app "nobody"`)
	require.ErrorContains(t, ask(t, d, `{"queryType":"profile","races":["`+r.ID+`"],"baseline":"nobody","field":"cpu_diff"}`).Error, `"nobody"`)
	require.ErrorContains(t, ask(t, d, `{"queryType":"profile","races":["`+r.ID+`"],"field":"disk"}`).Error, "choose one of cpu, heap, inuse")
}

func TestAProfileIsDownloadedByWhoeverMayRead(t *testing.T) {
	r, runner := profiledRace(t)
	d := open(t, serve(t, emptyPrometheus), runner)
	viewer := &backend.User{Login: "vi", Role: "Viewer"}
	status, body := callRaw(t, d, viewer, http.MethodGet, "races/"+r.ID+"/profiles/control/cpu")
	require.Equal(t, http.StatusOK, status)
	_, err := flame.Parse(body)
	require.NoError(t, err)
	status, body = callRaw(t, d, viewer, http.MethodGet, "races/"+r.ID+"/profiles/control/heap")
	require.Equal(t, http.StatusNotFound, status)
	require.True(t, json.Valid(body))
}
