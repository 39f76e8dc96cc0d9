package cgroup_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/cgroup"
)

// tree is this machine's, or a loud skip.
func tree(t *testing.T) *cgroup.Tree {
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

// name is a group that no other test has.
func name(t *testing.T) string {
	t.Helper()
	return "test-" + strconv.Itoa(os.Getpid()) + "-" + strconv.FormatInt(time.Now().UnixNano(), 36)
}

func create(t *testing.T, tree *cgroup.Tree, limits cgroup.Limits) *cgroup.Group {
	t.Helper()
	parent := name(t)
	t.Cleanup(func() { require.NoError(t, tree.KillAll(context.Background(), parent)) })
	g, err := tree.Create(parent+"/app", limits)
	require.NoError(t, err)
	return g
}

func ptr[T any](v T) *T { return &v }

// detectEnv makes the test binary print what Detect says.
const detectEnv = "PHOTOFINISH_TEST_DETECT"

func TestMain(m *testing.M) {
	if os.Getenv(detectEnv) != "" {
		s := cgroup.Detect()
		fmt.Fprintln(os.Stdout, s.Version, s.Reason)
		return
	}
	os.Exit(m.Run())
}

func TestDetectUnprivileged(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("NOT TESTED: only root can become another user")
	}
	self, err := os.Open(os.Args[0])
	require.NoError(t, err)
	defer self.Close()
	cmd := exec.CommandContext(t.Context(), "/proc/self/fd/3") // the folder of the binary is root's alone
	cmd.ExtraFiles = []*os.File{self}
	cmd.Env = []string{detectEnv + "=1"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	out, err := cmd.Output()
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(string(out), cgroup.None+" "), string(out))
	require.Contains(t, string(out), "permission denied")
}

func BenchmarkCounters(b *testing.B) {
	tree := cgroup.New()
	one := 1.0
	g, err := tree.Create("bench-"+strconv.Itoa(os.Getpid())+"/app", cgroup.Limits{CPUs: &one})
	if err != nil {
		b.Skipf("NOT TESTED: %v", err)
	}
	defer func() { _ = tree.KillAll(context.Background(), "bench-"+strconv.Itoa(os.Getpid())) }()
	for b.Loop() {
		if _, err := g.Counters(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}

func TestDetect(t *testing.T) {
	s := cgroup.Detect()
	t.Logf("%+v", s)
	if s.Version == cgroup.None {
		require.NotEmpty(t, s.Reason)
		return
	}
	require.Subset(t, s.Controllers, []string{"cpu", "memory"})
	require.True(t, strings.HasSuffix(s.Parent, "/photofinish"), s.Parent)
}

func TestCommand(t *testing.T) {
	tree := tree(t)
	t.Run("a process is in its group from its first instruction on", func(t *testing.T) {
		g := create(t, tree, cgroup.Limits{CPUs: ptr(1.0)})
		out, err := g.Command(t.Context(), []string{"cat", "/proc/self/cgroup"}).Output()
		require.NoError(t, err)
		found := 0
		for line := range strings.Lines(string(out)) {
			if strings.HasSuffix(strings.TrimSpace(line), g.Path()) {
				found++
			}
		}
		require.GreaterOrEqual(t, found, len(controllersSeen(tree)), string(out))
		c, err := g.Counters(t.Context())
		require.NoError(t, err)
		require.Positive(t, c.CPU)
	})
	t.Run("arguments, environment, folder and extra files arrive as they are", func(t *testing.T) {
		g := create(t, tree, cgroup.Limits{})
		r, w, err := os.Pipe()
		require.NoError(t, err)
		defer r.Close()
		dir := t.TempDir()
		cmd := g.Command(t.Context(), []string{"sh", "-c", `echo from-fd-3 >&3; pwd; echo "$WHO"; for a; do echo "<$a>"; done`, "sh", "--", "two words", `$(id) "x" 'y'`, "", "*"})
		cmd.ExtraFiles, cmd.Dir, cmd.Env = []*os.File{w}, dir, []string{"PATH=" + os.Getenv("PATH"), "WHO=me"}
		out, err := cmd.Output()
		require.NoError(t, err)
		require.NoError(t, w.Close())
		extra, err := io.ReadAll(r)
		require.NoError(t, err)
		require.Equal(t, "from-fd-3\n", string(extra))
		require.Equal(t, dir+"\nme\n<-->\n<two words>\n<$(id) \"x\" 'y'>\n<>\n<*>\n", string(out))
	})
	t.Run("the process id is the program's own, and the exit code comes through", func(t *testing.T) {
		g := create(t, tree, cgroup.Limits{})
		var out bytes.Buffer
		cmd := g.Command(t.Context(), []string{"sh", "-c", "echo $$; exit 7"})
		cmd.Stdout = &out
		var exit *exec.ExitError
		require.ErrorAs(t, cmd.Run(), &exit)
		require.Equal(t, 7, exit.ExitCode())
		require.Equal(t, strconv.Itoa(cmd.Process.Pid), strings.TrimSpace(out.String()))
	})
	t.Run("a program that does not exist is the caller's error, not the shell's", func(t *testing.T) {
		g := create(t, tree, cgroup.Limits{})
		require.ErrorIs(t, g.Command(t.Context(), []string{"no-such-program-here"}).Run(), exec.ErrNotFound)
	})
}

// controllersSeen are those that a group of this tree is in without a cpuset.
func controllersSeen(tree *cgroup.Tree) []string {
	var seen []string
	for _, c := range tree.Support().Controllers {
		if tree.Support().Version == cgroup.V1 && c != "cpuset" {
			seen = append(seen, c)
		}
	}
	if seen == nil {
		seen = []string{"unified"}
	}
	return seen
}

func TestLimits(t *testing.T) {
	tree := tree(t)
	t.Run("half a CPU is half a CPU, and the rest of the time is throttled", func(t *testing.T) {
		g := create(t, tree, cgroup.Limits{CPUs: ptr(0.5)})
		require.NoError(t, g.Command(t.Context(), []string{"sh", "-c", "while :; do :; done"}).Start())
		before, err := g.Counters(t.Context())
		require.NoError(t, err)
		time.Sleep(1500 * time.Millisecond)
		after, err := g.Counters(t.Context())
		require.NoError(t, err)
		require.InDelta(t, 0.5, float64(after.CPU-before.CPU)/float64(after.At.Sub(before.At)), 0.1)
		require.Positive(t, *after.Throttled)
		require.Positive(t, *after.Periods)
		require.Positive(t, *after.ThrottledPeriod)
	})
	t.Run("without a quota there is no throttling to tell", func(t *testing.T) {
		c, err := create(t, tree, cgroup.Limits{}).Counters(t.Context())
		require.NoError(t, err)
		require.Nil(t, c.Throttled)
		require.Nil(t, c.Periods)
		require.Zero(t, c.OOMKills)
	})
	t.Run("memory beyond the limit ends the process, and is counted", func(t *testing.T) {
		g := create(t, tree, cgroup.Limits{Memory: ptr(int64(16 << 20))})
		err := g.Command(t.Context(), []string{"dd", "if=/dev/zero", "of=/dev/null", "bs=64M", "count=1"}).Run()
		var exit *exec.ExitError
		require.ErrorAs(t, err, &exit)
		require.Equal(t, syscall.SIGKILL, exit.Sys().(syscall.WaitStatus).Signal())
		c, err := g.Counters(t.Context())
		require.NoError(t, err)
		require.EqualValues(t, 1, c.OOMKills)
	})
	t.Run("the working set is what a process holds", func(t *testing.T) {
		g := create(t, tree, cgroup.Limits{})
		stdin, keep, err := os.Pipe()
		require.NoError(t, err)
		defer keep.Close()
		cmd := g.Command(t.Context(), []string{"dd", "of=/dev/null", "bs=32M", "count=1", "iflag=fullblock"})
		cmd.Stdin = stdin
		require.NoError(t, cmd.Start())
		_, err = keep.Write(make([]byte, 24<<20))
		require.NoError(t, err)
		require.Eventually(t, func() bool {
			c, err := g.Counters(t.Context())
			return err == nil && c.WorkingSet != nil && *c.WorkingSet > 23<<20 && *c.WorkingSet < 28<<20
		}, 5*time.Second, 10*time.Millisecond)
	})
	t.Run("a set of CPUs binds the process", func(t *testing.T) {
		g := create(t, tree, cgroup.Limits{CPUSet: ptr("0")})
		out, err := g.Command(t.Context(), []string{"grep", "Cpus_allowed_list", "/proc/self/status"}).Output()
		require.NoError(t, err)
		require.Equal(t, "0", strings.Fields(string(out))[1])
	})
	t.Run("CPUs that are not there are a definition error, and leave no group", func(t *testing.T) {
		parent := name(t)
		defer func() { require.NoError(t, tree.KillAll(t.Context(), parent)) }()
		_, err := tree.Create(parent+"/app", cgroup.Limits{CPUSet: ptr("4000")})
		require.Equal(t, race.Invalid, race.CodeOf(err), err)
		require.Empty(t, left(t, parent+"/app"))
	})
	t.Run("more processes than allowed cannot be forked", func(t *testing.T) {
		g := create(t, tree, cgroup.Limits{Pids: ptr(int64(1))})
		require.Error(t, g.Command(t.Context(), []string{"sh", "-c", "true & wait $!"}).Run())
	})
	t.Run("memory takes swap with it where the kernel counts swap", func(t *testing.T) {
		g := create(t, tree, cgroup.Limits{Memory: ptr(int64(64 << 20))})
		file := filepath.Join("/sys/fs/cgroup/memory", g.Path(), "memory.memsw.limit_in_bytes")
		text, err := os.ReadFile(file)
		if err != nil {
			t.Skipf("NOT TESTED: this kernel does not count swap: %v", err)
		}
		require.Equal(t, strconv.Itoa(64<<20), strings.TrimSpace(string(text)))
	})
}

func TestKill(t *testing.T) {
	tree := tree(t)
	t.Run("everything ends: children, new sessions, and what forks while it is killed", func(t *testing.T) {
		g := create(t, tree, cgroup.Limits{Pids: ptr(int64(200))})
		script := `setsid sleep 1000 & (sleep 1000 &) ; while :; do sleep 0.01 & done`
		require.NoError(t, g.Command(t.Context(), []string{"sh", "-c", script}).Start())
		require.Eventually(t, func() bool {
			pids, err := g.Pids()
			return err == nil && len(pids) > 5
		}, 5*time.Second, time.Millisecond)
		require.NoError(t, g.Kill(t.Context()))
		pids, err := g.Pids()
		require.NoError(t, err)
		require.Empty(t, pids)
		require.NoError(t, g.Kill(t.Context()), "again")
	})
	t.Run("an ended context is said", func(t *testing.T) {
		g := create(t, tree, cgroup.Limits{})
		require.NoError(t, g.Command(t.Context(), []string{"sleep", "1000"}).Start())
		require.Eventually(t, func() bool { p, _ := g.Pids(); return len(p) == 1 }, 5*time.Second, time.Millisecond)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := g.Kill(ctx); err != nil { // it may have been quick enough
			require.ErrorIs(t, err, context.Canceled)
		}
	})
}

func TestRemove(t *testing.T) {
	tree := tree(t)
	t.Run("a group is gone after Remove, which may be repeated", func(t *testing.T) {
		g := create(t, tree, cgroup.Limits{CPUSet: ptr("0")})
		require.NotEmpty(t, left(t, g.Path()))
		require.NoError(t, g.Remove())
		require.NoError(t, g.Remove())
		require.Empty(t, left(t, g.Path()))
		_, err := g.Counters(t.Context())
		require.ErrorIs(t, err, os.ErrNotExist)
	})
	t.Run("a group with processes stays, and cannot be made again", func(t *testing.T) {
		parent := name(t)
		defer func() { require.NoError(t, tree.KillAll(t.Context(), parent)) }()
		g, err := tree.Create(parent+"/app", cgroup.Limits{})
		require.NoError(t, err)
		require.NoError(t, g.Command(t.Context(), []string{"sleep", "1000"}).Start())
		require.Eventually(t, func() bool { p, _ := g.Pids(); return len(p) == 1 }, 5*time.Second, time.Millisecond)
		_, err = tree.Create(parent+"/app", cgroup.Limits{})
		require.Equal(t, race.Conflict, race.CodeOf(err))
	})
	t.Run("a group made again begins at zero", func(t *testing.T) {
		parent := name(t)
		defer func() { require.NoError(t, tree.KillAll(t.Context(), parent)) }()
		g, err := tree.Create(parent+"/app", cgroup.Limits{})
		require.NoError(t, err)
		require.NoError(t, g.Command(t.Context(), []string{"true"}).Run())
		g, err = tree.Create(parent+"/app", cgroup.Limits{})
		require.NoError(t, err)
		c, err := g.Counters(t.Context())
		require.NoError(t, err)
		require.Zero(t, c.CPU)
	})
	t.Run("KillAll takes the whole race, and leaves the races of others", func(t *testing.T) {
		one, other := name(t), name(t)+"x"
		defer func() { require.NoError(t, tree.KillAll(t.Context(), other)) }()
		for _, parent := range []string{one, other} {
			g, err := tree.Create(parent+"/app", cgroup.Limits{})
			require.NoError(t, err)
			require.NoError(t, g.Command(t.Context(), []string{"sleep", "1000"}).Start())
			require.Eventually(t, func() bool { p, _ := g.Pids(); return len(p) == 1 }, 5*time.Second, time.Millisecond)
		}
		require.NoError(t, tree.KillAll(t.Context(), one))
		require.NoError(t, tree.KillAll(t.Context(), one), "again")
		require.Empty(t, left(t, one))
		pids, err := tree.Group(other + "/app").Pids()
		require.NoError(t, err)
		require.Len(t, pids, 1)
	})
	t.Run("names that lead elsewhere are refused", func(t *testing.T) {
		for _, bad := range []string{"", "../x", "a/../b", "a//b", "/a", "a/"} {
			_, err := tree.Create(bad, cgroup.Limits{})
			require.Error(t, err, bad)
		}
	})
}

// left are the folders of a group that exist in any hierarchy.
func left(t *testing.T, name string) []string {
	t.Helper()
	var found []string
	for _, pattern := range []string{"/sys/fs/cgroup/", "/sys/fs/cgroup/*/"} {
		for _, middle := range []string{"", "photofinish/"} {
			dirs, err := filepath.Glob(pattern + middle + strings.TrimPrefix(name, "/"))
			require.NoError(t, err)
			found = append(found, dirs...)
		}
	}
	return found
}
