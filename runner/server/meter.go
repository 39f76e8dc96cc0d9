package server

import (
	"context"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/photofinish/photofinish/pkg/race"
)

// meter counts what the API does.
type meter struct {
	answers *prometheus.HistogramVec
	streams prometheus.Gauge
}

func newMeter(r *prometheus.Registry) *meter {
	m := &meter{
		answers: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "photofinish_http_request_duration_seconds", Help: "Time that answers of the API took, by route.", Buckets: []float64{.001, .01, .05, .1, .5, 1, 5, 30},
		}, []string{"route", "method", "code"}),
		streams: prometheus.NewGauge(prometheus.GaugeOpts{Name: "photofinish_event_readers", Help: "Connected readers of events."}),
	}
	r.MustRegister(m.answers, m.streams)
	return m
}

func (m *meter) answered(route, method string, status int, took time.Duration) {
	switch method {
	case http.MethodGet, http.MethodPost, http.MethodHead:
	default:
		method = "other" // a caller may invent methods
	}
	m.answers.WithLabelValues(route, method, strconv.Itoa(status)).Observe(took.Seconds())
}

func (a *api) metrics() http.HandlerFunc {
	return promhttp.HandlerFor(a.Metrics, promhttp.HandlerOpts{}).ServeHTTP
}

// Counted is what the metrics ask of the database.
type Counted interface {
	Counts(ctx context.Context) (map[race.Status]int, error)
}

// races tells how many races there are of each status, counted when it is asked.
type races struct {
	db     Counted
	log    *slog.Logger
	total  *prometheus.Desc
	queued *prometheus.Desc
}

// RaceMetrics are the metrics of the races that a database holds.
func RaceMetrics(db Counted, log *slog.Logger) prometheus.Collector {
	return races{
		db: db, log: log, total: prometheus.NewDesc("photofinish_races", "Races by status.", []string{"status"}, nil),
		queued: prometheus.NewDesc("photofinish_queue_length", "Races that wait.", nil, nil),
	}
}

// Describe implements prometheus.Collector.
func (r races) Describe(c chan<- *prometheus.Desc) { c <- r.total; c <- r.queued }

// Collect implements prometheus.Collector.
func (r races) Collect(c chan<- prometheus.Metric) {
	ctx := context.Background()
	counts, err := r.db.Counts(ctx)
	if err != nil {
		r.log.ErrorContext(ctx, "the races cannot be counted", "error", err)
		return
	}
	for _, s := range statuses() {
		c <- prometheus.MustNewConstMetric(r.total, prometheus.GaugeValue, float64(counts[s]), string(s))
	}
	c <- prometheus.MustNewConstMetric(r.queued, prometheus.GaugeValue, float64(counts[race.Queued]))
}

func statuses() []race.Status {
	return []race.Status{
		race.Queued, race.Preparing, race.WarmingUp, race.Racing, race.Collecting, race.Finished, race.Failed, race.Cancelled, race.Interrupted,
	}
}

// PhaseMetrics are how long races are in each phase; observe is told by the service.
func PhaseMetrics(r *prometheus.Registry) (observe func(race.Status, time.Duration)) {
	phases := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "photofinish_race_phase_duration_seconds", Help: "How long races were in a phase; warming-up and racing once a heat.",
		Buckets: []float64{.5, 1, 2, 5, 10, 20, 60, 180, 600, 1800},
	}, []string{"phase"})
	r.MustRegister(phases)
	return func(s race.Status, took time.Duration) { phases.WithLabelValues(string(s)).Observe(took.Seconds()) }
}
