//go:build !linux

package k6

import (
	"os"
	"os/exec"
	"syscall"
)

// isolate does nothing: only Linux can be told to end a process with its parent. Ctrl-C in a terminal reaches k6 too.
func isolate(*exec.Cmd) {}

func signalGroup(p *os.Process, s syscall.Signal) error { return p.Signal(s) }
