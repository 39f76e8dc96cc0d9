package cgroup

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"time"

	"github.com/opencontainers/cgroups"

	"github.com/photofinish/photofinish/runner/engine"
)

// place says where a version of cgroups keeps a counter: the file of a controller, and the key in it ("" where the file is one number).
// unit is what the number is multiplied with to be ns, bytes or a count.
type place struct {
	controller, file, key string
	unit                  uint64
}

// places are those of one version of cgroups.
type places struct {
	cpu, throttled, periods, throttledPeriods place
	usage, inactive, oomKills                 place
}

var (
	v1Places = places{
		cpu:              place{"cpuacct", "cpuacct.usage", "", 1},
		throttled:        place{"cpu", "cpu.stat", "throttled_time", 1},
		periods:          place{"cpu", "cpu.stat", "nr_periods", 1},
		throttledPeriods: place{"cpu", "cpu.stat", "nr_throttled", 1},
		usage:            place{"memory", "memory.usage_in_bytes", "", 1},
		inactive:         place{"memory", "memory.stat", "total_inactive_file", 1},
		oomKills:         place{"memory", "memory.oom_control", "oom_kill", 1},
	}
	v2Places = places{
		cpu:              place{"", "cpu.stat", "usage_usec", 1000},
		throttled:        place{"", "cpu.stat", "throttled_usec", 1000},
		periods:          place{"", "cpu.stat", "nr_periods", 1},
		throttledPeriods: place{"", "cpu.stat", "nr_throttled", 1},
		usage:            place{"", "memory.current", "", 1},
		inactive:         place{"", "memory.stat", "inactive_file", 1},
		oomKills:         place{"", "memory.events", "oom_kill", 1},
	}
)

// Counters reads what the group has spent since it was made. Throttling is nil where no CPU quota is set, the working set where the kernel
// counts no memory; the network is not a cgroup's. Enforced is true: a group's limits are the kernel's.
func (g *Group) Counters(ctx context.Context) (engine.Counters, error) {
	c := engine.Counters{Enforced: true}
	if err := ctx.Err(); err != nil {
		return c, err
	}
	at := v1Places
	if g.version == V2 {
		at = v2Places
	}
	r := reading{dirs: g.dirs, files: map[string]string{}}
	before := time.Now()
	cpu, err := r.value(at.cpu)
	if err != nil {
		return c, fmt.Errorf("read the CPU time of cgroup %s: %w", g.name, err)
	}
	c.At = before.Add(time.Since(before) / 2)
	c.CPU = time.Duration(cpu)
	if g.limits.CPUs != nil {
		if throttled := r.optional(at.throttled); throttled != nil {
			d := time.Duration(*throttled)
			c.Throttled = &d
		}
		c.Periods, c.ThrottledPeriod = r.optional(at.periods), r.optional(at.throttledPeriods)
	}
	if usage, inactive := r.optional(at.usage), r.optional(at.inactive); usage != nil && inactive != nil {
		set := *usage - min(*usage, *inactive)
		c.WorkingSet = &set
	}
	if kills := r.optional(at.oomKills); kills != nil {
		c.OOMKills = *kills
	}
	return c, r.err
}

// reading reads each file once.
type reading struct {
	dirs  map[string]string
	files map[string]string
	err   error // of an optional value, other than its absence
}

// optional is nil where the kernel has no such counter.
func (r *reading) optional(p place) *uint64 {
	v, err := r.value(p)
	if err == nil {
		return &v
	}
	if !errors.Is(err, fs.ErrNotExist) {
		r.err = errors.Join(r.err, err)
	}
	return nil
}

func (r *reading) value(p place) (uint64, error) {
	dir, have := r.dirs[p.controller]
	if !have {
		return 0, fs.ErrNotExist
	}
	text, seen := r.files[p.file]
	if !seen {
		var err error
		if text, err = cgroups.ReadFile(dir, p.file); err != nil {
			return 0, err
		}
		r.files[p.file] = text
	}
	v, err := number(text, p.key)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", p.file, err)
	}
	return v * p.unit, nil
}

// number finds a key's value in lines of "key value"; for the key "" the text is the value.
func number(text, key string) (uint64, error) {
	if key == "" {
		return strconv.ParseUint(strings.TrimSpace(text), 10, 64)
	}
	for line := range strings.Lines(text) {
		if k, v, ok := strings.Cut(strings.TrimSpace(line), " "); ok && k == key {
			return strconv.ParseUint(v, 10, 64)
		}
	}
	return 0, fmt.Errorf("no %s: %w", key, fs.ErrNotExist)
}
