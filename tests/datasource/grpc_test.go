package datasource_test

import (
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/grafana/grafana-plugin-sdk-go/backend/grpcplugin"
	"github.com/grafana/grafana-plugin-sdk-go/experimental"
	"github.com/grafana/grafana-plugin-sdk-go/genproto/pluginv2"
	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"
	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/plugin"
)

// startBinary builds the data source's binary and starts it as Grafana does.
func startBinary(tb testing.TB) (protocol goplugin.ClientProtocol, pid int) {
	tb.Helper()
	binary := filepath.Join(tb.TempDir(), "gpx_photofinish")
	build := exec.CommandContext(tb.Context(), "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", binary, "github.com/photofinish/photofinish/pkg")
	build.Stderr = os.Stderr
	require.NoError(tb, build.Run())
	client := goplugin.NewClient(&goplugin.ClientConfig{
		Cmd: exec.Command(binary),
		HandshakeConfig: goplugin.HandshakeConfig{
			ProtocolVersion: grpcplugin.ProtocolVersion, MagicCookieKey: grpcplugin.MagicCookieKey, MagicCookieValue: grpcplugin.MagicCookieValue,
		},
		VersionedPlugins: map[int]goplugin.PluginSet{grpcplugin.ProtocolVersion: {
			"data": &grpcplugin.DataGRPCPlugin{}, "diagnostics": &grpcplugin.DiagnosticsGRPCPlugin{}, "resource": &grpcplugin.ResourceGRPCPlugin{},
		}},
		AllowedProtocols: []goplugin.Protocol{goplugin.ProtocolGRPC},
		Logger:           hclog.New(&hclog.LoggerOptions{Output: io.Discard}),
	})
	tb.Cleanup(client.Kill)
	protocol, err := client.Client()
	require.NoError(tb, err)
	pid, err = strconv.Atoi(client.ID())
	require.NoError(tb, err)
	return protocol, pid
}

func TestTheBinarySpeaksGrafanasProtocol(t *testing.T) {
	prom := startPrometheus(t)
	protocol, _ := startBinary(t)
	context := &pluginv2.PluginContext{
		OrgId: 1, PluginId: plugin.ID, ApiVersion: "", User: &pluginv2.User{Login: "vi", Role: "Viewer"},
		DataSourceInstanceSettings: &pluginv2.DataSourceInstanceSettings{Uid: "p", Name: "Photofinish", Url: prom.URL(), JsonData: []byte("{}"), LastUpdatedMS: 1},
	}

	raw, err := protocol.Dispense("diagnostics")
	require.NoError(t, err)
	health, err := raw.(grpcplugin.DiagnosticsClient).CheckHealth(t.Context(), &pluginv2.CheckHealthRequest{PluginContext: context})
	require.NoError(t, err)
	require.Equal(t, pluginv2.CheckHealthResponse_OK, health.GetStatus(), health.GetMessage())

	file, err := os.ReadFile(filepath.Join(testdata, "queries.json"))
	require.NoError(t, err)
	var queries map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(file, &queries))
	raw, err = protocol.Dispense("data")
	require.NoError(t, err)
	answered, err := raw.(grpcplugin.DataClient).QueryData(t.Context(), &pluginv2.QueryDataRequest{PluginContext: context, Queries: []*pluginv2.DataQuery{
		{
			RefId: "A", QueryType: "verdict", MaxDataPoints: 1000, IntervalMS: 1000, Json: queries["verdict"],
			TimeRange: &pluginv2.TimeRange{FromEpochMS: t0().Add(-5 * time.Minute).UnixMilli(), ToEpochMS: t0().Add(10 * time.Minute).UnixMilli()},
		},
		{RefId: "B", Json: []byte(`{"queryType":"nonsense"}`), TimeRange: &pluginv2.TimeRange{ToEpochMS: 1}},
	}})
	require.NoError(t, err)
	response, err := backend.FromProto().QueryDataResponse(answered)
	require.NoError(t, err)
	require.ErrorContains(t, response.Responses["B"].Error, "nonsense")
	verdict := response.Responses["A"]
	require.NoError(t, verdict.Error)
	experimental.CheckGoldenJSONResponse(t, testdata, "verdict", &verdict, false)

	raw, err = protocol.Dispense("resource")
	require.NoError(t, err)
	stream, err := raw.(grpcplugin.ResourceClient).CallResource(t.Context(), &pluginv2.CallResourceRequest{PluginContext: context, Method: "POST", Path: "races", Url: "races"})
	require.NoError(t, err)
	refused, err := stream.Recv()
	require.NoError(t, err)
	require.Equal(t, int32(403), refused.GetCode(), "a viewer starts nothing")
}
