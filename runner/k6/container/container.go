// Package container runs k6 from an image of a Docker Engine: a stock one (package stock), which is handed the packed script on its standard
// input, so that no file of this machine is mounted and the container needs none it could write.
//
// The container has the runner's own network, as the process of the built-in k6 has, because it must reach what that reaches: every lane
// wherever it runs, the Prometheus on the loopback interface, and the runner's door. Lanes never get that: they are strangers with a network of
// their own, while the script is what the user asked to be run. Beyond the network it gets as little as a lane.
package container

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/engine"
	"github.com/photofinish/photofinish/runner/engine/docker"
	"github.com/photofinish/photofinish/runner/k6"
	"github.com/photofinish/photofinish/runner/k6/stock"
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
	options   Options
	conductor *stock.Conductor
	image     race.Image
	version   stock.Version
}

var _ k6.Launcher = (*Launcher)(nil)

// New makes a Launcher. It connects to nothing yet.
func New(o Options) (*Launcher, error) {
	c, err := stock.New(o.K6, o.PrometheusURL, o.Say)
	if err != nil {
		return nil, err
	}
	return &Launcher{options: o, conductor: c}, nil
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
	return &race.K6{Image: l.image, Version: l.version.Text}, nil
}

// Cleanup implements k6.Launcher.
func (l *Launcher) Cleanup(ctx context.Context, raceID string) error {
	return l.options.Engine.RemoveTools(ctx, raceID)
}

// Counters are what k6 spends in the heat under way.
func (l *Launcher) Counters(ctx context.Context) (engine.Counters, error) {
	return l.conductor.Counters(ctx)
}

// Launch implements k6.Launcher.
func (l *Launcher) Launch(ctx context.Context, p k6.Part) (k6.Running, error) {
	return l.conductor.Launch(ctx, p, stock.Site{Version: l.version, Host: "127.0.0.1", Instances: 1, Start: func(ctx context.Context, o *stock.Order) (stock.Program, error) {
		archive, err := os.Open(o.Archive)
		if err != nil {
			return nil, race.Errorf(race.Unavailable, "", "read the packed script: %w", err)
		}
		voice := o.Voice()
		return l.options.Engine.StartTool(ctx, docker.ToolSpec{
			RaceID: p.Config.RaceID, Name: toolName(p), Image: l.image.ID,
			Args: arguments(o), Env: environment(o),
			CPUSet: l.options.CPUSet, Shared: true, Stdin: archive, Stdout: voice, Stderr: voice.Errors(),
		})
	}})
}

func environment(o *stock.Order) []string {
	if o.CPUs == 0 {
		return o.Env
	}
	return append(slices.Clone(o.Env), fmt.Sprint("GOMAXPROCS=", o.CPUs))
}

// toolName names a container within its race.
func toolName(p k6.Part) string {
	kind := fmt.Sprintf("heat-%d", p.Config.Heat)
	if p.Config.Probe {
		kind = "probe"
	}
	return strings.Join([]string{"k6", kind, fmt.Sprint(p.Index)}, "-")
}
