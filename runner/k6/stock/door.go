package stock

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strconv"
	"sync"
	"time"

	"github.com/photofinish/photofinish/pkg/race"
)

// door is where k6 finds the runner while it runs. It is told there when the race begins: it asks as the last thing before it gives load, and is
// answered when everybody is ready, since a stock k6 has no other way to hear of anything once it runs. What runs elsewhere leaves its series here.
type door struct {
	server    *http.Server
	start     string // address at which k6 asks when the race begins
	write     string // address to which it writes series
	elsewhere bool
	ready     chan struct{} // closed when every k6 has asked
	going     chan struct{} // closed when begins is set
	begins    time.Time
	said      sync.Once

	mu      sync.Mutex
	missing int // how many have not asked yet
}

// openDoor listens at an address that nobody else can guess. remoteWrite is where series go.
func openDoor(ctx context.Context, at Site, remoteWrite string) (*door, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", net.JoinHostPort(at.Host, "0"))
	if err != nil {
		return nil, race.Errorf(race.Unavailable, "", "cannot listen for k6: %w", err)
	}
	secret := "/" + rand.Text()
	here := "http://" + listener.Addr().String() + secret
	d := &door{
		start: here, write: remoteWrite, elsewhere: at.Elsewhere, ready: make(chan struct{}), going: make(chan struct{}), missing: at.Instances,
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+secret, d.answer)
	if at.Elsewhere && remoteWrite != "" {
		to, err := url.Parse(remoteWrite)
		if err != nil {
			_ = listener.Close()
			return nil, race.Errorf(race.Invalid, "", "the address for remote write: %w", err)
		}
		d.write = here + "/write"
		mux.Handle("POST "+secret+"/write", passOn(to))
	}
	d.server = &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = d.server.Serve(listener) }() // until it is closed
	return d, nil
}

// passOn hands requests to the one address to. What k6 is answered is what that says; what it does not say k6 tells in its log.
func passOn(to *url.URL) http.Handler {
	return &httputil.ReverseProxy{
		Rewrite:  func(r *httputil.ProxyRequest) { r.Out.URL, r.Out.Host = to, to.Host },
		ErrorLog: log.New(io.Discard, "", 0),
	}
}

func (d *door) answer(w http.ResponseWriter, r *http.Request) {
	d.mu.Lock()
	if d.missing--; d.missing == 0 {
		close(d.ready)
	}
	d.mu.Unlock()
	select {
	case <-d.going:
		_, _ = fmt.Fprint(w, d.tell(time.Now())) // a k6 that has gone needs no answer
	case <-r.Context().Done():
	}
}

// tell says when the race begins, in ms: by the wall clock, or with a sign from now on.
func (d *door) tell(now time.Time) string {
	if d.elsewhere {
		return fmt.Sprintf("%+.3f", d.begins.Sub(now).Seconds()*1000)
	}
	return strconv.FormatFloat(float64(d.begins.UnixNano())/1e6, 'f', 3, 64)
}

// begin answers k6.
func (d *door) begin(at time.Time) {
	d.said.Do(func() {
		d.begins = at
		close(d.going)
	})
}

func (d *door) close() { _ = d.server.Close() }
