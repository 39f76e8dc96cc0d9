package docker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/containerd/errdefs"
	"github.com/distribution/reference"
	"github.com/docker/docker/api/types/image"
	"github.com/docker/go-units"

	"github.com/photofinish/photofinish/pkg/race"
)

// image finds an image here, or else pulls it; whose says what it is for, as "lane a".
func (e *Engine) image(ctx context.Context, whose, name string, say func(string)) (image.InspectResponse, error) {
	found, err := e.client.ImageInspect(ctx, name)
	if errdefs.IsNotFound(err) {
		if err := e.pull(ctx, whose, name, say); err != nil {
			return found, err
		}
		found, err = e.client.ImageInspect(ctx, name)
	}
	return found, e.explain(ctx, err, fmt.Sprintf("look at the image %s of %s", name, whose))
}

func (e *Engine) pull(ctx context.Context, whose, name string, say func(string)) error {
	ref, err := reference.ParseDockerRef(name) // the tag latest, where none is given: else every tag would be pulled
	if err != nil {
		return race.Errorf(race.Invalid, "", "%s: %q is no name of an image: %w", whose, name, err)
	}
	say(fmt.Sprintf("%s: pulling %s", whose, reference.FamiliarString(ref)))
	login, err := credentials(ref)
	if err != nil {
		return race.Errorf(race.Unavailable, "docker login again, or repair the Docker configuration of this user", "%s: %w", whose, err)
	}
	answer, err := e.client.ImagePull(ctx, ref.String(), image.PullOptions{RegistryAuth: login})
	if err == nil {
		progress := pullProgress{layers: map[string]message{}}
		err = each(answer, func(m message) {
			if text := progress.take(m, time.Now()); text != "" {
				say(fmt.Sprintf("%s: pulling %s: %s", whose, reference.FamiliarString(ref), text))
			}
		})
		_ = answer.Close() // it was read to its end
	}
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil || unreachable(err):
		return e.explain(ctx, err, "pull the image of "+whose)
	}
	return race.Errorf(race.Unavailable, "check the name, or build or pull it by hand; a private image needs docker login first, as the runner's user",
		"%s: the image %s is not on this machine and cannot be pulled: %s", whose, reference.FamiliarString(ref), cause(err))
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
