package dockertest

import (
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Daemon is a Docker Engine of a test's own, to be stopped and started again.
type Daemon struct {
	// Host is what DOCKER_HOST is to say.
	Host string

	dir  string // of all its files
	log  *os.File
	cmd  *exec.Cmd
	done chan struct{}
}

// OwnDaemon starts a Docker Engine beside the one that there may be, until the test ends. It touches no rules of the machine's packet filter. Where
// none can be started the test is skipped, loudly, or fails if nothing may be skipped.
func OwnDaemon(tb testing.TB) *Daemon {
	tb.Helper()
	if _, err := exec.LookPath("dockerd"); err != nil || os.Getuid() != 0 {
		if os.Getenv("PHOTOFINISH_REQUIRE_ALL") != "" {
			tb.Fatalf("no Docker Engine can be started (user %d): %v", os.Getuid(), err)
		}
		tb.Skipf("NOT TESTED: no Docker Engine can be started (user %d): %v", os.Getuid(), err)
	}
	dir, err := os.MkdirTemp("/tmp", "dockerd-") //nolint:usetesting // the paths of sockets are short
	require.NoError(tb, err)
	d := &Daemon{Host: "unix://" + filepath.Join(dir, "docker.sock"), dir: dir}
	d.log, err = os.Create(filepath.Join(dir, "log"))
	require.NoError(tb, err)
	tb.Cleanup(func() {
		d.Stop(tb, syscall.SIGTERM)
		if said, _ := os.ReadFile(d.log.Name()); tb.Failed() {
			tb.Logf("the Docker Engine said:\n%s", said)
		}
		require.NoError(tb, d.log.Close())
		for syscall.Unmount(filepath.Join(dir, "data"), syscall.MNT_DETACH) == nil { // one that is killed leaves it mounted
		}
		require.NoError(tb, os.RemoveAll(dir))
	})
	d.Start(tb)
	return d
}

// Start starts it, again, and waits until it answers.
func (d *Daemon) Start(tb testing.TB) {
	tb.Helper()
	file := func(name string) string { return filepath.Join(d.dir, name) }
	d.cmd = exec.CommandContext(context.Background(), "dockerd", "--host", d.Host, "--data-root", file("data"), "--exec-root", file("exec"), "--pidfile", file("pid"), //nolint:gosec // a test
		"--bridge", bridge(), "--iptables=false", "--ip-forward=false", "--ip-masq=false")
	d.cmd.Stdout, d.cmd.Stderr = d.log, d.log                            // a file: what it leaves if it is killed goes on writing to it
	d.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM} // of a test that is killed
	d.done = make(chan struct{})
	cmd, done, started := d.cmd, d.done, make(chan error)
	go func() {
		defer close(done)
		runtime.LockOSThread() // whose end would be taken for the test's
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait()
		}
	}()
	require.NoError(tb, <-started)
	require.Eventually(tb, func() bool {
		way, err := net.Dial("unix", strings.TrimPrefix(d.Host, "unix://")) //nolint:noctx // a test
		return err == nil && way.Close() == nil
	}, time.Minute, 20*time.Millisecond, "it does not answer")
}

// bridge is the interface of the default network, which no test uses. A daemon without one would remove the other daemon's.
func bridge() string {
	const usual = "docker0"
	if _, err := net.InterfaceByName(usual); err != nil {
		return "none"
	}
	return usual
}

// Stop sends it a signal, and waits for its end. One that is killed leaves what runs in its containers, until it is started again.
func (d *Daemon) Stop(tb testing.TB, s syscall.Signal) {
	tb.Helper()
	_ = d.cmd.Process.Signal(s) // it may have ended
	select {
	case <-d.done:
	case <-time.After(time.Minute):
		_ = d.cmd.Process.Kill()
		<-d.done
	}
	text, err := os.ReadFile(filepath.Join(d.dir, "exec", "containerd", "containerd.pid"))
	if pid, not := strconv.Atoi(string(text)); err == nil && not == nil { // it ends with its parent, and is in the way of the next one until it has
		require.Eventually(tb, func() bool { return syscall.Kill(pid, 0) != nil }, time.Minute, 10*time.Millisecond, "containerd does not end")
	}
}
