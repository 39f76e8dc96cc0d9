//go:build mage

package main

import (
	"context"
	"os"
	"os/exec"
	"runtime"
	"sync"
)

// controlPlane begins to build what the tests of Kubernetes run, which takes minutes on a new machine, while others download and wait. It ends with ctx; wait waits for its
// end; what it compiled is in Go's cache. It is built as they build it (kubetest.build), and whatever is wrong with it they tell.
func controlPlane(ctx context.Context) (wait func()) {
	if runtime.GOOS != "linux" { // nor are they run
		return func() {}
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-gcflags=all=-N -l", "-o", os.DevNull, ".")
	cmd.Dir, cmd.Env = "tests/kubernetes/cluster", append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off")
	if cmd.Start() != nil {
		return func() {}
	}
	return sync.OnceFunc(func() { _ = cmd.Wait() })
}
