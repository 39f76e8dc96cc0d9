package promql

import (
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
	"time"
)

// near is how soon a server takes a connection that is on this machine or in its network. There, compressing an answer costs more than sending it as
// it is: Prometheus makes a new compressor of 1.2 MB for each, however short (docs/performance.md).
const near = 2 * time.Millisecond

// plainNearby asks a server that is near for answers that are not compressed. Until it was connected to, a server is far.
type plainNearby struct {
	next   http.RoundTripper
	within time.Duration // how soon a server takes a connection that is near
	near   *atomic.Bool
}

// RoundTrip implements http.RoundTripper.
func (p plainNearby) RoundTrip(r *http.Request) (*http.Response, error) {
	var asked *http.Request
	asked = r.Clone(httptrace.WithClientTrace(r.Context(), p.watch(func() { asked.Header.Set("Accept-Encoding", "identity") })))
	return p.next.RoundTrip(asked) //nolint:wrapcheck // http.RoundTripper: its errors are the next one's
}

// watch times the connections that a request makes, and says before its header is sent that its server is near.
func (p plainNearby) watch(isNear func()) *httptrace.ClientTrace {
	var began atomic.Pointer[time.Time] // addresses of one name are tried at the same time
	return &httptrace.ClientTrace{
		ConnectStart: func(string, string) { now := time.Now(); began.Store(&now) },
		ConnectDone: func(_, _ string, err error) {
			if err == nil {
				p.near.Store(time.Since(*began.Load()) < p.within)
			}
		},
		GotConn: func(httptrace.GotConnInfo) {
			if p.near.Load() {
				isNear()
			}
		},
	}
}
