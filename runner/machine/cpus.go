package machine

import (
	"os"
	"runtime"
	"strconv"
	"strings"
)

// LastCPU is the highest number of a CPU of this machine, also of those that this process is kept from, such as by taskset: an app may have them.
func LastCPU() int {
	last := runtime.NumCPU() - 1
	list, err := os.ReadFile("/sys/devices/system/cpu/online") // "0-3,6-7"; Linux only
	if err != nil {
		return last
	}
	text := strings.TrimSpace(string(list))
	n, err := strconv.Atoi(text[strings.LastIndexAny(text, ",-")+1:])
	if err != nil {
		return last
	}
	return max(last, n)
}
