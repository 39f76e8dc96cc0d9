package main

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTheBinaryLinksNeitherK6NorDockerNorCAdvisorNorAPrometheusServer(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", ".").Output()
	require.NoError(t, err)
	linked := strings.Fields(string(out))
	require.Contains(t, linked, "github.com/photofinish/photofinish/pkg/plugin")
	for _, pkg := range linked {
		for _, banned := range []string{
			"go.k6.io/", "github.com/docker/", "github.com/google/cadvisor", "github.com/prometheus/prometheus/", "github.com/photofinish/photofinish/runner",
		} {
			require.False(t, strings.HasPrefix(pkg, banned), pkg)
		}
	}
}

func TestOnlyThePluginImportsGrafanasSDK(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "list", "-f", "{{.ImportPath}} {{join .Imports \",\"}}", "./...").Output()
	require.NoError(t, err)
	for _, line := range strings.Split(strings.TrimSpace(string(out)), "\n") {
		pkg, imports, _ := strings.Cut(line, " ")
		if strings.Contains(imports, "grafana-plugin-sdk-go") {
			require.Contains(t, []string{"github.com/photofinish/photofinish/pkg", "github.com/photofinish/photofinish/pkg/plugin"}, pkg)
		}
	}
}
