//go:build mage

package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/magefile/mage/sh"
)

// docker says where a Docker Engine answers for the tests, and how to end it if it was started here. Where there is none and none can be
// had, it says so, and the tests that need one are skipped.
func docker() (host string, stop func()) {
	host, stop = os.Getenv("DOCKER_HOST"), func() {}
	if host == "" {
		host = "unix:///var/run/docker.sock"
	}
	if answers(host) {
		return host, stop
	}
	if !debianRoot() {
		fmt.Fprintln(os.Stderr, "SKIPPED: no Docker Engine answers at", host, "and no right to install one (root on Debian); the tests of Docker lanes are skipped")
		return host, stop
	}
	if _, err := exec.LookPath("dockerd"); err != nil {
		apt := map[string]string{"DEBIAN_FRONTEND": "noninteractive"}
		_ = sh.RunWith(apt, "apt-get", "update", "-qq") // the next line tells
		if err := sh.RunWith(apt, "apt-get", "install", "-y", "-qq", "--no-install-recommends", "docker.io"); err != nil {
			fmt.Fprintln(os.Stderr, "SKIPPED: docker.io cannot be installed, so the tests of Docker lanes are skipped:", err)
			return host, stop
		}
		if answers(host) { // the installation started it
			return host, stop
		}
	}
	own, stop, err := startDocker()
	if err != nil {
		fmt.Fprintln(os.Stderr, "SKIPPED: dockerd does not start, so the tests of Docker lanes are skipped:", err)
		return host, func() {}
	}
	return own, stop
}

// startDocker starts a Docker Engine of its own, whose files are all in a folder that stop removes.
func startDocker() (host string, stop func(), err error) {
	dir, err := os.MkdirTemp("", "photofinish-docker-")
	if err != nil {
		return "", nil, err
	}
	file := func(name string) string { return filepath.Join(dir, name) }
	log, err := os.Create(file("log"))
	if err != nil {
		return "", nil, err
	}
	host = "unix://" + file("docker.sock")
	cmd := exec.Command("dockerd", "--host", host, "--data-root", file("data"), "--exec-root", file("exec"), "--pidfile", file("pid"), "--bridge", bridge())
	cmd.Stdout, cmd.Stderr = log, log
	apart(cmd) // Ctrl-C is for the tests first: they remove their containers
	if err := cmd.Start(); err != nil {
		return "", nil, err
	}
	ended := make(chan struct{})
	go func() { defer close(ended); _ = cmd.Wait() }()
	stop = func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-ended:
		case <-time.After(20 * time.Second):
			_ = cmd.Process.Kill()
			<-ended
		}
		_ = log.Close()
		_ = os.RemoveAll(dir)
	}
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		select {
		case <-ended:
			said, _ := os.ReadFile(file("log"))
			stop()
			lines := strings.Split(strings.TrimSpace(string(said)), "\n")
			return "", nil, fmt.Errorf("%s", lines[len(lines)-1])
		default:
		}
		if answers(host) {
			return host, stop, nil
		}
	}
	stop()
	return "", nil, fmt.Errorf("it does not answer within a minute")
}

// bridge is the interface of the default network, which no test uses. A daemon without one would remove another daemon's.
func bridge() string {
	const usual = "docker0"
	if _, err := net.InterfaceByName(usual); err == nil {
		return usual
	}
	return "none"
}

// answers says whether a Docker Engine answers at a host; of one that is not a socket of this machine the tests find out themselves.
func answers(host string) bool {
	path, local := strings.CutPrefix(host, "unix://")
	if !local {
		return true
	}
	client := http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", path)
	}}}
	resp, err := client.Get("http://docker/_ping")
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}
