// Package stopwatch is what runs inside the k6 process of a race: the executor `photofinish-arrivals`, the JavaScript module
// `k6/x/photofinish` and the output `photofinish`. Beside them k6 gets the module for queues of package sqs. They share one heat, which they read from the file that the runner names in the
// environment. Without that file k6 is a plain k6.
package stopwatch

import (
	"encoding/json"
	"fmt"
	"os"
	"sync"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/k6/sqs"
	"github.com/photofinish/photofinish/runner/k6/stopwatch/heat"
	"github.com/photofinish/photofinish/runner/k6/stream"
	"go.k6.io/k6/js/modules"
	"go.k6.io/k6/lib"
	"go.k6.io/k6/output"
)

// The names under which k6 knows the parts.
const (
	OutputName   = "photofinish"
	ModuleName   = "k6/x/photofinish"
	ExecutorType = "photofinish-arrivals"
)

// Register adds the parts to the k6 of this process. It is to be called once, before k6 begins.
func Register() {
	source := &process{}
	output.RegisterExtension(OutputName, func(p output.Params) (output.Output, error) { return newOutput(source, p) })
	modules.Register(ModuleName, &Module{source: source})
	modules.Register(sqs.ModuleName, sqs.New())
	lib.RegisterExecutorConfigType(ExecutorType, func(name string, raw []byte) (lib.ExecutorConfig, error) {
		return parseExecutor(source, name, raw)
	})
}

// heatSource gives the heat of this process; nil without an error means that k6 runs on its own.
type heatSource interface {
	Heat() (*heat.Heat, error)
}

// process finds the heat once, when it is first asked for: registering must touch nothing of a plain k6.
type process struct {
	once sync.Once
	heat *heat.Heat
	err  error
}

var _ heatSource = (*process)(nil)

// Heat implements heatSource.
func (p *process) Heat() (*heat.Heat, error) {
	p.once.Do(func() {
		if path := os.Getenv(stream.ConfigEnv); path != "" {
			p.heat, p.err = open(path)
		}
	})
	return p.heat, p.err
}

func open(path string) (*heat.Heat, error) {
	text, err := os.ReadFile(path) //nolint:gosec // the runner that started this process chose the path
	if err != nil {
		return nil, race.Errorf(race.Unavailable, "unset "+stream.ConfigEnv+" to run k6 on its own", "read the heat that %s names: %w", stream.ConfigEnv, err)
	}
	var config stream.Config
	if err := json.Unmarshal(text, &config); err != nil {
		return nil, race.Errorf(race.Invalid, "runner and k6 must be of one version", "the heat in %s is not readable: %w", path, err)
	}
	events, commands := inherited(stream.EventsFD), inherited(stream.CommandsFD)
	// A nil *os.File in an interface is not a nil interface.
	switch {
	case events == nil:
		return heat.New(config, nil, nil)
	case commands == nil:
		return heat.New(config, events, nil)
	default:
		return heat.New(config, events, commands)
	}
}

// inherited opens a pipe that the runner left open for this process, nil if there is none: whatever else has that number is not ours.
func inherited(fd uintptr) *os.File {
	f := os.NewFile(fd, fmt.Sprintf("the runner's descriptor %d", fd))
	if f == nil {
		return nil
	}
	info, err := f.Stat()
	if err != nil || info.Mode()&(os.ModeNamedPipe|os.ModeSocket) == 0 {
		return nil
	}
	return f
}
