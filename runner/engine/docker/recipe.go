package docker

import (
	"context"
	"strings"

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

// allowed checks that the lane's image may be run, or built.
func (e *Engine) allowed(l race.LaneSpec, r recipe) error {
	var err error
	if r.build != nil {
		err = e.options.Allowed.Building()
	} else {
		err = e.options.Allowed.Run(r.image)
	}
	if err != nil {
		return race.Errorf(race.CodeOf(err), race.HintOf(err), "lane %s: %w", l.App, err)
	}
	return nil
}
