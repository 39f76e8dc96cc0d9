package docker

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/docker/docker/api/types/container"

	"github.com/photofinish/photofinish/runner/cgroup"
	"github.com/photofinish/photofinish/runner/engine"
)

// locate finds the container's cgroup and processes, if they are this machine's.
func (l *lane) locate(b *box, pid int) {
	r := l.spec.Resources
	group := l.engine.cgroupOf(l.race.daemon, b.id, pid, cgroup.Limits{CPUs: r.CPUs, Memory: r.Memory, CPUSet: r.CPUSet})
	if group == nil {
		return
	}
	b.pid, b.group = pid, group
	l.engine.containers.Store(group.Path(), b)
}

// cgroupOf is the cgroup of a container whose first process has a pid; nil where it is not this machine's, or has ended already.
func (e *Engine) cgroupOf(d daemon, id string, pid int, limits cgroup.Limits) *cgroup.Group {
	if d.group == "" || pid == 0 {
		return nil
	}
	name := containerGroup(d.info.CgroupDriver, d.group, id)
	of, err := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", pid))
	if err != nil || !slices.ContainsFunc(strings.Split(string(of), "\n"), func(line string) bool { return strings.HasSuffix(line, ":"+name) }) {
		return nil
	}
	return e.options.Cgroups.Find(name, limits)
}

// forget takes a container that has ended out of those whose network is read.
func (e *Engine) forget(b *box) {
	if b.group != nil {
		e.containers.Delete(b.group.Path())
	}
}

// Counters reads the container's cgroup and network, or asks Docker for them. After the app's end it tells what was read last.
func (l *lane) Counters(ctx context.Context) (engine.Counters, error) {
	if err := ctx.Err(); err != nil {
		return engine.Counters{}, err
	}
	if l.Ended() {
		return l.total(), nil
	}
	b := l.current()
	read := l.askDocker
	if b.group != nil {
		read = l.readGroup
	}
	c, err := read(ctx, b)
	if err != nil {
		if l.Ended() {
			return l.total(), nil
		}
		return c, err
	}
	c.Enforced = l.enforced
	l.Spend(c)
	return c, nil
}

func (l *lane) total() engine.Counters {
	c := l.Spent()
	c.At, c.Enforced = time.Now(), l.enforced
	return c
}

func (l *lane) readGroup(ctx context.Context, b *box) (engine.Counters, error) {
	c, err := b.group.Counters(ctx)
	if err != nil {
		return c, err
	}
	if n, err := readNetwork(b.pid); err == nil { // of a process that has just ended there is none
		c.NetworkRx, c.NetworkTx = sum(n)
	}
	return c, nil
}

func sum(interfaces []engine.Interface) (rx, tx *uint64) {
	rx, tx = new(uint64), new(uint64)
	for _, i := range interfaces {
		*rx += i.RxBytes
		*tx += i.TxBytes
	}
	return rx, tx
}

// readNetwork reads the counters of a process's network namespace, without its loopback interface.
func readNetwork(pid int) ([]engine.Interface, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/net/dev", pid))
	if err != nil {
		return nil, err
	}
	return parseNetwork(string(text))
}

// parseNetwork reads lines of "name: rx bytes, packets, errs, drop, fifo, frame, compressed, multicast, tx bytes, packets, errs, drop, …"
// below two lines of heading, as proc_pid_net(5) describes them.
func parseNetwork(text string) ([]engine.Interface, error) {
	var found []engine.Interface
	for line := range strings.Lines(text) {
		name, rest, isInterface := strings.Cut(strings.TrimSpace(line), ":")
		if !isInterface || name == "lo" {
			continue
		}
		var numbers []uint64
		for _, field := range strings.Fields(rest) {
			n, err := strconv.ParseUint(field, 10, 64)
			if err != nil {
				return nil, fmt.Errorf("network counters of %s: %w", name, err)
			}
			numbers = append(numbers, n)
		}
		if len(numbers) < 12 {
			return nil, fmt.Errorf("network counters of %s: %d numbers", name, len(numbers))
		}
		found = append(found, engine.Interface{
			Name: name, RxBytes: numbers[0], RxPackets: numbers[1], RxErrors: numbers[2], RxDropped: numbers[3],
			TxBytes: numbers[8], TxPackets: numbers[9], TxErrors: numbers[10], TxDropped: numbers[11],
		})
	}
	return found, nil
}

// askDocker asks Docker what the container spent: the way to containers of another machine.
func (l *lane) askDocker(ctx context.Context, b *box) (engine.Counters, error) {
	stats, at, err := l.engine.stats(ctx, b.id, "lane "+l.spec.App)
	if err != nil {
		return engine.Counters{}, err
	}
	c := l.counted(stats)
	c.At = at
	return c, nil
}

// stats asks Docker what a container spent until when; whose says who that is.
func (e *Engine) stats(ctx context.Context, id, whose string) (stats container.StatsResponse, at time.Time, err error) {
	before := time.Now()
	answer, err := e.client.ContainerStatsOneShot(ctx, id)
	if err != nil {
		return stats, at, e.explain(ctx, err, "count what "+whose+" spends")
	}
	defer func() { _ = answer.Body.Close() }() // it was read to its end
	if err := json.NewDecoder(answer.Body).Decode(&stats); err != nil {
		return stats, at, e.explain(ctx, err, "count what "+whose+" spends")
	}
	if stats.CPUStats.CPUUsage.TotalUsage == 0 {
		return stats, at, fmt.Errorf("%s: Docker counts nothing of its container", whose) // it has just ended
	}
	at = stats.Read                                            // Docker takes its time with the answer
	if now := time.Now(); at.Before(before) || at.After(now) { // its clock is another one
		at = before.Add(now.Sub(before) / 2)
	}
	return stats, at, nil
}

// counted are Docker's numbers as the runner's own.
func (l *lane) counted(stats container.StatsResponse) engine.Counters {
	c := engine.Counters{CPU: time.Duration(stats.CPUStats.CPUUsage.TotalUsage)}
	if l.spec.CPUs != nil {
		t := stats.CPUStats.ThrottlingData
		throttled := time.Duration(t.ThrottledTime)
		c.Throttled, c.Periods, c.ThrottledPeriod = &throttled, &t.Periods, &t.ThrottledPeriods
	}
	inactive, known := stats.MemoryStats.Stats["total_inactive_file"] // cgroup v1
	if !known {
		inactive = stats.MemoryStats.Stats["inactive_file"]
	}
	set := stats.MemoryStats.Usage - min(inactive, stats.MemoryStats.Usage)
	c.WorkingSet = &set
	var rx, tx uint64
	for _, n := range stats.Networks {
		rx, tx = rx+n.RxBytes, tx+n.TxBytes
	}
	if len(stats.Networks) > 0 {
		c.NetworkRx, c.NetworkTx = &rx, &tx
	}
	return c
}
