package plugin

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/grafana/grafana-plugin-sdk-go/data"
	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/pkg/race/racetest"
	"github.com/photofinish/photofinish/pkg/runnerclient"
)

// scene is when the recorded races were run; queries look at a quarter of an hour around it.
func scene() time.Time { return time.Date(2026, 3, 14, 9, 0, 0, 0, time.UTC) }

func serve(tb testing.TB, handler http.HandlerFunc) string {
	tb.Helper()
	server := httptest.NewServer(handler)
	tb.Cleanup(server.Close)
	return server.URL
}

// recorded plays back what a real Prometheus answered to the queries of testdata/queries.json; see tests/datasource.
func recordedPrometheus(tb testing.TB) http.HandlerFunc {
	tb.Helper()
	file, err := os.ReadFile("testdata/prometheus.json")
	require.NoError(tb, err)
	var answers map[string]json.RawMessage
	require.NoError(tb, json.Unmarshal(file, &answers))
	return func(w http.ResponseWriter, r *http.Request) {
		form, _ := io.ReadAll(r.Body)
		answer, ok := answers[r.URL.Path+"?"+string(form)]
		if !ok {
			http.Error(w, "never asked before: "+string(form), http.StatusBadRequest)
			return
		}
		_, _ = w.Write(answer)
	}
}

// emptyPrometheus knows nothing.
func emptyPrometheus(w http.ResponseWriter, r *http.Request) {
	kind := "vector"
	if r.URL.Path == "/api/v1/query_range" {
		kind = "matrix"
	}
	fmt.Fprintf(w, `{"status":"success","data":{"resultType":%q,"result":[]}}`, kind)
}

// open makes a data source of a Prometheus and, where its address is not empty, a runner.
func open(tb testing.TB, prometheus, runner string) *Datasource {
	tb.Helper()
	config, err := json.Marshal(map[string]any{"runnerUrl": runner, "timeout": 5})
	require.NoError(tb, err)
	instance, err := New(tb.Context(), backend.DataSourceInstanceSettings{
		UID: "pf", Type: ID, URL: prometheus, JSONData: config, DecryptedSecureJSONData: map[string]string{"runnerToken": "secret"},
	})
	require.NoError(tb, err)
	return instance.(*Datasource)
}

// ask sends one query over the scene's time.
func ask(tb testing.TB, d *Datasource, query string) backend.DataResponse {
	tb.Helper()
	return askAt(tb, d, query, scene().Add(-5*time.Minute), scene().Add(10*time.Minute))
}

func askAt(tb testing.TB, d *Datasource, query string, from, to time.Time) backend.DataResponse {
	tb.Helper()
	response, err := d.QueryData(tb.Context(), &backend.QueryDataRequest{Queries: []backend.DataQuery{{
		RefID: "A", JSON: json.RawMessage(query), Interval: time.Second, MaxDataPoints: 1000, TimeRange: backend.TimeRange{From: from, To: to},
	}}})
	require.NoError(tb, err)
	return response.Responses["A"]
}

// stuck is a server that does not answer.
func stuck(tb testing.TB) string {
	tb.Helper()
	return serve(tb, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		select {
		case <-r.Context().Done():
		case <-time.After(10 * time.Second):
		}
	})
}

// fakeRunner follows the contract with the given races, none of which it runs.
func fakeRunner(tb testing.TB, races ...race.Race) string {
	tb.Helper()
	mux := http.NewServeMux()
	answer := func(w http.ResponseWriter, status int, v any) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(v)
	}
	mux.HandleFunc("GET /v1/races", func(w http.ResponseWriter, _ *http.Request) {
		page := runnerclient.Page{Races: []runnerclient.Record{}}
		for _, r := range races {
			page.Races = append(page.Races, runnerclient.Record{Race: r})
		}
		answer(w, http.StatusOK, page)
	})
	mux.HandleFunc("GET /v1/races/{id}", func(w http.ResponseWriter, r *http.Request) {
		for _, known := range races {
			if known.ID == r.PathValue("id") {
				answer(w, http.StatusOK, known)
				return
			}
		}
		answer(w, http.StatusNotFound, map[string]any{"code": "not_found", "message": "no such race", "details": nil})
	})
	mux.HandleFunc("POST /v1/races", func(w http.ResponseWriter, r *http.Request) {
		answer(w, http.StatusAccepted, map[string]any{
			"id": "new", "user": r.Header.Get("X-Photofinish-User"), "org": r.Header.Get("X-Photofinish-Org"), "key": r.Header.Get("Idempotency-Key"),
		})
	})
	mux.HandleFunc("POST /v1/races/{id}/stop", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusConflict, map[string]any{"code": "conflict", "message": "the race has already ended", "details": nil})
	})
	mux.HandleFunc("POST /v1/races/{id}/override", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Photofinish-User") == "" {
			answer(w, http.StatusBadRequest, map[string]any{"code": "invalid", "message": "who?", "details": nil})
			return
		}
		answer(w, http.StatusOK, map[string]any{"id": r.PathValue("id"), "audit": map[string]any{"overridden_by": r.Header.Get("X-Photofinish-User")}})
	})
	mux.HandleFunc("POST /v1/plans", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, map[string]any{"estimate_ms": 1})
	})
	mux.HandleFunc("GET /v1/scripts/{name}", func(w http.ResponseWriter, r *http.Request) {
		answer(w, http.StatusOK, map[string]string{"name": r.PathValue("name")})
	})
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, runnerclient.Health{Version: "1.2.3"})
	})
	return serve(tb, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/healthz" && r.Header.Get("Authorization") != "Bearer secret" {
			answer(w, http.StatusUnauthorized, map[string]any{"code": "unauthorized", "message": "a token is needed", "details": nil})
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// fourApps is a recorded race that ended within the scene's quarter of an hour after 9:26.
func fourApps() race.Race { return racetest.FourApps().Race }

func noticesOf(frames data.Frames) string {
	text := ""
	for _, f := range frames {
		if f.Meta != nil {
			for _, n := range f.Meta.Notices {
				text += n.Text + "\n"
			}
		}
	}
	return text
}
