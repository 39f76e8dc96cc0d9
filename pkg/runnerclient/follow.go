package runnerclient

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/photofinish/photofinish/pkg/race"
)

const (
	// silence is how long a stream may say nothing before it counts as broken; the runner sends a comment every 15 s.
	silence = 45 * time.Second
	// The first wait before a stream is asked for again, and the longest: a runner that starts anew is back within a few seconds.
	firstWait = 250 * time.Millisecond
	maxWait   = 10 * time.Second
)

// Follow calls each for what happens in a race, to its end. A stream that breaks, and a runner that cannot be reached or has no room for
// another reader, is asked again until ctx ends, each time from where the last event left off. It returns nil after the race's end, and an
// error where ctx ends, the runner refuses (the code race.NotFound for an unknown race), or each fails.
func (c *Client) Follow(ctx context.Context, id string, each func(Event) error) error {
	after, wait := "", firstWait
	for {
		ended := false
		var failure error // of each
		err := c.events(ctx, id, after, func(e Event) error {
			wait = firstWait
			if e.ID != "" {
				after = e.ID
			}
			ended = e.Type == EventEnd
			failure = each(e)
			return failure
		})
		switch {
		case failure != nil:
			return failure
		case ended:
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case lasting(err):
			return err
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return ctx.Err()
		}
		wait = min(2*wait, maxWait)
	}
}

// refused is an answer of the runner's that is no stream. passing: it may be another one the next time.
type refused struct {
	error
	passing bool
}

func (r refused) Unwrap() error { return r.error }

// lasting says whether who asks again would meet the same error.
func lasting(err error) bool {
	var r refused
	if errors.As(err, &r) {
		return !r.passing
	}
	return race.CodeOf(err) == race.Invalid
}

// events reads one stream of events until it ends or falls silent.
func (c *Client) events(ctx context.Context, id, after string, each func(Event) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	watch := time.AfterFunc(silence, cancel)
	defer watch.Stop()
	header := http.Header{"Accept": {"text/event-stream"}}
	if after != "" {
		header.Set("Last-Event-ID", after)
	}
	res, err := c.send(ctx, c.stream, Call{Method: http.MethodGet, Path: []string{"v1", "races", id, "events"}, Header: header})
	if err != nil {
		return err
	}
	defer res.Body.Close() //nolint:errcheck // it was read to its end, or is given up
	if res.StatusCode != http.StatusOK {
		body, _ := io.ReadAll(io.LimitReader(res.Body, maxEventLine))
		passing := res.StatusCode == http.StatusTooManyRequests || res.StatusCode >= http.StatusInternalServerError
		return refused{c.refusal(Answer{Status: res.StatusCode, Body: body}), passing}
	}
	return readEvents(&watched{res.Body, watch}, each)
}

// watched puts off what would happen in silence.
type watched struct {
	io.Reader
	watch *time.Timer
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.Reader.Read(p)
	w.watch.Reset(silence)
	return n, err
}
