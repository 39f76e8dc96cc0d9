package cgroup

import (
	"cmp"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/cgroups"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// fake makes a folder that looks like a cgroup of version 2 for as long as the test lasts.
func fake(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	cgroups.TestMode = true // the library refuses files that are not the kernel's
	t.Cleanup(func() { cgroups.TestMode = false })
	require.NoError(t, os.MkdirAll(dir, 0o700))
	for name, text := range files {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
}

// divided are the files of a group that others may be made below.
func divided(controllers, enabled, procs string) map[string]string {
	return map[string]string{"cgroup.type": "domain\n", "cgroup.controllers": controllers, "cgroup.subtree_control": enabled, "cgroup.procs": procs}
}

func TestDetectV2(t *testing.T) {
	const all = "cpuset cpu io memory pids\n"
	const (
		branch  = "/user.slice/user-1000.slice/user@1000.service"
		session = branch + "/app.slice/term.scope"
	)
	for name, tc := range map[string]struct {
		groups map[string]map[string]string // by name
		absent []string                     // files that are not there
		self   string                       // the group that the runner is in; "/" if it is left empty
		want   string                       // the parent; "" for none
		reason string
	}{
		"the root of the machine may be divided though processes are in it": {
			groups: map[string]map[string]string{"/": divided(all, "", "1\n2\n")}, absent: []string{"/cgroup.type"},
			want: "/photofinish",
		},
		"the root of a container may not, since processes are in it": {
			groups: map[string]map[string]string{"/": divided(all, "", "1\n")},
			reason: "holds processes",
		},
		"the root of a container that was divided before may": {
			groups: map[string]map[string]string{"/": divided(all, "cpu memory pids\n", "")},
			want:   "/photofinish",
		},
		"in a systemd session the user's own branch may": {
			groups: map[string]map[string]string{
				branch:  divided("cpu memory pids\n", "cpu memory pids\n", ""),
				session: divided("memory pids\n", "", "77\n"),
			},
			self: session,
			want: branch + "/photofinish",
		},
		"a branch without the controller cpu is said": {
			groups: map[string]map[string]string{branch: divided("memory pids\n", "", "")},
			self:   branch,
			reason: "cpu and memory are not delegated",
		},
	} {
		t.Run(name, func(t *testing.T) {
			mount := t.TempDir()
			for group, files := range tc.groups {
				fake(t, filepath.Join(mount, group), files)
			}
			for _, file := range tc.absent {
				require.NoError(t, os.Remove(filepath.Join(mount, file)))
			}
			s := detectV2(mount, cmp.Or(tc.self, "/")).Support()
			if tc.want == "" {
				require.Equal(t, None, s.Version)
				require.Contains(t, s.Reason, tc.reason)
				return
			}
			require.Equal(t, V2, s.Version, s.Reason)
			require.Equal(t, tc.want, s.Parent)
		})
	}
	t.Run("a hierarchy that may not be written says so", func(t *testing.T) {
		s := detectV2("/proc/self/no-such-mount", "/").Support()
		require.Equal(t, None, s.Version)
		require.Contains(t, s.Reason, "may not make cgroups in /proc/self/no-such-mount")
	})
}

func TestDetectV1(t *testing.T) {
	dir := t.TempDir()
	mount := func(path string, controllers ...string) cgroups.Mount {
		return cgroups.Mount{Mountpoint: path, Root: "/", Subsystems: controllers}
	}
	t.Run("cpu and cpuacct may be mounted together", func(t *testing.T) {
		tree := detectV1([]cgroups.Mount{mount(dir, "cpu", "cpuacct"), mount(dir+"/.", "memory"), mount(dir, "blkio")})
		require.Equal(t, []string{"cpu", "cpuacct", "memory"}, tree.Support().Controllers)
		require.Equal(t, []string{"pids", "cpuset"}, reversed(tree.Support().Missing(Limits{CPUSet: new(string), Pids: new(int64)})))
	})
	t.Run("a mount that may not be written is named", func(t *testing.T) {
		s := detectV1([]cgroups.Mount{mount(dir, "cpu", "cpuacct"), mount("/proc/self/no-such-mount", "memory")}).Support()
		require.Equal(t, None, s.Version)
		require.Contains(t, s.Reason, "/proc/self/no-such-mount")
	})
	t.Run("a kernel without the memory controller is said", func(t *testing.T) {
		require.Contains(t, detectV1([]cgroups.Mount{mount(dir, "cpu", "cpuacct")}).Support().Reason, "controller memory is not mounted")
	})
}

func reversed(s []string) []string {
	var r []string
	for _, v := range s {
		r = append([]string{v}, r...)
	}
	return r
}

func TestLineage(t *testing.T) {
	require.Equal(t, []string{"/"}, lineage("/"))
	require.Equal(t, []string{"/", "/a", "/a/b"}, lineage("/a/b"))
}

func TestOwnPath(t *testing.T) {
	for name, tc := range map[string]struct{ text, want string }{
		"a group of version 2":              {"0::/user.slice/x\n", "/user.slice/x"},
		"a group outside of this namespace": {"0::/../..\n", "/"},
		"version 1 only":                    {"4:memory:/x\n", "/"},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "cgroup")
			require.NoError(t, os.WriteFile(file, []byte(tc.text), 0o600))
			require.Equal(t, tc.want, ownPath(file))
		})
	}
}

func TestLimitsV2(t *testing.T) {
	mount := t.TempDir()
	const all = "cpuset cpu memory pids\n"
	fake(t, mount, divided(all, "", ""))
	fake(t, filepath.Join(mount, "photofinish"), divided(all, "cpu memory", ""))
	fake(t, filepath.Join(mount, "photofinish/r"), divided(all, "cpu memory pids cpuset", ""))
	fake(t, filepath.Join(mount, "photofinish/r/a"), divided(all, "", ""))
	tree := detectV2(mount, "/")
	cpus, memory, set, pids := 0.5, int64(64<<20), "0-1", int64(9)
	g := tree.group("r/a", Limits{CPUs: &cpus, Memory: &memory, CPUSet: &set, Pids: &pids})
	require.NoError(t, tree.make(g))
	t.Cleanup(func() { _ = g.folder.Close() })
	dir := g.dirs[""]
	for file, want := range map[string]string{
		"cpu.max": "50000 100000", "memory.max": "67108864", "memory.swap.max": "0", "cpuset.cpus": "0-1", "pids.max": "9",
	} {
		text, err := os.ReadFile(filepath.Join(dir, file))
		require.NoError(t, err)
		require.Equal(t, want, string(text), file)
	}
	for _, up := range []string{"photofinish", ""} { // what was missing was passed on; each write replaces the fake file
		text, err := os.ReadFile(filepath.Join(mount, up, "cgroup.subtree_control"))
		require.NoError(t, err)
		require.Equal(t, "+cpuset", string(text), up)
	}
}

func TestCountersV2(t *testing.T) {
	dir := t.TempDir()
	fake(t, dir, map[string]string{
		"cpu.stat":       "usage_usec 1500000\nuser_usec 1000000\nsystem_usec 500000\nnr_periods 30\nnr_throttled 7\nthrottled_usec 250000\n",
		"memory.current": "5000000\n",
		"memory.stat":    "anon 3000000\ninactive_anon 7\ninactive_file 1200000\nactive_file 1\n",
		"memory.events":  "low 0\nhigh 0\nmax 4\noom 1\noom_kill 2\noom_group_kill 0\n",
	})
	cpus := 1.0
	g := &Group{name: "/photofinish/r/a", version: V2, dirs: map[string]string{"": dir}, limits: Limits{CPUs: &cpus}}
	c, err := g.Counters(t.Context())
	require.NoError(t, err)
	require.Equal(t, 1500*time.Millisecond, c.CPU)
	require.Equal(t, 250*time.Millisecond, *c.Throttled)
	require.EqualValues(t, 30, *c.Periods)
	require.EqualValues(t, 7, *c.ThrottledPeriod)
	require.EqualValues(t, 3_800_000, *c.WorkingSet)
	require.EqualValues(t, 2, c.OOMKills)
	require.True(t, c.Enforced)

	t.Log("more inactive cache than usage is a working set of zero")
	fake(t, dir, map[string]string{"memory.current": "1000000\n"})
	c, err = g.Counters(t.Context())
	require.NoError(t, err)
	require.Zero(t, *c.WorkingSet)

	t.Log("without the memory controller the working set is unknown")
	require.NoError(t, os.Remove(filepath.Join(dir, "memory.current")))
	c, err = g.Counters(t.Context())
	require.NoError(t, err)
	require.Nil(t, c.WorkingSet)

	t.Log("a number that is none is an error")
	fake(t, dir, map[string]string{"cpu.stat": "usage_usec many\n"})
	_, err = g.Counters(t.Context())
	require.ErrorContains(t, err, "cpu.stat")
}

// TestUnified makes real groups of version 2. A hybrid machine has them without controllers, which is enough to start, count CPU time,
// end and remove; limits in force need a machine with version 2 alone, where the tests of this package's other files run on it.
func TestUnified(t *testing.T) {
	mount := ""
	for _, dir := range []string{"/sys/fs/cgroup/unified", "/sys/fs/cgroup"} {
		var fs unix.Statfs_t
		if unix.Statfs(dir, &fs) == nil && fs.Type == unix.CGROUP2_SUPER_MAGIC && unix.Access(dir, unix.W_OK) == nil {
			mount = dir
		}
	}
	if mount == "" {
		t.Skip("NOT TESTED: no cgroup version 2 is mounted here that this user may write")
	}
	tree := &Tree{mounts: map[string]string{"": mount}, support: Support{Version: V2, Parent: "/photofinish-test-" + strconv.Itoa(os.Getpid())}}
	t.Cleanup(func() { require.NoError(t, tree.KillAll(t.Context(), "r")) })
	g, err := tree.Create("r/a", Limits{})
	require.NoError(t, err)

	out, err := g.Command(t.Context(), []string{"cat", "/proc/self/cgroup"}).Output()
	require.NoError(t, err)
	require.Contains(t, string(out), "0::"+g.Path()+"\n")
	c, err := g.Counters(t.Context())
	require.NoError(t, err)
	require.Positive(t, c.CPU)

	require.NoError(t, g.Command(t.Context(), []string{"sh", "-c", "setsid sleep 1000 & while :; do sleep 0.01 & done"}).Start())
	require.Eventually(t, func() bool { p, err := g.Pids(); return err == nil && len(p) > 3 }, 5*time.Second, time.Millisecond)
	require.NoError(t, g.Kill(t.Context()))
	pids, err := g.Pids()
	require.NoError(t, err)
	require.Empty(t, pids)
	require.NoError(t, tree.KillAll(t.Context(), "r"))
	require.NoDirExists(t, filepath.Join(mount, strings.TrimPrefix(tree.support.Parent, "/")))
	require.ErrorIs(t, g.Command(t.Context(), []string{"true"}).Run(), os.ErrNotExist)
}
