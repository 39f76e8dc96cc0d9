package datasource_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/genproto/pluginv2"
	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/runner/engine/enginetest"
	"github.com/photofinish/photofinish/runner/k6/confine"
)

const runnerToken = "the runner's token"

// TestTheControlPanelWorksInARealBrowser mounts the control panel in a Chromium over the data source's binary and a real runner, which races two
// small apps. What is done there with mouse and keyboard stands in tests/e2e/control.
func TestTheControlPanelWorksInARealBrowser(t *testing.T) {
	chromium := browser(t)
	readSources(t)
	dir := t.TempDir()
	npx(t, nil, "esbuild", "tests/e2e/control/page.tsx", "--bundle", "--splitting", "--format=esm", "--outdir="+dir, "--jsx=transform", "--target=es2022",
		"--log-level=warning", `--define:process.env.NODE_ENV="production"`, "--loader:.svg=dataurl", "--loader:.ttf=dataurl")
	runner, prometheus := serveRunner(t)
	way := &way{proxy: httputil.NewSingleHostReverseProxy(runner)}
	between := httptest.NewServer(way)
	t.Cleanup(between.Close)

	s := signIn(t, between.URL, prometheus)
	mux := http.NewServeMux()
	mux.HandleFunc("/api/datasources/uid/pf/resources/{path...}", s.call)
	mux.HandleFunc("PUT /scene", func(w http.ResponseWriter, r *http.Request) { s.set(w, r, way) })
	mux.HandleFunc("GET /runner/{path...}", func(w http.ResponseWriter, r *http.Request) { askRunner(w, r, runner) })
	mux.Handle("/", http.FileServer(http.Dir(dir)))
	mux.Handle("GET /public/build/img/", http.StripPrefix("/public/build/", http.FileServer(http.Dir(root+"/node_modules/@grafana/ui/dist/public"))))
	mux.HandleFunc("GET /page.html", func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, root+"/tests/e2e/page.html") })
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	npx(t, []string{"PHOTOFINISH_E2E_URL=" + server.URL, "PHOTOFINISH_CHROMIUM=" + chromium}, "vitest", "run", "--config", "tests/e2e/control/vitest.config.ts")
}

// signIn starts the binary with a data source over a runner and its Prometheus, and logs an editor in.
func signIn(t *testing.T, runner, prometheus string) *signedIn {
	t.Helper()
	g := newGrafana(t, prometheus)
	g.settings.JsonData, g.settings.DecryptedSecureJsonData = fmt.Appendf(nil, `{"runnerUrl":%q}`, runner), map[string]string{"runnerToken": runnerToken}
	return &signedIn{grafana: g, user: &pluginv2.User{Login: "ed", Role: "Editor"}}
}

// signedIn is Grafana as a user sees it: the browser's test says who that is, and whether the data source is still there.
type signedIn struct {
	*grafana
	mu   sync.Mutex
	user *pluginv2.User
	gone bool
}

func (s *signedIn) set(w http.ResponseWriter, r *http.Request, way *way) {
	var scene struct {
		Login, Role string
		Gone        bool
		Runner      string
	}
	if err := json.NewDecoder(r.Body).Decode(&scene); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.user, s.gone = &pluginv2.User{Login: scene.Login, Role: scene.Role}, scene.Gone
	way.set(scene.Runner)
	write(w, http.StatusOK, scene)
}

func (s *signedIn) call(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	settings, gone := s.context(), s.gone
	settings.User = s.user
	s.mu.Unlock()
	if gone {
		write(w, http.StatusNotFound, map[string]string{"message": "Data source not found"}) // as Grafana says it
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	headers := map[string]*pluginv2.StringList{}
	for name, values := range r.Header {
		headers[name] = &pluginv2.StringList{Values: values}
	}
	stream, err := s.resource.CallResource(r.Context(), &pluginv2.CallResourceRequest{
		PluginContext: settings, Method: r.Method, Path: r.PathValue("path"), Url: r.PathValue("path") + "?" + r.URL.RawQuery, Body: body, Headers: headers,
	})
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	answer, err := stream.Recv()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(int(answer.GetCode()))
	_, _ = w.Write(answer.GetBody()) // the browser's own loss
}

// way is the network between the data source and the runner. It may be "down", or "lossy": a request to start a race arrives, its answer does not.
type way struct {
	proxy *httputil.ReverseProxy
	mu    sync.Mutex
	state string
}

func (y *way) set(state string) {
	y.mu.Lock()
	defer y.mu.Unlock()
	y.state = state
}

func (y *way) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	y.mu.Lock()
	state := y.state
	y.mu.Unlock()
	switch {
	case state == "down":
		hangUp(w)
	case state == "lossy" && r.Method == http.MethodPost && r.URL.Path == "/v1/races":
		y.proxy.ServeHTTP(httptest.NewRecorder(), r)
		hangUp(w)
	default:
		y.proxy.ServeHTTP(w, r)
	}
}

// hangUp closes the connection without a word.
func hangUp(w http.ResponseWriter) {
	if connection, _, err := http.NewResponseController(w).Hijack(); err == nil {
		_ = connection.Close()
	}
}

// askRunner lets the browser's test ask the runner itself.
func askRunner(w http.ResponseWriter, r *http.Request, runner *url.URL) {
	address := runner.JoinPath("v1", r.PathValue("path"))
	address.RawQuery = r.URL.RawQuery
	ask, err := http.NewRequestWithContext(r.Context(), http.MethodGet, address.String(), nil)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	ask.Header.Set("Authorization", "Bearer "+runnerToken)
	answer, err := http.DefaultClient.Do(ask)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer answer.Body.Close()
	w.WriteHeader(answer.StatusCode)
	_, _ = io.Copy(w, answer.Body)
}

// The scripts of the runner: two apps that do nothing, raced for a second at a time; and one that dies at once.
const (
	quickScript = `import http from 'k6/http';
export const options = {
  scenarios: { load: { executor: 'constant-arrival-rate', rate: 20, timeUnit: '1s', duration: '%s', preAllocatedVUs: 5 } },
  ext: { photofinish: { heats: 1, warmup: '200ms', mode: 'together', lanes: {
    control: { command: ['%s'], port: %d, env: { %s: 'control' }, cpus: 0.5, memory: '128m' },
    other: { command: ['%s'], port: %d, env: { %s: '%s' }, cpus: 0.5, memory: '128m' },
  } } },
};
export default function () { http.get(__ENV.APP_URL); }
`
	thirtyScript = `export const options = { vus: 1, duration: '5s', ext: { photofinish: { lanes: { %s } } } };
export default function () {}
`
)

// told is where the runner says that its Prometheus is, and then that it listens itself.
var told = regexp.MustCompile(`msg="Prometheus is embedded" url=(\S+)|msg="the runner listens" address=(\S+)`)

// serveRunner builds the runner, gives it scripts, and starts it. It answers with its address and that of its Prometheus. more are scripts by name.
func serveRunner(t *testing.T, more ...map[string]string) (runner *url.URL, prometheus string) {
	t.Helper()
	if err := confine.Supported(); err != nil {
		if os.Getenv("PHOTOFINISH_REQUIRE_ALL") == "1" {
			t.Fatalf("the runner cannot be tried: %v", err)
		}
		t.Skipf("SKIPPED, the control panel over a runner: %v", err)
	}
	dir := t.TempDir()
	program, app := filepath.Join(dir, "photofinish"), filepath.Join(dir, "app")
	for out, pkg := range map[string]string{program: "./runner", app: "./runner/engine/enginetest/app"} {
		cmd := exec.Command("go", "build", "-o", out, pkg)
		cmd.Dir, cmd.Stderr = root, os.Stderr
		require.NoError(t, cmd.Run())
	}
	put := func(name, text string) {
		path := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	}
	put("token", runnerToken)
	put("runner.yaml", "listen: 127.0.0.1:0\ntoken: {file: token}\nscripts: {folder: scripts}\nprometheus: {listen: '127.0.0.1:0'}\n")
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "scripts"), 0o700))
	serve := exec.Command(program, "serve", "--config", filepath.Join(dir, "runner.yaml"))
	said, err := serve.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, serve.Start())
	t.Cleanup(func() {
		_ = serve.Process.Signal(syscall.SIGTERM)
		_ = serve.Wait()
	})
	found := make(chan string, 2)
	go func() {
		for lines := bufio.NewScanner(said); lines.Scan(); {
			if m := told.FindStringSubmatch(lines.Text()); m != nil {
				found <- m[1] + m[2]
			}
		}
	}()
	tell := func() string {
		select {
		case address := <-found:
			return address
		case <-time.After(30 * time.Second):
			t.Fatal("the runner does not listen")
			return ""
		}
	}
	prometheus = tell()
	runner, err = url.Parse("http://" + tell())
	require.NoError(t, err)
	// The ports of lanes are chosen now, when those of the runner are taken.
	script := func(name, duration, other string) {
		put("scripts/"+name, fmt.Sprintf(quickScript, duration, app, enginetest.FreePort(t), enginetest.AppVariable, app, enginetest.FreePort(t), enginetest.AppVariable, other))
	}
	script("quick.js", "1s", "control")
	script("slow.js", "20s", "control")
	script("broken.js", "1s", "crasher")
	lanes := []string{"'" + strings.Repeat("long-", 12) + "': { url: 'http://127.0.0.1:1/' }"}
	for i := range 29 {
		lanes = append(lanes, fmt.Sprintf("'app-%d': { url: 'http://127.0.0.1:1/' }", i+2))
	}
	for _, scripts := range more {
		for name, text := range scripts {
			put("scripts/"+name, text)
		}
	}
	put("scripts/thirty.js", fmt.Sprintf(thirtyScript, strings.Join(lanes, ", ")))
	return runner, prometheus
}
