package docker

import (
	"bufio"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/docker/docker/api/types/build"
	"github.com/docker/docker/api/types/image"
	"github.com/moby/go-archive"
	"github.com/moby/patternmatcher"
	"github.com/moby/patternmatcher/ignorefile"

	"github.com/photofinish/photofinish/pkg/race"
)

const (
	// buildLines of a build's output are quoted in an error.
	buildLines = 10
	// buildLabel marks what was built for races: docker image prune -a --filter label=photofinish.build removes them all.
	buildLabel = "photofinish.build"
)

// buildRecipe is what an image is built from.
type buildRecipe struct {
	dir        string // absolute
	dockerfile string // within dir, with slashes
	args       map[string]*string
	target     string
}

// newBuild checks that the folder has its Dockerfile.
func newBuild(l race.LaneSpec, dir, dockerfile string) (*buildRecipe, error) {
	if dockerfile == "" {
		dockerfile = "Dockerfile"
	}
	if !filepath.IsLocal(dockerfile) {
		return nil, race.Errorf(race.Invalid, "write it as FOLDER#DOCKERFILE", "lane %s: the Dockerfile %q is not within the folder %s", l.App, dockerfile, dir)
	}
	info, err := os.Stat(filepath.Join(dir, dockerfile))
	if err != nil || !info.Mode().IsRegular() {
		return nil, race.Errorf(race.Invalid, "a build folder is relative to the script; one without a Dockerfile of its own is written as FOLDER#DOCKERFILE",
			"lane %s: there is no %s in %s", l.App, dockerfile, dir)
	}
	return &buildRecipe{dir: dir, dockerfile: filepath.ToSlash(dockerfile)}, nil
}

// absolute is a path that may be relative to the script.
func (e *Engine) absolute(path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(e.options.ScriptDir, path)
}

// hash is the same for the same folder, whatever is in it and whichever lane asks.
func (b buildRecipe) hash() string {
	hash := sha256.New()
	_, _ = fmt.Fprintf(hash, "%q %q %q", b.dir, b.dockerfile, b.target)
	for _, name := range slices.Sorted(maps.Keys(b.args)) {
		_, _ = fmt.Fprintf(hash, " %q", name)
		if value := b.args[name]; value != nil {
			_, _ = fmt.Fprintf(hash, "=%q", *value)
		}
	}
	return fmt.Sprintf("%.8x", hash.Sum(nil))
}

// tag is the name of what is built.
func (b buildRecipe) tag() string { return "photofinish/built:" + b.hash() }

// buildOnce builds a lane's image, unless another lane of the race has the same recipe: both race the one image then.
func (e *Engine) buildOnce(ctx context.Context, of *preparedRace, l race.LaneSpec, b buildRecipe) (image.InspectResponse, error) {
	if built, known := of.built[b.tag()]; known {
		of.say(fmt.Sprintf("lane %s: %s is built already", l.App, b.dockerfile))
		return built, nil
	}
	built, err := e.build(ctx, l, b, of.say)
	if err == nil {
		of.built[b.tag()] = built
	}
	return built, err
}

// build builds a lane's image. The image stays, under a name that follows from its folder, so that the next race finds Docker's cache of it;
// one that it replaces is removed, unless it has another name.
func (e *Engine) build(ctx context.Context, l race.LaneSpec, b buildRecipe, say func(string)) (image.InspectResponse, error) {
	none := image.InspectResponse{}
	before, err := e.client.ImageInspect(ctx, b.tag())
	if err != nil {
		before.ID = "" // there is none
	}
	source, err := pack(b.dir, b.dockerfile)
	if err != nil {
		return none, race.Errorf(race.Invalid, "", "lane %s: the folder %s cannot be read for the build: %w", l.App, b.dir, err)
	}
	defer func() { _ = source.Close() }() // what was not read is not wanted
	say(fmt.Sprintf("lane %s: building %s", l.App, b.dockerfile))
	answer, err := e.client.ImageBuild(ctx, source, build.ImageBuildOptions{
		Tags: []string{b.tag()}, Dockerfile: b.dockerfile, BuildArgs: b.args, Target: b.target,
		Remove: true, ForceRemove: true, Labels: map[string]string{buildLabel: b.hash()},
	})
	if err != nil {
		return none, e.explain(ctx, err, "build the image of lane "+l.App)
	}
	defer func() { _ = answer.Body.Close() }() // it was read to its end
	if err := e.follow(ctx, l, b, answer.Body, say); err != nil {
		return none, err
	}
	built, err := e.client.ImageInspect(ctx, b.tag())
	if err != nil {
		return none, e.explain(ctx, err, "look at the image built for lane "+l.App)
	}
	if before.ID != "" && before.ID != built.ID {
		if old, err := e.client.ImageInspect(ctx, before.ID); err == nil && len(old.RepoTags) == 0 { // removed by its ID it would lose its last name, too
			_, _ = e.client.ImageRemove(ctx, before.ID, image.RemoveOptions{PruneChildren: true}) // somebody may use it
		}
	}
	return built, nil
}

// follow tells the steps of a build, and quotes its last lines if it fails.
func (e *Engine) follow(ctx context.Context, l race.LaneSpec, b buildRecipe, output io.Reader, say func(string)) error {
	var lines []string
	err := each(output, func(m message) {
		for line := range strings.Lines(m.Stream) {
			if line = strings.TrimRight(line, "\r\n "); line == "" {
				continue
			}
			if strings.HasPrefix(line, "Step ") {
				say(fmt.Sprintf("lane %s: building %s: %s", l.App, b.dockerfile, line))
			}
			lines = append(lines, line)
			lines = lines[max(0, len(lines)-buildLines):]
		}
	})
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil || unreachable(err):
		return e.explain(ctx, err, "build the image of lane "+l.App)
	}
	return race.Errorf(race.Unavailable, "build it by hand with docker build to see more",
		"lane %s: %s cannot be built: %s\n  %s", l.App, filepath.Join(b.dir, b.dockerfile), cause(err), strings.Join(lines, "\n  "))
}

// pack is the folder as a tar stream, without what its .dockerignore names.
func pack(dir, dockerfile string) (io.ReadCloser, error) {
	ignored, err := readIgnored(filepath.Join(dir, ".dockerignore"))
	if err != nil {
		return nil, err
	}
	if _, err := patternmatcher.New(ignored); err != nil {
		return nil, fmt.Errorf(".dockerignore: %w", err)
	}
	// Docker itself reads these two, even if they are ignored.
	ignored = append(slices.Clone(ignored), "!"+dockerfile, "!.dockerignore")
	return archive.TarWithOptions(dir, &archive.TarOptions{ExcludePatterns: ignored, ChownOpts: &archive.ChownOpts{UID: 0, GID: 0}})
}

func readIgnored(file string) ([]string, error) {
	f, err := os.Open(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // nothing was written
	return ignorefile.ReadAll(bufio.NewReader(f))
}
