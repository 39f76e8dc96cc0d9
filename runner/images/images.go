// Package images says which container images may be run.
package images

import (
	"path"
	"slices"
	"strings"

	"github.com/distribution/reference"

	"github.com/photofinish/photofinish/pkg/race"
)

// Allowed is what may be run. The zero value allows nothing; nil allows everything, as on a person's own machine.
type Allowed struct {
	// Images are patterns such as "nginx", "nginx:1.*" or "ghcr.io/acme/*". A pattern without a tag allows every tag; * does not match a slash.
	Images []string `yaml:"images"`
	// Build allows images that are built of a Dockerfile. It may begin with any image, and run any program while it is built.
	Build bool `yaml:"build"`
}

// Run says whether an image may be run; the error says why not.
func (a *Allowed) Run(image string) error {
	ref, err := reference.ParseDockerRef(image)
	switch {
	case err != nil:
		return race.Errorf(race.Invalid, "write it like nginx:1.29 or ghcr.io/acme/web:2", "%q is no name of an image: %w", image, err)
	case a == nil || Match(a.Images, image):
		return nil
	}
	those := "none may be"
	if len(a.Images) > 0 {
		those = "those that may are " + strings.Join(a.Images, ", ")
	}
	return race.Errorf(race.Invalid, "choose another image, or let the runner's configuration allow it in docker.images",
		"the image %s may not be run here; %s", reference.FamiliarString(ref), those)
}

// Building says whether images may be built; the error says why not.
func (a *Allowed) Building() error {
	if a == nil || a.Build {
		return nil
	}
	return race.Errorf(race.Invalid, "build it elsewhere and name it as image, or let the runner's configuration allow it with docker.build", "this runner builds no images")
}

// Match says whether an image matches one of the patterns.
func Match(patterns []string, image string) bool {
	ref, err := reference.ParseDockerRef(image)
	return err == nil && slices.ContainsFunc(patterns, func(pattern string) bool {
		match, err := reference.FamiliarMatch(pattern, ref)
		return err == nil && match
	})
}

// Check says which pattern can never match, for its form.
func Check(patterns []string) error {
	for _, p := range patterns {
		if _, err := path.Match(p, ""); err != nil || p == "" {
			return race.Errorf(race.Invalid, `write it like "nginx:1.*" or "ghcr.io/acme/*"`, "%q is no pattern of images", p)
		}
	}
	return nil
}
