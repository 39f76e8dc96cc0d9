package process

import (
	"os/exec"
	"syscall"
)

// isolate gives the process a process group of its own, so that the terminal's Ctrl-C is the runner's alone, and ends it with the runner.
func isolate(cmd *exec.Cmd) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Setpgid = true
	cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL
}
