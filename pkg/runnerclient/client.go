// Package runnerclient talks to a companion runner over its HTTP API.
package runnerclient

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/photofinish/photofinish/pkg/race"
)

// maxAnswer bounds an answer that is read into memory: a record of 100 lanes and 1000 heats is about 40 MB.
const maxAnswer = 64 << 20

// ErrUnreachable is the cause of an error where no runner answered at all.
var ErrUnreachable = errors.New("no runner answered")

// Config says where the runner is.
type Config struct {
	URL   string // e.g. http://127.0.0.1:8737
	Token string // sent as a bearer token; empty sends none
	// HTTP makes the requests; nil is http.DefaultClient.
	HTTP *http.Client
}

// Client talks to one runner. It may be used concurrently.
type Client struct {
	base   *url.URL
	token  string
	http   *http.Client
	stream *http.Client // without a limit of time, for answers that go on as long as a race
}

// New makes a Client. It does not connect.
func New(cfg Config) (*Client, error) {
	base, err := url.Parse(strings.TrimRight(strings.TrimSpace(cfg.URL), "/"))
	if err != nil || base.Scheme != "http" && base.Scheme != "https" || base.Host == "" {
		return nil, race.Errorf(race.Invalid, "give the address as http://host:8737", "%q is not the address of a runner", cfg.URL)
	}
	c := &Client{base: base, token: cfg.Token, http: cfg.HTTP}
	if c.http == nil {
		c.http = http.DefaultClient
	}
	endless := *c.http
	endless.Timeout = 0
	c.stream = &endless
	return c, nil
}

// Call is one request to the API.
type Call struct {
	Method string
	// Path is made of segments below the runner's address, each escaped here.
	Path  []string
	Query url.Values
	// Header is sent along; the token is added to it.
	Header http.Header
	Body   []byte
}

// Answer is what the runner answered, whatever its status.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// Do makes one call. It is an error only where no whole answer came; a runner that refuses answers.
func (c *Client) Do(ctx context.Context, call Call) (Answer, error) {
	res, err := c.send(ctx, c.http, call)
	if err != nil {
		return Answer{}, err
	}
	defer res.Body.Close() //nolint:errcheck // it was read to its end, or is given up
	body, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	if err != nil {
		return Answer{}, c.unreachable(ctx, err)
	}
	if len(body) > maxAnswer {
		return Answer{}, race.Errorf(race.Unavailable, "ask for less", "the runner at %s answered more than %d MB", c.base.Redacted(), maxAnswer>>20)
	}
	return Answer{Status: res.StatusCode, Header: res.Header, Body: body}, nil
}

// send makes a call and returns once the head of its answer is there.
func (c *Client) send(ctx context.Context, client *http.Client, call Call) (*http.Response, error) {
	segments := make([]string, len(call.Path))
	for i, s := range call.Path {
		if s == "" || s == "." || s == ".." {
			return nil, race.Errorf(race.Invalid, "", "%q is no part of an address", s)
		}
		segments[i] = url.PathEscape(s)
	}
	address := c.base.JoinPath(segments...)
	address.RawQuery = call.Query.Encode()
	req, err := http.NewRequestWithContext(ctx, call.Method, address.String(), bytes.NewReader(call.Body))
	if err != nil {
		return nil, fmt.Errorf("make the request to the runner: %w", err)
	}
	for name, values := range call.Header {
		req.Header[http.CanonicalHeaderKey(name)] = values
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	res, err := client.Do(req)
	if err != nil {
		return nil, c.unreachable(ctx, err)
	}
	return res, nil
}

func (c *Client) unreachable(ctx context.Context, err error) error {
	if errors.Is(ctx.Err(), context.Canceled) {
		return race.Errorf(race.Unavailable, "", "the call to the runner at %s was cancelled: %w", c.base.Redacted(), err)
	}
	var wrapped *url.Error
	cause := err
	if errors.As(err, &wrapped) {
		cause = wrapped.Err // without the address, which is told here
	}
	return race.Errorf(race.Unavailable, "check that it runs and that the address and the network are right",
		"the runner at %s cannot be reached: %w", c.base.Redacted(), unreachable{cause})
}

// unreachable is ErrUnreachable with the words of its cause.
type unreachable struct{ cause error }

func (u unreachable) Error() string     { return u.cause.Error() }
func (u unreachable) Is(err error) bool { return err == ErrUnreachable }
func (u unreachable) Unwrap() error     { return u.cause }
