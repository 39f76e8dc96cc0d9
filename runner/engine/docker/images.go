package docker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/containerd/errdefs"
	"github.com/distribution/reference"
	"github.com/docker/docker/api/types/image"
	"github.com/docker/go-units"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/engine"
)

// preparedLane is what it takes to start a lane in any heat.
type preparedLane struct {
	image string // id
	port  int
	// root: the image starts as root, mostly to become somebody else after it has set up its files.
	root bool
	// stopSignal is what asks the app to end.
	stopSignal string
	// writable: the app was seen to need a file system that it can write.
	writable atomic.Bool
}

// allowed checks that the lane is one for this engine, and its image one that may be run.
func (e *Engine) allowed(l race.LaneSpec) error {
	switch {
	case l.URL != "":
		return nil
	case l.Build != "" && e.options.Images != nil:
		return race.Errorf(race.Invalid, "build the image elsewhere, and name it as the lane's image",
			"lane %s: this runner builds no images, since only some may be run: %s", l.App, strings.Join(e.options.Images, ", "))
	case l.Build != "":
		return nil
	case l.Image == "":
		return race.Errorf(race.Invalid, "race it with --engine process, or give the lane an image or a build folder",
			"lane %s has neither an image nor a build folder, and containers are all that the engine docker can start", l.App)
	}
	ref, err := reference.ParseDockerRef(l.Image)
	if err != nil {
		return race.Errorf(race.Invalid, "write it like nginx:1.29 or ghcr.io/acme/web:2", "lane %s: %q is no name of an image: %w", l.App, l.Image, err)
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

// prepareLane gets the lane's image and port.
func (e *Engine) prepareLane(ctx context.Context, l race.LaneSpec, say func(string)) (*preparedLane, error) {
	p := &preparedLane{stopSignal: "SIGTERM"}
	var err error
	if p.port, err = engine.ChoosePort(ctx, l); err != nil {
		return nil, err
	}
	var found image.InspectResponse
	if l.Build != "" {
		found, err = e.build(ctx, l, say)
	} else {
		found, err = e.image(ctx, l, say)
	}
	if err != nil {
		return nil, err
	}
	p.image = found.ID
	if found.Config == nil {
		return p, nil
	}
	user, _, _ := strings.Cut(found.Config.User, ":")
	p.root = user == "" || user == "0" || user == "root"
	if found.Config.StopSignal != "" {
		p.stopSignal = found.Config.StopSignal
	}
	return p, nil
}

// image finds the lane's image here, or else pulls it.
func (e *Engine) image(ctx context.Context, l race.LaneSpec, say func(string)) (image.InspectResponse, error) {
	found, err := e.client.ImageInspect(ctx, l.Image)
	if errdefs.IsNotFound(err) {
		if err := e.pull(ctx, l, say); err != nil {
			return found, err
		}
		found, err = e.client.ImageInspect(ctx, l.Image)
	}
	return found, e.explain(ctx, err, fmt.Sprintf("look at the image %s of lane %s", l.Image, l.App))
}

func (e *Engine) pull(ctx context.Context, l race.LaneSpec, say func(string)) error {
	ref, err := reference.ParseDockerRef(l.Image) // the tag latest, where none is given: else every tag would be pulled
	if err != nil {
		return race.Errorf(race.Invalid, "", "lane %s: %q is no name of an image: %w", l.App, l.Image, err)
	}
	say(fmt.Sprintf("lane %s: pulling %s", l.App, reference.FamiliarString(ref)))
	answer, err := e.client.ImagePull(ctx, ref.String(), image.PullOptions{})
	if err == nil {
		progress := pullProgress{layers: map[string]message{}}
		err = each(answer, func(m message) {
			if text := progress.take(m, time.Now()); text != "" {
				say(fmt.Sprintf("lane %s: pulling %s: %s", l.App, reference.FamiliarString(ref), text))
			}
		})
		_ = answer.Close() // it was read to its end
	}
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil || unreachable(err):
		return e.explain(ctx, err, fmt.Sprintf("pull the image of lane %s", l.App))
	}
	return race.Errorf(race.Unavailable, "check the name, or build or pull it by hand; a private image needs docker login and docker pull first",
		"lane %s: the image %s is not on this machine and cannot be pulled: %s", l.App, reference.FamiliarString(ref), cause(err))
}

// message is a line of what Docker tells while it pulls or builds.
type message struct {
	Stream   string `json:"stream"`
	Status   string `json:"status"`
	ID       string `json:"id"`
	Progress struct {
		Current int64 `json:"current"` // bytes
		Total   int64 `json:"total"`
	} `json:"progressDetail"`
	Error string `json:"error"`
}

// each hands on every message; the error is that which Docker tells, or that of reading.
func each(r io.Reader, take func(message)) error {
	decoder := json.NewDecoder(r)
	for {
		var m message
		switch err := decoder.Decode(&m); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		case m.Error != "":
			return errors.New(m.Error)
		}
		take(m)
	}
}

// tellEvery is how often a pull says how far it is.
const tellEvery = time.Second

// pullProgress sums up the layers that are being downloaded.
type pullProgress struct {
	layers map[string]message
	told   time.Time
}

// take is what to say now, or "".
func (p *pullProgress) take(m message, now time.Time) string {
	if m.Status != "Downloading" || m.Progress.Total <= 0 {
		return ""
	}
	p.layers[m.ID] = m
	if now.Sub(p.told) < tellEvery {
		return ""
	}
	p.told = now
	var current, total int64
	for _, l := range p.layers {
		current, total = current+l.Progress.Current, total+l.Progress.Total
	}
	return fmt.Sprintf("%s of %s", units.HumanSize(float64(current)), units.HumanSize(float64(total)))
}
