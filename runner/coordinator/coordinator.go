// Package coordinator runs one race from its definition to its record: it starts the lanes and k6 heat by heat,
// reads the lanes' counters, keeps the record up to date on disk, and leaves nothing behind.
package coordinator

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/pkg/verdict"
	"github.com/photofinish/photofinish/runner/audit"
	"github.com/photofinish/photofinish/runner/engine"
	"github.com/photofinish/photofinish/runner/k6"
	"github.com/photofinish/photofinish/runner/plan"
	"github.com/photofinish/photofinish/runner/profiles"
	"github.com/photofinish/photofinish/runner/pyroscope"
	"github.com/photofinish/photofinish/runner/queue"
	"github.com/photofinish/photofinish/runner/results"
)

// View is shown what happens. Its methods are called from one goroutine at a time and must return at once.
type View interface {
	// Status tells that the race moved on; detail says what is being done, and may be empty.
	Status(status race.Status, detail string)
	// Progress shows the race at a moment, about five times a second while racing.
	Progress(race.Snapshot)
	// Log says something that a person should read now.
	Log(line string)
}

// Recorder keeps the record of the race. It is called at the start, when the apps have first been started, after every heat and at the end.
type Recorder interface {
	Save(race.Race) error
	// SaveProfile keeps a profile of an app, in the format of pprof, before the record tells of it.
	SaveProfile(raceID, app string, kind race.ProfileKind, pprof []byte) error
}

// Race is what the coordinator needs to run one race.
type Race struct {
	ID          string
	RequestedBy string
	Definition  race.Definition
	Plan        plan.Plan
	// PerLane: the script reads APP_URL when it is loaded, so every lane needs a k6 process of its own.
	PerLane bool

	Engine engine.Engine
	K6     k6.Launcher
	// Iteration is the shortest that an iteration is taken to last, by which turns are cut; 0 leaves it to what is seen.
	Iteration time.Duration
	// Stopwatch counts what k6 itself spends; nil where that is not known.
	Stopwatch Counted
	// RemoteWriteURL is where k6's series go; "" for nowhere.
	RemoteWriteURL string
	// Pyroscope is where profiles are sent whose lane names none; "" is nowhere.
	Pyroscope pyroscope.Server
	// Watch tells the container metrics which cAdvisor container is which app; nil where there are none.
	Watch func(container, app string)
	// Stored asks where k6's series went what has arrived of a race that is over; nil where nobody can be asked.
	Stored func(ctx context.Context, r race.Race) (Stored, error)
	// Ask evaluates the expressions that the definition has for measures; nil where nobody can be asked.
	Ask Ask
	// Measures are judged, in this order, and behind them those that the race has of its own.
	Measures []verdict.MeasureSpec
	// Machine and Versions are recorded with the race.
	Machine  race.Machine
	Versions map[string]string

	Recorder Recorder
	View     View
}

// Cancelled as the cause of a context's end says that somebody stopped the race on purpose: it is then cancelled, not interrupted.
type Cancelled struct{ By string }

func (c Cancelled) Error() string {
	if c.By == "" {
		return "the race was stopped"
	}
	return "the race was stopped by " + c.By
}

// Stored is what a Prometheus holds of a race.
type Stored struct {
	Requests map[string]int64 // of phase race, by app, in the heats of the record
	Series   int              // of all heats
	Names    int              // values of the tag name that an app has at most
	// Passed is what became of the samples that were to go to another receiver too; nil where there is none.
	Passed *audit.Passed
}

// run is a race under way.
type run struct {
	Race
	stored Stored
	record race.Race
	lanes  []*laneState  // in the order of the definition
	queues *queue.Client // nil in a race without workers
	heats  []heatObservation
	// profiled is what came of the heats for profiles.
	profiled []audit.Profile
	// thresholdsCrossed: a k6 threshold was crossed in a heat.
	thresholdsCrossed bool
	// unanswered says what went wrong with an expression, by its measure.
	unanswered map[string]error
	// requests is how many an iteration made in the probe, and probed how long one took.
	requests float64
	probed   time.Duration
	// searches are those for the capacities of the lanes.
	searches []*search
	tried    []audit.Heat
	// fewest lanes make a heat: one where they are not compared with each other in it.
	fewest int
}

// laneState is what is known of a lane across the heats.
type laneState struct {
	spec    race.LaneSpec
	results results.Lane
	// summary counts the requests by k6's own end-of-test summaries; uncounted says that one of them was missing.
	summary   int64
	uncounted bool
	address   string
	queue     *workerQueue // nil for an app that is asked by HTTP
	image     *race.Image
	started   bool       // in some heat; an app that somebody else runs was found
	exit      *race.Exit // of a lane that has left the race
	lastLog   []string
	takes     map[int]profiles.Taken // by heat; nil but in heats for profiles
	profiles  []race.Profile
	out       string // why the lane is out of the race, "" while it is in
}

// Result is a race that is over.
type Result struct {
	Record race.Race
	// Lanes holds what the record only sums up: every heat's distribution.
	Lanes []results.Lane
	// ThresholdsCrossed: a k6 threshold of the script was crossed in a heat.
	ThresholdsCrossed bool
}

// Run runs the race. It returns its result also when it fails or ctx ends: then with what was measured so far.
// The error says why the race did not come to its end; its code chooses the exit code.
func (r Race) Run(ctx context.Context) (Result, error) {
	u := &run{Race: r, record: r.newRecord(), unanswered: map[string]error{}, fewest: 2}
	for _, spec := range r.Definition.Lanes {
		u.lanes = append(u.lanes, &laneState{spec: spec, results: newResults(spec.App)})
	}
	defer func() {
		if err := r.K6.Cleanup(context.WithoutCancel(ctx), r.ID); err != nil {
			r.View.Log(fmt.Sprintf("could not clean up after k6: %v", err))
		}
		if err := r.Engine.Cleanup(context.WithoutCancel(ctx), r.ID); err != nil {
			r.View.Log(fmt.Sprintf("could not clean up after the race: %v", err))
		}
	}()
	err := u.race(ctx)
	if err == nil {
		u.profile(ctx)
	}
	return u.finish(ctx, err)
}

func newResults(app string) results.Lane {
	return results.Lane{App: app, Heats: map[int]results.LaneHeat{}}
}

func (u *run) race(ctx context.Context) error {
	if err := u.save(); err != nil {
		return err
	}
	u.status(race.Preparing, "getting the apps ready")
	say := func(line string) { u.View.Status(race.Preparing, line) }
	if err := u.Engine.Prepare(ctx, u.ID, u.Definition.Lanes, say); err != nil {
		return err
	}
	u.source()
	if err := u.findQueues(ctx); err != nil {
		return err
	}
	if err := u.prepareK6(ctx, say); err != nil {
		return err
	}
	for n := 0; n < len(u.Plan.Heats); n++ {
		h := u.Plan.Heats[n] // the first may change how the others are cut
		if len(u.inRace()) < 2 {
			u.View.Log("fewer than two apps are left: the race ends here")
			return nil
		}
		if err := u.heat(ctx, h); err != nil {
			return fmt.Errorf("heat %d of %d: %w", h.Number, len(u.Plan.Heats), err)
		}
		swept := u.sweepQueues(ctx)
		if err := u.save(); err != nil {
			return err
		}
		if swept != nil {
			return fmt.Errorf("after heat %d of %d: %w", h.Number, len(u.Plan.Heats), swept)
		}
		if u.decided() {
			u.View.Log(fmt.Sprintf("decided after %d of %d heats", len(u.heats), len(u.Plan.Heats)))
			break
		}
	}
	return u.findCapacity(ctx)
}

// finish closes the record with the outcome of the race.
func (u *run) finish(ctx context.Context, err error) (Result, error) {
	u.status(race.Collecting, "")
	if u.record.FinishedAt == nil {
		now := time.Now().UTC()
		u.record.FinishedAt = &now
	}
	if len(u.heats) == 0 {
		u.record.StartedAt = nil // it was planned, but the race part was never reached
	}
	u.fill()
	if u.Stored != nil && err == nil {
		stored, askErr := u.Stored(ctx, u.record)
		if askErr != nil {
			u.View.Log(fmt.Sprintf("what Prometheus holds of the race is not known: %v", askErr))
		}
		u.stored = stored
		u.fill()
	}
	switch {
	case err == nil:
		u.record.Status = race.Finished
	case ctx.Err() != nil:
		u.record.Status = race.Interrupted
		err = context.Cause(ctx)
		var c Cancelled
		if errors.As(err, &c) {
			u.record.Status = race.Cancelled
		}
	default:
		u.record.Status = race.Failed
	}
	if err != nil {
		sentence := err.Error()
		u.record.Error = &sentence
	}
	u.View.Status(u.record.Status, "")
	result := Result{Record: u.record, ThresholdsCrossed: u.thresholdsCrossed}
	for _, l := range u.lanes {
		result.Lanes = append(result.Lanes, l.results)
	}
	if saveErr := u.Recorder.Save(u.record); saveErr != nil && (err == nil || saveErr.Error() != err.Error()) { // a full disk is told of once
		err = errors.Join(err, saveErr)
	}
	return result, err
}

func (u *run) status(s race.Status, detail string) {
	u.record.Status = s
	u.View.Status(s, detail)
}

func (u *run) save() error {
	u.fill()
	return u.Recorder.Save(u.record)
}

// inRace are the lanes that have not left the race.
func (u *run) inRace() []*laneState {
	var in []*laneState
	for _, l := range u.lanes {
		if l.out == "" {
			in = append(in, l)
		}
	}
	return in
}

func (u *run) lane(app string) *laneState {
	for _, l := range u.lanes {
		if l.spec.App == app {
			return l
		}
	}
	return nil
}
