package container

import (
	"bytes"
	"context"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/engine/docker"
)

// versionTimeout bounds the wait for `k6 version`, which answers within a tenth of a second; the rest is for a loaded machine to start a container.
const versionTimeout = 10 * time.Second

// version is which k6 an image holds.
type version struct {
	text  string // "v1.8.0"
	major int
}

// versionLine is how k6 says it: "k6 v1.8.0 (commit/…, go1.25, linux/amd64)". It calls itself after its file, whatever that is.
var versionLine = regexp.MustCompile(`(?m)^\S+ (v(\d+)\.\d+\.\d+\S*) \(.*go\S+, \w+/\w+\)`)

func parseVersion(said string) (v version, ok bool) {
	m := versionLine.FindStringSubmatch(said)
	if m == nil {
		return v, false
	}
	major, err := strconv.Atoi(m[2])
	return version{text: m[1], major: major}, err == nil
}

// ask runs `k6 version` in the image.
func (l *Launcher) ask(ctx context.Context, raceID string) (version, error) {
	asking, cancel := context.WithTimeout(ctx, versionTimeout)
	defer cancel()
	out := &bounded{}
	t, err := l.options.Engine.StartTool(asking, docker.ToolSpec{
		RaceID: raceID, Name: "k6-version", Image: l.image.ID, Args: []string{"version"}, Stdout: out, Stderr: out,
	})
	if err != nil {
		if race.HintOf(err) == "" && ctx.Err() == nil {
			return version{}, race.Errorf(race.CodeOf(err), noK6Hint, "the image %s runs no k6: %w", l.options.Image, err)
		}
		return version{}, err
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
			return version{}, context.Cause(ctx)
		}
		return version{}, race.Errorf(race.Unavailable, noK6Hint, "the image %s did not say within %v which k6 it holds", l.options.Image, versionTimeout)
	}
	if _, err := t.Code(); err != nil {
		return version{}, err
	}
	v, ok := parseVersion(out.String())
	switch {
	case !ok:
		return v, race.Errorf(race.Invalid, noK6Hint, "the image %s runs no k6: asked for its version it said %s", l.options.Image, out.quote())
	case !known(v):
		return v, race.Errorf(race.Invalid, "choose an image of k6 v1 or v2", "the image %s holds k6 %s, whose command line is not known here", l.options.Image, v.text)
	}
	return v, nil
}

const noK6Hint = "name an image whose entry point is k6, such as grafana/k6:2.2.0"

// mostSaid bounds what is kept of what an image says, in bytes.
const mostSaid = 4096

// bounded keeps the beginning of what is written to it.
type bounded struct{ bytes.Buffer }

// Write implements io.Writer; it never fails.
func (b *bounded) Write(p []byte) (int, error) {
	b.Buffer.Write(p[:min(len(p), mostSaid-b.Len())])
	return len(p), nil
}

// quote is the first line as the end of a sentence.
func (b *bounded) quote() string {
	line, _, _ := strings.Cut(strings.TrimSpace(b.String()), "\n")
	if line == "" {
		return "nothing"
	}
	return strconv.Quote(line[:min(len(line), 200)])
}
