package docker

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/client"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/engine"
)

// explain makes an error of Docker's one for a person; doing says what was tried, as "start lane a".
func (e *Engine) explain(ctx context.Context, err error, doing string) error {
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.Is(err, syscall.EACCES):
		return engine.Down(err, "add this user to the group docker, or run the race as one who may use it",
			"this user may not use Docker at %s: cannot %s", e.client.DaemonHost(), doing)
	case unreachable(err):
		return engine.Down(err, "start Docker, or let DOCKER_HOST say where it is", "Docker does not answer at %s: cannot %s", e.client.DaemonHost(), doing)
	case errdefs.IsInvalidArgument(err):
		return race.Errorf(race.Invalid, "", "cannot %s: %s", doing, cause(err))
	}
	return race.Errorf(race.Unavailable, "", "cannot %s: %s", doing, cause(err))
}

// restarted says that what ran in a container ended because the Docker Engine did, whether that came back or not.
func (e *Engine) restarted(who string, err error) error {
	return engine.Down(err, "race again when Docker is there: what was measured before is kept",
		"Docker at %s was stopped or restarted, and %s with it", e.client.DaemonHost(), who)
}

// welcomes makes sure that the Docker Engine takes new connections. One that is about to end takes none any more, ends its containers, and all the
// while answers over the connections that are open.
func (e *Engine) welcomes(ctx context.Context) error {
	dial := e.client.Dialer()
	fresh := http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext:       func(ctx context.Context, _, _ string) (net.Conn, error) { return dial(ctx) },
	}}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://docker/_ping", nil)
	if err != nil {
		return err
	}
	resp, err := fresh.Do(req)
	if err != nil {
		return err
	}
	return resp.Body.Close()
}

// unreachable says whether the Docker Engine is gone, was never there, or goes in the middle of an answer.
func unreachable(err error) bool {
	var network *net.OpError
	return client.IsErrConnectionFailed(err) || errors.As(err, &network) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}

// noise are the layers of Docker that a message came through; what is behind the last of them says what happened.
var noise = []string{
	"Error response from daemon: ", "failed to create task for container: ", "failed to create shim task: ", "failed to create shim: ",
	"OCI runtime create failed: ", "runc create failed: ", "unable to start container process: ", "error during container init: ",
}

// cause is Docker's message without the layers that it came through.
func cause(err error) string {
	text := err.Error()
	for _, layer := range noise {
		if _, rest, found := strings.Cut(text, layer); found {
			text = rest
		}
	}
	return strings.TrimSuffix(strings.TrimSpace(text), ": unknown")
}

// portTaken says whether Docker could not publish a port because somebody else has it.
func portTaken(err error) bool {
	text := err.Error()
	return strings.Contains(text, "port is already allocated") || strings.Contains(text, "address already in use")
}
