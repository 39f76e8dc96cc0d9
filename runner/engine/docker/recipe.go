package docker

import (
	"context"
	"slices"
	"strings"

	"github.com/distribution/reference"

	"github.com/photofinish/photofinish/pkg/race"
)

// recipe is what a lane's container is to be, before its image is there. What is not set is the image's own.
type recipe struct {
	image      string // its name; "" if it is to be built
	build      *buildRecipe
	entrypoint []string
	command    []string
	env        []string // before the lane's own
	user       string
	folder     string // working folder
	stopSignal string
	tmpfs      []string
	networks   []string // of a compose project, by name; joined where they exist
	notes      []string // what the user should know
}

// recipe finds out what a lane's container is to be, without asking Docker.
func (e *Engine) recipe(ctx context.Context, l race.LaneSpec) (recipe, error) {
	switch {
	case l.Compose != "":
		return e.compose(ctx, l)
	case l.Build != "":
		dir, dockerfile, _ := strings.Cut(l.Build, "#")
		b, err := newBuild(l, e.absolute(dir), dockerfile)
		return recipe{build: b}, err
	case l.Image != "":
		return recipe{image: l.Image}, nil
	}
	return recipe{}, race.Errorf(race.Invalid, "race it with --engine process, or give the lane an image, a build folder or a compose service",
		"lane %s has neither image nor build nor compose, and containers are all that the engine docker can start", l.App)
}

// allowed checks that the image is one that may be run.
func (e *Engine) allowed(l race.LaneSpec, r recipe) error {
	if r.build != nil {
		if e.options.Images == nil {
			return nil
		}
		return race.Errorf(race.Invalid, "build the image elsewhere, and name it as the lane's image",
			"lane %s: this runner builds no images, since only some may be run: %s", l.App, strings.Join(e.options.Images, ", "))
	}
	ref, err := reference.ParseDockerRef(r.image)
	if err != nil {
		return race.Errorf(race.Invalid, "write it like nginx:1.29 or ghcr.io/acme/web:2", "lane %s: %q is no name of an image: %w", l.App, r.image, err)
	}
	if e.options.Images == nil || slices.ContainsFunc(e.options.Images, func(pattern string) bool {
		match, err := reference.FamiliarMatch(pattern, ref)
		return err == nil && match
	}) {
		return nil
	}
	return race.Errorf(race.Invalid, "choose another image, or add it to the images of the runner's configuration",
		"lane %s: the image %s may not be run here; those that may are %s", l.App, reference.FamiliarString(ref), strings.Join(e.options.Images, ", "))
}
