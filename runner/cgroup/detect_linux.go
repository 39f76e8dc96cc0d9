package cgroup

import (
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/opencontainers/cgroups"
	"golang.org/x/sys/unix"
)

const (
	unifiedMount = "/sys/fs/cgroup"
	// own is the last element of every Parent.
	own = "photofinish"
)

// Detect finds out what this process may do with cgroups. It changes nothing.
func Detect() Support { return New().Support() }

// detect finds the mounts, too.
func detect() *Tree {
	if cgroups.IsCgroup2UnifiedMode() {
		return detectV2(unifiedMount, ownPath("/proc/self/cgroup"))
	}
	mounts, err := cgroups.GetCgroupMounts(true)
	if err != nil {
		return &Tree{support: none(fmt.Sprintf("the cgroup mounts of this machine cannot be read: %v", err))}
	}
	return detectV1(mounts)
}

// detectV1 takes the first writable mount of each controller. What is mounted there is the whole machine's hierarchy, or in a container
// with a cgroup namespace its own part: groups are made at the top of either.
func detectV1(mounts []cgroups.Mount) *Tree {
	t := &Tree{mounts: map[string]string{}}
	denied := ""
	for _, m := range mounts {
		t.others = append(t.others, m.Mountpoint)
		for _, c := range m.Subsystems {
			if _, have := t.mounts[c]; have || !slices.Contains([]string{"cpu", "cpuacct", "cpuset", "memory", "pids"}, c) {
				continue
			}
			if err := unix.Access(m.Mountpoint, unix.W_OK); err != nil {
				denied = fmt.Sprintf("this user may not make cgroups in %s: %v", m.Mountpoint, err)
				continue
			}
			t.mounts[c] = m.Mountpoint
		}
	}
	for _, c := range []string{"cpu", "cpuacct", "memory"} {
		if _, have := t.mounts[c]; have {
			continue
		}
		if denied == "" {
			denied = "the cgroup controller " + c + " is not mounted on this machine"
		}
		return &Tree{support: none(denied)}
	}
	for _, mount := range t.mounts {
		t.others = slices.DeleteFunc(t.others, func(m string) bool { return m == mount })
	}
	t.others = append(t.others, filepath.Join(unifiedMount, "unified")) // version 2 beside version 1, without controllers
	t.support = Support{Version: V1, Parent: "/" + own}
	for c := range t.mounts {
		t.support.Controllers = append(t.support.Controllers, c)
	}
	slices.Sort(t.support.Controllers)
	return t
}

// detectV2 walks from the top of the hierarchy down to the process's own group and takes the first group that may be divided: the top for
// root, the user's own branch in a systemd session, the delegated part elsewhere.
func detectV2(mount, self string) *Tree {
	var reasons []string
	for _, name := range lineage(self) {
		dir := filepath.Join(mount, name)
		if err := dividable(dir); err != nil {
			reasons = append(reasons, err.Error())
			continue
		}
		list, err := cgroups.ReadFile(dir, "cgroup.controllers")
		if err != nil {
			reasons = append(reasons, err.Error())
			continue
		}
		have := strings.Fields(list)
		have = slices.DeleteFunc(have, func(c string) bool { return !slices.Contains([]string{"cpu", "cpuset", "memory", "pids"}, c) })
		if !slices.Contains(have, "cpu") || !slices.Contains(have, "memory") {
			reasons = append(reasons, fmt.Sprintf("the controllers cpu and memory are not delegated to %s", name))
			continue
		}
		slices.Sort(have)
		return &Tree{
			mounts:  map[string]string{"": mount},
			support: Support{Version: V2, Parent: path.Join(name, own), Controllers: have},
		}
	}
	if len(reasons) == 0 {
		return &Tree{support: none("no cgroups are mounted in " + mount)}
	}
	return &Tree{support: none(reasons[len(reasons)-1])} // the nearest group is the one that could be delegated
}

// lineage are the group and all above it, from the top.
func lineage(name string) []string {
	names := []string{"/"}
	for i, r := range name {
		if r == '/' && i > 0 {
			names = append(names, name[:i])
		}
	}
	if name != "/" {
		names = append(names, name)
	}
	return names
}

// dividable says whether groups with controllers may be made below dir, by the rules of cgroups(7): the right to write three places, and,
// but for the root of the machine, no processes in dir itself.
func dividable(dir string) error {
	for _, file := range []string{"", "cgroup.procs", "cgroup.subtree_control"} {
		if err := unix.Access(filepath.Join(dir, file), unix.W_OK); err != nil {
			return fmt.Errorf("this user may not make cgroups in %s: %w", dir, err)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "cgroup.type")); errors.Is(err, os.ErrNotExist) {
		return nil // the root of the machine
	}
	enabled, err := cgroups.ReadFile(dir, "cgroup.subtree_control")
	if err != nil {
		return fmt.Errorf("cgroup %s: %w", dir, err)
	}
	if have := strings.Fields(enabled); slices.Contains(have, "cpu") && slices.Contains(have, "memory") {
		return nil
	}
	pids, err := cgroups.GetPids(dir)
	if err != nil {
		return fmt.Errorf("cgroup %s: %w", dir, err)
	}
	if len(pids) > 0 {
		return fmt.Errorf("the cgroup %s holds processes, so that the kernel lets nobody divide it; start the runner in a cgroup below it", dir)
	}
	return nil
}

// ownPath is the name of the group that the process is in; "/" where that cannot be told.
func ownPath(file string) string {
	paths, err := cgroups.ParseCgroupFile(file)
	if err != nil {
		return "/"
	}
	name := paths[""]
	if !path.IsAbs(name) || path.Clean(name) != name { // outside this cgroup namespace: /../..
		return "/"
	}
	return name
}
