package cadvisor

import (
	"log/slog"
	"net/http"
	"path"
	"regexp"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/engine"
)

// DefaultInterval is the grid on which a race is compared.
const DefaultInterval = time.Second

// Slice is where systemd keeps the cgroups that Docker makes for races; see package docker. Any Server may have a prefix below it.
const Slice = "/photofinish.slice"

// minInterval keeps the reading of cgroups from becoming a load of its own.
const minInterval = 100 * time.Millisecond

// Options say which cgroups are shown and how they are labelled.
type Options struct {
	// Prefix is the cgroup whose children are shown, such as "/photofinish/<race id>". It need not exist yet. All Servers of a process
	// must have the same parent ("/photofinish"), or be below Slice.
	Prefix string
	// Labels gives the container labels of a cgroup by its name ("/photofinish/<race id>/<app>"); a label k is exported as
	// container_label_<k>. nil, and a nil map, mean none. It is called at every scrape, concurrently.
	Labels func(name string) map[string]string
	// Network gives what went through the network interfaces of a cgroup's processes, by the cgroup's name; nil, and an empty list, mean
	// that they have no network of their own. It is called at every scrape, concurrently.
	Network func(name string) []engine.Interface
	// Interval is how often the metrics are going to be asked for; 0 is DefaultInterval.
	Interval time.Duration
	// Logger hears cAdvisor's own messages, all at level debug, since they are about cgroups that come and go;
	// the one given to the process's first Start counts. nil for nobody.
	Logger *slog.Logger
}

// Server shows the metrics of the cgroups below its prefix.
type Server struct {
	registry *prometheus.Registry
	view     *view
}

// Gatherer gives the metrics as client_golang's types, samples with the time at which they were taken.
func (s *Server) Gatherer() prometheus.Gatherer { return s.registry }

// Handler serves the metrics as text.
func (s *Server) Handler() http.Handler {
	return promhttp.HandlerFor(s.registry, promhttp.HandlerOpts{
		ErrorHandling:      promhttp.ContinueOnError,
		DisableCompression: true, // it is scraped over loopback, beside a race
	})
}

// Close ends the showing: from then on there are no containers. It may be called again.
func (s *Server) Close() error {
	s.view.close()
	return nil
}

var prefixPattern = regexp.MustCompile(`^(/[^/\x00]+)+$`)

func (o Options) withDefaults() (Options, error) {
	if !prefixPattern.MatchString(o.Prefix) || path.Clean(o.Prefix) != o.Prefix {
		return o, race.Errorf(race.Invalid, "Give it as /photofinish/<race id>.", "the cgroup prefix %q is not a clean absolute path below the root", o.Prefix)
	}
	if o.Interval == 0 {
		o.Interval = DefaultInterval
	}
	if o.Interval < minInterval {
		return o, race.Errorf(race.Invalid, "Use 1s or more.", "the cAdvisor interval %s is below %s", o.Interval, minInterval)
	}
	if o.Labels == nil {
		o.Labels = func(string) map[string]string { return nil }
	}
	if o.Network == nil {
		o.Network = func(string) []engine.Interface { return nil }
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o, nil
}
