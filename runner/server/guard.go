package server

import (
	"context"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/photofinish/photofinish/runner/service"
)

// The headers in which a program that holds the token says for whom it asks.
const (
	userHeader = "X-Photofinish-User"
	orgHeader  = "X-Photofinish-Org"
	// maxWho bounds what is believed of them, in bytes.
	maxWho = 200
)

type whoKey struct{}

// guarded lets only those in who know the token, and notes who asks for what.
func (a *api) guarded(r route) http.HandlerFunc {
	return func(w http.ResponseWriter, req *http.Request) {
		if !r.lasting {
			_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(answerTimeout)) // a writer of a test has none
		}
		seen := &statusWriter{ResponseWriter: w, route: r.path}
		defer a.note(seen, req, time.Now())
		if !r.open && !a.letIn(seen, req) {
			return
		}
		who := service.Who{}
		if a.Token.Known() { // without one anybody could write these
			who = service.Who{User: clean(req.Header.Get(userHeader)), Org: clean(req.Header.Get(orgHeader))}
		}
		seen.who = who
		r.do(seen, req.WithContext(context.WithValue(req.Context(), whoKey{}, who)))
	}
}

func whoOf(ctx context.Context) service.Who {
	who, _ := ctx.Value(whoKey{}).(service.Who)
	return who
}

// clean takes what would break a line of a log out of a name, and what is left of a character that was cut.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s[:min(len(s), maxWho)], ""))
}

func (a *api) letIn(w http.ResponseWriter, r *http.Request) bool {
	if !a.Token.Known() {
		// Only this machine reaches us. A page in its browser must not: it comes under a name of its own (DNS rebinding), or says where it is from.
		if host := hostOf(r.Host); host != "localhost" && !isLoopback(host) {
			refuse(w, http.StatusForbidden, "forbidden", "this runner has no token and answers to 127.0.0.1 and localhost only, not to "+host, "give it a token in its configuration")
			return false
		}
		if origin := r.Header.Get("Origin"); origin != "" && r.Method != http.MethodGet {
			refuse(w, http.StatusForbidden, "forbidden", "this runner has no token and takes no orders from web pages", "give it a token in its configuration")
			return false
		}
		return true
	}
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") || !a.Token.Is(strings.TrimSpace(token)) {
		w.Header().Set("WWW-Authenticate", `Bearer realm="photofinish"`)
		refuse(w, http.StatusUnauthorized, "unauthorized", "the runner's bearer token is needed, and this is not it", "send Authorization: Bearer TOKEN")
		return false
	}
	return true
}

func hostOf(hostport string) string {
	if host, _, err := net.SplitHostPort(hostport); err == nil {
		return host
	}
	return strings.Trim(hostport, "[]")
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// statusWriter remembers what was answered.
type statusWriter struct {
	http.ResponseWriter
	route  string
	who    service.Who
	status int
}

func (w *statusWriter) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *statusWriter) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return w.ResponseWriter.Write(p)
}

// Unwrap lets http.ResponseController reach the connection.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// note logs who asked for what: changes always, questions where somebody wants to know.
func (a *api) note(w *statusWriter, r *http.Request, start time.Time) {
	took := time.Since(start)
	a.meter.answered(w.route, r.Method, w.status, took)
	log := a.Log.DebugContext
	switch {
	case w.status >= http.StatusInternalServerError:
		log = a.Log.ErrorContext
	case r.Method != http.MethodGet || w.status == http.StatusUnauthorized:
		log = a.Log.InfoContext
	}
	log(r.Context(), "answered", "method", r.Method, "path", r.URL.Path, "status", w.status, "user", w.who.User, "org", w.who.Org,
		"remote", r.RemoteAddr, "took", took.Round(time.Millisecond/10))
}
