package heat

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/photofinish/photofinish/runner/k6/stream"
)

// patience bounds how long the end of k6 waits for a runner that does not read its events.
const patience = 10 * time.Second

// wire writes events, one JSON object a line, without ever making a VU wait, and reads commands.
type wire struct {
	mu     sync.Mutex
	must   []stream.Event // Started and Result: at most two, never thrown away
	newest *stream.Event  // the latest Progress; a newer one replaces it
	closed bool
	wake   chan struct{}
	done   chan struct{}
	err    error // of the writer; read after done is closed

	lost     chan struct{}
	loseOnce sync.Once
}

func newWire(events io.Writer, commands io.Reader, obey func(stream.Command)) *wire {
	w := &wire{wake: make(chan struct{}, 1), done: make(chan struct{}), lost: make(chan struct{})}
	if events == nil {
		events = io.Discard
	}
	go w.write(events)
	if commands != nil {
		go w.read(commands, obey)
	}
	return w
}

// send queues an event that must arrive.
func (w *wire) send(e stream.Event) {
	w.mu.Lock()
	w.must = append(w.must, e)
	w.mu.Unlock()
	w.poke()
}

// offer queues an event that the next one of its kind may replace.
func (w *wire) offer(e stream.Event) {
	w.mu.Lock()
	if !w.closed {
		w.newest = &e
	}
	w.mu.Unlock()
	w.poke()
}

func (w *wire) poke() {
	select {
	case w.wake <- struct{}{}:
	default: // the writer is going to look anyway
	}
}

// finish queues the last event and waits until everything that must arrive is written.
func (w *wire) finish(e stream.Event) error {
	w.mu.Lock()
	w.must = append(w.must, e)
	w.newest = nil
	w.closed = true
	w.mu.Unlock()
	w.poke()
	select {
	case <-w.done:
		return w.err
	case <-time.After(patience):
		return fmt.Errorf("the runner did not read k6's events for %s", patience)
	}
}

func (w *wire) write(to io.Writer) {
	defer close(w.done)
	encoder := json.NewEncoder(to)
	for range w.wake {
		events, closed := w.take()
		for _, e := range events {
			if err := encoder.Encode(e); err != nil {
				w.err = fmt.Errorf("tell the runner that k6 is at %q: %w", e.Type, err)
				w.lose()
				return
			}
		}
		if closed {
			return
		}
	}
}

// take empties the queue, in the order in which the events are to be read.
func (w *wire) take() ([]stream.Event, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	events := w.must
	if w.newest != nil {
		events = append(events, *w.newest)
	}
	w.must, w.newest = nil, nil
	return events, w.closed
}

// read takes the runner's commands to their end. One that comes before the start of the race means that the runner is gone.
func (w *wire) read(from io.Reader, obey func(stream.Command)) {
	lines := bufio.NewScanner(from)
	begun := false
	for lines.Scan() {
		var c stream.Command
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			continue // a line of a newer runner
		}
		begun = begun || c.RaceStart != 0
		obey(c)
	}
	if !begun {
		w.lose()
	}
}

func (w *wire) lose() { w.loseOnce.Do(func() { close(w.lost) }) }
