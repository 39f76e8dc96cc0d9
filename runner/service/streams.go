package service

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/events"
)

// stream is the stream of a race that has not ended.
func (s *Service) stream(id string) *events.Stream {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.streams[id] == nil {
		s.streams[id] = events.New()
	}
	return s.streams[id]
}

// Events makes a reader of a race's events. Of a race that ended long ago it tells just that.
func (s *Service) Events(ctx context.Context, id, after string) (*events.Reader, error) {
	k, err := s.DB.Get(ctx, id)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	known := s.streams[id]
	if known == nil && !k.Status.Ended() {
		known = events.New() // accepted a moment ago, by a request that is still being answered
		s.streams[id] = known
	}
	s.mu.Unlock()
	if known != nil {
		return known.Read(after), nil
	}
	var r race.Race
	if err := json.Unmarshal(k.Record, &r); err != nil {
		return nil, err
	}
	old := events.New()
	return old.Read(""), tellEnd(old, r.ID, r.Status, r.Error, endOf(r))
}

func endOf(r race.Race) time.Time {
	if r.FinishedAt != nil {
		return *r.FinishedAt
	}
	return time.Now().UTC()
}

func tellEnd(stream *events.Stream, id string, status race.Status, why *string, at time.Time) error {
	detail := ""
	if why != nil {
		detail = *why
	}
	if err := stream.Publish(events.Status, StatusEvent{ID: id, At: at, Status: status, Detail: detail}); err != nil {
		return err
	}
	return stream.Publish(events.End, EndEvent{ID: id, At: at, Status: status, Error: why})
}

// finish tells the end of a race, and forgets the events of one that ended long before.
func (s *Service) finish(ctx context.Context, id string, status race.Status, why *string) {
	if err := tellEnd(s.stream(id), id, status, why, time.Now().UTC()); err != nil {
		s.Log.ErrorContext(ctx, "the end of a race cannot be told", "race", id, "error", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if slices.Contains(s.ended, id) {
		return
	}
	if s.ended = append(s.ended, id); len(s.ended) > endedStreams {
		delete(s.streams, s.ended[0])
		s.ended = s.ended[1:]
	}
}

// announce tells those who wait in the queue where they stand.
func (s *Service) announce(ctx context.Context) {
	places, err := s.DB.Places(ctx)
	if err != nil {
		if ctx.Err() == nil {
			s.Log.ErrorContext(ctx, "the queue cannot be read", "error", err)
		}
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, place := range places {
		if s.places[id] == place || s.streams[id] == nil {
			continue
		}
		if err := s.streams[id].Publish(events.Status, StatusEvent{ID: id, At: time.Now().UTC(), Status: race.Queued, Position: &place}); err != nil {
			s.Log.ErrorContext(ctx, "a place in the queue cannot be told", "race", id, "error", err)
		}
	}
	s.places = places
}
