package plugin

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/grafana/grafana-plugin-sdk-go/data"

	"github.com/photofinish/photofinish/pkg/compare"
	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/pkg/runnerclient"
)

// SubscribeStream implements backend.StreamHandler. RunStream runs once for all who follow a race, so whether a path may be followed is
// decided here: it names a race that the runner knows. As with queries, reading is everybody's, anonymous users included (authz.go).
func (d *Datasource) SubscribeStream(ctx context.Context, req *backend.SubscribeStreamRequest) (*backend.SubscribeStreamResponse, error) {
	id, all, ok := readLivePath(req.Path)
	if !ok || d.runner == nil {
		return &backend.SubscribeStreamResponse{Status: backend.SubscribeStreamStatusNotFound}, nil
	}
	record, err := d.records.byID(ctx, id)
	switch {
	case err != nil && isUnknown(err):
		return &backend.SubscribeStreamResponse{Status: backend.SubscribeStreamStatusNotFound}, nil
	case err != nil:
		return nil, err // Grafana's page asks again
	}
	f := newLiveFrame(all)
	f.of(record)
	f.record(record, when(record, d.now()))
	initial, err := backend.NewInitialFrame(f.Frame, data.IncludeAll)
	if err != nil {
		return nil, fmt.Errorf("race %s: %w", id, err)
	}
	return &backend.SubscribeStreamResponse{Status: backend.SubscribeStreamStatusOK, InitialData: initial}, nil
}

// PublishStream implements backend.StreamHandler. Nobody tells the runner's events but the runner.
func (d *Datasource) PublishStream(context.Context, *backend.PublishStreamRequest) (*backend.PublishStreamResponse, error) {
	return &backend.PublishStreamResponse{Status: backend.PublishStreamStatusPermissionDenied}, nil
}

// RunStream implements backend.StreamHandler: a frame for each event of a race, to its end. It outlives a runner that is gone for a while.
func (d *Datasource) RunStream(ctx context.Context, req *backend.RunStreamRequest, sender *backend.StreamSender) error {
	id, all, ok := readLivePath(req.Path)
	if !ok || d.runner == nil {
		return nil // with an error Grafana would try for ever
	}
	record, err := d.records.byID(ctx, id)
	if err != nil {
		if isUnknown(err) {
			return nil
		}
		return err
	}
	t := &teller{d: d, record: record, all: all}
	t.origin = firstHeat(record)
	return d.runner.Follow(ctx, id, func(e runnerclient.Event) error {
		f, err := t.frame(ctx, e)
		if err != nil { // one that cannot be read shall not end what follows it
			backend.Logger.FromContext(ctx).Warn("an event of the runner is left out", "race", id, "type", e.Type, "error", err)
		}
		if f == nil {
			return nil
		}
		// The schema goes along each time: who joins a stream that runs already has nothing else to read the numbers by.
		return sender.SendFrame(f, data.IncludeAll)
	})
}

// teller turns the events of a race into frames.
type teller struct {
	d      *Datasource
	record race.Race
	all    bool
	last   *race.Progress
	// origin is where elapsed time begins, as it does in timeseries with align: elapsed; zero while it is not known.
	origin time.Time
}

// firstHeat is when a race's elapsed time begins, zero where its record does not tell yet.
func firstHeat(r race.Race) time.Time {
	if len(r.Heats) > 0 && r.Heats[0].StartedAt != nil {
		return compare.ElapsedZero(*r.Heats[0].StartedAt)
	}
	return time.Time{}
}

// frame is nil for an event that tells nothing of lanes.
func (t *teller) frame(ctx context.Context, e runnerclient.Event) (*data.Frame, error) {
	f := newLiveFrame(t.all)
	f.of(t.record)
	switch e.Type {
	case runnerclient.EventProgress:
		var p race.Progress
		if err := json.Unmarshal(e.Data, &p); err != nil {
			return nil, fmt.Errorf("race %s: an event of the runner cannot be read: %w", t.record.ID, err)
		}
		if t.origin.IsZero() && p.Phase == "race" {
			t.origin = compare.ElapsedZero(p.At.Add(-t.behind(p)))
		}
		t.last = &p
		f.progress(p, target(t.record), t.origin)
	case runnerclient.EventStatus, runnerclient.EventEnd:
		var s runnerclient.Status
		if err := json.Unmarshal(e.Data, &s); err != nil {
			return nil, fmt.Errorf("race %s: an event of the runner cannot be read: %w", t.record.ID, err)
		}
		if e.Type == runnerclient.EventEnd {
			if record, err := t.d.runner.Race(ctx, t.record.ID); err == nil { // with the figures of the whole race
				t.record, t.last = record.Race, nil
			}
		}
		t.status(f, s)
	default:
		return nil, nil
	}
	return f.Frame, nil
}

// behind is how much of its first heat a race has behind it.
func (t *teller) behind(p race.Progress) time.Duration {
	if p.Heat != 1 {
		return 0 // the runner keeps no start of the first heat: the first that is seen must do
	}
	var share float64
	for _, l := range p.Lanes {
		if p.Mode == race.Turns {
			share += l.Done
		} else {
			share = max(share, l.Done)
		}
	}
	return time.Duration(share * t.record.Load.DurationMS * float64(p.Heats) * float64(time.Millisecond))
}

// status tells that a race moved on: what was counted stands, what was measured of the last second does not.
func (t *teller) status(f liveFrame, s runnerclient.Status) {
	detail := s.Detail
	switch {
	case s.Error != nil:
		detail = *s.Error
	case s.Position != nil:
		detail = "place " + strconv.Itoa(*s.Position) + " in the queue"
	}
	if t.last == nil {
		r := t.record
		r.Status = s.Status
		if detail != "" {
			r.Error = &detail
		}
		f.record(r, s.At)
		return
	}
	p := *t.last
	for _, l := range p.Lanes {
		row := liveRow{
			time: s.At, app: l.App, phase: p.Phase, heat: int64(p.Heat), requests: l.Requests, errors: l.Errors, place: int64(l.Place),
			status: s.Status, detail: detail, heats: int64(p.Heats), done: l.Done, out: l.Out, baseline: l.Baseline,
			cpuLimit: l.CPULimit, memoryMax: l.MemoryLimit, target: target(t.record),
		}
		if s.Status.Ended() {
			row.phase = phaseDone
		}
		if !t.origin.IsZero() {
			row.elapsed = seconds64(s.At.Sub(t.origin))
		}
		f.add(row)
	}
}
