package plugin

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/stretchr/testify/require"
)

// holding is a Prometheus that counts three series wherever a query names one of these metrics.
func holding(metrics ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		query := r.FormValue("query")
		for _, m := range metrics {
			if strings.Contains(query, m) {
				fmt.Fprint(w, `{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1790000000,"3"]}]}}`)
				return
			}
		}
		emptyPrometheus(w, r)
	}
}

func TestTheHealthCheckLooksAtEachPart(t *testing.T) {
	gone := httptest.NewServer(nil)
	gone.Close()
	all := []string{"http_reqs_total", "http_req_duration_seconds", "container_cpu_usage_seconds_total"}
	tests := []struct {
		name       string
		prometheus http.HandlerFunc
		runner     string
		status     backend.HealthStatus
		says       []string
	}{
		{"all is well", holding(all...), fakeRunner(t), backend.HealthStatusOk, []string{"All is well", "native histograms", "runner"}},
		{"without a runner", holding(all...), "", backend.HealthStatusOk, []string{"All is well"}},
		{"no race yet", emptyPrometheus, "", backend.HealthStatusOk, []string{"--tag testid", "native histograms", "cAdvisor"}},
		{"native histograms are off", holding(all[0], all[2]), "", backend.HealthStatusOk, []string{"K6_PROMETHEUS_RW_TREND_AS_NATIVE_HISTOGRAM"}},
		{"no cAdvisor", holding(all[:2]...), "", backend.HealthStatusOk, []string{"no cAdvisor series"}},
		{
			"a cAdvisor that knows no container by name", func(w http.ResponseWriter, r *http.Request) {
				if strings.Contains(r.FormValue("query"), `container_label_photofinish_app!=""`) {
					emptyPrometheus(w, r)
					return
				}
				holding(all...)(w, r)
			}, "", backend.HealthStatusOk, []string{"container_label_com_docker_compose_service", "enter the label"},
		},
		{
			"races of yesterday", func(w http.ResponseWriter, r *http.Request) {
				if strings.Contains(r.FormValue("query"), "[300s]") {
					emptyPrometheus(w, r)
					return
				}
				holding(all...)(w, r)
			}, "", backend.HealthStatusOk, []string{"All is well"},
		},
		{
			"a store without native histograms", func(w http.ResponseWriter, r *http.Request) {
				if strings.Contains(r.FormValue("query"), "histogram_avg") {
					w.WriteHeader(http.StatusUnprocessableEntity)
					fmt.Fprint(w, `{"status":"error","errorType":"422","error":"unsupported function"}`)
					return
				}
				holding(all...)(w, r)
			}, "", backend.HealthStatusOk, []string{"unsupported function"},
		},
		{"a runner that is down", holding(all...), gone.URL, backend.HealthStatusError, []string{"runner at", "cannot be reached"}},
		{"a runner that does not take the token", holding(all...), lockedRunner(t), backend.HealthStatusError, []string{"401", "token"}},
		{"a Prometheus in the runner's place", holding(all...), serve(t, http.NotFound), backend.HealthStatusError, []string{"404", "check that the address is the runner's own"}},
		{"no Prometheus", func(w http.ResponseWriter, _ *http.Request) { http.NotFound(w, nil) }, "", backend.HealthStatusError, []string{"no Prometheus API"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			result, err := open(t, serve(t, tt.prometheus), tt.runner).CheckHealth(t.Context(), nil)
			require.NoError(t, err)
			require.Equal(t, tt.status, result.Status, result.Message)
			for _, word := range tt.says {
				require.Contains(t, result.Message, word)
			}
			require.Contains(t, string(result.JSONDetails), `"parts":[{"name":"Prometheus"`)
			var shown struct{ Message, VerboseMessage string } // what Grafana shows below the result's message
			require.NoError(t, json.Unmarshal(result.JSONDetails, &shown))
			require.Empty(t, shown.Message, "it would be there twice")
			require.NotEqual(t, "✗ Prometheus: "+result.Message, shown.VerboseMessage, "it would be there twice")
		})
	}
}

func TestTheHealthCheckAsksNobodyForFewerApps(t *testing.T) {
	slow := stuck(t)
	instance, err := New(t.Context(), backend.DataSourceInstanceSettings{URL: slow, JSONData: json.RawMessage(`{"timeout":0.2}`)})
	require.NoError(t, err)
	health := func(ctx context.Context, d *Datasource) string {
		result, err := d.CheckHealth(ctx, nil)
		require.NoError(t, err)
		require.NotContains(t, string(result.JSONDetails), "fewer apps")
		require.NotContains(t, result.Message, "fewer apps")
		return result.Message
	}
	require.Regexp(t, "did not answer in time.*; see how busy Prometheus is, or raise the time-out$", health(t.Context(), instance.(*Datasource)))
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	require.Contains(t, health(ctx, open(t, slow, "")), "; see how busy Prometheus is, or ")
	gaveUp := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusServiceUnavailable)
		fmt.Fprint(w, `{"status":"error","errorType":"timeout","error":"query timed out in expression evaluation"}`)
	})
	require.Contains(t, health(t.Context(), open(t, gaveUp, "")), "; see how busy Prometheus is, or raise --query.timeout of Prometheus")
	require.ErrorContains(t, ask(t, open(t, gaveUp, ""), `{"queryType":"races"}`).Error, "fewer apps", "a query may ask for less")
}

func lockedRunner(t *testing.T) string {
	t.Helper()
	return serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/healthz" {
			fmt.Fprint(w, `{"version":"1"}`)
			return
		}
		w.WriteHeader(http.StatusUnauthorized)
	})
}
