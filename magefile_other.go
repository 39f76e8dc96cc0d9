//go:build mage && !unix

package main

import "os/exec"

// apart does nothing: Debian, where a Docker Engine may be started, has the other one.
func apart(*exec.Cmd) {}
