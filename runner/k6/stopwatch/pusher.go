package stopwatch

import (
	"context"
	"strconv"
	"sync"
	"time"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/k6/stopwatch/heat"
	"github.com/photofinish/photofinish/runner/k6/stopwatch/remotewrite"
	"github.com/photofinish/photofinish/runner/k6/stopwatch/tally"
	"github.com/photofinish/photofinish/runner/k6/stream"
	"github.com/sirupsen/logrus"
	"go.k6.io/k6/metrics"
)

const (
	// pushEvery is the resolution of the series.
	pushEvery = time.Second
	// lastPushes is how often the last values are tried to be written: they make the totals in Prometheus complete.
	lastPushes = 2
)

// pusher writes the tally to Prometheus once a second, in its own goroutine: k6 never waits for it.
type pusher struct {
	heat   *heat.Heat
	tally  *tally.Tally
	writer *remotewrite.Writer
	logger logrus.FieldLogger
	warn   sync.Once
	warmup map[string]int64 // iterations and requests of the warm-up by app, as last set
	stop   chan struct{}
	done   chan struct{}
}

func startPusher(h *heat.Heat, t *tally.Tally, logger logrus.FieldLogger) *pusher {
	p := &pusher{
		heat: h, tally: t, logger: logger, writer: remotewrite.New(h.Config.RemoteWriteURL), warmup: make(map[string]int64),
		stop: make(chan struct{}), done: make(chan struct{}),
	}
	go p.run()
	return p
}

func (p *pusher) run() {
	defer close(p.done)
	ticker := time.NewTicker(pushEvery)
	defer ticker.Stop()
	for {
		select {
		case <-p.stop:
			return
		case <-ticker.C:
			_ = p.push(context.Background(), time.Now()) // it warned; the next second writes the newer values
		}
	}
}

// finish writes the last values and ends the series. Everything was counted before.
func (p *pusher) finish(ctx context.Context) {
	close(p.stop)
	<-p.done
	for range lastPushes {
		if p.push(ctx, time.Now()) == nil {
			if err := p.writer.End(ctx, time.Now()); err != nil {
				p.complain(err)
			}
			return
		}
		pause(ctx, pushEvery/4)
	}
}

func (p *pusher) push(ctx context.Context, now time.Time) error {
	p.set(now)
	err := p.writer.Push(ctx, now)
	if err != nil {
		p.complain(err)
	}
	return err
}

func (p *pusher) complain(err error) {
	p.warn.Do(func() {
		p.logger.WithError(err).Warn("the race's series could not be written; trying again every second, and saying so only once")
	})
}

// set hands the writer the phases that have begun.
func (p *pusher) set(now time.Time) {
	started, ok := p.heat.StartedAt()
	if !ok {
		return
	}
	begin, known := p.heat.RaceStart()
	racing := known && !now.Before(begin)
	for _, part := range p.tally.Snapshot(heat.Warmup) {
		// When the race has begun, only iterations that were under way still change the warm-up's series.
		if count := part.Totals.Requests + part.Totals.Iterations; !racing || p.warmup[part.App] != count {
			p.warmup[part.App] = count
			p.setPart(part, started)
		}
	}
	if !racing {
		return
	}
	for _, part := range p.tally.Snapshot(heat.Race) {
		p.setPart(part, begin)
	}
}

func (p *pusher) setPart(part tally.Part, begin time.Time) {
	config := p.heat.Config
	labels := []string{"testid", config.RaceID, "app", part.App, "heat", strconv.Itoa(config.Heat), "phase", part.Phase.String()}
	with := func(name, value string) []string { return append(labels[:len(labels):len(labels)], name, value) }
	t := part.Totals
	w := p.writer
	w.Histogram("photofinish_http_req_duration_seconds", begin, t.Latency, labels...)
	// What the histogram's sum is, as a plain counter: a mean over time is then read without decoding histograms, half of what plots cost Prometheus.
	w.Counter("photofinish_http_req_duration_seconds_total", begin, t.Latency.Sum, labels...)
	w.Histogram("photofinish_start_lag_seconds", begin, t.StartLag, labels...)
	w.Histogram("photofinish_response_seconds", begin, t.Response, labels...)
	w.Counter("photofinish_http_reqs_total", begin, float64(t.Requests-t.Failed), with("expected_response", "true")...)
	w.Counter("photofinish_http_reqs_total", begin, float64(t.Failed), with("expected_response", "false")...)
	w.Counter("photofinish_checks_total", begin, float64(t.ChecksPassed), with("result", "pass")...)
	w.Counter("photofinish_checks_total", begin, float64(t.ChecksFailed), with("result", "fail")...)
	w.Counter("photofinish_data_received_bytes_total", begin, t.DataReceived, labels...)
	w.Counter("photofinish_data_sent_bytes_total", begin, t.DataSent, labels...)
	w.Maximum("photofinish_vus", float64(part.MostVUs), labels...)
	if part.Slowest > 0 {
		w.Maximum("photofinish_http_req_duration_max_seconds", part.Slowest, labels...)
	}
	p.setOwn(part, begin, with)
}

// setOwn hands over the metrics of the script's own. Their names are values of a label, so that a race's are found by three names of series.
func (p *pusher) setOwn(part tally.Part, begin time.Time, with func(name, value string) []string) {
	for name, m := range part.Totals.Metrics {
		labels := with("metric", name)
		also := func(name, value string) []string { return append(labels[:len(labels):len(labels)], name, value) }
		switch m.Type {
		case race.Trend:
			p.writer.Histogram("photofinish_custom_trend", begin, m.Values, labels...)
			if highest, some := part.Highest[name]; some {
				p.writer.Maximum("photofinish_custom_trend_max", highest, also("contains", contains(m))...)
			}
		case race.Rate:
			p.writer.Counter("photofinish_custom_rate_total", begin, float64(m.Passed), also("result", "pass")...)
			p.writer.Counter("photofinish_custom_rate_total", begin, float64(m.Count-m.Passed), also("result", "fail")...)
		case race.Counter:
			p.writer.Counter("photofinish_custom_counter_total", begin, m.Sum, labels...)
		case race.Expression, race.Searched:
		}
	}
}

// contains is k6's word for what a metric's values are.
func contains(m stream.Metric) string {
	if m.Time {
		return metrics.Time.String()
	}
	return metrics.Default.String()
}
