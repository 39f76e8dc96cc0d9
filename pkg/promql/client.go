package promql

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/api"
	v1 "github.com/prometheus/client_golang/api/prometheus/v1"

	"github.com/photofinish/photofinish/pkg/race"
)

// Config says which Prometheus to ask and how.
type Config struct {
	// URL is the address, with a path prefix where the API has one (Mimir: /prometheus). The path /api/v1/… is added to it.
	URL string
	// Transport carries authentication and tenants' headers; nil is Go's default.
	Transport http.RoundTripper
	// Timeout bounds one query; 0 leaves it to the context.
	Timeout time.Duration
	// Method is http.MethodGet for gateways that refuse POST; otherwise POST is used, and GET where POST is refused.
	Method string
}

// Client is a Querier over Prometheus's HTTP API.
type Client struct {
	api     v1.API
	url     string
	timeout time.Duration
}

var _ Querier = (*Client)(nil)

// New makes a Client. It does not connect.
func New(cfg Config) (*Client, error) { return limited(cfg, maxAnswer) }

// limited makes a Client that reads so many bytes of an answer.
func limited(cfg Config, limit int64) (*Client, error) {
	address := strings.TrimRight(strings.TrimSpace(cfg.URL), "/")
	if !strings.HasPrefix(address, "http://") && !strings.HasPrefix(address, "https://") {
		return nil, race.Errorf(race.Invalid, "give the address as http://host:9090", "%q is not the address of a Prometheus", cfg.URL)
	}
	transport := cfg.Transport
	if transport == nil {
		transport = api.DefaultRoundTripper
	}
	transport = plainNearby{next: transport, within: near, near: new(atomic.Bool)}
	if cfg.Method == http.MethodGet {
		transport = onlyGet{transport}
	}
	client, err := api.NewClient(api.Config{Address: address})
	if err != nil {
		return nil, race.Errorf(race.Invalid, "give the address as http://host:9090", "%q is not the address of a Prometheus: %w", cfg.URL, err)
	}
	return &Client{api: v1.NewAPI(reader{client, http.Client{Transport: transport}, limit}), url: client.URL("", nil).Redacted(), timeout: cfg.Timeout}, nil
}

// Query implements Querier.
func (c *Client) Query(ctx context.Context, q Query) (Result, error) {
	if c.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, c.timeout)
		defer cancel()
	}
	ctx, answer := read(ctx)
	var err error
	if q.Step > 0 {
		_, _, _, err = c.api.QueryRange(ctx, q.Expr, v1.Range{Start: q.Start, End: q.End, Step: q.Step})
	} else {
		_, _, _, err = c.api.Query(ctx, q.Expr, q.Start)
	}
	if err != nil {
		return Result{}, c.explain(ctx, err)
	}
	if answer.err != nil {
		return Result{}, race.Errorf(race.Internal, "please report this", "the answer of Prometheus at %s to %s: %w", c.url, q.Expr, answer.err)
	}
	return Result{Series: answer.series, Warnings: answer.warnings, Infos: answer.infos}, nil
}

// onlyGet turns the form of a POST into the query of a GET.
type onlyGet struct{ next http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (g onlyGet) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method != http.MethodPost || r.Body == nil {
		return g.next.RoundTrip(r)
	}
	form, err := io.ReadAll(r.Body)
	if closeErr := r.Body.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return nil, fmt.Errorf("read the form: %w", err)
	}
	get := r.Clone(r.Context())
	get.Method, get.Body, get.ContentLength, get.GetBody = http.MethodGet, nil, 0, nil
	get.Header.Del("Content-Type")
	get.URL.RawQuery = string(form)
	return g.next.RoundTrip(get)
}
