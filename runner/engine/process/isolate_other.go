//go:build !linux

package process

import (
	"os/exec"
	"syscall"
)

// isolate gives the process a process group of its own. Only Linux ends it with the runner; elsewhere the next Sweep does.
func isolate(cmd *exec.Cmd) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Setpgid = true
}
