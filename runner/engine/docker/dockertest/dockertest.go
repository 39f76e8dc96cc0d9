// Package dockertest gives tests a real Docker Engine, and images that need no registry: FROM scratch, of static Go binaries.
package dockertest

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/image"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/client"
	"github.com/stretchr/testify/require"
)

// Client is connected to the Docker Engine of DOCKER_HOST. Where none answers the test is skipped, loudly, or fails if nothing may be skipped.
func Client(tb testing.TB) *client.Client {
	tb.Helper()
	c, err := client.NewClientWithOpts(client.FromEnv, client.WithAPIVersionNegotiation())
	require.NoError(tb, err)
	tb.Cleanup(func() { _ = c.Close() })
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if _, err := c.Ping(ctx); err != nil {
		if os.Getenv("PHOTOFINISH_REQUIRE_ALL") != "" {
			tb.Fatalf("no Docker Engine answers: %v", err)
		}
		tb.Skipf("NOT TESTED: no Docker Engine answers: %v", err)
	}
	return c
}

// Image makes an image whose entry point is a program that Build made, and removes it after the test. changes are further lines of a
// Dockerfile, such as "USER 65534".
func Image(tb testing.TB, c *client.Client, name, binary string, changes ...string) {
	tb.Helper()
	program, err := os.ReadFile(binary)
	require.NoError(tb, err)
	var layer bytes.Buffer
	w := tar.NewWriter(&layer)
	require.NoError(tb, w.WriteHeader(&tar.Header{Name: "app", Mode: 0o755, Size: int64(len(program))}))
	_, err = w.Write(program)
	require.NoError(tb, err)
	require.NoError(tb, w.Close())
	answer, err := c.ImageImport(context.Background(), image.ImportSource{Source: &layer, SourceName: "-"}, name,
		image.ImportOptions{Changes: append([]string{`ENTRYPOINT ["/app"]`}, changes...)})
	require.NoError(tb, err)
	Succeeded(tb, answer)
	tb.Cleanup(func() {
		_, err := c.ImageRemove(context.Background(), name, image.RemoveOptions{Force: true, PruneChildren: true})
		if !errdefs.IsNotFound(err) { // the test may have removed it itself
			require.NoError(tb, err)
		}
	})
}

// Build compiles a package to a program that needs no C library and no shell.
func Build(tb testing.TB, pkg string) (binary string) {
	tb.Helper()
	binary = filepath.Join(tb.TempDir(), "app")
	cmd := exec.CommandContext(context.Background(), "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", binary, pkg)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	said, err := cmd.CombinedOutput()
	require.NoError(tb, err, string(said))
	return binary
}

// Succeeded reads an answer of Docker's to its end and makes sure that no error is in it.
func Succeeded(tb testing.TB, answer io.ReadCloser) {
	tb.Helper()
	defer func() { _ = answer.Close() }() // it was read to its end
	for decoder := json.NewDecoder(answer); ; {
		var line struct {
			Error string `json:"error"`
		}
		err := decoder.Decode(&line)
		if errors.Is(err, io.EOF) {
			return
		}
		require.NoError(tb, err)
		require.Empty(tb, line.Error)
	}
}

// Left lists what is left of a race: containers and networks.
func Left(tb testing.TB, c *client.Client, raceID string) []string {
	tb.Helper()
	ctx, mine := context.Background(), filters.NewArgs(filters.Arg("label", "photofinish.race="+raceID))
	var found []string
	containers, err := c.ContainerList(ctx, container.ListOptions{All: true, Filters: mine})
	require.NoError(tb, err)
	for _, one := range containers {
		found = append(found, one.Names...)
	}
	networks, err := c.NetworkList(ctx, network.ListOptions{Filters: mine})
	require.NoError(tb, err)
	for _, one := range networks {
		found = append(found, "network "+one.Name)
	}
	for _, pattern := range []string{"/sys/fs/cgroup/photofinish/", "/sys/fs/cgroup/*/photofinish/", "/sys/fs/cgroup/*/photofinish.slice/*"} {
		groups, err := filepath.Glob(pattern + raceID)
		require.NoError(tb, err)
		found = append(found, groups...)
	}
	return found
}
