package container

import (
	"context"
	"crypto/rand"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/photofinish/photofinish/pkg/race"
)

// starter tells a k6 when the race begins. k6 asks it as the last thing before it gives load, and is answered when everybody is ready: a
// stock k6 has no other way to hear of anything once it runs.
type starter struct {
	server  *http.Server
	address string
	ready   chan struct{} // closed when k6 has asked
	going   chan struct{} // closed when start is set
	start   time.Time

	asked, said sync.Once
}

// newStarter listens on the loopback interface, at an address that nobody else can guess.
func newStarter(ctx context.Context) (*starter, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, race.Errorf(race.Unavailable, "", "cannot listen for k6: %w", err)
	}
	path := "/" + rand.Text()
	s := &starter{address: "http://" + listener.Addr().String() + path, ready: make(chan struct{}), going: make(chan struct{})}
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+path, s.answer)
	s.server = &http.Server{Handler: mux, ReadHeaderTimeout: time.Second}
	go func() { _ = s.server.Serve(listener) }() // until it is closed
	return s, nil
}

func (s *starter) answer(w http.ResponseWriter, r *http.Request) {
	s.asked.Do(func() { close(s.ready) })
	select {
	case <-s.going:
		_, _ = fmt.Fprint(w, strconv.FormatFloat(float64(s.start.UnixNano())/1e6, 'f', 3, 64)) // a k6 that has gone needs no answer
	case <-r.Context().Done():
	}
}

// begin answers k6.
func (s *starter) begin(at time.Time) {
	s.said.Do(func() {
		s.start = at
		close(s.going)
	})
}

func (s *starter) close() { _ = s.server.Close() }
