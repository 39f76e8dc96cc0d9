package k6_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/photofinish/photofinish/runner/k6"
	"github.com/stretchr/testify/require"
)

func TestK6DiesWithItsRunner(t *testing.T) {
	x := newTrial(t, "s.js", longScript)
	var err error
	x.files, err = k6.WriteHeat(t.TempDir(), x.def, x.cfg, k6.HeatOptions{})
	require.NoError(t, err)
	run, err := json.Marshal(map[string]any{"Wrapper": x.files.Wrapper, "ConfigPath": x.files.Config, "RaceID": "r1", "Heat": 1})
	require.NoError(t, err)
	out, err := exec.Command(self(t), abandoned, string(run)).Output()
	require.ErrorContains(t, err, "killed")
	var pid int
	require.NoError(t, json.Unmarshal(out, &pid))
	require.Eventually(t, func() bool { return !alive(pid) }, 5*time.Second, 20*time.Millisecond, "k6 (process %d) lives on", pid)
}

// alive is false for a process that is gone or waits to be buried.
func alive(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return false
	}
	return !zombie(pid)
}

func zombie(pid int) bool {
	stat, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	return err == nil && strings.Contains(string(stat), ") Z ")
}
