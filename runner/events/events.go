// Package events passes what happens in a race to any number of readers. What is kept of a race is bounded, whoever reads and however
// slowly: a reader who falls behind misses what was overwritten, and nobody waits for him.
package events

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"sync"
)

// The types of events.
const (
	Status   = "status"
	Progress = "progress"
	Log      = "log"
	End      = "end"
)

// kept is how many events of a race are kept for readers who are late or come back: at five a second the last three minutes.
const kept = 1024

// Event is one thing that happened. ID tells where a reader was who comes back.
type Event struct {
	ID   string
	Type string
	Data json.RawMessage
}

// Stream is the events of one race. Its methods may be called concurrently.
type Stream struct {
	epoch string // of this stream: the ids of another process's stream mean nothing here

	mu      sync.Mutex
	ring    [kept]Event
	next    uint64            // number of the next event, from 1
	last    map[string]uint64 // number of the last event by type
	changed chan struct{}     // closed at the next event
	ended   bool
}

// New makes a stream.
func New() *Stream {
	var b [4]byte
	_, _ = rand.Read(b[:]) // crypto/rand does not fail
	return &Stream{epoch: hex.EncodeToString(b[:]), next: 1, last: map[string]uint64{}, changed: make(chan struct{})}
}

// Publish adds an event. After the event End nothing is added any more.
func (s *Stream) Publish(kind string, v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("event %s: %w", kind, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return nil
	}
	s.ring[s.next%kept] = Event{ID: s.epoch + "-" + strconv.FormatUint(s.next, 10), Type: kind, Data: data}
	s.last[kind] = s.next
	s.next++
	s.ended = kind == End
	close(s.changed)
	s.changed = make(chan struct{})
	return nil
}

// Last reads the last event of a type into v; known is false where there was none, or it is no longer kept.
func (s *Stream) Last(kind string, v any) (known bool, err error) {
	s.mu.Lock()
	n := s.last[kind]
	data := s.ring[n%kept].Data
	known = n > 0 && n+kept > s.next
	s.mu.Unlock()
	if !known {
		return false, nil
	}
	return true, json.Unmarshal(data, v)
}

// Reader reads a stream from some point on. It is for one goroutine.
type Reader struct {
	stream *Stream
	first  []Event // what a new reader gets before anything new: how things stand
	next   uint64
}

// Read makes a reader that goes on after the event with an id; with an id that is unknown, or none, it begins with the last status and progress.
func (s *Stream) Read(after string) *Reader {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := &Reader{stream: s, next: s.next}
	epoch, number, _ := strings.Cut(after, "-")
	if n, err := strconv.ParseUint(number, 10, 64); err == nil && epoch == s.epoch && n < s.next {
		r.next = n + 1
		return r
	}
	for _, kind := range []string{Status, Progress, End} {
		if n := s.last[kind]; n > 0 && n+kept > s.next {
			r.first = append(r.first, s.ring[n%kept])
		}
	}
	return r
}

// Next waits for events and returns them; more is false when no event will follow them. It returns early, with nothing, when ctx ends.
func (r *Reader) Next(ctx context.Context) (events []Event, more bool) {
	events, r.first = r.first, nil
	for {
		r.stream.mu.Lock()
		if oldest := r.stream.next - min(kept, r.stream.next); r.next <= oldest {
			r.next = oldest + 1
		}
		for ; r.next < r.stream.next; r.next++ {
			events = append(events, r.stream.ring[r.next%kept])
		}
		changed, ended := r.stream.changed, r.stream.ended
		r.stream.mu.Unlock()
		if len(events) > 0 || ended {
			return events, !ended
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, true
		}
	}
}
