package machine

import (
	"os"
	"runtime"
	"slices"
	"strings"

	"k8s.io/utils/cpuset"
)

// LastCPU is the highest number of a CPU of this machine, also of those that this process is kept from, such as by taskset: an app may have them.
func LastCPU() int {
	online, _ := os.ReadFile("/sys/devices/system/cpu/online") // Linux only
	set, _ := cpuset.Parse(strings.TrimSpace(string(online)))
	return slices.Max(append(set.List(), runtime.NumCPU()-1))
}
