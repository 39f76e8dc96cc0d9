// Package generated writes races of any size into a Prometheus, as k6 and cAdvisor would, for benchmarks and for tests that count questions.
package generated

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/exp/api/remote"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/prompb"
	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/runner/metrics/promserver"
)

// Race is a race to be written: Heats times HeatLength, one push and one scrape a second.
type Race struct {
	ID         string
	Start      time.Time
	Apps       int
	Heats      int
	HeatLength time.Duration
	Rate       int // requests per second and app
	// Stock: a stock k6 ran it, with coarse histograms, without heats (Heats is 1) and phases.
	Stock bool
}

// End is when the last heat ends.
func (r Race) End() time.Time { return r.Start.Add(time.Duration(r.Heats) * r.HeatLength) }

// Prometheus starts the embedded Prometheus and writes the races into it.
func Prometheus(tb testing.TB, races ...Race) *promserver.Server {
	tb.Helper()
	server, err := start(tb.Context(), tb.TempDir(), races)
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, server.Close()) })
	return server
}

func start(ctx context.Context, dir string, races []Race) (*promserver.Server, error) {
	server, err := promserver.Start(ctx, promserver.Options{Dir: dir})
	if err != nil {
		return nil, err
	}
	if err := fill(ctx, server.URL(), races); err != nil {
		return nil, errors.Join(err, server.Close()) //nolint:contextcheck // it is closed, whatever becomes of the context
	}
	return server, nil
}

func fill(ctx context.Context, url string, races []Race) error {
	api, err := remote.NewAPI(url, remote.WithAPIPath("api/v1/write"), remote.WithAPILogger(slog.New(slog.DiscardHandler)))
	if err != nil {
		return err
	}
	for _, r := range races {
		err := r.write(func(series []prompb.TimeSeries) error {
			_, err := api.Write(ctx, remote.WriteV1MessageType, &prompb.WriteRequest{Timeseries: series})
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// write pushes an app's heat at a time, in the order of time.
func (r Race) write(push func([]prompb.TimeSeries) error) error {
	rng := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // the same races every time, and no secrets
	for heat := range r.Heats {
		for app := range r.Apps {
			client := r.client(rng, app, heat)
			if err := push(append(client, r.container(app, heat)...)); err != nil {
				return err
			}
			if err := push(markers(client, r.Start.Add(time.Duration(heat+1)*r.HeatLength-499*time.Millisecond))); err != nil {
				return err
			}
		}
	}
	return nil
}

func appName(app int) string { return "app" + strconv.Itoa(app) }

func (r Race) seconds() int { return int(r.HeatLength / time.Second) }

// client is what k6 writes of an app's heat: an explicit zero (ours), then a push each second.
func (r Race) client(rng *rand.Rand, app, heat int) []prompb.TimeSeries {
	pairs := []string{"testid", r.ID, "app", appName(app)}
	prefix, schema := "photofinish", int32(8)
	if r.Stock {
		prefix, schema = "k6", 3
	} else {
		pairs = append(pairs, "heat", strconv.Itoa(heat+1), "phase", "race")
	}
	var all []*prompb.TimeSeries
	series := func(name string, more ...string) *prompb.TimeSeries {
		s := &prompb.TimeSeries{Labels: labels(append(append([]string{"__name__", prefix + name}, pairs...), more...)...)}
		all = append(all, s)
		return s
	}
	duration, ok := series("_http_req_duration_seconds", "expected_response", "true"), series("_http_reqs_total", "expected_response", "true")
	var waited, bad, passed, failed, received, sent, vus, highest *prompb.TimeSeries
	if r.Stock {
		received, sent = series("_data_received_total"), series("_data_sent_total")
	} else {
		duration.Labels = labels(append([]string{"__name__", prefix + "_http_req_duration_seconds"}, pairs...)...)
		waited = series("_http_req_duration_seconds_total")
		bad = series("_http_reqs_total", "expected_response", "false")
		passed, failed = series("_checks_total", "result", "pass"), series("_checks_total", "result", "fail")
		received, sent = series("_data_received_bytes_total"), series("_data_sent_bytes_total")
		vus, highest = series("_vus"), series("_http_req_duration_max_seconds")
	}
	median := .005 * (1 + float64(app%10)/10)
	latencies := newLatencies(schema)
	start := r.Start.Add(time.Duration(heat) * r.HeatLength)
	for second := range r.seconds() {
		top := 0.0
		if second > 0 || r.Stock {
			for range r.Rate {
				v := median * math.Exp(.3*rng.NormFloat64())
				latencies.observe(v)
				top = max(top, v)
			}
		}
		at := start.Add(time.Duration(second)*time.Second + 500*time.Millisecond).UnixMilli()
		put := func(s *prompb.TimeSeries, v float64) {
			if s != nil {
				s.Samples = append(s.Samples, prompb.Sample{Timestamp: at, Value: v})
			}
		}
		n := float64(latencies.count)
		duration.Histograms = append(duration.Histograms, prompb.FromIntHistogram(at, latencies.native()))
		put(waited, latencies.sum)
		put(ok, n)
		put(bad, 0)
		put(passed, n)
		put(failed, 0)
		put(received, 500*n)
		put(sent, 100*n)
		put(vus, 5)
		if second > 0 {
			put(highest, top)
		}
	}
	out := make([]prompb.TimeSeries, len(all))
	for i, s := range all {
		out[i] = *s
	}
	return out
}

// markers end series. They come in a push of their own: in one push a series' floats are stored before its histograms, which would then be out of order.
func markers(series []prompb.TimeSeries, at time.Time) []prompb.TimeSeries {
	out := make([]prompb.TimeSeries, len(series))
	for i, s := range series {
		out[i] = prompb.TimeSeries{Labels: s.Labels, Samples: []prompb.Sample{{Timestamp: at.UnixMilli(), Value: math.Float64frombits(value.StaleNaN)}}}
	}
	return out
}

// container is what cAdvisor samples of an app during a heat: two CPUs, a quota, a network.
func (r Race) container(app, heat int) []prompb.TimeSeries {
	pairs := []string{
		"id", "/photofinish/" + appName(app), "instance", "here:8080", "job", "cadvisor",
		"container_label_photofinish_app", appName(app), "container_label_photofinish_race", r.ID,
	}
	cores := .1 * (1 + float64(app%10)/10)
	from := heat * r.seconds()
	series := func(name string, v func(second float64) float64, more ...string) prompb.TimeSeries {
		s := prompb.TimeSeries{Labels: labels(append(append([]string{"__name__", "container_" + name}, pairs...), more...)...)}
		for i := range r.seconds() {
			at := r.Start.Add(time.Duration(from+i)*time.Second + 300*time.Millisecond).UnixMilli()
			s.Samples = append(s.Samples, prompb.Sample{Timestamp: at, Value: v(float64(from + i))})
		}
		return s
	}
	per := func(second float64) func(float64) float64 { return func(s float64) float64 { return second * s } }
	return []prompb.TimeSeries{
		series("cpu_usage_seconds_total", per(cores/2), "cpu", "cpu00"),
		series("cpu_usage_seconds_total", per(cores/2), "cpu", "cpu01"),
		series("cpu_cfs_periods_total", per(10)),
		series("cpu_cfs_throttled_periods_total", per(1)),
		series("cpu_cfs_throttled_seconds_total", per(.01)),
		series("memory_working_set_bytes", func(s float64) float64 { return 2e7 + 1000*s }),
		series("network_receive_bytes_total", per(1e5), "interface", "eth0"),
		series("network_transmit_bytes_total", per(5e5), "interface", "eth0"),
	}
}

func labels(pairs ...string) []prompb.Label {
	var out []prompb.Label
	for pair := range slices.Chunk(pairs, 2) {
		out = append(out, prompb.Label{Name: pair[0], Value: pair[1]})
	}
	slices.SortFunc(out, func(a, b prompb.Label) int { return strings.Compare(a.Name, b.Name) })
	return out
}
