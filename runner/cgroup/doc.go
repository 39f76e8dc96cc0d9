// Package cgroup makes Linux control groups, versions 1 and 2: it starts processes inside them, limits them, counts what they spend,
// and ends and removes them with everything they forked.
//
// The file operations behind the limits are those of github.com/opencontainers/cgroups, the library of runc. Two things are our own.
// Creating enables only the controllers that are needed, where the library enables all that the kernel has. And reading counters opens
// four files, where the library's GetStats opens some twenty: they are read many times a second beside a race.
package cgroup
