package server

import (
	"context"
	"fmt"
	"net/http"
	"time"
)

const (
	// eventTimeout bounds the writing of one batch of events: who does not read is let go.
	eventTimeout = 10 * time.Second
	// keepAlive is how often an idle stream says that it lives; proxies often give up after a minute.
	keepAlive = 15 * time.Second
)

// events tells what happens in a race as server-sent events, to its end.
func (a *api) events(w http.ResponseWriter, r *http.Request) {
	select {
	case a.streams <- struct{}{}:
		defer func() { <-a.streams }()
	default:
		w.Header().Set("Retry-After", "10")
		refuse(w, http.StatusTooManyRequests, "too_many_streams", fmt.Sprintf("%d readers of events are connected already, and no more may", cap(a.streams)), "try again when one has gone, or let limits.streams of the runner's configuration allow more")
		return
	}
	after := r.Header.Get("Last-Event-ID")
	reader, err := a.Races.Events(r.Context(), r.PathValue("id"), after)
	if err != nil {
		refuseFor(w, err)
		return
	}
	a.meter.streams.Inc()
	defer a.meter.streams.Dec()
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	go func() {
		select {
		case <-a.Ending:
			cancel()
		case <-ctx.Done():
		}
	}()
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Accel-Buffering", "no") // nginx would hold events back
	w.WriteHeader(http.StatusOK)
	connection := http.NewResponseController(w)
	for more := true; more; {
		last := ctx.Err() != nil // what has happened by now is told yet
		waiting, stopWaiting := context.WithTimeout(ctx, keepAlive)
		got, still := reader.Next(waiting)
		stopWaiting()
		if last && len(got) == 0 {
			return
		}
		more = still
		_ = connection.SetWriteDeadline(time.Now().Add(eventTimeout)) // a writer of a test has none
		if len(got) == 0 && more {
			_, err = w.Write([]byte(": still here\n\n"))
		}
		for _, e := range got {
			if err == nil {
				_, err = fmt.Fprintf(w, "id: %s\nevent: %s\ndata: %s\n\n", e.ID, e.Type, e.Data)
			}
		}
		if err != nil || connection.Flush() != nil {
			return
		}
	}
}
