package stage

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/cgroup"
	"github.com/photofinish/photofinish/runner/coordinator"
	"github.com/photofinish/photofinish/runner/definition"
	"github.com/photofinish/photofinish/runner/engine"
	"github.com/photofinish/photofinish/runner/engine/process"
	"github.com/photofinish/photofinish/runner/k6"
	"github.com/photofinish/photofinish/runner/machine"
	"github.com/photofinish/photofinish/runner/metrics/promserver"
	"github.com/photofinish/photofinish/runner/plan"
	"github.com/photofinish/photofinish/runner/pyroscope"
	"github.com/photofinish/photofinish/runner/store"
)

// Options say what is to be raced, and where it is recorded and measured.
type Options struct {
	Script    string
	Overrides definition.Overrides
	// ID of the race; "" makes one of its name and the time.
	ID          string
	RequestedBy string

	Engines Engines
	// Engine is the name of one of them; "" chooses by the lanes.
	Engine string
	// K6 is how k6 is run; its WorkDir is the stage's to choose.
	K6 k6.K6

	// Temp is the folder for working folders; "" is the system's.
	Temp string
	// Out is the folder of the record; "" is races/<id>.
	Out string
	// Recorder keeps the record instead of a folder; nil for the folder.
	Recorder coordinator.Recorder

	// PrometheusURL is somebody else's Prometheus to write to; "" is an embedded one at Listen.
	PrometheusURL string
	Listen        string
	// Receiver of remote write gets everything, too; nil for nobody. Passing is the Prometheus at PrometheusURL, where that passes it on.
	Receiver *promserver.Receiver
	Passing  Passing
	// PyroscopeURL is where profiles are sent that are taken; "" is nowhere.
	PyroscopeURL string

	// MaxSeries is how many time series the race may be estimated to make; 0 is plan.DefaultMaxSeries.
	MaxSeries int
	// Check may refuse the race once it is defined; nil lets every race pass.
	Check func(race.Definition) error
	// Watch is shown every app that is started; nil for nobody.
	Watch func(engine.Lane)
	// Say tells a person something beside the race.
	Say func(format string, args ...any)
}

// Stage is everything that one race needs, set up and ready to start.
type Stage struct {
	// Race is what the coordinator runs.
	Race coordinator.Race
	// Folder is where the race is recorded; its Path is "" where a Recorder does it.
	Folder store.Folder

	options    Options
	k6         k6.K6 // that is built in
	metrics    *metrics
	containers containers
	places     EngineOptions
	local      *process.Engine
	note       func() error   // notes the race, so that the next runner finds what this one leaves if it is killed
	ends       []func() error // what has to be undone, last first
}

// SelfAsK6 runs this very program as k6.
func SelfAsK6() (k6.K6, error) {
	self, err := os.Executable()
	if err != nil {
		return k6.K6{}, race.Errorf(race.Unavailable, "", "cannot find this program, which carries k6: %w", err)
	}
	return k6.K6{Argv: []string{self, "k6"}}, nil
}

// Prepare reads the script, plans the race and starts what it needs; the apps and k6 are the coordinator's. Who gets a stage closes it.
func Prepare(ctx context.Context, o Options) (s *Stage, err error) {
	s = &Stage{options: o}
	defer func() {
		if err != nil {
			s.Close()
			s = nil
		}
	}()
	work, err := os.MkdirTemp(o.Temp, "photofinish-")
	if err != nil {
		return s, race.Errorf(race.Unavailable, "", "cannot make a working folder: %w", err)
	}
	s.later(func() error { return os.RemoveAll(work) })
	s.k6 = o.K6
	s.k6.WorkDir = work
	groups := cgroup.New()
	if err := s.define(ctx, groups.Support()); err != nil {
		return s, err
	}
	s.pin()
	if err := s.settle(ctx, groups); err != nil {
		return s, err
	}
	if err := s.measure(ctx); err != nil {
		return s, err
	}
	return s, s.stopwatch()
}

// Run runs the race before a view.
func (s *Stage) Run(ctx context.Context, view coordinator.View) (coordinator.Result, error) {
	s.Race.View = view
	s.metrics.voice.to(view.Log)
	defer s.metrics.voice.to(nil)
	endForward, err := s.metrics.forward(ctx, view.Log)
	if err != nil {
		return coordinator.Result{}, err
	}
	result, err := s.Race.Run(ctx)
	// The race has been taken off the ledger, but its series are still in the working folder, maybe for long.
	return result, errors.Join(err, endForward(), s.note())
}

// PrometheusURL is where the series of the race are asked for.
func (s *Stage) PrometheusURL() string { return s.metrics.url }

// Embedded says whether that Prometheus is the stage's own, and ends with it.
func (s *Stage) Embedded() bool { return s.metrics.server != nil }

// Hosted says whether series go to somebody else's Prometheus, too, where there may be a limit of them, or a price.
func (s *Stage) Hosted() bool { return !s.Embedded() || s.options.Receiver != nil }

// later remembers what has to be undone.
func (s *Stage) later(end func() error) { s.ends = append(s.ends, end) }

// Close ends everything that was started, and removes what is worthless without it. It may be called again.
func (s *Stage) Close() {
	for i := len(s.ends) - 1; i >= 0; i-- {
		if err := s.ends[i](); err != nil {
			s.options.Say("photofinish: clean-up: %v", err)
		}
	}
	s.ends = nil
}

// define reads the script and plans the race.
func (s *Stage) define(ctx context.Context, groups cgroup.Support) error {
	d, perLane, err := Define(ctx, s.k6, s.options.Script, s.options.Overrides)
	if err != nil {
		return err
	}
	if s.options.Check != nil {
		if err := s.options.Check(d); err != nil {
			return err
		}
	}
	s.Race.Definition, s.Race.PerLane = d, perLane
	s.Race.ID = s.options.ID
	if s.Race.ID == "" {
		if s.Race.ID, err = NewID(d.Name, time.Now()); err != nil {
			return err
		}
	}
	s.Race.RequestedBy, s.Race.Pyroscope = s.options.RequestedBy, pyroscope.Server(s.options.PyroscopeURL)
	s.Race.Machine = machine.Facts(ctx, groups.Version)
	s.Race.Versions = versions()
	if kind, err := s.options.Engines.Choose(s.options.Engine, d.Lanes); err == nil { // else settle says so
		kind.Place(s.Race.Definition.Lanes)
	}
	if err := plan.CheckSets(s.Race.Definition.Lanes, machine.LastCPU()); err != nil {
		return err
	}
	seed, err := randomSeed()
	if err != nil {
		return err
	}
	s.Race.Plan, err = plan.Make(s.Race.Definition, s.Race.Machine.CPUs, seed)
	return err
}

// Define asks k6 what a script is and makes the definition of its race. perLane: the script reads APP_URL when it is loaded, so every lane
// needs a k6 process of its own.
func Define(ctx context.Context, k k6.K6, script string, o definition.Overrides) (d race.Definition, perLane bool, err error) {
	seen, err := k.Inspect(ctx, script, nil)
	if err != nil {
		return d, false, errors.Join(context.Cause(ctx), err)
	}
	if d, err = Read(seen, script, o); err != nil {
		return d, false, err
	}
	text, err := os.ReadFile(script)
	if err != nil {
		return d, false, race.Errorf(race.Invalid, "", "the script cannot be read: %w", err)
	}
	d.ScriptSHA256 = fmt.Sprintf("%x", sha256.Sum256(text))
	return d, seen.ReadsURLAtInit(), nil
}

// Read makes the definition of a race of what k6 said of its script.
func Read(seen k6.Inspection, script string, o definition.Overrides) (race.Definition, error) {
	return definition.Parse(definition.Script{
		Options: seen.Options, Exports: seen.Exports, HasDefault: seen.HasDefault, LaneOrder: seen.LaneOrder,
	}, script, o)
}

func (s *Stage) scriptDir() string { return filepath.Dir(s.Race.Definition.Script) }
