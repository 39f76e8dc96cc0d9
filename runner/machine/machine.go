// Package machine tells where a race is run, and how busy that machine is beside the race.
package machine

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"time"

	"github.com/shirou/gopsutil/v4/cpu"
	"github.com/shirou/gopsutil/v4/host"
	"github.com/shirou/gopsutil/v4/mem"
	"github.com/shirou/gopsutil/v4/process"

	"github.com/photofinish/photofinish/pkg/race"
)

// Facts describes this machine. What cannot be found out is left empty: no race fails for it. cgroup is "v1", "v2" or "none".
func Facts(ctx context.Context, cgroup string) race.Machine {
	m := race.Machine{OS: runtime.GOOS, CPUs: runtime.NumCPU(), Cgroup: cgroup}
	if info, err := host.InfoWithContext(ctx); err == nil {
		m.OS, m.Kernel = fmt.Sprintf("%s %s", info.Platform, info.PlatformVersion), info.KernelVersion
	}
	if infos, err := cpu.InfoWithContext(ctx); err == nil && len(infos) > 0 {
		m.CPUModel = infos[0].ModelName
	}
	if v, err := mem.VirtualMemoryWithContext(ctx); err == nil {
		m.MemoryBytes = v.Total
	}
	return m
}

// Use is CPU time of the whole machine since it was started, and of this process, in seconds.
type Use struct {
	At    time.Time
	Busy  float64 // all CPUs, steal excluded
	Steal float64 // taken by the hypervisor
	Own   float64 // this process
}

// Read reads the machine's CPU counters; ok is false where the system has none.
func Read(ctx context.Context) (u Use, ok bool) {
	times, err := cpu.TimesWithContext(ctx, false)
	if err != nil || len(times) == 0 {
		return u, false
	}
	t := times[0]
	u = Use{At: time.Now(), Busy: t.User + t.System + t.Nice + t.Irq + t.Softirq, Steal: t.Steal}
	if self, err := process.NewProcessWithContext(ctx, int32(os.Getpid())); err == nil {
		if own, err := self.TimesWithContext(ctx); err == nil {
			u.Own = own.User + own.System
		}
	}
	return u, true
}
