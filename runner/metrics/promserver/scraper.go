package promserver

import (
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/config"
	"github.com/prometheus/prometheus/discovery"
	"github.com/prometheus/prometheus/discovery/targetgroup"
	"github.com/prometheus/prometheus/scrape"
	"github.com/prometheus/prometheus/storage"
)

// configure makes the configuration file that a stand-alone Prometheus would need for the same scrapes; /api/v1/status/config shows it.
func configure(o Options, self string) (*config.Config, error) {
	cfg, err := config.Load("", o.Logger)
	if err != nil {
		return nil, fmt.Errorf("making the metrics configuration: %w", err)
	}
	interval := model.Duration(o.ScrapeInterval)
	cfg.GlobalConfig.ScrapeInterval = interval
	cfg.GlobalConfig.ScrapeTimeout = interval
	for _, t := range o.Targets {
		u := &url.URL{Scheme: "http", Host: self, Path: scrapePath(t.Job)}
		if t.Handler == nil {
			if u, err = url.Parse(t.URL); err != nil {
				return nil, fmt.Errorf("scrape target %q: %w", t.Job, err)
			}
		}
		sc := config.DefaultScrapeConfig
		sc.JobName = t.Job
		sc.Scheme, sc.MetricsPath, sc.Params = u.Scheme, u.Path, u.Query()
		sc.HonorTimestamps = true
		// Without it a series with its own timestamps is not marked stale when its container goes, and lives on for the lookback of five minutes.
		sc.TrackTimestampsStaleness = true
		// Loopback has no lack of bandwidth; packing and unpacking costs CPU beside the race.
		sc.EnableCompression = false
		group := &targetgroup.Group{Targets: []model.LabelSet{{model.AddressLabel: model.LabelValue(u.Host)}}, Labels: model.LabelSet{}}
		for k, v := range t.Labels {
			group.Labels[model.LabelName(k)] = model.LabelValue(v)
		}
		sc.ServiceDiscoveryConfigs = discovery.Configs{discovery.StaticConfig{group}}
		if err := sc.Validate(cfg.GlobalConfig); err != nil {
			return nil, fmt.Errorf("scrape target %q: %w", t.Job, err)
		}
		cfg.ScrapeConfigs = append(cfg.ScrapeConfigs, &sc)
	}
	return cfg, nil
}

// scraper runs Prometheus' scrape manager on fixed targets, without its discovery manager.
type scraper struct {
	*scrape.Manager
	stopped chan struct{}
}

func newScraper(log *slog.Logger, db storage.AppendableV2, reg prometheus.Registerer) (*scraper, error) {
	m, err := scrape.NewManager(&scrape.Options{DiscoveryReloadOnStartup: true}, log, nil, nil, db, reg)
	if err != nil {
		return nil, fmt.Errorf("making the scraper: %w", err)
	}
	return &scraper{Manager: m, stopped: make(chan struct{})}, nil
}

// run scrapes until ctx ends. It never fails for a target that cannot be reached: that is the series up=0.
func (s *scraper) run(ctx context.Context, cfg *config.Config, log *slog.Logger) {
	defer close(s.stopped)
	groups := map[string][]*targetgroup.Group{}
	for _, sc := range cfg.ScrapeConfigs {
		for _, d := range sc.ServiceDiscoveryConfigs {
			if static, ok := d.(discovery.StaticConfig); ok {
				groups[sc.JobName] = append(groups[sc.JobName], static...)
			}
		}
	}
	if len(groups) == 0 {
		return
	}
	// ApplyConfig looks up the host's full name to spread the scrapes of many servers, which takes seconds where the DNS is broken: hence not in Start.
	if err := s.ApplyConfig(cfg); err != nil {
		log.Error("the scraper did not start", "err", err)
		return
	}
	feed := make(chan map[string][]*targetgroup.Group, 1)
	feed <- groups
	go s.stopAfter(ctx, len(groups))
	if err := s.Run(feed); err != nil {
		log.Error("the scraper ended", "err", err)
	}
}

// poolsWait bounds the wait for the manager to have taken up its targets before it may be stopped.
const poolsWait = time.Second

// stopAfter stops the manager when ctx has ended. A manager that is stopped before it has made its pools
// may make them afterwards and scrape for ever into a closed database, so it gets the time for it.
func (s *scraper) stopAfter(ctx context.Context, pools int) {
	<-ctx.Done()
	for end := time.Now().Add(poolsWait); len(s.ScrapePools()) < pools && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
	s.Stop()
}

func scrapePath(job string) string { return "/scrape/" + job }
