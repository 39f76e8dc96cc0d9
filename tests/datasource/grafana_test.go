package datasource_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/grafana/grafana-plugin-sdk-go/backend/grpcplugin"
	"github.com/grafana/grafana-plugin-sdk-go/genproto/pluginv2"
	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/plugin"
)

// grafana is as much of Grafana's HTTP API as the editors of a data source need. What it answers comes from the plugin's binary.
type grafana struct {
	data     grpcplugin.DataClient
	health   grpcplugin.DiagnosticsClient
	resource grpcplugin.ResourceClient

	mu       sync.Mutex
	settings *pluginv2.DataSourceInstanceSettings
}

// newGrafana starts the binary; its data source asks the Prometheus at the address until other settings are saved.
func newGrafana(t *testing.T, prometheus string) *grafana {
	t.Helper()
	protocol := startBinary(t).protocol
	dispense := func(kind string) any {
		client, err := protocol.Dispense(kind)
		require.NoError(t, err)
		return client
	}
	return &grafana{
		data:     dispense("data").(grpcplugin.DataClient),
		health:   dispense("diagnostics").(grpcplugin.DiagnosticsClient),
		resource: dispense("resource").(grpcplugin.ResourceClient),
		settings: &pluginv2.DataSourceInstanceSettings{Uid: "pf", Name: "Photofinish", Url: prometheus, JsonData: []byte("{}"), LastUpdatedMS: 1},
	}
}

func (g *grafana) routes(mux *http.ServeMux) {
	mux.HandleFunc("POST /api/ds/query", g.query)
	mux.HandleFunc("GET /api/datasources/uid/pf/health", g.checkHealth)
	mux.HandleFunc("GET /api/datasources/uid/pf/resources/{path...}", g.call)
	mux.HandleFunc("PUT /api/datasources/uid/pf", g.save)
}

func (g *grafana) context() *pluginv2.PluginContext {
	g.mu.Lock()
	defer g.mu.Unlock()
	return &pluginv2.PluginContext{
		OrgId: 1, PluginId: plugin.ID, User: &pluginv2.User{Login: "ed", Role: "Editor"}, DataSourceInstanceSettings: g.settings,
	}
}

// save takes the settings as Grafana's page of a data source sends them.
func (g *grafana) save(w http.ResponseWriter, r *http.Request) {
	var sent struct {
		URL            string            `json:"url"`
		User           string            `json:"user"`
		BasicAuth      bool              `json:"basicAuth"`
		BasicAuthUser  string            `json:"basicAuthUser"`
		JSONData       json.RawMessage   `json:"jsonData"`
		SecureJSONData map[string]string `json:"secureJsonData"`
	}
	if err := json.NewDecoder(r.Body).Decode(&sent); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.settings = &pluginv2.DataSourceInstanceSettings{
		Uid: "pf", Name: "Photofinish", Url: sent.URL, User: sent.User, JsonData: sent.JSONData, DecryptedSecureJsonData: sent.SecureJSONData,
		BasicAuthEnabled: sent.BasicAuth, BasicAuthUser: sent.BasicAuthUser, LastUpdatedMS: g.settings.GetLastUpdatedMS() + 1,
	}
	write(w, http.StatusOK, map[string]string{"message": "Datasource updated"})
}

func (g *grafana) checkHealth(w http.ResponseWriter, r *http.Request) {
	health, err := g.health.CheckHealth(r.Context(), &pluginv2.CheckHealthRequest{PluginContext: g.context()})
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	status := http.StatusOK
	if health.GetStatus() != pluginv2.CheckHealthResponse_OK {
		status = http.StatusBadRequest
	}
	write(w, status, map[string]any{"status": health.GetStatus().String(), "message": health.GetMessage(), "details": json.RawMessage(health.GetJsonDetails())})
}

func (g *grafana) query(w http.ResponseWriter, r *http.Request) {
	var sent struct {
		From, To string
		Queries  []json.RawMessage
	}
	if err := json.NewDecoder(r.Body).Decode(&sent); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	from, fromErr := strconv.ParseInt(sent.From, 10, 64)
	to, toErr := strconv.ParseInt(sent.To, 10, 64)
	if err := errors.Join(fromErr, toErr); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	request := &pluginv2.QueryDataRequest{PluginContext: g.context()}
	for _, raw := range sent.Queries {
		var q struct {
			RefID, QueryType          string
			IntervalMS, MaxDataPoints int64
		}
		if err := json.Unmarshal(raw, &q); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		request.Queries = append(request.Queries, &pluginv2.DataQuery{
			RefId: q.RefID, QueryType: q.QueryType, Json: raw, IntervalMS: max(q.IntervalMS, time.Second.Milliseconds()), MaxDataPoints: max(q.MaxDataPoints, 1000),
			TimeRange: &pluginv2.TimeRange{FromEpochMS: from, ToEpochMS: to},
		})
	}
	answered, err := g.data.QueryData(r.Context(), request)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	response, err := backend.FromProto().QueryDataResponse(answered)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	write(w, http.StatusOK, response)
}

func (g *grafana) call(w http.ResponseWriter, r *http.Request) {
	path := r.PathValue("path")
	stream, err := g.resource.CallResource(r.Context(), &pluginv2.CallResourceRequest{
		PluginContext: g.context(), Method: r.Method, Path: path, Url: path + "?" + r.URL.RawQuery,
	})
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	for first := true; ; first = false {
		part, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		if first {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(int(part.GetCode()))
		}
		_, _ = w.Write(part.GetBody()) // the browser's own loss
	}
}

func write(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the browser's own loss
}
