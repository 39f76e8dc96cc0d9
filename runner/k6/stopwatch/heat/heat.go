package heat

import (
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/k6/stopwatch/arrivals"
	"github.com/photofinish/photofinish/runner/k6/stream"
)

// Heat is shared by everything of ours in the k6 process. All methods may be called concurrently.
type Heat struct {
	Config stream.Config

	lanes     map[string]*Lane
	order     []*Lane
	span      time.Duration
	wire      *wire
	alone     bool // nobody will say when the race begins
	start     sync.Once
	startedAt atomic.Pointer[time.Time]
	raceStart atomic.Pointer[time.Time]
	going     chan struct{}
}

// New makes a heat that tells its events to one side of a wire and takes the start of the race from the other. Events may be nil: nobody
// is told. Commands may be nil: the race then begins when the shortest warm-up is over.
func New(config stream.Config, events io.Writer, commands io.Reader) (*Heat, error) {
	h := &Heat{
		Config: config, lanes: make(map[string]*Lane, len(config.Lanes)), span: config.Span(),
		going: make(chan struct{}), alone: commands == nil,
	}
	for _, l := range config.Lanes {
		if _, twice := h.lanes[l.App]; twice || l.App == "" {
			return nil, race.Errorf(race.Invalid, "name every lane once", "the heat has two lanes named %q, or one without a name", l.App)
		}
		lane := &Lane{App: l.App, Worker: l.Queue != nil, Blocks: l.Blocks}
		h.lanes[l.App] = lane
		h.order = append(h.order, lane)
	}
	h.wire = newWire(events, commands, h.obey)
	return h, nil
}

// Lane finds the lane of an app, nil if the app is not in the race.
func (h *Heat) Lane(app string) *Lane { return h.lanes[app] }

// Lanes lists the lanes in the order of the configuration.
func (h *Heat) Lanes() []*Lane { return h.order }

// Start tells the runner once that the first scenario began.
func (h *Heat) Start(at time.Time) {
	h.start.Do(func() {
		h.startedAt.Store(&at)
		h.wire.send(stream.Event{Type: stream.Started, At: at, Phase: Warmup.String()})
		if h.alone {
			h.begin(at.Add(h.Config.Warmup).UnixNano())
		}
	})
}

// StartedAt is when the first scenario began; ok is false before.
func (h *Heat) StartedAt() (at time.Time, ok bool) { return load(&h.startedAt) }

// RaceStart is when the race begins or began; ok is false while the runner has not said.
func (h *Heat) RaceStart() (at time.Time, ok bool) { return load(&h.raceStart) }

// Going is closed when the start of the race is known.
func (h *Heat) Going() <-chan struct{} { return h.going }

// Phase is the part of the heat that a time lies in. It is cheap: every iteration asks.
func (h *Heat) Phase(now time.Time) Phase {
	start := h.raceStart.Load()
	switch {
	case start == nil || now.Before(*start):
		return Warmup
	case now.Sub(*start) >= h.span:
		return Done
	default:
		return Race
	}
}

// untilTold is how often is looked whether the runner has said when the race begins, where there is no warm-up meanwhile.
const untilTold = time.Millisecond

// Wait says how long a lane's closed-model VU has to wait for its load; nobody waits in a warm-up, and where none was asked for nobody begins before the race. ok is false after the lane's last block, or when it is retired.
func (h *Heat) Wait(l *Lane, now time.Time) (wait time.Duration, ok bool) {
	if l.Retired() {
		return 0, false
	}
	start := h.raceStart.Load()
	switch {
	case start != nil && !now.Before(*start):
		return arrivals.Wait(l.Blocks, now.Sub(*start))
	case h.Config.Warmup > 0:
		return 0, true
	case start == nil:
		return untilTold, true
	default:
		return start.Sub(now), true
	}
}

// Report tells the runner how the heat goes; the newest report replaces one that could not be written yet.
func (h *Heat) Report(e stream.Event) { h.wire.offer(e) }

// Finish tells the runner the result and returns when it is written, or when the runner has not read it for a while.
func (h *Heat) Finish(e stream.Event) error {
	return h.wire.finish(e)
}

// Lost is closed when the runner is gone: nobody will say when the race begins, or nobody reads the events.
func (h *Heat) Lost() <-chan struct{} { return h.wire.lost }

// obey does what the runner says.
func (h *Heat) obey(c stream.Command) {
	if c.RaceStart != 0 {
		h.begin(c.RaceStart)
	}
	if l := h.lanes[c.Retire]; l != nil {
		l.retired.Store(true)
	}
}

// begin sets the start of the race. The wall-clock time is turned into one with a monotonic reading, so that a clock
// that is set during the heat moves no block.
func (h *Heat) begin(unixNano int64) {
	now := time.Now()
	at := now.Add(time.Duration(unixNano - now.UnixNano()))
	if h.raceStart.CompareAndSwap(nil, &at) {
		close(h.going)
	}
}

func load(p *atomic.Pointer[time.Time]) (time.Time, bool) {
	if t := p.Load(); t != nil {
		return *t, true
	}
	return time.Time{}, false
}
