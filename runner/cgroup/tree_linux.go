package cgroup

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/opencontainers/cgroups"
	cgroupfs "github.com/opencontainers/cgroups/fs"
	"github.com/opencontainers/cgroups/fs2"
	"golang.org/x/sys/unix"

	"github.com/photofinish/photofinish/pkg/race"
)

// Tree is the part of the machine's cgroups that this process may make groups in. Its methods may be called concurrently.
type Tree struct {
	support Support
	mounts  map[string]string // by controller on version 1, of "" on version 2
	others  []string          // mounts of version 1 that groups are not made in
}

// New finds the tree of this machine; where there is none its Support says why, and Create fails.
func New() *Tree { return detect() }

// Support says what the tree can do.
func (t *Tree) Support() Support { return t.support }

// elementPattern leaves out "..", and the names of the kernel's own files, which all hold no dot on version 1 or begin with a controller.
var elementPattern = regexp.MustCompile(`^[A-Za-z0-9_-][A-Za-z0-9_.-]*$`)

// Create makes the group Parent/name, such as name "<race>/<app>", with limits, and the groups above it. A group of that name that holds
// no process is made afresh, so that its counters begin at zero. Limits whose controllers are missing are errors: see Support.Missing.
func (t *Tree) Create(name string, limits Limits) (*Group, error) {
	if t.support.Version == None {
		return nil, race.Errorf(race.Unavailable, "", "cannot make the cgroup %s: %s", name, t.support.Reason)
	}
	for e := range strings.SplitSeq(name, "/") {
		if !elementPattern.MatchString(e) {
			return nil, race.Errorf(race.Internal, "", "%q is no name of a cgroup", name)
		}
	}
	if missing := t.support.Missing(limits); len(missing) > 0 {
		return nil, race.Errorf(race.Unavailable, "race without these limits, or enable the controllers in the kernel",
			"the cgroup %s cannot be limited: no controller %s here", name, strings.Join(missing, ", "))
	}
	g := t.group(name, limits)
	if err := g.Remove(); err != nil {
		return nil, race.Errorf(race.Conflict, "", "the cgroup %s is in use: %w", g.Path(), err)
	}
	var err error
	for range 3 { // another runner may remove an empty parent in between
		if err = t.make(g); !errors.Is(err, fs.ErrNotExist) {
			break
		}
	}
	if err != nil {
		return nil, errors.Join(t.refused(g, err), g.Remove())
	}
	return g, nil
}

// Group is the group Parent/name as it stands, to be counted, ended or removed; it need not exist.
func (t *Tree) Group(name string) *Group { return t.group(name, Limits{}) }

// Find is a group that somebody else made, by its name from the top of the hierarchy, to be counted; limits are those that it was given.
func (t *Tree) Find(name string, limits Limits) *Group {
	g := &Group{name: path.Clean(name), version: t.support.Version, limits: limits, dirs: map[string]string{}}
	for c, mount := range t.mounts {
		g.dirs[c] = filepath.Join(mount, g.name)
	}
	return g
}

// Prune removes Parent if nothing is left in it.
func (t *Tree) Prune() {
	for _, dir := range t.group("", Limits{}).dirs {
		_ = unix.Rmdir(dir) // fails where somebody else's race is
	}
}

func (t *Tree) group(name string, limits Limits) *Group {
	return t.Find(path.Join(t.support.Parent, name), limits)
}

// make makes the folders of a group and sets its limits.
func (t *Tree) make(g *Group) error {
	if t.support.Version == V2 {
		return t.makeV2(g)
	}
	if g.limits.CPUSet == nil {
		delete(g.dirs, "cpuset") // it would only have to be given all CPUs
	}
	swap := func() bool {
		_, err := os.Stat(filepath.Join(g.dirs["memory"], "memory.memsw.limit_in_bytes"))
		return err == nil
	}
	m, err := cgroupfs.NewManager(&cgroups.Cgroup{Resources: g.limits.resources(false)}, g.dirs)
	if err != nil {
		return err
	}
	if err := m.Apply(-1); err != nil { // -1: no process yet
		return err
	}
	return m.Set(g.limits.resources(swap()))
}

func (t *Tree) makeV2(g *Group) error {
	// cpu and memory count even where they do not limit, and pids ends a fork bomb.
	want := []string{"cpu", "memory", "pids"}
	if g.limits.CPUSet != nil {
		want = append(want, "cpuset")
	}
	want = slices.DeleteFunc(want, func(c string) bool { return !slices.Contains(t.support.Controllers, c) })
	mount := t.mounts[""]
	dir := filepath.Join(mount, path.Dir(t.support.Parent))
	rest, err := filepath.Rel(dir, g.dirs[""])
	if err != nil {
		return err
	}
	for e := range strings.SplitSeq(rest, "/") {
		if err := enable(dir, want); err != nil {
			return err
		}
		dir = filepath.Join(dir, e)
		if err := os.Mkdir(dir, 0o755); err != nil && !errors.Is(err, fs.ErrExist) { //nolint:gosec // others may read what a group spends
			return err
		}
	}
	m, err := fs2.NewManager(&cgroups.Cgroup{}, dir)
	if err != nil {
		return err
	}
	if err := m.Set(g.limits.resources(true)); err != nil {
		return err
	}
	g.folder, err = os.Open(dir)
	return err
}

// enable passes controllers on to the groups below dir.
func enable(dir string, controllers []string) error {
	text, err := cgroups.ReadFile(dir, "cgroup.subtree_control")
	if err != nil {
		return err
	}
	have := strings.Fields(text)
	for _, c := range controllers {
		if slices.Contains(have, c) {
			continue
		}
		if err := cgroups.WriteFile(dir, "cgroup.subtree_control", "+"+c); err != nil {
			return fmt.Errorf("pass the controller %s on below %s: %w", c, dir, err)
		}
	}
	return nil
}

// refused explains the kernel's answer.
func (t *Tree) refused(g *Group, err error) error {
	if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ERANGE) || errors.Is(err, unix.ENODEV) || errors.Is(err, unix.EACCES) && g.limits.CPUSet != nil {
		return race.Errorf(race.Invalid, "check cpus, memory and cpuset against what this machine has", "the kernel refuses the limits of the cgroup %s: %w", g.Path(), err)
	}
	return race.Errorf(race.Unavailable, "", "cannot make the cgroup %s: %w", g.Path(), err)
}

// KillAll ends and removes the group Parent/name with all groups below it, and Parent if it is left empty.
// It may be called again, and for a group that never was.
func (t *Tree) KillAll(ctx context.Context, name string) error {
	if t.support.Version == None {
		return nil
	}
	g := t.Group(name)
	if err := g.Kill(ctx); err != nil {
		return err
	}
	if err := g.Remove(); err != nil {
		return err
	}
	t.removeElsewhere(g.name)
	t.Prune()
	return nil
}

// removeElsewhere removes a group from the hierarchies of version 1 that this package makes no groups in: Docker makes its containers'
// groups in all of them, and leaves those above.
func (t *Tree) removeElsewhere(name string) {
	for _, mount := range t.others {
		for dir := filepath.Join(mount, name); dir != mount; dir = filepath.Dir(dir) {
			_ = unix.Rmdir(dir) // fails where it never was, and where somebody else's race is
		}
	}
}
