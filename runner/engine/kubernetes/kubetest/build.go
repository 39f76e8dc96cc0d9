package kubetest

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// build builds the control plane of tests/kubernetes/cluster, and gives its file. The first time on a machine it takes some six minutes on two
// CPUs, a fifth less than if it were optimised; from then on Go's build cache has it, and the file itself is still up to date.
func build(tb testing.TB) string {
	tb.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir()
	}
	dir := filepath.Join(repository(tb), "tests", "kubernetes", "cluster")
	version := strings.TrimSpace(goTool(tb, dir, "list", "-m", "-f", "{{.Version}}", "k8s.io/kubernetes"))
	file := filepath.Join(cache, "photofinish", "kubernetes-control-plane-"+version)
	goTool(tb, dir, "build", "-gcflags=all=-N -l", "-ldflags=-s -w -X k8s.io/component-base/version.gitVersion="+version, "-o", file, ".")
	return file
}

// Apps builds the apps of the engines' suite, and gives their file.
func Apps(tb testing.TB) string {
	tb.Helper()
	file := filepath.Join(tb.TempDir(), "app")
	goTool(tb, repository(tb), "build", "-ldflags=-s -w", "-o", file, "./runner/engine/enginetest/app")
	return file
}

func goTool(tb testing.TB, dir string, args ...string) string {
	tb.Helper()
	cmd := exec.CommandContext(tb.Context(), "go", args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off")
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	said, err := cmd.Output()
	require.NoError(tb, err, "go %s: %s", strings.Join(args, " "), complaints.String())
	return string(said)
}

// repository is the folder of the main module.
func repository(tb testing.TB) string {
	tb.Helper()
	_, file, _, ok := runtime.Caller(0)
	require.True(tb, ok)
	return filepath.Join(filepath.Dir(file), "..", "..", "..", "..")
}
