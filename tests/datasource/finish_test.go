package datasource_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

// TestTheFinishPanelWorksInARealBrowser mounts src/panels/finish in a Chromium with the frames of recorded races, in the frame that Grafana puts
// around panels. What is done there with mouse and keyboard stands in tests/e2e/finish.
func TestTheFinishPanelWorksInARealBrowser(t *testing.T) {
	chromium := browser(t)
	readSources(t)
	dir := t.TempDir()
	npx(t, nil, "esbuild", "tests/e2e/finish/page.tsx", "--bundle", "--splitting", "--format=esm", "--outdir="+dir, "--jsx=transform", "--target=es2022",
		"--log-level=warning", `--define:process.env.NODE_ENV="production"`, "--loader:.svg=dataurl", "--loader:.ttf=dataurl")
	mux := http.NewServeMux()
	mux.Handle("GET /", http.FileServer(http.Dir(dir)))
	mux.Handle("GET /public/build/img/", http.StripPrefix("/public/build/", http.FileServer(http.Dir(root+"/node_modules/@grafana/ui/dist/public"))))
	mux.HandleFunc("GET /page.html", func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, root+"/tests/e2e/page.html") })
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	npx(t, []string{"PHOTOFINISH_E2E_URL=" + server.URL, "PHOTOFINISH_CHROMIUM=" + chromium}, "vitest", "run", "--config", "tests/e2e/finish/vitest.config.ts")
}
