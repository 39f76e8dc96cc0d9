package datasource_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// buildPanels bundles the panels to dist, as they are published, once for all tests.
var buildPanels = sync.OnceValue(func() error {
	said, err := npxOutput(nil, "rollup", "--config", "--silent")
	if err != nil {
		return errors.New(string(said))
	}
	return nil
})

// servePanels serves tests/e2e/panels: a page that loads a panel's bundle as Grafana loads it, over recorded frames. The fonts are Grafana's, out of
// packages, so that the pictures of two machines are alike.
func servePanels(tb testing.TB) string {
	tb.Helper()
	readSources(tb)
	require.NoError(tb, buildPanels())
	dir := tb.TempDir()
	npx(tb, nil, "esbuild", "tests/e2e/panels/page.tsx", "--bundle", "--splitting", "--format=esm", "--outdir="+dir, "--jsx=transform", "--target=es2022",
		"--log-level=warning", `--define:process.env.NODE_ENV="production"`, "--loader:.svg=dataurl", "--loader:.ttf=dataurl")
	packages := filepath.Join(root, "node_modules")
	folder := func(path ...string) http.Handler { return http.FileServer(http.Dir(filepath.Join(path...))) }
	mono := filepath.Join(packages, "@fontsource", "roboto-mono", "files", "roboto-mono-latin-400-normal.woff2")
	mux := http.NewServeMux()
	mux.Handle("GET /", folder(dir))
	mux.Handle("GET /panels/", http.StripPrefix("/panels/", folder(root, "dist", "panels")))
	mux.Handle("GET /public/build/img/", http.StripPrefix("/public/build/", folder(packages, "@grafana", "ui", "dist", "public")))
	mux.Handle("GET /public/fonts/inter/", http.StripPrefix("/public/fonts/inter/", folder(packages, "inter-ui", "web")))
	mux.HandleFunc("GET /public/fonts/roboto/", func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, mono) })
	mux.Handle("GET /fonts/", http.StripPrefix("/fonts/", folder(packages, "@fontsource")))
	mux.HandleFunc("GET /page.html", func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, root+"/tests/e2e/panels/page.html") })
	server := httptest.NewServer(mux)
	tb.Cleanup(server.Close)
	return server.URL
}

// TestThePicturesOfThePanelsAreTheStoredOnes takes pictures of the panels' bundles in a Chromium and compares them with those in
// tests/e2e/panels/pictures. -record renews the pictures: look at them before you commit them.
func TestThePicturesOfThePanelsAreTheStoredOnes(t *testing.T) {
	env := []string{"PHOTOFINISH_CHROMIUM=" + browser(t), "PHOTOFINISH_E2E_URL=" + servePanels(t)}
	args := []string{"test", "--config", "tests/e2e/panels/playwright.config.ts", "pictures"}
	if *record {
		args = append(args, "--update-snapshots=changed")
	}
	npx(t, env, "playwright", args...)
}

// BenchmarkPanels measures in a Chromium what a viewer waits for and what the panels cost: the time from mounting a panel with its data to its first
// paint, and, of a track with twelve lanes that is fed as a running race feeds it, frames a second and main-thread time a frame, also while it is out of
// sight. tests/e2e/panels/bench.spec.ts says how.
func BenchmarkPanels(b *testing.B) {
	env := []string{"PHOTOFINISH_CHROMIUM=" + browser(b), "PHOTOFINISH_E2E_URL=" + servePanels(b)}
	for b.Loop() {
		path := filepath.Join(b.TempDir(), "figures.json")
		npx(b, append(env, "PHOTOFINISH_FIGURES="+path), "playwright", "test", "--config", "tests/e2e/panels/playwright.config.ts", "bench")
		text, err := os.ReadFile(path)
		require.NoError(b, err)
		figures := map[string]float64{}
		require.NoError(b, json.Unmarshal(text, &figures))
		for unit, figure := range figures {
			b.ReportMetric(figure, unit)
		}
	}
	b.ReportMetric(0, "ns/op") // the time of the whole session tells nothing
}
