package cgroup

import "slices"

// Limits of a group; nil is unlimited. Memory is bytes and includes swap where the kernel can count it, so that an app cannot escape its
// limit by swapping. CPUSet is the kernel's list format ("0-1,3"). Pids counts threads, too.
type Limits struct {
	CPUs   *float64
	Memory *int64
	CPUSet *string
	Pids   *int64
}

// controllers are those that the limits need.
func (l Limits) controllers() []string {
	var need []string
	if l.CPUs != nil {
		need = append(need, "cpu")
	}
	if l.Memory != nil {
		need = append(need, "memory")
	}
	if l.CPUSet != nil {
		need = append(need, "cpuset")
	}
	if l.Pids != nil {
		need = append(need, "pids")
	}
	return need
}

// Without leaves out the limits of controllers that are not to be had.
func (l Limits) Without(missing []string) Limits {
	if slices.Contains(missing, "cpu") {
		l.CPUs = nil
	}
	if slices.Contains(missing, "memory") {
		l.Memory = nil
	}
	if slices.Contains(missing, "cpuset") {
		l.CPUSet = nil
	}
	if slices.Contains(missing, "pids") {
		l.Pids = nil
	}
	return l
}
