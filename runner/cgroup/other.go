//go:build !linux

package cgroup

import (
	"context"
	"os/exec"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/engine"
)

const reason = "cgroups are Linux's"

// Tree is empty on systems other than Linux.
type Tree struct{}

// Group cannot be made on systems other than Linux.
type Group struct{}

// Detect says that there are no cgroups.
func Detect() Support { return none(reason) }

// New is a tree in which no group can be made.
func New() *Tree { return &Tree{} }

// Support says that there are no cgroups.
func (t *Tree) Support() Support { return none(reason) }

// Create fails.
func (t *Tree) Create(name string, _ Limits) (*Group, error) {
	return nil, race.Errorf(race.Unavailable, "", "cannot make the cgroup %s: %s", name, reason)
}

// Group is an empty group.
func (t *Tree) Group(string) *Group { return &Group{} }

// Find is an empty group.
func (t *Tree) Find(string, Limits) *Group { return &Group{} }

// Prune does nothing.
func (t *Tree) Prune() {}

// KillAll does nothing.
func (t *Tree) KillAll(context.Context, string) error { return nil }

// Path is empty.
func (g *Group) Path() string { return "" }

// Command makes a plain command.
func (g *Group) Command(ctx context.Context, argv []string) *exec.Cmd {
	return exec.CommandContext(ctx, argv[0], argv[1:]...) //nolint:gosec // running what the user asks for is the purpose
}

// Pids are none.
func (g *Group) Pids() ([]int, error) { return nil, nil }

// Kill does nothing.
func (g *Group) Kill(context.Context) error { return nil }

// Remove does nothing.
func (g *Group) Remove() error { return nil }

// Counters fails.
func (g *Group) Counters(context.Context) (engine.Counters, error) {
	return engine.Counters{}, race.Errorf(race.Unavailable, "", "%s", reason)
}
