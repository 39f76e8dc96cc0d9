package stage

import (
	"context"
	"errors"
	"os"
	"strings"
	"sync"

	"github.com/photofinish/photofinish/runner/engine"
	"github.com/photofinish/photofinish/runner/metrics/cadvisor"
	"github.com/photofinish/photofinish/runner/metrics/forward"
	"github.com/photofinish/photofinish/runner/metrics/promserver"
)

// Passing is a Prometheus that passes on what it holds to a receiver of remote write.
type Passing interface {
	Delivered() (promserver.Delivery, error)
	Deliver(ctx context.Context) (promserver.Delivery, error)
}

// metrics is where the series of a race go: the embedded Prometheus with the embedded cAdvisor, or somebody else's Prometheus.
type metrics struct {
	url            string // of the query API
	remoteWriteURL string
	server         *promserver.Server  // our own; nil where it is somebody else's
	watcher        *cadvisor.Server    // nil where there are no cgroups to be watched
	names          *containerNames     // nil where there is no watcher
	passing        Passing             // nil where nothing is passed on
	before         promserver.Delivery // what it had passed on before the race
	voice          voice
}

type metricsOptions struct {
	race       string
	listen     string // of our own Prometheus
	dir        string // of its database
	foreign    string // address of somebody else's Prometheus; "" for our own
	containers containers
	receiver   *promserver.Receiver // to which everything is passed on; nil for nobody
	passing    Passing              // where foreign does that; nil where our own Prometheus is to
	say        func(format string, args ...any)
}

// containers says where the containers of a race are to be seen.
type containers struct {
	prefix  string                                    // the cgroup that theirs are in; "" where they are not to be seen
	network func(container string) []engine.Interface // nil where lanes have no network of their own
}

// containerJob is the label job of the containers' series, the one that dashboards for cAdvisor expect.
const containerJob = "cadvisor"

// startMetrics starts cAdvisor where there are cgroups, and the embedded Prometheus if nobody else's is to be written to.
func startMetrics(ctx context.Context, o metricsOptions) (*metrics, error) {
	m := &metrics{}
	if err := m.start(ctx, o); err != nil {
		return nil, errors.Join(err, m.close()) //nolint:contextcheck // closing has its own deadline
	}
	return m, nil
}

func (m *metrics) start(ctx context.Context, o metricsOptions) (err error) {
	if err := m.receiver(ctx, &o); err != nil {
		return err
	}
	if o.foreign != "" {
		if err := forward.Check(ctx, o.foreign); err != nil {
			return err
		}
		m.url = strings.TrimRight(o.foreign, "/")
		m.remoteWriteURL = m.url + "/api/v1/write"
	}
	var targets []promserver.ScrapeTarget
	if o.containers.prefix != "" {
		m.names = &containerNames{race: o.race}
		m.watcher, err = cadvisor.Start(ctx, cadvisor.Options{Prefix: o.containers.prefix, Labels: m.names.labels, Network: o.containers.network})
		if err != nil {
			return err
		}
		targets = []promserver.ScrapeTarget{{Job: containerJob, Handler: m.watcher.Handler()}}
	}
	if o.foreign != "" {
		return nil
	}
	m.server, err = promserver.Start(ctx, promserver.Options{Listen: o.listen, Dir: o.dir, Targets: targets, Receiver: o.receiver})
	if err != nil {
		return err
	}
	if o.receiver != nil {
		m.passing = m.server
	}
	m.url, m.remoteWriteURL = m.server.URL(), m.server.RemoteWriteURL()
	return nil
}

// receiver makes sure that what is passed on will be taken. What waits for a service's receiver keeps waiting after the race; that of a
// single race would be lost.
func (m *metrics) receiver(ctx context.Context, o *metricsOptions) (err error) {
	if o.receiver == nil {
		return nil
	}
	err = o.receiver.Check(ctx)
	if o.passing == nil {
		r := *o.receiver
		r.Warn = m.voice.say
		o.receiver = &r
		return err
	}
	if promserver.Away(err) {
		o.say("%v; the race's samples wait until it is back", err)
		err = nil
	}
	if err == nil {
		m.passing = o.passing
		m.before, err = m.passing.Delivered()
	}
	return err
}

// forward writes the containers' series to somebody else's Prometheus, which cannot scrape this process, until the returned function is
// called. The embedded one scrapes by itself.
func (m *metrics) forward(ctx context.Context, warn func(string)) (end func() error, err error) {
	if m.server != nil || m.watcher == nil {
		return func() error { return nil }, nil
	}
	labels := map[string]string{"job": containerJob}
	if host, err := os.Hostname(); err == nil {
		labels["instance"] = host
	}
	f, err := forward.Start(ctx, forward.Options{URL: m.url, Gatherer: m.watcher.Gatherer(), Prefix: "container_", Labels: labels, Warn: warn})
	if err != nil {
		return nil, err
	}
	return f.Close, nil
}

func (m *metrics) close() error {
	var err error
	if m.server != nil {
		err = m.server.Close()
	}
	if m.watcher != nil {
		err = errors.Join(err, m.watcher.Close())
	}
	return err
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

// voice passes on what is said to whoever listens, once somebody does.
type voice struct {
	mu     sync.Mutex
	listen func(string)
	kept   []string
}

func (v *voice) say(line string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.listen == nil {
		v.kept = append(v.kept, line)
		return
	}
	v.listen(line)
}

// to says what was said until now, and from now on all, to listen; nil is nobody any more.
func (v *voice) to(listen func(string)) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.listen = listen
	if listen == nil {
		return
	}
	for _, line := range v.kept {
		listen(line)
	}
	v.kept = nil
}
