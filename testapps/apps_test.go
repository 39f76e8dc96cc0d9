// Package testapps_test runs the sample apps as their users do: as programs.
package testapps_test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/shirou/gopsutil/v4/process"
	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/runner/engine/enginetest"
)

var apps = []string{"control", "high-latency", "high-cpu", "memory-leak", "limited"}

// build compiles the apps, once for the whole test.
func build(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	args := []string{"build", "-o", dir}
	for _, app := range apps {
		args = append(args, "./"+app)
	}
	out, err := exec.CommandContext(t.Context(), "go", args...).CombinedOutput()
	require.NoError(t, err, string(out))
	return dir
}

func TestApps(t *testing.T) {
	dir := build(t)
	for _, app := range apps {
		t.Run(app+" answers, is healthy, knows no other path and ends orderly", func(t *testing.T) {
			p := start(t, filepath.Join(dir, app), strconv.Itoa(enginetest.FreePort(t)))
			status, body := p.get(t, "/"+app)
			require.Equal(t, http.StatusOK, status)
			require.Contains(t, body, app)
			status, _ = p.get(t, "/healthz")
			require.Equal(t, http.StatusOK, status)
			status, _ = p.get(t, "/elsewhere")
			require.Equal(t, http.StatusNotFound, status)
			require.NoError(t, p.cmd.Process.Signal(syscall.SIGTERM))
			require.NoError(t, p.cmd.Wait(), "an ordered end has exit code 0")
		})
		t.Run(app+" has its default port and Dockerfile port alike", func(t *testing.T) {
			source, err := os.ReadFile(filepath.Join(app, "main.go"))
			require.NoError(t, err)
			docker, err := os.ReadFile(filepath.Join(app, "Dockerfile"))
			require.NoError(t, err)
			port := regexp.MustCompile(`Port: (\d+)`).FindSubmatch(source)
			require.NotNil(t, port)
			require.Contains(t, string(docker), fmt.Sprintf("EXPOSE %s\n", port[1]))
			require.Contains(t, string(docker), "COPY "+app+" "+app)
		})
		t.Run(app+" builds in its Dockerfile's context, apart from this module", func(t *testing.T) {
			buildsInItsContext(t, app, "internal")
		})
	}
	t.Run("high-latency takes about 100 ms and hardly any CPU", func(t *testing.T) {
		p := start(t, filepath.Join(dir, "high-latency"), strconv.Itoa(enginetest.FreePort(t)))
		before, began := p.cpu(t), time.Now()
		for range 3 {
			p.get(t, "/high-latency")
		}
		each := time.Since(began).Seconds() / 3
		require.GreaterOrEqual(t, each, 0.1)
		require.Less(t, each, 0.4, "a busy machine takes longer")
		require.Less(t, p.cpu(t)-before, 0.05)
	})
	t.Run("high-cpu spends the same milliseconds of CPU for every request", func(t *testing.T) {
		p := start(t, filepath.Join(dir, "high-cpu"), strconv.Itoa(enginetest.FreePort(t)))
		_, first := p.get(t, "/high-cpu")
		const requests = 50
		before := p.cpu(t)
		for range requests {
			_, body := p.get(t, "/high-cpu")
			require.Equal(t, first, body)
		}
		each := (p.cpu(t) - before) / requests * 1000
		t.Logf("%.1f ms of CPU per request", each)
		require.Greater(t, each, 1.0)
		require.Less(t, each, 15.0)
	})
	t.Run("memory-leak keeps about 50 kB of every request", func(t *testing.T) {
		p := start(t, filepath.Join(dir, "memory-leak"), strconv.Itoa(enginetest.FreePort(t)))
		p.get(t, "/memory-leak")
		const requests = 400
		before := p.resident(t)
		for range requests {
			p.get(t, "/memory-leak")
		}
		each := (p.resident(t) - before) / requests
		t.Logf("%.0f bytes stay of a request", each)
		require.InDelta(t, 50_000, each, 25_000)
	})
	t.Run("limited serves as many requests as its workers have time for, and refuses whom its queue has no place for", func(t *testing.T) {
		for name, value := range map[string]string{"WORKERS": "2", "SERVICE": "20ms", "QUEUE": "28"} {
			t.Setenv(name, value)
		}
		p := start(t, filepath.Join(dir, "limited"), strconv.Itoa(enginetest.FreePort(t)))
		p.get(t, "/limited")
		const asked = 40
		var served, refused atomic.Int64
		var wait sync.WaitGroup
		began := time.Now()
		for range asked {
			wait.Go(func() {
				resp, err := http.Get(p.url + "/limited")
				if err != nil {
					return
				}
				_ = resp.Body.Close()
				switch resp.StatusCode {
				case http.StatusOK:
					served.Add(1)
				case http.StatusServiceUnavailable:
					refused.Add(1)
				}
			})
		}
		wait.Wait()
		took := time.Since(began)
		require.EqualValues(t, asked, served.Load()+refused.Load())
		require.GreaterOrEqual(t, served.Load(), int64(29), "two at work, 28 that wait, and who came later")
		require.GreaterOrEqual(t, took, time.Duration(served.Load()/2-1)*20*time.Millisecond, "2 workers hold 100 requests a second")
		require.Less(t, p.cpu(t), 1., "it waits, and does not work")
	})
	t.Run("what limited cannot be is an error that names it", func(t *testing.T) {
		for name, value := range map[string]string{"WORKERS": "0", "SERVICE": "fast", "QUEUE": "-1"} {
			t.Run(name, func(t *testing.T) {
				t.Setenv(name, value)
				require.Contains(t, failure(t, filepath.Join(dir, "limited"), strconv.Itoa(enginetest.FreePort(t))), fmt.Sprintf("limited: %s is %q; it must be", name, value))
			})
		}
	})
	t.Run("a bad port is an error that names it", func(t *testing.T) {
		require.Contains(t, failure(t, filepath.Join(dir, "control"), "70000"), `PORT is "70000"`)
	})
	t.Run("a port in use is an error that names it", func(t *testing.T) {
		taken, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		defer taken.Close()
		port := strconv.Itoa(taken.Addr().(*net.TCPAddr).Port)
		require.Contains(t, failure(t, filepath.Join(dir, "control"), port), "port "+port+" is in use")
	})
}

// buildsInItsContext does what an app's Dockerfile does to build it, with what that copies.
func buildsInItsContext(t *testing.T, app string, more ...string) {
	t.Helper()
	context := t.TempDir()
	for _, dir := range append(more, app) {
		require.NoError(t, os.CopyFS(filepath.Join(context, dir), os.DirFS(dir)))
	}
	docker, err := os.ReadFile(filepath.Join(app, "Dockerfile"))
	require.NoError(t, err)
	run := regexp.MustCompile(`(?s)RUN (.*?)\n\n`).FindSubmatch(docker)
	require.NotNil(t, run)
	script := strings.ReplaceAll(string(run[1]), "-o /app", "-o app")
	cmd := exec.CommandContext(t.Context(), "sh", "-ec", script)
	cmd.Dir = context
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
	require.FileExists(t, filepath.Join(context, "app"))
}

// program is a running app.
type program struct {
	cmd *exec.Cmd
	url string
}

func command(t *testing.T, path, port string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), path)
	cmd.Env = append(os.Environ(), "HOST=127.0.0.1", "PORT="+port)
	return cmd
}

func start(t *testing.T, path, port string) program {
	t.Helper()
	p := program{cmd: command(t, path, port), url: "http://127.0.0.1:" + port}
	require.NoError(t, p.cmd.Start())
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill()
		_ = p.cmd.Wait()
	})
	require.Eventually(t, func() bool {
		resp, err := http.Get(p.url + "/healthz")
		if err != nil {
			return false
		}
		return resp.Body.Close() == nil
	}, 10*time.Second, 10*time.Millisecond)
	return p
}

func (p program) get(t *testing.T, path string) (int, string) {
	t.Helper()
	resp, err := http.Get(p.url + path)
	require.NoError(t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp.StatusCode, string(body)
}

// cpu is the CPU time of the program so far, in seconds.
func (p program) cpu(t *testing.T) float64 {
	t.Helper()
	seen, err := process.NewProcess(int32(p.cmd.Process.Pid))
	require.NoError(t, err)
	times, err := seen.Times()
	require.NoError(t, err)
	return times.User + times.System
}

// resident is the program's memory in bytes.
func (p program) resident(t *testing.T) float64 {
	t.Helper()
	seen, err := process.NewProcess(int32(p.cmd.Process.Pid))
	require.NoError(t, err)
	info, err := seen.MemoryInfo()
	require.NoError(t, err)
	return float64(info.RSS)
}

// failure runs an app that cannot be served and returns what it said.
func failure(t *testing.T, path, port string) string {
	t.Helper()
	cmd := command(t, path, port)
	var said bytes.Buffer
	cmd.Stderr = &said
	err := cmd.Run()
	var exit *exec.ExitError
	require.ErrorAs(t, err, &exit)
	require.Equal(t, 1, exit.ExitCode())
	return said.String()
}
