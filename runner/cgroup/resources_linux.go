package cgroup

import "github.com/opencontainers/cgroups"

// period of the CPU quota in microseconds: the kernel's and Docker's default, kept so that throttling looks as it does in a container.
const period = 100_000

// resources says the limits in the library's terms; swap is whether the kernel can limit it.
func (l Limits) resources(swap bool) *cgroups.Resources {
	r := &cgroups.Resources{SkipDevices: true}
	if l.CPUs != nil {
		r.CpuPeriod = period
		r.CpuQuota = int64(*l.CPUs*period + 0.5)
	}
	if l.Memory != nil {
		r.Memory = *l.Memory
		if swap {
			r.MemorySwap = *l.Memory // memory and swap together
		}
	}
	if l.CPUSet != nil {
		r.CpusetCpus = *l.CPUSet
	}
	r.PidsLimit = l.Pids
	return r
}
