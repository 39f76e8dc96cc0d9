//go:build mage && unix

package main

import (
	"os/exec"
	"syscall"
)

// apart puts a program that is to be started beyond the reach of a terminal's Ctrl-C.
func apart(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }
