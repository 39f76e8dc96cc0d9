package promserver

import (
	"context"
	"net/http"
	"net/url"
	"os"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/grafana/regexp"
	"github.com/prometheus/client_golang/exp/api/remote"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/prometheus/common/model"
	"github.com/prometheus/common/route"
	"github.com/prometheus/prometheus/config"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/rules"
	"github.com/prometheus/prometheus/tsdb"
	"github.com/prometheus/prometheus/util/features"
	"github.com/prometheus/prometheus/util/notifications"
	apiv1 "github.com/prometheus/prometheus/web/api/v1"
)

// Limits of the query side: Prometheus' own defaults.
const (
	lookback     = 5 * time.Minute
	queryTimeout = 2 * time.Minute
	querySamples = 50_000_000
	readSamples  = 5e7
	readAtOnce   = 10
	readFrame    = 1 << 20 // bytes
)

// localOrigin is who may read the API from a page in a browser: pages of this machine. Prometheus itself allows all.
var localOrigin = regexp.MustCompile(`^https?://(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$`)

// parts is what the API serves.
type parts struct {
	options  Options
	db       *tsdb.DB
	stats    *tsdb.DBStats
	scraper  *scraper
	engine   *promql.Engine
	parser   parser.Parser
	cfg      *config.Config
	registry *prometheus.Registry
	features features.Collector
	address  string
	dir      string
	started  time.Time
}

func newParser() parser.Parser {
	return parser.NewParser(parser.Options{EnableExperimentalFunctions: true})
}

func newEngine(p parts) *promql.Engine {
	return promql.NewEngine(promql.EngineOpts{
		Logger:                   p.options.Logger,
		Reg:                      p.registry,
		MaxSamples:               querySamples,
		Timeout:                  queryTimeout,
		LookbackDelta:            lookback,
		NoStepSubqueryIntervalFn: func(int64) int64 { return p.options.ScrapeInterval.Milliseconds() },
		EnableAtModifier:         true,
		EnableNegativeOffset:     true,
		Parser:                   p.parser,
		FeatureRegistry:          p.features,
	})
}

// handler is everything that the server answers.
func (p parts) handler() http.Handler {
	mux := http.NewServeMux()
	router := route.New()
	p.api().Register(router)
	mux.Handle("/api/v1/", http.StripPrefix("/api/v1", router))
	mux.HandleFunc("/-/healthy", say("Prometheus Server is Healthy.\n"))
	mux.HandleFunc("/-/ready", say("Prometheus Server is Ready.\n"))
	mux.Handle("/metrics", promhttp.HandlerFor(p.registry, promhttp.HandlerOpts{}))
	for _, t := range p.options.Targets {
		if t.Handler != nil {
			mux.Handle(scrapePath(t.Job), t.Handler)
		}
	}
	return mux
}

func (p parts) api() *apiv1.API {
	o := p.options
	return apiv1.NewAPI(
		p.engine, p.db, p.db, p.db,
		func(context.Context) apiv1.ScrapePoolsRetriever { return p.scraper },
		func(context.Context) apiv1.TargetRetriever { return p.scraper },
		func(context.Context) apiv1.AlertmanagerRetriever { return none{} },
		func() config.Config { return *p.cfg },
		p.flags(),
		apiv1.GlobalURLOptions{ListenAddress: p.address, Host: p.address, Scheme: "http"},
		func(next http.HandlerFunc) http.HandlerFunc { return next }, // the database is open before the port is
		admin{DB: p.db, stats: p.stats}, p.dir,
		false, false, 0, // no admin calls, no search
		o.Logger,
		func(context.Context) apiv1.RulesRetriever { return none{} },
		readSamples, readAtOnce, readFrame,
		false,
		localOrigin,
		p.runtime,
		&apiv1.PrometheusVersion{Version: Version(), Branch: "photofinish", GoVersion: runtime.Version()},
		func() []notifications.Notification { return []notifications.Notification{} },
		noSubscription,
		p.registry, p.registry,
		nil,
		true, remote.MessageTypes{remote.WriteV1MessageType, remote.WriteV2MessageType},
		false, false, false, // no OTLP
		lookback,
		false, false,
		nil, p.features,
		apiv1.OpenAPIOptions{ExternalURL: "http://" + p.address, Version: Version()},
		p.parser,
		false, queryTimeout,
	)
}

// flags are the command line of a stand-alone Prometheus that behaves like this one.
func (p parts) flags() map[string]string {
	return map[string]string{
		"web.listen-address":               p.address,
		"web.enable-remote-write-receiver": "true",
		"storage.tsdb.path":                p.dir,
		"storage.tsdb.retention.time":      model.Duration(retention).String(),
		"query.lookback-delta":             model.Duration(lookback).String(),
		"query.timeout":                    model.Duration(queryTimeout).String(),
	}
}

func (p parts) runtime() (apiv1.RuntimeInfo, error) {
	host, err := os.Hostname()
	if err != nil {
		host = ""
	}
	return apiv1.RuntimeInfo{
		StartTime:           p.started,
		CWD:                 p.dir,
		Hostname:            host,
		ServerTime:          time.Now().UTC(),
		ReloadConfigSuccess: true,
		LastConfigTime:      p.started,
		GoroutineCount:      runtime.NumGoroutine(),
		GOMAXPROCS:          runtime.GOMAXPROCS(0),
		GOMEMLIMIT:          debug.SetMemoryLimit(-1),
		StorageRetention:    model.Duration(retention).String(),
	}, nil
}

func say(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(text)) // the client's own loss
	}
}

// noSubscription refuses to stream the server's notifications to a page, as there are neither.
func noSubscription() (<-chan notifications.Notification, func(), bool) {
	return nil, func() {}, false
}

// none answers the questions about rules and alertmanagers, of which there are none.
type none struct{}

var (
	_ apiv1.RulesRetriever        = none{}
	_ apiv1.AlertmanagerRetriever = none{}
	_ apiv1.TSDBAdminStats        = admin{}
)

func (none) RuleGroups() []*rules.Group           { return nil }
func (none) AlertingRules() []*rules.AlertingRule { return nil }
func (none) Alertmanagers() []*url.URL            { return nil }
func (none) DroppedAlertmanagers() []*url.URL     { return nil }
