package kubetest

import (
	"os"
	"os/exec"
	"runtime"
	"syscall"
)

// program is a process that ends with the test, however that ends.
type program struct {
	cmd  *exec.Cmd
	done chan struct{} // closed when it has ended; cmd.ProcessState says how
}

// launch starts a command. The kernel ends a process together with the thread that forked it (PR_SET_PDEATHSIG), so that thread is kept.
func launch(cmd *exec.Cmd, output *os.File) (*program, error) {
	cmd.Stdout, cmd.Stderr = output, output
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL
	p, started := &program{cmd, make(chan struct{})}, make(chan error)
	go func() {
		defer close(p.done)
		runtime.LockOSThread() // and never unlocked: it ends with the goroutine
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait()
		}
	}()
	return p, <-started
}

// kill ends it at once and waits for its end.
func (p *program) kill() {
	_ = p.cmd.Process.Kill()
	<-p.done
}
