package k6

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/docker/go-units"

	"github.com/photofinish/photofinish/pkg/race"
)

// maxArchive is the most that a k6 elsewhere is handed, in bytes: each k6 reads it into memory, as does every VU what it opens.
const maxArchive = 64 << 20

// Archive packs a wrapper with everything that it imports and opens, and nothing else, so that another k6 can run it: a file beside it.
func (k K6) Archive(ctx context.Context, wrapper string, env map[string]string) (path string, err error) {
	path = filepath.Join(filepath.Dir(wrapper), "heat.tar")
	cmd, err := k.command(ctx, nil, []string{
		"archive", "--quiet", "--log-output=stderr", "--log-format=json", "--include-system-env-vars", "--exclude-env-vars", "--archive-out", path, wrapper,
	}, env)
	if err != nil {
		return "", err
	}
	var log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return "", fmt.Errorf("pack the script: %w", context.Cause(ctx))
		}
		said := NewLog()
		for line := range bytes.Lines(log.Bytes()) {
			said.take(bytes.TrimSpace(line))
		}
		return "", race.Errorf(race.Unavailable, "", "the script cannot be packed for k6's container: %s", first(without(said.lastError(), filepath.Dir(wrapper)), err.Error()))
	}
	packed, err := os.Stat(path)
	if err != nil {
		return "", race.Errorf(race.Internal, "", "k6 packed no script: %w", err)
	}
	if packed.Size() > maxArchive {
		return "", race.Errorf(race.Invalid, "let it open and import less, or race with the k6 that is built in",
			"the script with all that it imports and opens is %s; a k6 in a container is handed at most %s", units.BytesSize(float64(packed.Size())), units.BytesSize(maxArchive))
	}
	return path, nil
}
