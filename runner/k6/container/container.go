// Package container runs k6 from an image of a Docker Engine: a stock one, of which nothing is expected but what k6 itself has. So
//   - the wrapper is plain JavaScript (stock.js of package k6), packed by the built-in k6 with all that the script imports and opens, and
//     handed to k6 on its standard input: no file of this machine is mounted, and the container needs none it could write;
//   - the start of the race is agreed on by HTTP on the loopback interface (starter.go);
//   - the live figures and the latencies are read from what k6 writes to Prometheus (live.go), everything else from what it counts at its
//     end (its summary).
//
// The container has the runner's own network, as the process of the built-in k6 has, because it must reach what that reaches: every lane
// wherever it runs, the Prometheus on the loopback interface, and the starter. Lanes never get that: they are strangers with a network of
// their own, while the script is what the user asked to be run. Beyond the network it gets as little as a lane.
package container

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/engine"
	"github.com/photofinish/photofinish/runner/engine/docker"
	"github.com/photofinish/photofinish/runner/k6"
)

// Options of a Launcher.
type Options struct {
	Image  string
	Engine *docker.Engine
	// K6 is the built-in one, which packs the script.
	K6 k6.K6
	// PrometheusURL is where the series are read that k6 writes to a heat's RemoteWriteURL.
	PrometheusURL string
	// CPUSet is where k6 runs; "" is everywhere.
	CPUSet string
	// Say tells a person what went wrong beside the race.
	Say func(line string)
}

// Launcher runs k6 of an image. It is for one race.
type Launcher struct {
	options    Options
	prometheus *prometheus
	image      race.Image
	version    version

	complaint sync.Once

	mu    sync.Mutex
	tools []*docker.Tool // of the heat under way
}

var _ k6.Launcher = (*Launcher)(nil)

// New makes a Launcher. It connects to nothing yet.
func New(o Options) (*Launcher, error) {
	p, err := newPrometheus(o.PrometheusURL)
	if err != nil {
		return nil, err
	}
	return &Launcher{options: o, prometheus: p}, nil
}

// whose is what the image is for, in messages.
const whose = "k6"

// Prepare finds or pulls the image, and asks it which k6 it holds.
func (l *Launcher) Prepare(ctx context.Context, raceID string, say func(string)) (*race.K6, error) {
	var err error
	if l.image, err = l.options.Engine.ToolImage(ctx, whose, l.options.Image, say); err != nil {
		return nil, err
	}
	if l.version, err = l.ask(ctx, raceID); err != nil {
		return nil, err
	}
	return &race.K6{Image: l.image, Version: l.version.text}, nil
}

// Cleanup implements k6.Launcher.
func (l *Launcher) Cleanup(ctx context.Context, raceID string) error {
	return l.options.Engine.RemoveTools(ctx, raceID)
}

// Counters are what k6 spends in the heat under way, all its containers together.
func (l *Launcher) Counters(ctx context.Context) (engine.Counters, error) {
	l.mu.Lock()
	tools := slices.Clone(l.tools)
	l.mu.Unlock()
	sum := engine.Counters{At: time.Now()}
	for _, t := range tools {
		c, err := t.Counters(ctx)
		if err != nil {
			return sum, err
		}
		sum.At = c.At
		sum.CPU += c.CPU
	}
	return sum, nil
}

// Launch implements k6.Launcher.
func (l *Launcher) Launch(ctx context.Context, p k6.Part) (k6.Running, error) {
	s, err := newStarter(ctx)
	if err != nil {
		return nil, err
	}
	r := newRunning(l, p, s)
	if err := r.start(ctx); err != nil {
		s.close()
		return nil, err
	}
	return r, nil
}

// pack writes the part down for a stock k6 and packs it.
func (l *Launcher) pack(ctx context.Context, p k6.Part, starter string) (heat k6.Heat, archive *os.File, err error) {
	dir, err := p.Folder(l.options.K6.WorkDir)
	if err != nil {
		return heat, nil, err
	}
	heat, err = k6.WriteHeat(dir, p.Definition, p.Config, k6.HeatOptions{Requests: p.Requests, Stock: true, Starter: starter})
	if err != nil {
		return heat, nil, err
	}
	path, err := l.options.K6.Archive(ctx, heat.Wrapper, p.Env())
	if err != nil {
		return heat, nil, err
	}
	archive, err = os.Open(path)
	if err != nil {
		return heat, nil, race.Errorf(race.Unavailable, "", "read the packed script: %w", err)
	}
	return heat, archive, nil
}

func (l *Launcher) takePlace(p k6.Part, t *docker.Tool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if p.Index == 0 {
		l.tools = nil // those of the heat before have ended
	}
	l.tools = append(l.tools, t)
}

// environment is what the container gets: how k6 is to behave, and the variables that the script may read.
func (l *Launcher) environment(p k6.Part, heat k6.Heat) []string {
	env := l.options.K6.ScriptEnv()
	add := func(name, value string) { env = append(env, name+"="+value) }
	if heat.CPUs > 0 {
		add("GOMAXPROCS", fmt.Sprint(heat.CPUs))
	}
	if p.Config.RemoteWriteURL != "" {
		add("K6_PROMETHEUS_RW_SERVER_URL", p.Config.RemoteWriteURL)
		add("K6_PROMETHEUS_RW_TREND_AS_NATIVE_HISTOGRAM", "true")
		add("K6_PROMETHEUS_RW_PUSH_INTERVAL", "1s")
		add("K6_PROMETHEUS_RW_STALE_MARKERS", "true")
	}
	for name, value := range p.Env() {
		add(name, value)
	}
	return env
}

// toolName names a container within its race.
func toolName(p k6.Part) string {
	kind := fmt.Sprintf("heat-%d", p.Config.Heat)
	if p.Config.Probe {
		kind = "probe"
	}
	return strings.Join([]string{"k6", kind, fmt.Sprint(p.Index)}, "-")
}

// complain tells once that Prometheus does not answer.
func (l *Launcher) complain(err error) {
	l.complaint.Do(func() { l.options.Say(err.Error()) })
}
