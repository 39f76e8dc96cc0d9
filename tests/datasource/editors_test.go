package datasource_test

import (
	"context"
	"encoding/pem"
	"io"
	"io/fs"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// root is the repository's.
const root = "../.."

// TestTheEditorsWorkInARealBrowser mounts the editors of src/datasource in a Chromium, with React and @grafana/ui as they are and the
// plugin's binary over a real Prometheus behind them. What is done there with mouse and keyboard stands in tests/e2e.
func TestTheEditorsWorkInARealBrowser(t *testing.T) {
	chromium := browser(t)
	readSources(t)
	dir := t.TempDir()
	npx(t, nil, "esbuild", "tests/e2e/page.tsx", "--bundle", "--splitting", "--format=esm", "--outdir="+dir, "--jsx=transform", "--target=es2022",
		"--log-level=warning", `--define:process.env.NODE_ENV="production"`, "--loader:.svg=dataurl", "--loader:.ttf=dataurl")
	prom := startPrometheus(t)
	target, err := url.Parse(prom.URL())
	require.NoError(t, err)
	guarded := guard(httputil.NewSingleHostReverseProxy(target))
	plain, encrypted := httptest.NewServer(guarded), httptest.NewUnstartedServer(guarded)
	encrypted.Config.ErrorLog = log.New(io.Discard, "", 0) // a browser's test wants to be refused
	encrypted.StartTLS()
	t.Cleanup(plain.Close)
	t.Cleanup(encrypted.Close)

	mux := http.NewServeMux()
	newGrafana(t, prom.URL()).routes(mux)
	mux.Handle("GET /", http.FileServer(http.Dir(dir)))
	mux.Handle("GET /public/build/img/", http.StripPrefix("/public/build/", http.FileServer(http.Dir(root+"/node_modules/@grafana/ui/dist/public"))))
	mux.HandleFunc("GET /page.html", func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, root+"/tests/e2e/page.html") })
	mux.HandleFunc("GET /scene.json", func(w http.ResponseWriter, _ *http.Request) {
		write(w, http.StatusOK, map[string]any{
			"from": t0().Add(-5 * time.Minute).UnixMilli(), "to": t0().Add(10 * time.Minute).UnixMilli(),
			"prometheus": prom.URL(), "guarded": plain.URL, "encrypted": encrypted.URL,
			"authority": string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: encrypted.Certificate().Raw})),
		})
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	npx(t, []string{"PHOTOFINISH_E2E_URL=" + server.URL, "PHOTOFINISH_CHROMIUM=" + chromium}, "vitest", "run", "--config", "tests/e2e/vitest.config.ts")
}

// guard lets through whom a shared Prometheus would: one tenant, with one password.
func guard(prometheus http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user, password, ok := r.BasicAuth(); !ok || user != "grafana" || password != "s3cret" {
			http.Error(w, "who are you?", http.StatusUnauthorized)
			return
		}
		if r.Header.Get("X-Scope-Orgid") != "team-a" {
			http.Error(w, "no org id", http.StatusUnprocessableEntity)
			return
		}
		prometheus.ServeHTTP(w, r)
	})
}

// browser finds a Chromium and the frontend's packages, or skips the test loudly; where nothing may be skipped it fails.
func browser(tb testing.TB) string {
	tb.Helper()
	missing := "chromium, chromium-browser or google-chrome (Debian: apt-get install chromium)"
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		path, err := exec.LookPath(name)
		if err != nil {
			continue
		}
		if _, err := os.Stat(filepath.Join(root, "node_modules", "playwright-core")); err == nil {
			return path
		}
		missing = "node_modules (npm ci)"
	}
	why := "SKIPPED: there is no " + missing + " here: the editors were not tried in a browser"
	if os.Getenv("PHOTOFINISH_REQUIRE_ALL") == "1" {
		tb.Fatal(why)
	}
	tb.Skip(why)
	return ""
}

// npx runs a command of the frontend's packages in the repository's root.
func npx(tb testing.TB, env []string, name string, args ...string) {
	tb.Helper()
	said, err := npxOutput(env, name, args...)
	require.NoError(tb, err, string(said))
	tb.Logf("%s", said)
}

func npxOutput(env []string, name string, args ...string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 8*time.Minute)
	defer cancel()
	command, err := filepath.Abs(filepath.Join(root, "node_modules", ".bin", name))
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, command, args...)
	cmd.Dir, cmd.Env, cmd.WaitDelay = root, append(os.Environ(), env...), time.Second
	return cmd.CombinedOutput()
}

// readSources opens what the browser's test is made of: go test repeats a result without a run unless a file changed that the test itself has
// opened.
func readSources(tb testing.TB) {
	tb.Helper()
	for _, dir := range []string{"src", "tests/e2e", "package-lock.json"} {
		require.NoError(tb, filepath.WalkDir(filepath.Join(root, dir), func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			_, err = os.ReadFile(path)
			return err
		}))
	}
}
