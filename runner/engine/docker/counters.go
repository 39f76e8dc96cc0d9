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
	d := l.race.daemon
	if d.group == "" || pid == 0 {
		return
	}
	name := containerGroup(d.info.CgroupDriver, d.group, b.id)
	of, err := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", pid))
	if err != nil || !slices.ContainsFunc(strings.Split(string(of), "\n"), func(line string) bool { return strings.HasSuffix(line, ":"+name) }) {
		return // it has ended already, or the process of that number is another machine's
	}
	r := l.spec.Resources
	b.pid, b.group = pid, l.engine.options.Cgroups.Find(name, cgroup.Limits{CPUs: r.CPUs, Memory: r.Memory, CPUSet: r.CPUSet})
	l.engine.containers.Store(name, b)
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
	if l.hasEnded() {
		return l.total(), nil
	}
	b := l.current()
	read := l.askDocker
	if b.group != nil {
		read = l.readGroup
	}
	c, err := read(ctx, b)
	if err != nil {
		if l.hasEnded() {
			return l.total(), nil
		}
		return c, err
	}
	c.Enforced = l.enforced
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last = c
	return c, nil
}

func (l *lane) total() engine.Counters {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := l.last
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
	before := time.Now()
	answer, err := l.engine.client.ContainerStatsOneShot(ctx, b.id)
	if err != nil {
		return engine.Counters{}, l.engine.explain(ctx, err, "count what lane "+l.spec.App+" spends")
	}
	defer func() { _ = answer.Body.Close() }() // it was read to its end
	var stats container.StatsResponse
	if err := json.NewDecoder(answer.Body).Decode(&stats); err != nil {
		return engine.Counters{}, l.engine.explain(ctx, err, "count what lane "+l.spec.App+" spends")
	}
	if stats.CPUStats.CPUUsage.TotalUsage == 0 {
		return engine.Counters{}, fmt.Errorf("lane %s: Docker counts nothing of its container", l.spec.App) // it has just ended
	}
	c := l.counted(stats)
	c.At = stats.Read                                              // Docker takes its time with the answer
	if now := time.Now(); c.At.Before(before) || c.At.After(now) { // its clock is another one
		c.At = before.Add(now.Sub(before) / 2)
	}
	return c, nil
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
