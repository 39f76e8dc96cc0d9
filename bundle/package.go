// Package bundle makes of a commit what people install in Grafana: a zip of the plugin, and beside it the source that it was built from.
package bundle

import (
	"archive/zip"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Build makes source/dist in the folder source, with these variables added to its environment.
type Build func(ctx context.Context, source string, env []string) error

// Zips are the paths of a package.
type Zips struct {
	Plugin string // <id>-<version>.zip, what Grafana unpacks
	Source string // <id>-<version>-source.zip, what it was built from
}

// Package exports a commit of the repository in the working directory to a folder of its own, builds it there, so that nothing untracked
// gets in, and writes both zips to the folder out. The same commit gives the same contents and times.
func Package(ctx context.Context, commit, out string, build Build) (Zips, error) {
	when, err := committed(ctx, commit)
	if err != nil {
		return Zips{}, err
	}
	temp, err := os.MkdirTemp("", "photofinish-package-")
	if err != nil {
		return Zips{}, err
	}
	defer func() { _ = os.RemoveAll(temp) }()

	archive, source := filepath.Join(temp, "source.zip"), filepath.Join(temp, "source")
	if _, err := git(ctx, "archive", "--format=zip", "--output="+archive, commit); err != nil {
		return Zips{}, err
	}
	if err := unzip(archive, source); err != nil {
		return Zips{}, err
	}
	if err := build(ctx, source, []string{fmt.Sprintf("%s=%d", epoch, when.Unix())}); err != nil {
		return Zips{}, fmt.Errorf("the export of %s does not build: %w", commit, err)
	}
	return write(os.DirFS(filepath.Join(source, "dist")), archive, out, when)
}

// committed tells when a commit was made: the time that everything in the package bears.
func committed(ctx context.Context, commit string) (time.Time, error) {
	out, err := git(ctx, "log", "-1", "--format=%ct", commit)
	if err != nil {
		return time.Time{}, err
	}
	seconds, err := strconv.ParseInt(strings.TrimSpace(out), 10, 64)
	if err != nil {
		return time.Time{}, fmt.Errorf("git tells no time for the commit %s: %w", commit, err)
	}
	return time.Unix(seconds, 0).UTC(), nil
}

func git(ctx context.Context, args ...string) (string, error) {
	out, err := exec.CommandContext(ctx, "git", args...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("git %s: %w: %s", strings.Join(args, " "), err, strings.TrimSpace(string(out)))
	}
	return string(out), nil
}

func unzip(archive, folder string) error {
	reader, err := zip.OpenReader(archive)
	if err != nil {
		return err
	}
	defer func() { _ = reader.Close() }()
	return os.CopyFS(folder, reader)
}
