package container

import (
	"bytes"
	"context"
	"time"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/engine/docker"
	"github.com/photofinish/photofinish/runner/k6/stock"
)

// versionTimeout bounds the wait for `k6 version`, which answers within a tenth of a second; the rest is for a loaded machine to start a container.
const versionTimeout = 10 * time.Second

// ask runs `k6 version` in the image.
func (l *Launcher) ask(ctx context.Context, raceID string) (stock.Version, error) {
	asking, cancel := context.WithTimeout(ctx, versionTimeout)
	defer cancel()
	out := &bounded{}
	t, err := l.options.Engine.StartTool(asking, docker.ToolSpec{
		RaceID: raceID, Name: "k6-version", Image: l.image.ID, Args: []string{"version"}, Stdout: out, Stderr: out,
	})
	if err != nil {
		if race.HintOf(err) == "" && ctx.Err() == nil {
			return stock.Version{}, race.Errorf(race.CodeOf(err), stock.NoK6Hint, "the image %s runs no k6: %w", l.options.Image, err)
		}
		return stock.Version{}, err
	}
	defer func() {
		if err := t.Remove(ctx); err != nil { // the end of the race tries again
			l.options.Say(err.Error())
		}
	}()
	select {
	case <-t.Done():
	case <-asking.Done():
		if ctx.Err() != nil {
			return stock.Version{}, context.Cause(ctx)
		}
		return stock.Version{}, race.Errorf(race.Unavailable, stock.NoK6Hint, "the image %s did not say within %v which k6 it holds", l.options.Image, versionTimeout)
	}
	if _, err := t.Code(); err != nil {
		return stock.Version{}, err
	}
	return stock.ReadVersion(l.options.Image, out.String())
}

// mostSaid bounds what is kept of what an image says, in bytes.
const mostSaid = 4096

// bounded keeps the beginning of what is written to it.
type bounded struct{ bytes.Buffer }

// Write implements io.Writer; it never fails.
func (b *bounded) Write(p []byte) (int, error) {
	b.Buffer.Write(p[:min(len(p), mostSaid-b.Len())])
	return len(p), nil
}
