// Package forward writes what a gatherer shows to somebody else's Prometheus, as that Prometheus would have scraped it: every second,
// each sample with its own time, a stale marker where a series ends.
package forward

import (
	"context"
	"fmt"
	"math"
	"net/url"
	"strings"
	"time"

	"github.com/prometheus/client_golang/exp/api/remote"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/prompb"

	"github.com/photofinish/photofinish/pkg/race"
)

// DefaultInterval is the grid on which a race is compared.
const DefaultInterval = time.Second

const (
	// pushTimeout bounds one push: the next one carries newer values of the same counters.
	pushTimeout = 3 * time.Second
	// retryPause is the wait before the one retry that a push gets.
	retryPause = 200 * time.Millisecond
)

// Options say what is forwarded, and where to.
type Options struct {
	// URL is the address of the Prometheus, without /api/v1/write.
	URL      string
	Gatherer prometheus.Gatherer
	// Prefix is what the names of the forwarded series begin with; "" forwards all.
	Prefix string
	// Labels are added to every series.
	Labels map[string]string
	// Interval is DefaultInterval if it is 0.
	Interval time.Duration
	// Warn is told of the first push that failed; nil for nobody.
	Warn func(string)
}

// Forwarder forwards until Close.
type Forwarder struct {
	options Options
	api     *remote.API
	cancel  context.CancelFunc
	done    chan struct{}
	open    map[string]prompb.TimeSeries // series that have samples and no stale marker yet
	warned  bool
}

// Check makes sure, before a race, that the Prometheus at an address can be reached and takes what is written to it.
func Check(ctx context.Context, address string) error {
	api, err := newAPI(address)
	if err != nil {
		return err
	}
	// An empty request writes nothing, and is answered as any other.
	err = write(ctx, api, nil)
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case strings.Contains(err.Error(), "HTTP status 404"), strings.Contains(err.Error(), "HTTP status 405"):
		return race.Errorf(race.Unavailable, "start it with --web.enable-remote-write-receiver, or leave --prometheus-url out to use the embedded one",
			"the Prometheus at %s does not take remote writes: %w", redacted(address), err)
	case strings.Contains(err.Error(), "HTTP status"):
		return race.Errorf(race.Unavailable, "its remote-write receiver must be enabled and open to this machine",
			"the Prometheus at %s refuses remote writes: %w", redacted(address), err)
	default:
		return race.Errorf(race.Unavailable, "start it with --web.enable-remote-write-receiver, correct --prometheus-url, or leave it out to use the embedded one",
			"the Prometheus at %s cannot be reached: %w", redacted(address), cause(err))
	}
}

// Start begins to forward, until Close: what was measured is forwarded although ctx has ended.
func Start(ctx context.Context, o Options) (*Forwarder, error) {
	if o.Interval == 0 {
		o.Interval = DefaultInterval
	}
	if o.Warn == nil {
		o.Warn = func(string) {}
	}
	api, err := newAPI(o.URL)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	f := &Forwarder{options: o, api: api, cancel: cancel, done: make(chan struct{}), open: map[string]prompb.TimeSeries{}}
	go f.run(ctx)
	return f, nil
}

// Close ends the forwarding with a stale marker for every series. It may be called again.
func (f *Forwarder) Close() error {
	f.cancel()
	<-f.done
	return nil
}

func (f *Forwarder) run(ctx context.Context) {
	defer close(f.done)
	ticker := time.NewTicker(f.options.Interval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			f.push(context.WithoutCancel(ctx), nil, time.Now())
			return
		case now := <-ticker.C:
			f.forward(ctx, now)
		}
	}
}

// forward pushes what is shown now.
func (f *Forwarder) forward(ctx context.Context, now time.Time) {
	families, err := f.options.Gatherer.Gather()
	if err != nil && len(families) == 0 {
		f.warn(err)
		return
	}
	f.push(ctx, convert(families, f.options.Prefix, f.options.Labels, now), now)
}

// push writes the series, and stale markers for those that are no longer among them. What could not be marked is marked by the next push.
func (f *Forwarder) push(ctx context.Context, shown map[string]prompb.TimeSeries, now time.Time) {
	batch := make([]prompb.TimeSeries, 0, len(shown))
	for _, s := range shown {
		batch = append(batch, s)
	}
	var ended []string
	for key, s := range f.open {
		if _, still := shown[key]; !still {
			ended = append(ended, key)
			batch = append(batch, stale(s, now))
		}
	}
	if len(batch) == 0 {
		return
	}
	if err := write(ctx, f.api, batch); err != nil {
		if ctx.Err() == nil {
			f.warn(err)
		}
		return
	}
	for _, key := range ended {
		delete(f.open, key)
	}
	for key, s := range shown {
		f.open[key] = s
	}
}

func (f *Forwarder) warn(err error) {
	if !f.warned {
		f.warned = true
		f.options.Warn(fmt.Sprintf("container series are missing in the Prometheus at %s: %v", redacted(f.options.URL), cause(err)))
	}
}

func stale(s prompb.TimeSeries, now time.Time) prompb.TimeSeries {
	at := now.UnixMilli()
	if n := len(s.Samples); n > 0 {
		at = max(at, s.Samples[n-1].Timestamp+1)
	}
	return prompb.TimeSeries{Labels: s.Labels, Samples: []prompb.Sample{{Timestamp: at, Value: math.Float64frombits(value.StaleNaN)}}}
}

func newAPI(address string) (*remote.API, error) {
	u, err := url.Parse(address)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		return nil, race.Errorf(race.Invalid, "give the address as http://host:9090", "%q is not the address of a Prometheus", address)
	}
	return remote.NewAPI(address, remote.WithAPINoRetryOnRateLimit(),
		remote.WithAPIBackoff(remote.BackoffConfig{Min: retryPause, Max: retryPause, MaxRetries: 1}))
}

func write(ctx context.Context, api *remote.API, series []prompb.TimeSeries) error {
	ctx, cancel := context.WithTimeout(ctx, pushTimeout)
	defer cancel()
	_, err := api.Write(ctx, remote.WriteV1MessageType, &prompb.WriteRequest{Timeseries: series})
	return err
}

// redacted is an address without its password.
func redacted(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "that address"
	}
	return u.Redacted()
}
