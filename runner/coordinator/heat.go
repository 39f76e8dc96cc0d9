package coordinator

import (
	"context"
	"fmt"
	"time"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/audit"
	"github.com/photofinish/photofinish/runner/engine"
	"github.com/photofinish/photofinish/runner/k6"
	"github.com/photofinish/photofinish/runner/k6/stream"
	"github.com/photofinish/photofinish/runner/plan"
	"github.com/photofinish/photofinish/runner/results"
)

const (
	// startTimeout bounds the time from k6's start to its first iteration; k6's own setup() may take 60 s by default.
	startTimeout = 2 * time.Minute
	// tailTimeout bounds the time from the end of the last block to k6's end; graceful stop is 30 s by default.
	tailTimeout = time.Minute
)

// heat runs one heat: fresh apps, one k6 run, counters read at its boundaries.
func (u *run) heat(ctx context.Context, h plan.Heat) (err error) {
	lanes, err := u.startLanes(ctx, h)
	if err != nil {
		return err
	}
	defer func() {
		if down := u.stopLanes(ctx, lanes); err == nil {
			err = down
		}
	}()
	if h.Number == 1 {
		if err := u.save(); err != nil {
			return err
		}
	}
	if len(lanes) < u.fewest { // the others left the race when they were to be started: there is nobody to race with
		return nil
	}
	if h.Number == 1 || u.anySilent() {
		if err := u.probe(ctx, h, lanes); err != nil {
			return err
		}
		if h.Number == 1 {
			u.cutBy(u.probed)
			h = u.Plan.Heats[0]
		}
	}
	racing := newHeatRun(u, h, lanes)
	if err := racing.drive(ctx); err != nil {
		return err
	}
	if h.Number == 1 {
		racing.cutOthers()
	}
	return nil
}

// heatRun is a heat while k6 runs.
type heatRun struct {
	*run
	plan     plan.Heat
	cfg      stream.Config
	lanes    map[string]engine.Lane
	deaths   map[string]time.Time
	noted    time.Time // when it was known when the race part would start; zero before
	began    time.Time // when the race part started
	ended    time.Time
	cut      bool // it was stopped before its end
	samplers map[string]*sampler
	watch    *sampler // of k6 itself
	machine  machineWatch
	progress map[string]stream.LaneProgress
	result   map[string]stream.LaneResult
	foreign  int64
	judged   map[string][]k6.Judged // thresholds, by app; "" is k6's own
	k6CPUs   int                    // to which k6 is held; 0 is none
	takers   takers
}

func newHeatRun(u *run, h plan.Heat, lanes map[string]engine.Lane) *heatRun {
	return &heatRun{
		run: u, plan: h, cfg: u.config(h, lanes), lanes: lanes,
		deaths: map[string]time.Time{}, samplers: map[string]*sampler{},
		progress: map[string]stream.LaneProgress{}, result: map[string]stream.LaneResult{}, judged: map[string][]k6.Judged{},
	}
}

// config is what k6 is told about a heat.
func (u *run) config(h plan.Heat, lanes map[string]engine.Lane) stream.Config {
	cfg := stream.Config{
		RaceID: u.ID, Heat: h.Number, RemoteWriteURL: u.RemoteWriteURL,
		Warmup: u.Definition.Warmup, Seed: h.Seed,
	}
	for _, app := range h.Order {
		if _, racing := lanes[app]; racing {
			lane := u.lane(app).stream()
			lane.Blocks = h.Blocks[app]
			cfg.Lanes = append(cfg.Lanes, lane)
		}
	}
	return cfg
}

func (h *heatRun) drive(ctx context.Context) error {
	h.status(race.WarmingUp, fmt.Sprintf("heat %d of %d", h.plan.Number, len(h.Plan.Heats)))
	clocks, err := h.startClocks(ctx, h.cfg)
	if err != nil {
		return err
	}
	h.k6CPUs = clocks.cpus()
	sampling, stopSampling := context.WithCancel(context.WithoutCancel(ctx))
	defer stopSampling()
	h.startSampling(sampling)

	loopErr := h.follow(ctx, clocks)
	exits, err := clocks.wait()
	h.ended = time.Now()
	h.machine.stop(context.WithoutCancel(ctx))
	stopSampling()
	h.cut = h.cut || err != nil || clockError(exits) != nil
	h.awaitProfiles()
	if err != nil {
		return err
	}
	switch {
	case h.measured():
		h.readSummaries(clocks)
		h.keep(exits, h.lost(loopErr, exits))
		if ctx.Err() == nil {
			h.askOwn(ctx, h.heats[len(h.heats)-1].ended)
		}
	case !h.began.IsZero() && ctx.Err() == nil: // k6 did not live to tell what it had measured
		h.heats = append(h.heats, heatObservation{
			number: h.plan.Number, order: h.plan.Order, began: h.began, ended: later(h.began, h.ended), audit: audit.Heat{Number: h.plan.Number, Lost: h.lost(loopErr, exits)},
		})
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if loopErr != nil {
		return loopErr
	}
	return clockError(exits)
}

// lost says why a heat that was cut gives no result, "" for one that was not.
func (h *heatRun) lost(failure error, exits []k6.Exit) string {
	if !h.cut {
		return ""
	}
	if failure == nil {
		failure = clockError(exits)
	}
	if failure == nil {
		return "it was stopped before its end"
	}
	return failure.Error()
}

// clockError says why k6 did not come to its end. Crossed thresholds are a result, not an error.
func clockError(exits []k6.Exit) error {
	for _, e := range exits {
		switch {
		case e.Code == 0 || e.ThresholdsCrossed:
		case e.Killed:
			return race.Errorf(race.Unavailable, "if the machine ran out of memory, race with fewer VUs", "k6 was killed: %s", e.Err)
		default:
			return race.Errorf(race.Unavailable, "", "k6 ended with code %d: %s", e.Code, e.Err)
		}
	}
	return nil
}

// startSampling reads the counters of the lanes and of k6, and the machine's.
func (h *heatRun) startSampling(ctx context.Context) {
	for app, lane := range h.lanes {
		h.samplers[app] = sample(ctx, lane)
	}
	if h.Stopwatch != nil {
		h.watch = sample(ctx, h.Stopwatch)
	}
}

// follow reads k6's events to their end. It answers the start, watches the lanes, and ends k6 when ctx ends or k6 hangs.
func (h *heatRun) follow(ctx context.Context, c *clocks) error {
	var failure error
	fail := func(err error) {
		if failure == nil {
			failure = err
			h.cut = true
			c.stop()
		}
	}
	died := h.watchLanes(ctx)
	deadline := time.NewTimer(startTimeout)
	defer deadline.Stop()
	interrupted := ctx.Done()
	started := 0
	var latest time.Time
	for {
		select {
		case <-interrupted:
			interrupted = nil
			h.cut = true
			c.stop()
		case <-deadline.C:
			fail(race.Errorf(race.Unavailable, "look at the script's setup() and at the load of this machine", "k6 did not come to its end in time"))
		case death := <-died:
			if err := engine.Lost(h.lanes[death.app]); err != nil {
				fail(err)
				continue
			}
			h.laneDied(c, death)
		case ev, open := <-c.events:
			if !open {
				return failure
			}
			if ev.Type == stream.Started {
				started++
				latest = later(latest, ev.At)
				if started == len(c.processes) {
					h.begin(ctx, c, latest)
					deadline.Reset(time.Until(h.began) + h.cfg.Span() + tailTimeout)
				}
			}
			h.take(ev.Event)
		}
	}
}

// begin fixes the moment at which the race part starts, and asks for readings at the ends of every window.
func (h *heatRun) begin(ctx context.Context, c *clocks, started time.Time) {
	h.noted = time.Now()
	// k6 tells its time by the wall clock; from here on a clock that is set moves no window and no deadline.
	h.began = later(h.noted.Add(started.Add(h.cfg.Warmup).Sub(h.noted)), h.noted)
	if h.record.StartedAt == nil {
		at := h.began.UTC()
		h.record.StartedAt = &at
	}
	span := h.cfg.Span()
	for _, l := range h.cfg.Lanes {
		for _, w := range h.windows(l, h.began.Add(span+h.tail())) {
			h.samplers[l.App].At(w.From, w.To)
		}
	}
	if h.watch != nil {
		h.watch.At(h.began, h.began.Add(span))
	}
	h.machine.startAt(context.WithoutCancel(ctx), h.began)
	h.takeProfiles(ctx)
	c.begin(h.began)
}

// take keeps what an event tells and shows it.
func (h *heatRun) take(ev stream.Event) {
	switch ev.Type {
	case stream.Started:
	case stream.Progress:
		for app, p := range ev.Progress {
			if p.P95MS == 0 { // no answer in the last second: those of the lane's last turn still stand
				p.P50MS, p.P95MS = h.progress[app].P50MS, h.progress[app].P95MS
			}
			h.progress[app] = p
		}
		if ev.Phase == "race" && h.record.Status == race.WarmingUp {
			h.status(race.Racing, fmt.Sprintf("heat %d of %d", h.plan.Number, len(h.Plan.Heats)))
		}
		h.View.Progress(h.snapshot(ev.Phase, time.Now()))
	case stream.Result:
		for app, r := range ev.Result {
			h.result[app] = r
			p := h.progress[app]
			p.Requests, p.Failed = r.Race.Requests, r.Race.Failed // with the last answers
			h.progress[app] = p
		}
		h.foreign += ev.Foreign
		if !h.cut && len(h.result) == len(h.cfg.Lanes) {
			h.View.Progress(h.snapshot(ev.Phase, time.Now()))
		}
	}
}

// keep turns the heat into results.
func (h *heatRun) keep(exits []k6.Exit, lost string) {
	readings := map[string][]engine.Counters{}
	for app, s := range h.samplers {
		readings[app] = s.Wait()
	}
	// k6 ends with the last answer, which may be some milliseconds before the last block does: only a heat that was stopped is cut.
	end := h.began.Add(h.cfg.Span())
	if h.cut && h.ended.Before(end) {
		end = h.ended
	}
	for _, l := range h.cfg.Lanes {
		laneEnd, died := end.Add(h.tail()), false
		if at, dead := h.deaths[l.App]; dead {
			laneEnd, died = at, true
		}
		result, told := h.result[l.App]
		if !told {
			continue // what the app spent is worth nothing without the requests that it spent it on
		}
		windows := h.windows(l, laneEnd)
		h.lane(l.App).results.Heats[h.plan.Number] = results.LaneHeat{
			Totals: result.Race,
			Active: h.active(l, laneEnd),
			Spent:  results.Spend(readings[l.App], windows),
			Memory: results.MemorySamples(readings[l.App], windows),
			Whole:  !h.cut && !died,
		}
	}
	for _, e := range exits {
		h.thresholdsCrossed = h.thresholdsCrossed || e.ThresholdsCrossed
	}
	seen := h.observe(readings, end)
	seen.audit.Lost = lost
	h.heats = append(h.heats, seen)
}

// readSummaries takes from k6's own end-of-test summaries what they count, for the audit to compare, and how the thresholds were judged. A summary
// that is missing leaves the count unknown.
func (h *heatRun) readSummaries(c *clocks) {
	for i, p := range c.processes {
		s, err := p.Summary()
		for _, app := range c.apps[i] {
			l := h.lane(app)
			if err != nil {
				l.uncounted = true
			}
			l.summary += s.Lanes[app].Requests
		}
		for _, j := range s.Judged {
			h.judged[j.App] = append(h.judged[j.App], j)
			h.retire(j)
		}
	}
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
