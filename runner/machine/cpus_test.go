package machine_test

import (
	"fmt"
	"os"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/runner/machine"
)

func TestTheLastCPUIsThereAndNoneIsBehindIt(t *testing.T) {
	last := machine.LastCPU()
	require.GreaterOrEqual(t, last, runtime.NumCPU()-1)
	if _, err := os.Stat("/sys/devices/system/cpu/online"); err != nil {
		return // not Linux: all there is to know is the number of CPUs
	}
	require.DirExists(t, fmt.Sprintf("/sys/devices/system/cpu/cpu%d", last))
}
