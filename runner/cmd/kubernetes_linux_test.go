package cmd_test

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/engine/docker/dockertest"
	"github.com/photofinish/photofinish/runner/engine/kubernetes/kubetest"
	"github.com/photofinish/photofinish/runner/store"
)

// TestKubernetes races on a real control plane, whose nodes run the sample apps as processes of this machine.
func TestKubernetes(t *testing.T) {
	c := kubetest.Start(t)
	pods := kubetest.Images{}
	for _, app := range []string{"control", "high-latency"} {
		pods["photofinish/"+app] = kubetest.Image{Program: dockertest.Build(t, "github.com/photofinish/photofinish/testapps/"+app)}
	}
	const stock = "grafana/k6:1.8.0"
	pods[stock] = kubetest.Image{Program: dockertest.Build(t, "go.k6.io/k6")}
	for range 3 { // k6 goes to none where a lane is
		c.Node(t, pods, 8, "16Gi", nil)
	}
	c.Proxy(t)
	t.Setenv("KUBECONFIG", c.Kubeconfig(t))
	nothing := func(t *testing.T) {
		t.Helper()
		left, err := c.Client.CoreV1().Namespaces().List(context.Background(), metav1.ListOptions{LabelSelector: "photofinish.race"})
		require.NoError(t, err)
		require.Empty(t, left.Items)
		nothingLeft(t)
	}
	script := filepath.Join("..", "..", "tests", "kubernetes-test.js")

	t.Run("the example races to its end and measures both sides", func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "race")
		got := run(t.Context(), t, "", "race", script, "--engine", "kubernetes", "--heats", "2", "--duration", "3s", "--warmup", "500ms", "--out", dir)
		require.Equal(t, 0, got.code, got.stderr)
		record, err := store.Load(dir)
		require.NoError(t, err)
		require.Equal(t, "kubernetes", record.Engine)
		require.Equal(t, race.Finished, record.Status)
		require.Equal(t, race.Together, record.Mode, "no app runs on this machine, as far as the plan knows")
		require.Regexp(t, `^v1\.\d+\.\d+$`, record.Versions["kubernetes"])
		require.Len(t, record.Lanes, 2)
		for _, l := range record.Lanes {
			require.Equal(t, race.Stopped, l.Exit.Reason, l.App)
			require.Positive(t, l.Client.Requests, l.App)
			require.Zero(t, l.Client.Failed, l.App)
			require.NotNil(t, l.Container, l.App)
			require.Positive(t, *l.Container.CPUSeconds, l.App)
			require.Positive(t, *l.Joined.CPUMSPerRequest, l.App)
			require.NotNil(t, l.Measures["memory_working_set"], l.App)
		}
		nothing(t)
	})
	t.Run("k6 in pods shares the load out", func(t *testing.T) {
		const rate, seconds, heats = 60, 2, 2
		c.Operator(t)
		dir := filepath.Join(t.TempDir(), "race")
		got := run(t.Context(), t, "", "race", filepath.Join("..", "..", "tests", "kubernetes-pods-test.js"), "--engine", "kubernetes", "--rate", fmt.Sprint(rate),
			"--heats", fmt.Sprint(heats), "--duration", fmt.Sprintf("%ds", seconds), "--warmup", "500ms", "--out", dir)
		require.Equal(t, 0, got.code, got.stderr)
		record, err := store.Load(dir)
		require.NoError(t, err)
		require.Equal(t, race.Finished, record.Status)
		require.Equal(t, 4, record.K6.Pods)
		require.Equal(t, stock, record.K6.Image.Name)
		require.Equal(t, record.K6.Version, record.Versions["k6"])
		for _, l := range record.Lanes {
			require.InDelta(t, rate*seconds*heats, l.Client.Requests, 0.1*rate*seconds*heats, l.App)
			require.Zero(t, l.Client.Failed, l.App)
			require.Positive(t, *l.Joined.CPUMSPerRequest, l.App)
			require.NotNil(t, l.Measures["latency_p95"], l.App)
		}
		found := map[race.FindingKind]race.Severity{}
		for _, f := range record.Audit.Findings {
			if f.Severity == race.Unfair || found[f.Kind] == "" {
				found[f.Kind] = f.Severity
			}
		}
		require.Equal(t, race.Note, found[race.StockK6], "what the pods spend is known")
		require.NotContains(t, found, race.SeriesLost)
		require.NotContains(t, found, race.SeriesBudget)
		nothing(t)
	})
	t.Run("an image that no node can pull ends the race with a sentence", func(t *testing.T) {
		missing := writeScript(t, "", "a: { image: 'photofinish/nowhere', port: 4000 }", "b: { image: 'photofinish/control', port: 4000, path: '/control' }")
		got := run(t.Context(), t, "", "race", missing, "--engine", "kubernetes", "--out", filepath.Join(t.TempDir(), "race"))
		require.Equal(t, 3, got.code, got.stderr)
		require.Contains(t, got.stderr, "lane a: its image cannot be pulled (ErrImagePull)")
		nothing(t)
	})
	t.Run("an API server that is gone is told of", func(t *testing.T) {
		c.StopServer()
		got := run(t.Context(), t, "", "race", script, "--engine", "kubernetes", "--out", filepath.Join(t.TempDir(), "race"))
		c.StartServer(t)
		require.Equal(t, 3, got.code, got.stderr)
		require.Contains(t, got.stderr, "the Kubernetes API server at "+c.Admin.Host+" does not answer")
		nothing(t)
	})
}
