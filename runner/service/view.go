package service

import (
	"context"
	"sync"
	"time"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/events"
)

// StatusEvent tells that a race moved on. Position is its place in the queue, null once it has left it.
type StatusEvent struct {
	ID       string      `json:"id"`
	At       time.Time   `json:"at"`
	Status   race.Status `json:"status"`
	Detail   string      `json:"detail"`
	Position *int        `json:"position"`
}

// EndEvent is the last event of a race.
type EndEvent struct {
	ID     string      `json:"id"`
	At     time.Time   `json:"at"`
	Status race.Status `json:"status"`
	Error  *string     `json:"error"`
}

// LogEvent is a line that a person should read.
type LogEvent struct {
	At   time.Time `json:"at"`
	Line string    `json:"line"`
}

// view turns what the coordinator shows into events and notes. Nothing in it waits: the notes are written by a goroutine of their own.
type view struct {
	service *Service
	ctx     context.Context // coordinator.View has none
	id      string
	stream  *events.Stream
	notes   chan StatusEvent
	written sync.WaitGroup

	status race.Status
	since  time.Time
}

// pendingNotes is more than a race can have between two syncs of the disk.
const pendingNotes = 256

func (s *Service) view(ctx context.Context, id string) *view {
	v := &view{service: s, ctx: context.WithoutCancel(ctx), id: id, stream: s.stream(id), notes: make(chan StatusEvent, pendingNotes)}
	v.written.Go(func() {
		for n := range v.notes {
			if err := s.DB.Changed(v.ctx, id, n.At, n.Status, n.Detail); err != nil {
				s.Log.ErrorContext(v.ctx, "a status cannot be noted", "race", id, "error", err)
			}
		}
	})
	return v
}

// close waits until every note is written.
func (v *view) close() {
	v.phase("")
	close(v.notes)
	v.written.Wait()
}

// Status implements coordinator.View. The end of a race is told by who records it.
func (v *view) Status(status race.Status, detail string) {
	if status.Ended() {
		return
	}
	n := StatusEvent{ID: v.id, At: time.Now().UTC(), Status: status, Detail: detail}
	v.publish(events.Status, n)
	if status == v.status {
		return
	}
	v.phase(status)
	select {
	case v.notes <- n:
	default: // the disk hangs; the race goes on
	}
}

// phase tells how long the last phase took.
func (v *view) phase(next race.Status) {
	now := time.Now()
	if v.status != "" && v.service.Phase != nil {
		v.service.Phase(v.status, now.Sub(v.since))
	}
	v.status, v.since = next, now
}

// Progress implements coordinator.View.
func (v *view) Progress(p race.Snapshot) {
	e := race.Progress{
		At: p.At.UTC(), Status: p.Status, Phase: p.Phase, Heat: p.Heat, Heats: p.Heats, Mode: p.Mode, Source: p.Source,
		ElapsedMS: ms(p.Elapsed), RemainingMS: ms(p.Remaining), Lanes: []race.LaneProgress{},
	}
	for _, l := range p.Lanes {
		e.Lanes = append(e.Lanes, race.LaneProgress{
			App: l.App, Place: l.Place, Baseline: l.Baseline, Requests: l.Requests, Errors: l.Failed, ErrorRate: l.ErrorRate, Rate: l.Rate,
			P50: l.P50MS, P95: l.P95MS, CPUCores: l.CPUCores, CPULimit: l.CPULimit, MemoryBytes: l.MemoryBytes, MemoryLimit: l.MemoryLimit,
			Done: l.Done, Racing: l.Racing, Out: l.Out,
		})
	}
	v.publish(events.Progress, e)
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// Log implements coordinator.View.
func (v *view) Log(line string) {
	v.publish(events.Log, LogEvent{At: time.Now().UTC(), Line: line})
}

func (v *view) publish(kind string, e any) {
	if err := v.stream.Publish(kind, e); err != nil { // a number that JSON cannot hold
		v.service.Log.ErrorContext(v.ctx, "an event cannot be told", "race", v.id, "error", err)
	}
}
