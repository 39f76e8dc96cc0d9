package sqs

import (
	"time"

	"go.k6.io/k6/lib"
	"go.k6.io/k6/metrics"
)

// The metrics by which k6 and the runner count a lane's messages.
const (
	// RequestsMetric counts the calls of request() that came to an end, with a reply or without.
	RequestsMetric = "sqs_requests"
	// FailedMetric is the rate of those without a reply.
	FailedMetric = "sqs_failed"
)

// measures are the metrics of the module, registered once a VU.
type measures struct {
	requests    *metrics.Metric
	latency     *metrics.Metric // from send to reply; of a request without a reply, how long it was waited for
	failed      *metrics.Metric
	redelivered *metrics.Metric // messages that a queue has given out more than once, or that were answered twice
	errors      *metrics.Metric // calls that failed because of the queue or its server
	sent        *metrics.Metric // messages
	received    *metrics.Metric // messages
	backlog     *metrics.Metric // messages that wait to be received, about once a second
}

func register(r *metrics.Registry) (m measures, err error) {
	for _, one := range []struct {
		into **metrics.Metric
		name string
		kind metrics.MetricType
		unit metrics.ValueType
	}{
		{&m.requests, RequestsMetric, metrics.Counter, metrics.Default},
		{&m.latency, "sqs_latency", metrics.Trend, metrics.Time},
		{&m.failed, FailedMetric, metrics.Rate, metrics.Default},
		{&m.redelivered, "sqs_redelivered", metrics.Counter, metrics.Default},
		{&m.errors, "sqs_errors", metrics.Counter, metrics.Default},
		{&m.sent, "sqs_sent", metrics.Counter, metrics.Default},
		{&m.received, "sqs_received", metrics.Counter, metrics.Default},
		{&m.backlog, "sqs_backlog", metrics.Trend, metrics.Default},
	} {
		if *one.into, err = r.NewMetric(one.name, one.kind, one.unit); err != nil {
			return m, err
		}
	}
	return m, nil
}

// Trip is one message on its way to a worker and back, as the module tells of it. It holds the samples of the metrics, too.
type Trip struct {
	Queue       string // where the message was sent
	EndTime     time.Time
	Duration    time.Duration
	Failed      bool
	Redelivered int64
	Errors      int64
	Tags        *metrics.TagSet

	samples []metrics.Sample
}

var _ metrics.SampleContainer = (*Trip)(nil)

// GetSamples implements metrics.SampleContainer.
func (t *Trip) GetSamples() []metrics.Sample { return t.samples }

// samples collects what one call measured, for one moment and with the VU's tags.
type samples struct {
	at   time.Time
	tags metrics.TagsAndMeta
	all  []metrics.Sample
}

func newSamples(state *lib.State, at time.Time) *samples {
	return &samples{at: at, tags: state.Tags.GetCurrentValues()}
}

func (s *samples) add(m *metrics.Metric, v float64) {
	s.all = append(s.all, metrics.Sample{
		TimeSeries: metrics.TimeSeries{Metric: m, Tags: s.tags.Tags}, Time: s.at, Metadata: s.tags.Metadata, Value: v,
	})
}

// some adds a count unless it is 0: a metric that never happens makes no series.
func (s *samples) some(m *metrics.Metric, n int64) {
	if n > 0 {
		s.add(m, float64(n))
	}
}
