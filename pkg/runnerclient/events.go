package runnerclient

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/photofinish/photofinish/pkg/race"
)

// The types of events that the runner tells of a race.
const (
	EventStatus   = "status"
	EventProgress = "progress"
	EventLog      = "log"
	EventEnd      = "end"
)

// Event is one thing that happened in a race.
type Event struct {
	ID   string
	Type string
	Data json.RawMessage
}

// Status is the data of EventStatus and of EventEnd; the latter has no detail and no position, but may have an error.
type Status struct {
	At     time.Time   `json:"at"`
	Status race.Status `json:"status"`
	Detail string      `json:"detail"`
	// Position in the queue; nil once the race has left it.
	Position *int    `json:"position"`
	Error    *string `json:"error"`
}

// maxEventLine bounds a line of the stream: the progress of 100 lanes is about 30 kB.
const maxEventLine = 1 << 20

// readEvents reads server-sent events to the end of a stream. An event that is cut off by the end is none.
func readEvents(r io.Reader, each func(Event) error) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxEventLine)
	var e Event
	var data []string
	for lines.Scan() {
		line := lines.Text()
		if line == "" {
			if len(data) > 0 {
				e.Data = json.RawMessage(strings.Join(data, "\n"))
				if err := each(e); err != nil {
					return err
				}
			}
			e, data = Event{}, nil
			continue
		}
		field, value, _ := strings.Cut(line, ":")
		value = strings.TrimPrefix(value, " ")
		switch field {
		case "id":
			e.ID = value
		case "event":
			e.Type = value
		case "data":
			data = append(data, value)
		default: // a comment, or what a later runner may add
		}
	}
	if err := lines.Err(); err != nil {
		if errors.Is(err, bufio.ErrTooLong) {
			return race.Errorf(race.Unavailable, "check that the address is the runner's own", "a line of the runner's events is longer than %d MB", maxEventLine>>20)
		}
		return fmt.Errorf("read the runner's events: %w", err)
	}
	return nil
}
