package cadvisor

import (
	"context"
	"maps"

	"github.com/google/cadvisor/lib/container"
	"github.com/google/cadvisor/lib/metrics"
	"github.com/google/cadvisor/lib/model"
	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/utils/clock"
)

// included are the kinds of metrics that a comparison can use. The others read /proc per process or what a cgroup of processes
// without a network namespace of its own does not have.
var included = container.MetricSet{
	container.CpuUsageMetrics:    {},
	container.MemoryUsageMetrics: {},
	container.OOMMetrics:         {},
	container.PressureMetrics:    {}, // cgroup v2 with PSI only; absent elsewhere
}

// shown are those and the network, which the view adds to the readings.
var shown = func() container.MetricSet {
	all := maps.Clone(included)
	all[container.NetworkUsageMetrics] = struct{}{}
	return all
}()

// Start shows the cgroups below o.Prefix until Close. The process's first Start starts cAdvisor's manager, which takes a few milliseconds.
// Errors: race.Invalid for options that make no sense, race.Conflict for a prefix with another parent than the first one's,
// race.Unavailable where cAdvisor cannot read cgroups.
func Start(ctx context.Context, o Options) (*Server, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	m, err := process.manager(o)
	if err != nil {
		return nil, err
	}
	v := newView(m, o)
	registry := prometheus.NewRegistry()
	if err := registry.Register(metrics.NewPrometheusCollector(v, v.labels, shown, clock.RealClock{}, model.RequestOptions{})); err != nil {
		return nil, err
	}
	return &Server{registry: registry, view: v}, nil
}
