package kubetest

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
)

// build builds the control plane of tests/kubernetes/cluster, and gives its file. The first time on a machine it takes some six minutes on two
// CPUs; from then on Go's build cache has it, and the file itself is still up to date.
func build(tb testing.TB) string {
	tb.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir()
	}
	return buildIn(tb, filepath.Join(repository(tb), "tests", "kubernetes", "cluster"), ".", filepath.Join(cache, "photofinish", "kubernetes-control-plane"))
}

// Apps builds the apps of the engines' suite, and gives their file.
func Apps(tb testing.TB) string {
	tb.Helper()
	return buildIn(tb, repository(tb), "./runner/engine/enginetest/app", filepath.Join(tb.TempDir(), "app"))
}

func buildIn(tb testing.TB, dir, what, to string) string {
	tb.Helper()
	cmd := exec.CommandContext(tb.Context(), "go", "build", "-ldflags=-s -w", "-o", to, what)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off")
	said, err := cmd.CombinedOutput()
	require.NoError(tb, err, "%s: %s", what, said)
	return to
}

// repository is the folder of the main module.
func repository(tb testing.TB) string {
	tb.Helper()
	_, file, _, ok := runtime.Caller(0)
	require.True(tb, ok)
	return filepath.Join(filepath.Dir(file), "..", "..", "..", "..")
}
