package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"time"

	"github.com/photofinish/photofinish/pkg/race"
)

const (
	defaultHealthPath    = "/healthz"
	defaultHealthTimeout = 30 * time.Second
	// healthPause between questions is short, because a race of fresh apps waits for it in every heat.
	healthPause = 20 * time.Millisecond
	// healthAnswer bounds one answer, so that an app that accepts and hangs is asked again.
	healthAnswer = 2 * time.Second
	// lastLines of the app's output are quoted in an error.
	lastLines = 5
)

// WaitHealthy waits until the lane answers with a status below 500 at its health path. Where nobody named that path and the app does not
// know /healthz, any answer below 500 at the lane's own path will do.
// It ends at once with race.Unavailable when the app ends, and with ctx's error when ctx ends.
func WaitHealthy(ctx context.Context, l Lane, spec race.LaneSpec) error {
	w := waiter{spec: spec, client: &http.Client{
		Timeout:       healthAnswer,
		Transport:     &http.Transport{DisableKeepAlives: true},                                      // an idle connection would count as the app's work
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, // a redirect is an answer
	}}
	if err := w.addresses(l.Address() + spec.Path); err != nil {
		return err
	}
	timeout := spec.Health.Timeout
	if timeout == 0 {
		timeout = defaultHealthTimeout
	}
	asking, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	for {
		if w.healthy(asking) {
			return nil
		}
		select {
		case <-l.Done():
			return Ended(l)
		case <-asking.Done():
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			return race.Errorf(race.Unavailable, "give the lane a health path that the app answers, or a longer health.timeout",
				"lane %s did not get healthy within %s: %s: %s%s", spec.App, timeout, w.url, w.last, quote(l.Logs()))
		case <-time.After(healthPause):
		}
	}
}

type waiter struct {
	spec     race.LaneSpec
	client   *http.Client
	url      string
	fallback string // asked where url is unknown; "" once it is asked
	last     string // what came of the last question
}

func (w *waiter) addresses(target string) error {
	base, err := url.Parse(target)
	if err != nil {
		return race.Errorf(race.Invalid, "", "lane %s: %q is no URL: %w", w.spec.App, target, err)
	}
	path := w.spec.Health.Path
	if path == "" {
		path, w.fallback = defaultHealthPath, target
	}
	w.url = base.Scheme + "://" + base.Host + path
	return nil
}

func (w *waiter) healthy(ctx context.Context) bool {
	status, err := w.ask(ctx)
	switch {
	case ctx.Err() != nil: // the answer before says more
		if w.last == "" {
			w.last = "no answer"
		}
		return false
	case errors.Is(err, syscall.ECONNREFUSED):
		w.last = "nobody listens"
	case err != nil:
		w.last = err.Error()
	case status == http.StatusNotFound && w.fallback != "":
		w.url, w.fallback = w.fallback, ""
		return w.healthy(ctx)
	default:
		w.last = fmt.Sprintf("status %d", status)
		return status < http.StatusInternalServerError
	}
	return false
}

func (w *waiter) ask(ctx context.Context) (status int, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, w.url, nil)
	if err != nil {
		return 0, err
	}
	resp, err := w.client.Do(req)
	var inner *url.Error
	if errors.As(err, &inner) {
		return 0, inner.Err // without the URL, which the caller names
	}
	if err != nil {
		return 0, err
	}
	defer func() { _ = resp.Body.Close() }()
	_, _ = io.CopyN(io.Discard, resp.Body, 1<<16) // a closed connection in mid-answer would be an error in the app's log
	return resp.StatusCode, nil
}

// Ended says how an app ended that should have got healthy.
func Ended(l Lane) error {
	if err := Lost(l); err != nil {
		return err
	}
	e := l.Exit()
	how := string(e.Reason)
	hint := "start it by hand to see what it misses"
	switch {
	case e.Reason == race.OOM:
		how, hint = "was killed because it needed more memory than its limit", "give the lane more memory"
	case e.Code != nil:
		how = fmt.Sprintf("ended with code %d", *e.Code)
	}
	return race.Errorf(race.Unavailable, hint, "lane %s %s before it was healthy%s", l.App(), how, quote(l.Logs()))
}

// quote is the end of an app's output as the end of a sentence.
func quote(lines []string) string {
	if len(lines) == 0 {
		return "; it printed nothing"
	}
	return "; it printed:\n  " + strings.Join(lines[max(0, len(lines)-lastLines):], "\n  ")
}
