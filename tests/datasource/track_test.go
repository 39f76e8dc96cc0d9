package datasource_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestTheTrackPanelWorksInARealBrowser loads the track panel's bundle in a Chromium as Grafana loads it, over frames that the data source's
// binary sent for a real race. What is done there with mouse and keyboard stands in tests/e2e/track.
func TestTheTrackPanelWorksInARealBrowser(t *testing.T) {
	chromium := browser(t)
	readSources(t)
	dir := t.TempDir()
	npx(t, nil, "rollup", "--config", "--silent")
	npx(t, nil, "esbuild", "tests/e2e/track/page.tsx", "--bundle", "--splitting", "--format=esm", "--outdir="+dir, "--jsx=transform", "--target=es2022",
		"--log-level=warning", `--define:process.env.NODE_ENV="production"`, "--loader:.svg=dataurl", "--loader:.ttf=dataurl")
	recorded := map[string]json.RawMessage{}
	for _, name := range []string{"live", "history", "ended"} {
		text, err := os.ReadFile(filepath.Join(root, "src", "panels", "track", "testdata", name+".json"))
		require.NoError(t, err)
		recorded[name] = text
	}
	mux := http.NewServeMux()
	mux.Handle("GET /", http.FileServer(http.Dir(dir)))
	mux.Handle("GET /panel/", http.StripPrefix("/panel/", http.FileServer(http.Dir(root+"/dist/panels/track"))))
	mux.Handle("GET /public/build/img/", http.StripPrefix("/public/build/", http.FileServer(http.Dir(root+"/node_modules/@grafana/ui/dist/public"))))
	mux.HandleFunc("GET /page.html", func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, root+"/tests/e2e/page.html") })
	mux.HandleFunc("GET /recorded.json", func(w http.ResponseWriter, _ *http.Request) { write(w, http.StatusOK, recorded) })
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	npx(t, []string{"PHOTOFINISH_E2E_URL=" + server.URL, "PHOTOFINISH_CHROMIUM=" + chromium}, "vitest", "run", "--config", "tests/e2e/track/vitest.config.ts")
}
