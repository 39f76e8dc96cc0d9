package promql

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/prometheus/client_golang/api"
	v1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"

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
func New(cfg Config) (*Client, error) {
	address := strings.TrimRight(strings.TrimSpace(cfg.URL), "/")
	if !strings.HasPrefix(address, "http://") && !strings.HasPrefix(address, "https://") {
		return nil, race.Errorf(race.Invalid, "give the address as http://host:9090", "%q is not the address of a Prometheus", cfg.URL)
	}
	transport := cfg.Transport
	if transport == nil {
		transport = api.DefaultRoundTripper
	}
	if cfg.Method == http.MethodGet {
		transport = onlyGet{transport}
	}
	client, err := api.NewClient(api.Config{Address: address, RoundTripper: transport})
	if err != nil {
		return nil, race.Errorf(race.Invalid, "give the address as http://host:9090", "%q is not the address of a Prometheus: %w", cfg.URL, err)
	}
	return &Client{api: v1.NewAPI(client), url: client.URL("", nil).Redacted(), timeout: cfg.Timeout}, nil
}

// Query implements Querier.
func (c *Client) Query(ctx context.Context, q Query) (Result, error) {
	if c.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, c.timeout)
		defer cancel()
	}
	var value model.Value
	var warnings v1.Warnings
	var infos v1.Infos
	var err error
	if q.Step > 0 {
		value, warnings, infos, err = c.api.QueryRange(ctx, q.Expr, v1.Range{Start: q.Start, End: q.End, Step: q.Step})
	} else {
		value, warnings, infos, err = c.api.Query(ctx, q.Expr, q.Start)
	}
	if err != nil {
		return Result{}, c.explain(ctx, err)
	}
	series, err := decode(value)
	if err != nil {
		return Result{}, race.Errorf(race.Internal, "please report this", "the answer of Prometheus at %s to %s: %w", c.url, q.Expr, err)
	}
	return Result{Series: series, Warnings: warnings, Infos: infos}, nil
}

func decode(value model.Value) ([]Series, error) {
	switch v := value.(type) {
	case model.Matrix:
		series := make([]Series, 0, len(v))
		for _, s := range v {
			if len(s.Histograms) > 0 {
				return nil, errHistogram
			}
			points := make([]Point, len(s.Values))
			for i, p := range s.Values {
				points[i] = Point{At: int64(p.Timestamp), Value: float64(p.Value)}
			}
			series = append(series, Series{Labels: labels(s.Metric), Points: points})
		}
		return series, nil
	case model.Vector:
		series := make([]Series, 0, len(v))
		for _, s := range v {
			if s.Histogram != nil {
				return nil, errHistogram
			}
			series = append(series, Series{Labels: labels(s.Metric), Points: []Point{{At: int64(s.Timestamp), Value: float64(s.Value)}}})
		}
		return series, nil
	case *model.Scalar:
		return []Series{{Points: []Point{{At: int64(v.Timestamp), Value: float64(v.Value)}}}}, nil
	default:
		return nil, fmt.Errorf("it is a %T, not a vector or matrix", value)
	}
}

var errHistogram = errors.New("it holds a histogram where a number was expected")

func labels(m model.Metric) map[string]string {
	set := make(map[string]string, len(m))
	for name, value := range m {
		set[string(name)] = string(value)
	}
	return set
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
