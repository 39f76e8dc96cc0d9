// Package profiles takes profiles of a Go app that serves net/http/pprof, while the app is under load.
package profiles

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/google/pprof/profile"

	"github.com/photofinish/photofinish/pkg/flame"
	"github.com/photofinish/photofinish/pkg/race"
)

const (
	// Grace is how much longer than its own length a profile may take: the app has to write it.
	Grace = 10 * time.Second
	// shortest CPU profile, which net/http/pprof takes whole seconds of.
	shortest = time.Second
)

// App is where an app serves its profiles.
type App struct {
	base *url.URL
	http *http.Client
}

// Taken is what one heat gave. A profile that could not be taken is nil, and its error says why.
type Taken struct {
	From, To  time.Time
	CPU, Heap *profile.Profile
	Failures  map[race.ProfileKind]error
}

// Of finds an app's profiles under a path, at the host of the app's own address and nowhere else.
func Of(address, path string) (App, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return App{}, race.Errorf(race.Invalid, "", "%q is no address of an app", address)
	}
	return App{
		base: &url.URL{Scheme: u.Scheme, User: u.User, Host: u.Host, Path: path},
		http: &http.Client{
			// No proxy, and no way on: who answers is the app itself.
			Transport:     &http.Transport{DisableKeepAlives: true},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}, nil
}

// Take takes a CPU profile of a time that begins now, in whole seconds, and what the app allocated meanwhile. It returns when both are there, when
// they are later than Grace, or when ctx ends.
func (a App) Take(ctx context.Context, length time.Duration) Taken {
	length = max(length.Truncate(time.Second), shortest)
	ctx, cancel := context.WithTimeoutCause(ctx, length+Grace, fmt.Errorf("no answer within %v", length+Grace))
	defer cancel()
	t := Taken{Failures: map[race.ProfileKind]error{}}
	note := func(kind race.ProfileKind, err error) {
		if err != nil && t.Failures[kind] == nil {
			t.Failures[kind] = err
		}
	}
	before, err := a.heap(ctx)
	note(race.HeapProfile, err)
	t.From = time.Now()
	t.CPU, err = a.get(ctx, "profile", url.Values{"seconds": {strconv.Itoa(int(length.Seconds()))}})
	note(race.CPUProfile, err)
	if err != nil && before != nil { // nobody waited for the profile's length
		wait(ctx, time.Until(t.From.Add(length)))
	}
	t.To = time.Now()
	if before == nil {
		return t
	}
	after, err := a.heap(ctx)
	note(race.HeapProfile, err)
	if err == nil {
		t.Heap, err = flame.Since(before, after)
		note(race.HeapProfile, err)
	}
	return t
}

// heap is what the app has allocated since it began, and what it holds. gc=1: the runtime tells of allocations up to its last collection.
func (a App) heap(ctx context.Context) (*profile.Profile, error) {
	return a.get(ctx, "heap", url.Values{"gc": {"1"}})
}

func (a App) get(ctx context.Context, name string, query url.Values) (*profile.Profile, error) {
	address := a.base.JoinPath(name)
	address.RawQuery = query.Encode()
	failed := func(err error) error {
		return fmt.Errorf("GET %s: %w", address.Redacted(), err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address.String(), nil)
	if err != nil {
		return nil, failed(err)
	}
	res, err := a.http.Do(req)
	if err != nil {
		return nil, failed(cause(ctx, err))
	}
	defer res.Body.Close() //nolint:errcheck // it was read to its end, or is given up
	switch {
	case res.StatusCode == http.StatusNotFound:
		return nil, failed(errors.New("there is nothing (404); serve net/http/pprof there, or mend profile.pprof"))
	case res.StatusCode != http.StatusOK:
		return nil, failed(fmt.Errorf("answered %s", res.Status))
	}
	if kind, _, _ := mime.ParseMediaType(res.Header.Get("Content-Type")); kind == "text/html" {
		return nil, failed(errors.New("answered a page, and no profile; serve net/http/pprof there, or mend profile.pprof"))
	}
	data, err := io.ReadAll(io.LimitReader(res.Body, flame.MaxBytes+1))
	if err != nil {
		return nil, failed(cause(ctx, err))
	}
	p, err := flame.Parse(data)
	if err != nil {
		return nil, failed(err)
	}
	return flame.WithoutProfiler(p), nil
}

// cause is why a call failed, without the address, which is told by who asks.
func cause(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		return wrapped.Err
	}
	return err
}

func wait(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
