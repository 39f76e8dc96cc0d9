package cmd

import (
	"context"
	"errors"
	"strings"
	"sync"

	"github.com/photofinish/photofinish/runner/cgroup"
	"github.com/photofinish/photofinish/runner/metrics/cadvisor"
	"github.com/photofinish/photofinish/runner/metrics/promserver"
)

// metrics is where the series of a race go: the embedded Prometheus with the embedded cAdvisor, or somebody else's Prometheus.
type metrics struct {
	url            string // of the query API
	remoteWriteURL string
	server         bool            // it is our own
	names          *containerNames // nil where there is no cAdvisor
	close          func() error
}

// startMetrics starts the embedded Prometheus, and cAdvisor where there are cgroups to be watched.
func startMetrics(ctx context.Context, raceID, listen string, groups cgroup.Support) (*metrics, error) {
	m := &metrics{}
	options := promserver.Options{Listen: listen}
	var watcher *cadvisor.Server
	if groups.Version != cgroup.None {
		var err error
		m.names = &containerNames{race: raceID}
		watcher, err = cadvisor.Start(ctx, cadvisor.Options{Prefix: groups.Parent + "/" + raceID, Labels: m.names.labels})
		if err != nil {
			return nil, err
		}
		options.Targets = []promserver.ScrapeTarget{{Job: "cadvisor", Handler: watcher.Handler()}}
	}
	server, err := promserver.Start(ctx, options)
	if err != nil {
		return nil, errors.Join(err, closeWatcher(watcher))
	}
	m.server = true
	m.url, m.remoteWriteURL = server.URL(), server.RemoteWriteURL()
	m.close = func() error { return errors.Join(server.Close(), closeWatcher(watcher)) } //nolint:contextcheck // closing has its own deadline
	return m, nil
}

func closeWatcher(w *cadvisor.Server) error {
	if w == nil {
		return nil
	}
	return w.Close()
}

// foreignMetrics are somebody else's Prometheus.
func foreignMetrics(url string) *metrics {
	url = strings.TrimSuffix(url, "/")
	return &metrics{url: url, remoteWriteURL: url + "/api/v1/write", close: func() error { return nil }}
}

// containerNames tells cAdvisor which cgroup is which app's.
type containerNames struct {
	race string
	apps sync.Map // cgroup name -> app
}

func (n *containerNames) set(container, app string) { n.apps.Store(container, app) }

func (n *containerNames) labels(container string) map[string]string {
	app, known := n.apps.Load(container)
	if !known {
		return nil
	}
	return map[string]string{"photofinish_race": n.race, "photofinish_app": app.(string)} //nolint:forcetypeassert // set stores strings only
}
