// Package accesstest puts a gate before a Prometheus, as a hosted one has: who knows no secret, or names no tenant, is not let in; and it can be
// told to refuse and to have bad moments, which no real server does when it is asked to.
package accesstest

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"
)

// The secrets and the tenant that a Gate wants.
const (
	Username = "123456"
	Password = "glc_secret-password"
	Token    = "glc_secret-token"
	Tenant   = "team-a"
)

// WritePath is where remote writes are taken, as Mimir has it.
const WritePath = "/api/v1/push"

// Bad is an answer that is given instead of the server's.
type Bad struct {
	Status     int
	Says       string
	RetryAfter string
}

// Gate stands before a Prometheus.
type Gate struct {
	URL string

	mu       sync.Mutex
	bad      *Bad
	times    int // that bad is given; below 0 it stays
	writes   int
	refused  int
	attempts []string // of the header Retry-Attempt of what was given the bad answer
}

// New puts a gate before the Prometheus at an address; wrap makes the server, httptest.NewServer for nil.
func New(t *testing.T, prometheus string, wrap func(http.Handler) *httptest.Server) *Gate {
	t.Helper()
	to, err := url.Parse(prometheus)
	if err != nil {
		t.Fatal(err)
	}
	if wrap == nil {
		wrap = httptest.NewServer
	}
	g := &Gate{}
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(to)
		if r.In.URL.Path == WritePath {
			r.Out.URL.Path = "/api/v1/write"
		}
		r.Out.Header.Del("Authorization")
	}}
	s := wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if b := g.judge(r); b != nil {
			if b.RetryAfter != "" {
				w.Header().Set("Retry-After", b.RetryAfter)
			}
			http.Error(w, b.Says, b.Status)
			return
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	g.URL = s.URL
	return g
}

// judge says what is wrong with a request; nil is nothing.
func (g *Gate) judge(r *http.Request) *Bad {
	g.mu.Lock()
	defer g.mu.Unlock()
	user, password, basic := r.BasicAuth()
	switch {
	case basic && (user != Username || password != Password), !basic && r.Header.Get("Authorization") != "Bearer "+Token:
		g.refused++
		return &Bad{Status: http.StatusUnauthorized, Says: "authentication error: invalid token"}
	case r.Header.Get("X-Scope-OrgID") != Tenant:
		g.refused++
		return &Bad{Status: http.StatusUnauthorized, Says: "no org id"}
	case !strings.HasSuffix(r.URL.Path, WritePath):
		return nil
	}
	if g.bad != nil && g.times != 0 && r.ContentLength > 1 { // an empty request is a check, and no write
		g.times--
		g.attempts = append(g.attempts, r.Header.Get("Retry-Attempt"))
		return g.bad
	}
	g.writes++
	return nil
}

// Answer gives the next writes a bad answer, so many times, always where times is below 0; nil is none.
func (g *Gate) Answer(times int, b *Bad) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.bad, g.times, g.attempts = b, times, nil
}

// Attempts are the headers Retry-Attempt of the writes that were given the bad answer.
func (g *Gate) Attempts() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return append([]string(nil), g.attempts...)
}

// Counts are how many writes were passed on, and how many requests were not let in.
func (g *Gate) Counts() (writes, refused int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.writes, g.refused
}
