package datasource_test

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/grafana/grafana-plugin-sdk-go/backend/grpcplugin"
	"github.com/grafana/grafana-plugin-sdk-go/genproto/pluginv2"
	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"
	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/tests/datasource/generated"
)

// binary is the data source's program as Grafana runs it.
type binary struct {
	protocol goplugin.ClientProtocol
	pid      int
}

// build builds the binary once for all tests, in a folder that TestMain removes.
var (
	folder string
	build  = sync.OnceValues(func() (string, error) {
		path := filepath.Join(folder, "gpx_photofinish")
		cmd := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", path, "github.com/photofinish/photofinish/pkg")
		cmd.Stderr = os.Stderr
		return path, cmd.Run()
	})
)

func TestMain(m *testing.M) {
	if asked, err := generated.ServeApart(os.Stdin, os.Stdout); asked {
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	var err error
	if folder, err = os.MkdirTemp("", "photofinish"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	_ = os.RemoveAll(folder)
	os.Exit(code)
}

// startBinary starts the data source's binary as Grafana does.
func startBinary(tb testing.TB) binary {
	tb.Helper()
	path, err := build()
	require.NoError(tb, err)
	client := goplugin.NewClient(&goplugin.ClientConfig{
		Cmd: exec.Command(path),
		HandshakeConfig: goplugin.HandshakeConfig{
			ProtocolVersion: grpcplugin.ProtocolVersion, MagicCookieKey: grpcplugin.MagicCookieKey, MagicCookieValue: grpcplugin.MagicCookieValue,
		},
		VersionedPlugins: map[int]goplugin.PluginSet{grpcplugin.ProtocolVersion: {
			"data": &grpcplugin.DataGRPCPlugin{}, "stream": &grpcplugin.StreamGRPCPlugin{}, "diagnostics": &grpcplugin.DiagnosticsGRPCPlugin{}, "resource": &grpcplugin.ResourceGRPCPlugin{},
		}},
		AllowedProtocols: []goplugin.Protocol{goplugin.ProtocolGRPC},
		Logger:           hclog.New(&hclog.LoggerOptions{Output: io.Discard}),
	})
	tb.Cleanup(client.Kill)
	protocol, err := client.Client()
	require.NoError(tb, err)
	pid, err := strconv.Atoi(client.ID())
	require.NoError(tb, err)
	return binary{protocol, pid}
}

func (b binary) query(t *testing.T, settings *pluginv2.PluginContext, queries ...*pluginv2.DataQuery) backend.Responses {
	t.Helper()
	raw, err := b.protocol.Dispense("data")
	require.NoError(t, err)
	answered, err := raw.(grpcplugin.DataClient).QueryData(t.Context(), &pluginv2.QueryDataRequest{PluginContext: settings, Queries: queries})
	require.NoError(t, err)
	response, err := backend.FromProto().QueryDataResponse(answered)
	require.NoError(t, err)
	return response.Responses
}

func (b binary) health(t *testing.T, settings *pluginv2.PluginContext) *pluginv2.CheckHealthResponse {
	t.Helper()
	raw, err := b.protocol.Dispense("diagnostics")
	require.NoError(t, err)
	health, err := raw.(grpcplugin.DiagnosticsClient).CheckHealth(t.Context(), &pluginv2.CheckHealthRequest{PluginContext: settings})
	require.NoError(t, err)
	return health
}

func (b binary) call(t *testing.T, settings *pluginv2.PluginContext, method, url string) (int, string) {
	t.Helper()
	path, _, _ := strings.Cut(url, "?")
	raw, err := b.protocol.Dispense("resource")
	require.NoError(t, err)
	stream, err := raw.(grpcplugin.ResourceClient).CallResource(t.Context(), &pluginv2.CallResourceRequest{PluginContext: settings, Method: method, Path: path, Url: url})
	require.NoError(t, err)
	answer, err := stream.Recv()
	require.NoError(t, err)
	return int(answer.GetCode()), string(answer.GetBody())
}
