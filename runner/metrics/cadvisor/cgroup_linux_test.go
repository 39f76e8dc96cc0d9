package cadvisor_test

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/opencontainers/cgroups"
	"github.com/stretchr/testify/require"
)

// burnEnv makes the test binary a program that uses one CPU until it is killed.
const burnEnv = "PHOTOFINISH_TEST_BURN"

// burned keeps the loop from being none.
var burned atomic.Int64

func TestMain(m *testing.M) {
	if os.Getenv(burnEnv) != "" {
		for n := 0; ; n++ {
			burned.Store(int64(n))
		}
	}
	os.Exit(m.Run())
}

// parent is this test's own place among the cgroups: other tests run at the same time.
const parent = "/photofinish-test-cadvisor"

// needCgroups skips, loudly, where cgroups cannot be made.
func needCgroups(tb testing.TB) {
	tb.Helper()
	if os.Geteuid() != 0 {
		tb.Skip("NOT TESTED: this user may not make cgroups; run it as root")
	}
}

// group is a cgroup on v1 or v2.
type group struct {
	name string
	dirs []string
}

func newGroup(tb testing.TB, name string) *group {
	tb.Helper()
	g := &group{name: name}
	if cgroups.IsCgroup2UnifiedMode() {
		g.dirs = []string{filepath.Join("/sys/fs/cgroup", name)}
	} else {
		for _, controller := range []string{"cpu", "cpuacct", "memory"} {
			g.dirs = append(g.dirs, filepath.Join("/sys/fs/cgroup", controller, name))
		}
	}
	for _, dir := range g.dirs {
		require.NoError(tb, os.MkdirAll(dir, 0o755))
	}
	if cgroups.IsCgroup2UnifiedMode() {
		for _, up := range []string{"/sys/fs/cgroup", filepath.Join("/sys/fs/cgroup", parent), filepath.Dir(g.dirs[0])} {
			require.NoError(tb, os.WriteFile(filepath.Join(up, "cgroup.subtree_control"), []byte("+cpu +memory"), 0o600))
		}
	}
	tb.Cleanup(func() { g.remove(tb) })
	return g
}

// burn starts a program in the group that uses one CPU.
func (g *group) burn(tb testing.TB) (stop func()) {
	tb.Helper()
	cmd := exec.CommandContext(tb.Context(), os.Args[0], "-test.run=none")
	cmd.Env = append(os.Environ(), burnEnv+"=1", "GOMAXPROCS=1")
	require.NoError(tb, cmd.Start())
	for _, dir := range g.dirs {
		require.NoError(tb, os.WriteFile(filepath.Join(dir, "cgroup.procs"), []byte(strconv.Itoa(cmd.Process.Pid)), 0o600))
	}
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		require.NoError(tb, cmd.Process.Kill())
		_ = cmd.Wait() // "signal: killed"
	}
	tb.Cleanup(stop)
	return stop
}

// quota allows the group half a CPU.
func (g *group) quota(tb testing.TB) {
	tb.Helper()
	if cgroups.IsCgroup2UnifiedMode() {
		require.NoError(tb, os.WriteFile(filepath.Join(g.dirs[0], "cpu.max"), []byte("50000 100000"), 0o600))
		return
	}
	require.NoError(tb, os.WriteFile(filepath.Join(g.dirs[0], "cpu.cfs_quota_us"), []byte("50000"), 0o600))
}

// cpu is the kernel's own count of the group's CPU time.
func (g *group) cpu(tb testing.TB) time.Duration {
	tb.Helper()
	if !cgroups.IsCgroup2UnifiedMode() {
		return time.Duration(number(tb, filepath.Join(g.dirs[1], "cpuacct.usage")))
	}
	stat, err := os.ReadFile(filepath.Join(g.dirs[0], "cpu.stat"))
	require.NoError(tb, err)
	for line := range strings.Lines(string(stat)) {
		if us, ok := strings.CutPrefix(line, "usage_usec "); ok {
			n, err := strconv.ParseInt(strings.TrimSpace(us), 10, 64)
			require.NoError(tb, err)
			return time.Duration(n) * time.Microsecond
		}
	}
	tb.Fatal("no usage_usec in cpu.stat")
	return 0
}

func number(tb testing.TB, file string) int64 {
	tb.Helper()
	text, err := os.ReadFile(file)
	require.NoError(tb, err)
	n, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
	require.NoError(tb, err)
	return n
}

// remove removes the group, and its parents as far as they are empty.
func (g *group) remove(tb testing.TB) {
	tb.Helper()
	for _, dir := range g.dirs {
		require.Eventually(tb, func() bool { // a killed process stays a moment
			err := os.Remove(dir)
			return err == nil || errors.Is(err, fs.ErrNotExist)
		}, 5*time.Second, 5*time.Millisecond, dir)
		for up := filepath.Dir(dir); strings.Contains(up, parent); up = filepath.Dir(up) {
			if os.Remove(up) != nil {
				break
			}
		}
	}
}
