package k6_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/photofinish/photofinish/runner/k6"
	"github.com/photofinish/photofinish/runner/k6/stopwatch"
	"github.com/stretchr/testify/require"
	"go.k6.io/k6/cmd"
)

// The words that make this test binary a k6: ours, as the runner's own binary is one, or a stock one.
const (
	ours  = "k6"
	stock = "stock-k6"
	// abandoned makes it a runner that is killed.
	abandoned = "abandoned-runner"
)

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && (os.Args[1] == ours || os.Args[1] == stock) {
		if os.Args[1] == ours {
			stopwatch.Register()
		}
		os.Args = append([]string{"k6"}, os.Args[2:]...)
		cmd.Execute() // exits
		return
	}
	if len(os.Args) > 2 && os.Args[1] == abandoned {
		abandonedRunner([]string{os.Args[0], ours}, os.Args[2])
		return
	}
	os.Exit(m.Run())
}

func self(t *testing.T) string {
	t.Helper()
	path, err := os.Executable()
	require.NoError(t, err)
	return path
}

func newK6(t *testing.T) k6.K6 {
	t.Helper()
	return k6.K6{Argv: []string{self(t), ours}, WorkDir: t.TempDir()}
}

// files writes a user's folder; its name has what a careless URL would trip over.
func files(t *testing.T, texts map[string]string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "my #1 tests? 100%20é")
	require.NoError(t, os.MkdirAll(dir, 0o700))
	for name, text := range texts {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	return dir
}
