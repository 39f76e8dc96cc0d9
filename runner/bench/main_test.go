// Package bench measures what racing costs: the figures of docs/performance.md. It runs the runner as it is built, a stock k6 that is
// built from the same module, and the sample app control, on this machine. `go test -bench . ./runner/bench` runs it; it wants an idle
// machine and says how idle that was. -short makes the long race a short one.
package bench

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/runner/engine/enginetest"
)

// module is the folder of go.mod.
const module = "../.."

// programs are built once for all benchmarks.
type programs struct{ runner, stock, control string }

func build(b *testing.B) programs {
	b.Helper()
	dir := b.TempDir()
	p := programs{filepath.Join(dir, "photofinish"), filepath.Join(dir, "k6"), filepath.Join(dir, "control")}
	for out, source := range map[string]string{p.runner: "./runner", p.stock: "go.k6.io/k6", p.control: "./testapps/control"} {
		cmd := exec.CommandContext(b.Context(), "go", "build", "-trimpath", "-buildvcs=false", "-o", out, source)
		cmd.Dir, cmd.Env = module, append(os.Environ(), "CGO_ENABLED=0")
		said, err := cmd.CombinedOutput()
		require.NoError(b, err, "%s", said)
	}
	return p
}

// app is a running sample app.
type app struct{ name, url string }

// startApps starts copies of control until the benchmark ends.
func (p programs) startApps(b *testing.B, names ...string) []app {
	b.Helper()
	var apps []app
	for _, name := range names {
		port := enginetest.FreePort(b)
		cmd := exec.CommandContext(b.Context(), p.control)
		cmd.Env = []string{"HOST=127.0.0.1", fmt.Sprintf("PORT=%d", port)}
		require.NoError(b, cmd.Start())
		b.Cleanup(func() {
			_ = cmd.Process.Signal(syscall.SIGTERM)
			_ = cmd.Wait()
		})
		a := app{name, fmt.Sprintf("http://127.0.0.1:%d/control", port)}
		require.Eventually(b, func() bool { return answers(b.Context(), a.url) }, 10*time.Second, 20*time.Millisecond)
		apps = append(apps, a)
	}
	return apps
}

func answers(ctx context.Context, url string) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return false
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	return errors.Join(resp.Body.Close()) == nil && resp.StatusCode == http.StatusOK
}

// sayLoad logs the load average, so that a figure taken on a busy machine is known for one.
func sayLoad(b *testing.B) {
	b.Helper()
	text, err := os.ReadFile("/proc/loadavg")
	if err == nil {
		b.Logf("load average: %s", strings.TrimSpace(string(text)))
	}
}
