package cgroup

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/opencontainers/cgroups"

	"github.com/photofinish/photofinish/pkg/race"
)

// killTimeout bounds how long the kernel may take to end processes that were sent SIGKILL: one that writes to a stuck disk cannot be ended.
const killTimeout = 10 * time.Second

// Group is one cgroup. Its methods may be called concurrently.
type Group struct {
	name    string
	version string
	limits  Limits
	dirs    map[string]string // as Tree.mounts

	mu     sync.Mutex
	folder *os.File // version 2: where the kernel puts a new process
}

// Path is the group's name from the top of the hierarchy, as cAdvisor's raw containers are named: "/photofinish/<race>/<app>".
func (g *Group) Path() string { return g.name }

// enter makes a shell the process of a group of version 1 and then the program of its last arguments, of the same process id.
// Folders come as arguments, up to "--": nothing is put into the text of the script.
const enter = `while [ "$1" != -- ]; do echo $$ > "$1/cgroup.procs" || exit 125; shift; done; shift; exec "$@"`

// Command makes a command whose process is in the group before its first instruction, so that nothing it does or forks goes uncounted.
// File descriptors, environment and working folder may be set as usual; SysProcAttr is in use on version 2: add to it, do not replace it.
func (g *Group) Command(ctx context.Context, argv []string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...) //nolint:gosec // running what the user asks for is the purpose
	if cmd.Err != nil {
		return cmd
	}
	if g.version == V2 {
		g.mu.Lock()
		defer g.mu.Unlock()
		if g.folder == nil {
			cmd.Err = fmt.Errorf("cgroup %s: %w", g.name, fs.ErrClosed)
			return cmd
		}
		cmd.SysProcAttr = &syscall.SysProcAttr{UseCgroupFD: true, CgroupFD: int(g.folder.Fd())}
		return cmd
	}
	args := slices.Concat([]string{"/bin/sh", "-c", enter, "sh"}, g.folders(), []string{"--", cmd.Path}, argv[1:])
	cmd.Path, cmd.Args = args[0], args
	return cmd
}

func (g *Group) folders() []string {
	var dirs []string
	for _, dir := range g.dirs {
		if !slices.Contains(dirs, dir) { // cpu and cpuacct are mostly mounted together
			dirs = append(dirs, dir)
		}
	}
	slices.Sort(dirs)
	return dirs
}

// Pids are the processes in the group and below it; none if the group does not exist.
func (g *Group) Pids() ([]int, error) {
	var all []int
	for _, dir := range g.folders() {
		pids, err := cgroups.GetAllPids(dir)
		if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.ENODEV) { // the group goes while it is read
			return nil, fmt.Errorf("read the processes of cgroup %s: %w", g.name, err)
		}
		all = append(all, pids...)
	}
	slices.Sort(all)
	return slices.Compact(all), nil
}

// Kill ends all processes in the group and below it, with those they fork meanwhile, and returns when none is left.
// It may be called again, and for a group that does not exist.
func (g *Group) Kill(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, killTimeout)
	defer cancel()
	for pause := time.Millisecond; ; pause = min(2*pause, 50*time.Millisecond) {
		pids, err := g.Pids()
		if err != nil {
			return err
		}
		if len(pids) == 0 {
			return nil
		}
		g.sendKill(pids)
		select {
		case <-ctx.Done():
			return race.Errorf(race.Unavailable, "end them by hand", "processes %v of cgroup %s do not end: %w", pids, g.name, ctx.Err())
		case <-time.After(pause):
		}
	}
}

func (g *Group) sendKill(pids []int) {
	if dir, unified := g.dirs[""]; unified {
		if cgroups.WriteFile(dir, "cgroup.kill", "1") == nil { // Linux 5.14: all at once
			return
		}
		_ = cgroups.WriteFile(dir, "pids.max", "0") // no more forks
	} else if dir, have := g.dirs["pids"]; have {
		_ = cgroups.WriteFile(dir, "pids.max", "0")
	}
	for _, pid := range pids {
		_ = syscall.Kill(pid, syscall.SIGKILL) // it may just have ended
	}
}

// Remove removes the group and those below it. It fails while processes are in them; it may be called again.
func (g *Group) Remove() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.folder != nil {
		_ = g.folder.Close() // nothing was written
		g.folder = nil
	}
	for _, dir := range g.folders() {
		if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err := cgroups.RemovePath(dir); err != nil {
			return fmt.Errorf("remove cgroup %s: %w", g.name, err)
		}
	}
	return nil
}
