package cmd_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/pprof"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/cmd"
	"github.com/photofinish/photofinish/runner/store"
)

// TestMain lets the test binary be all that a race needs: the runner, its k6, and the apps.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case "k6":
			os.Args = withRawOutput(cmd.K6Args(os.Args))
			cmd.RunK6()
			return
		case "app":
			app(os.Args[2:])
			return
		case "race", "compare", "serve", "races":
			os.Exit(cmd.Main(os.Args[1:], os.Stdout, os.Stderr))
		}
	}
	strangers = groupsOf("*")
	os.Exit(m.Run())
}

// rawOutput names the folder in which every k6 of a heat leaves k6's own raw JSON output, for a test to count by itself; it is an
// environment variable, since k6 is another process.
const rawOutput = "PHOTOFINISH_TEST_RAW_OUTPUT"

// withRawOutput asks k6 for its raw output, where a test wants it and k6 races.
func withRawOutput(args []string) []string {
	dir, wrapper := os.Getenv(rawOutput), args[len(args)-1]
	if dir == "" || args[1] != "run" || strings.Contains(wrapper, "/probe-") {
		return args
	}
	file := filepath.Join(dir, fmt.Sprintf("%d.json", os.Getpid()))
	return append([]string{args[0], "run", "--out", "json=" + file}, args[2:]...)
}

// app is a server whose arguments are its faults: "exit=2s" ends it then with code 7, "eat=2s" makes it eat memory from then on,
// "ill" answers 503, "flaky" does so every tenth time, "slow=20ms" waits before each answer, "cold=1s" before the first at /, "spin=2ms" burns CPU in each,
// "pyroscope=URL" answers 418 if it is not told to send its profiles there, "stubborn" does not end when it is asked to. Its profiles are
// under /debug/pprof: "page" answers them with a page, "hang" not at all, and "die" ends it when it is asked for them.
func app(args []string) {
	var wait, spin time.Duration
	var cold atomic.Int64
	status, flaky, asked := http.StatusOK, false, atomic.Int64{}
	for _, arg := range args {
		fault, value, _ := strings.Cut(arg, "=")
		d, _ := time.ParseDuration(value)
		switch fault {
		case "exit":
			time.AfterFunc(d, func() { _, _ = os.Stdout.WriteString("the app's last words\n"); os.Exit(7) })
		case "eat":
			time.AfterFunc(d, eat)
		case "ill":
			status = http.StatusServiceUnavailable
		case "flaky":
			flaky = true
		case "pyroscope":
			if labels := os.Getenv("PYROSCOPE_LABELS"); os.Getenv("PYROSCOPE_SERVER_ADDRESS") != value || !strings.HasPrefix(labels, "app="+os.Getenv("PYROSCOPE_APPLICATION_NAME")+",heat=1,race=") {
				status = http.StatusTeapot
			}
		case "stubborn":
			signal.Ignore(syscall.SIGTERM)
		case "slow":
			wait = d
		case "cold":
			cold.Store(int64(d))
		case "spin":
			spin = d
		}
	}
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/" { // and no question after its health
			time.Sleep(time.Duration(cold.Swap(0)))
		}
		time.Sleep(wait)
		for start := time.Now(); time.Since(start) < spin; {
		}
		if flaky && asked.Add(1)%10 == 0 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		w.WriteHeader(status)
	})
	mux := http.NewServeMux()
	mux.Handle("/", handler)
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/profile", func(w http.ResponseWriter, r *http.Request) {
		switch {
		case slices.Contains(args, "page"):
			_, _ = io.WriteString(w, "<html><body>not here")
		case slices.Contains(args, "hang"):
			<-r.Context().Done()
		case slices.Contains(args, "die"):
			os.Exit(7)
		default:
			pprof.Profile(w, r)
		}
	})
	_, _ = os.Stderr.WriteString(http.ListenAndServe(os.Getenv("HOST")+":"+os.Getenv("PORT"), mux).Error())
}

var eaten [][]byte

func eat() {
	for {
		b := make([]byte, 1<<20)
		for i := 0; i < len(b); i += 4096 {
			b[i] = 1
		}
		eaten = append(eaten, b)
		time.Sleep(time.Millisecond)
	}
}

// lane is a lane of a test's script: an app with its faults and limits.
func lane(port int, limits string, faults ...string) string {
	command := fmt.Sprintf("%q, 'app'", os.Args[0])
	for _, f := range faults {
		command += fmt.Sprintf(", %q", f)
	}
	return fmt.Sprintf("{ command: [%s], port: %d, path: '/', %s }", command, port, limits)
}

// writeScript writes a k6 script with the lanes, which are JavaScript, and 50 requests a second for 1 s per lane and heat.
func writeScript(t *testing.T, body string, lanes ...string) string {
	t.Helper()
	if body == "" {
		body = "export default function () { http.get(__ENV.APP_URL); }"
	}
	path := filepath.Join(t.TempDir(), "script.js")
	require.NoError(t, os.WriteFile(path, []byte(`import http from 'k6/http';
export const options = {
  scenarios: { load: { executor: 'constant-arrival-rate', rate: 50, timeUnit: '1s', duration: '1s', preAllocatedVUs: 10 } },
  ext: { photofinish: { heats: 2, warmup: '300ms', lanes: { `+strings.Join(lanes, ", ")+` } } },
};
`+body+"\n"), 0o600))
	return path
}

// finished is a race that was run to its end in this process.
type finished struct {
	code           int
	stdout, stderr string
	record         race.Race
	dir            string
}

// runRace runs `photofinish race` and reads its record, if there is one.
func runRace(ctx context.Context, t *testing.T, args ...string) finished {
	t.Helper()
	return run(ctx, t, filepath.Join(t.TempDir(), "race"), append([]string{"race"}, args...)...)
}

// run runs a command of photofinish in this process; dir is where a race is to be recorded, or "" if it records none.
func run(ctx context.Context, t *testing.T, dir string, args ...string) finished {
	t.Helper()
	f := finished{dir: dir}
	if dir != "" {
		args = slices.Concat(args[:1], []string{"--out", dir}, args[1:]) // an --out of the test's own comes later, and counts
	}
	var stdout, stderr bytes.Buffer
	f.code = cmd.Run(ctx, args, io.MultiWriter(&stdout, testWriter{t}), io.MultiWriter(&stderr, testWriter{t}))
	f.stdout, f.stderr = stdout.String(), stderr.String()
	if r, err := store.Load(f.dir); err == nil {
		f.record = r
	}
	return f
}

func (f finished) lane(t *testing.T, app string) race.Lane {
	t.Helper()
	for _, l := range f.record.Lanes {
		if l.App == app {
			return l
		}
	}
	require.Failf(t, "no such lane", "%s", app)
	return race.Lane{}
}

func (f finished) finding(kind race.FindingKind) (race.Finding, bool) {
	for _, one := range f.record.Audit.Findings {
		if one.Kind == kind {
			return one, true
		}
	}
	return race.Finding{}, false
}

type testWriter struct{ t *testing.T }

func (w testWriter) Write(p []byte) (int, error) {
	w.t.Log(strings.TrimRight(string(p), "\n"))
	return len(p), nil
}
