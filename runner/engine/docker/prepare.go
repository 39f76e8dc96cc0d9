package docker

import (
	"context"
	"strings"
	"sync/atomic"

	"github.com/docker/docker/api/types/image"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/engine"
)

// preparedLane is what it takes to start a lane in any heat.
type preparedLane struct {
	recipe
	race   *preparedRace
	source race.Image
	port   int // in the container
	host   int // on the loopback interface of the Docker Engine's machine
	// root: the container starts as root, mostly to become somebody else after it has set up its files.
	root bool
	// writable: the app was seen to need a file system that it can write.
	writable atomic.Bool
}

// HostPort implements engine.Ready.
func (p *preparedLane) HostPort() int { return p.host }

// prepareLane gets the lane's image and port.
func (e *Engine) prepareLane(ctx context.Context, of *preparedRace, l race.LaneSpec, r recipe, own bool) (*preparedLane, error) {
	say := of.say
	for _, note := range r.notes {
		say("lane " + l.App + ": " + note)
	}
	p := &preparedLane{recipe: r, race: of, port: l.Port}
	published := l
	if !own || l.Port < unprivileged {
		published.Port = 0 // any
	}
	var err error
	if p.host, err = engine.ChoosePort(ctx, published); err != nil {
		return nil, err
	}
	if p.port == 0 {
		p.port = p.host
	}
	if p.networks, err = e.existing(ctx, l, r.networks, say); err != nil {
		return nil, err
	}
	var found image.InspectResponse
	if r.build != nil {
		found, err = e.buildOnce(ctx, of, l, *r.build)
	} else {
		found, err = e.image(ctx, "lane "+l.App, r.image, say)
	}
	if err != nil {
		return nil, err
	}
	p.take(found)
	return p, nil
}

// unprivileged is the first port that every user may listen on.
const unprivileged = 1024

// sourceOf is an image as records name it.
func sourceOf(name string, found image.InspectResponse) race.Image {
	i := race.Image{Name: name, ID: found.ID}
	if len(found.RepoDigests) > 0 {
		i.Digest = found.RepoDigests[0]
	}
	return i
}

// take fills in what the image says of itself.
func (p *preparedLane) take(found image.InspectResponse) {
	p.source = sourceOf(p.image, found)
	if p.build != nil {
		p.source.Name = p.build.tag()
	}
	user, signal := p.user, ""
	if c := found.Config; c != nil {
		signal = c.StopSignal
		if user == "" {
			user = c.User
		}
	}
	user, _, _ = strings.Cut(user, ":")
	p.root = user == "" || user == "0" || user == "root"
	if p.stopSignal == "" {
		p.stopSignal = signal
	}
	if p.stopSignal == "" {
		p.stopSignal = "SIGTERM"
	}
}

// shared are the ports that more than one lane's app listens on: images often cannot be told another.
func shared(lanes []race.LaneSpec) map[int]bool {
	seen := map[int]bool{}
	for _, l := range lanes {
		_, again := seen[l.Port]
		seen[l.Port] = again
	}
	return seen
}
