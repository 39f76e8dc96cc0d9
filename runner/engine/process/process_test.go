package process_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/cgroup"
	"github.com/photofinish/photofinish/runner/engine"
	"github.com/photofinish/photofinish/runner/engine/enginetest"
	"github.com/photofinish/photofinish/runner/engine/process"
	"github.com/photofinish/photofinish/runner/ledger"
)

func TestMain(m *testing.M) {
	enginetest.Main()
	runnerMain()
	os.Exit(m.Run())
}

func newEngine(t *testing.T, o process.Options) *process.Engine {
	t.Helper()
	if o.Ledger == nil {
		o.Ledger = openLedger(t, t.TempDir())
	}
	if o.Grace == 0 {
		o.Grace = 300 * time.Millisecond
	}
	e, err := process.New(o)
	require.NoError(t, err)
	return e
}

func openLedger(t *testing.T, dir string) *ledger.Ledger {
	t.Helper()
	l, err := ledger.Open(filepath.Join(dir, "ledger"))
	require.NoError(t, err)
	return l
}

// self is this test binary as an app of the suite.
func self(kind enginetest.Kind) race.LaneSpec {
	return race.LaneSpec{Command: []string{os.Args[0]}, Env: map[string]string{enginetest.AppVariable: string(kind)}}
}

// needCgroups skips, loudly, where cgroups cannot be made.
func needCgroups(t *testing.T) *cgroup.Tree {
	t.Helper()
	tree := cgroup.New()
	if s := tree.Support(); s.Version == cgroup.None {
		if os.Getenv("PHOTOFINISH_REQUIRE_ALL") != "" {
			t.Fatalf("no cgroups here: %s", s.Reason)
		}
		t.Skipf("NOT TESTED: no cgroups here: %s", s.Reason)
	}
	return tree
}

func TestSuiteWithCgroups(t *testing.T) {
	tree := needCgroups(t)
	enginetest.Run(t, enginetest.Suite{
		New:    with(process.Options{Cgroups: tree}),
		Lane:   self,
		Limits: true,
		Left:   left,
	})
}

func TestSuiteWithoutCgroups(t *testing.T) {
	enginetest.Run(t, enginetest.Suite{
		New:  with(process.Options{}),
		Lane: self,
		Left: left,
	})
}

func with(o process.Options) func(*testing.T) engine.Engine {
	return func(t *testing.T) engine.Engine {
		t.Helper()
		return newEngine(t, o)
	}
}

// left are the processes that bear the race's mark, and its cgroups.
func left(t *testing.T, raceID string) []string {
	t.Helper()
	found := marked(t, raceID)
	for _, pattern := range []string{"/sys/fs/cgroup/photofinish/", "/sys/fs/cgroup/*/photofinish/"} {
		dirs, err := filepath.Glob(pattern + raceID)
		require.NoError(t, err)
		found = append(found, dirs...)
	}
	return found
}

func marked(t *testing.T, raceID string) []string {
	t.Helper()
	var found []string
	environs, err := filepath.Glob("/proc/[0-9]*/environ")
	require.NoError(t, err)
	for _, file := range environs {
		env, err := os.ReadFile(file)
		if err == nil && strings.Contains(string(env), "PHOTOFINISH_RACE="+raceID+"\x00") {
			found = append(found, file)
		}
	}
	return found
}

func TestPrepare(t *testing.T) {
	none := func(string) {}
	t.Run("a lane without a command is for another engine", func(t *testing.T) {
		err := newEngine(t, process.Options{}).Prepare(t.Context(), "r", []race.LaneSpec{{App: "web", Image: "nginx"}}, none)
		require.Equal(t, race.Invalid, race.CodeOf(err))
		require.ErrorContains(t, err, "lane web")
		require.Contains(t, race.HintOf(err), "--engine docker")
	})
	t.Run("a program that is nowhere is named with where it was looked for", func(t *testing.T) {
		err := newEngine(t, process.Options{}).Prepare(t.Context(), "r", []race.LaneSpec{{App: "web", Command: []string{"no-such-app"}}}, none)
		require.Equal(t, race.Invalid, race.CodeOf(err))
		require.ErrorContains(t, err, "no program no-such-app in PATH")
	})
	t.Run("a program that may not be run says so", func(t *testing.T) {
		dir := t.TempDir()
		require.NoError(t, os.WriteFile(filepath.Join(dir, "app"), nil, 0o600))
		err := newEngine(t, process.Options{ScriptDir: dir}).Prepare(t.Context(), "r", []race.LaneSpec{{App: "web", Command: []string{"./app"}}}, none)
		require.Equal(t, race.Invalid, race.CodeOf(err))
		require.ErrorContains(t, err, filepath.Join(dir, "app")+": permission denied")
	})
	t.Run("a port in use names the process that uses it", func(t *testing.T) {
		e := newEngine(t, process.Options{})
		spec := self(enginetest.Control)
		spec.App, spec.Port = "control", 0
		require.NoError(t, e.Prepare(t.Context(), "first", []race.LaneSpec{spec}, none))
		defer func() { require.NoError(t, e.Cleanup(t.Context(), "first")) }()
		l, err := e.Start(t.Context(), "first", 1, spec)
		require.NoError(t, err)
		require.NoError(t, engine.WaitHealthy(t.Context(), l, spec))
		_, err = fmt.Sscanf(l.Address(), "http://127.0.0.1:%d", &spec.Port)
		require.NoError(t, err)
		err = e.Prepare(t.Context(), "second", []race.LaneSpec{spec}, none)
		require.Equal(t, race.Unavailable, race.CodeOf(err))
		require.ErrorContains(t, err, fmt.Sprintf("port %d of lane control is in use by process.test (pid ", spec.Port))
		require.NoError(t, e.Cleanup(t.Context(), "second"))
	})
	t.Run("limits that cannot be put in force are said", func(t *testing.T) {
		e := newEngine(t, process.Options{})
		half := 0.5
		spec := self(enginetest.Control)
		spec.App, spec.CPUs = "control", &half
		var said []string
		require.NoError(t, e.Prepare(t.Context(), "r", []race.LaneSpec{spec}, func(s string) { said = append(said, s) }))
		require.Contains(t, strings.Join(said, "\n"), "lane control: its limits are not in force")
		l, err := e.Start(t.Context(), "r", 1, spec)
		require.NoError(t, err)
		c, err := l.Counters(t.Context())
		require.NoError(t, err)
		require.False(t, c.Enforced)
		require.NoError(t, e.Cleanup(t.Context(), "r"))
	})
}

func TestSampleApps(t *testing.T) {
	module := t.TempDir()
	write := func(name, text string) {
		file := filepath.Join(module, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o700))
		require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	}
	write("go.mod", "module example.com/samples\n\ngo 1.21\n")
	write("testapps/hello-sample/main.go", "package main\n\nimport \"os\"\n\nfunc main() { println(\"hello from \" + os.Args[1]); os.Exit(3) }\n")
	write("testapps/broken-sample/main.go", "package main\n\nfunc main() { nothing }\n")
	write("tests/race.js", "")
	e := newEngine(t, process.Options{ScriptDir: filepath.Join(module, "tests"), CacheDir: t.TempDir()})

	t.Run("a sample app is built once and started with its arguments in the script's folder", func(t *testing.T) {
		spec := race.LaneSpec{App: "hello", Command: []string{"hello-sample", "the script"}}
		var said []string
		require.NoError(t, e.Prepare(t.Context(), "r", []race.LaneSpec{spec}, func(s string) { said = append(said, s) }))
		require.Equal(t, []string{"building hello-sample"}, said)
		defer func() { require.NoError(t, e.Cleanup(t.Context(), "r")) }()
		l, err := e.Start(t.Context(), "r", 1, spec)
		require.NoError(t, err)
		<-l.Done()
		require.Equal(t, []string{"hello from the script"}, l.Logs())
		require.Equal(t, 3, *l.Exit().Code)
	})
	t.Run("one that does not compile says where", func(t *testing.T) {
		err := e.Prepare(t.Context(), "b", []race.LaneSpec{{App: "b", Command: []string{"broken-sample"}}}, func(string) {})
		require.Equal(t, race.Unavailable, race.CodeOf(err))
		require.ErrorContains(t, err, "undefined: nothing")
		require.NoError(t, e.Cleanup(t.Context(), "b"))
	})
	t.Run("without Go in PATH that is said", func(t *testing.T) {
		t.Setenv("PATH", t.TempDir())
		err := e.Prepare(t.Context(), "n", []race.LaneSpec{{App: "n", Command: []string{"hello-sample"}}}, func(string) {})
		require.Equal(t, race.Unavailable, race.CodeOf(err))
		require.ErrorContains(t, err, "no go in PATH")
		require.NoError(t, e.Cleanup(t.Context(), "n"))
	})
}

func TestEnvironment(t *testing.T) {
	t.Setenv("PHOTOFINISH_TEST_SECRET", "of the runner")
	dir := t.TempDir()
	e := newEngine(t, process.Options{ScriptDir: dir})
	spec := race.LaneSpec{App: "env", Command: []string{"sh", "-c", "pwd; env"}, Port: 0, Env: map[string]string{"GREETING": "hello there", "PORT": "1"}}
	require.NoError(t, e.Prepare(t.Context(), "r", []race.LaneSpec{spec}, func(string) {}))
	defer func() { require.NoError(t, e.Cleanup(t.Context(), "r")) }()
	l, err := e.Start(t.Context(), "r", 1, spec)
	require.NoError(t, err)
	<-l.Done()
	said := l.Logs()
	port := l.Address()[strings.LastIndex(l.Address(), ":")+1:]
	require.Contains(t, said, dir)
	for _, want := range []string{"GREETING=hello there", "PORT=" + port, "HOST=127.0.0.1", "PATH=" + os.Getenv("PATH")} {
		require.Contains(t, said, want)
	}
	require.NotContains(t, strings.Join(said, "\n"), "of the runner")
}

func TestElsewhere(t *testing.T) {
	e := newEngine(t, process.Options{})
	spec := race.LaneSpec{App: "far", URL: "http://127.0.0.1:9/far"}
	require.NoError(t, e.Prepare(t.Context(), "r", []race.LaneSpec{spec}, func(string) {}))
	l, err := e.Start(t.Context(), "r", 1, spec)
	require.NoError(t, err)
	require.Equal(t, spec.URL, l.Address()+spec.Path)
	_, err = l.Counters(t.Context())
	require.ErrorContains(t, err, "runs elsewhere")
	require.NoError(t, l.Stop(t.Context()))
	require.Equal(t, race.Running, l.Exit().Reason)
	require.NoError(t, e.Cleanup(t.Context(), "r"))
}

func TestKilledByOthers(t *testing.T) {
	e := newEngine(t, process.Options{})
	spec := race.LaneSpec{App: "victim", Command: []string{"sh", "-c", "kill -9 $$"}}
	require.NoError(t, e.Prepare(t.Context(), "r", []race.LaneSpec{spec}, func(string) {}))
	l, err := e.Start(t.Context(), "r", 1, spec)
	require.NoError(t, err)
	<-l.Done()
	require.Equal(t, race.Killed, l.Exit().Reason)
	require.Nil(t, l.Exit().Code)
	require.NoError(t, e.Cleanup(t.Context(), "r"))
}
