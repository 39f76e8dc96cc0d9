// Package app is what the sample apps have in common: one path that does the app's work, /healthz, profiles under /debug/pprof, a port, and an orderly
// end.
package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/pprof"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"
)

// grace is how long requests may take to end after a stop was asked for.
const grace = 5 * time.Second

// App is a sample app.
type App struct {
	Name string
	Port int    // where it listens, unless the variable PORT says otherwise
	Path string // where it does its work
	Work http.HandlerFunc
}

// Main serves the app until SIGTERM or SIGINT and returns the exit code: 1 if it could not be served.
func (a App) Main() int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	if err := a.serve(ctx, os.Getenv, os.Stdout); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", a.Name, err)
		return 1
	}
	return 0
}

// serve listens on HOST (every interface if it is empty, as a container must) and PORT until ctx ends.
func (a App) serve(ctx context.Context, env func(string) string, out io.Writer) error {
	port, err := a.port(env("PORT"))
	if err != nil {
		return err
	}
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", net.JoinHostPort(env("HOST"), strconv.Itoa(port)))
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("port %d is in use; choose another one by PORT: %w", port, err)
	}
	if err != nil {
		return fmt.Errorf("cannot listen on port %d: %w", port, err)
	}
	server := &http.Server{Handler: a.handler(), ReadHeaderTimeout: grace}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	_, _ = fmt.Fprintf(out, "%s listens on %s\n", a.Name, listener.Addr())
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	return server.Shutdown(last)
}

func (a App) port(text string) (int, error) {
	if text == "" {
		return a.Port, nil
	}
	port, err := strconv.Atoi(text)
	if err != nil || port < 1 || port > 65535 {
		return 0, fmt.Errorf("PORT is %q; it must be a number from 1 to 65535", text)
	}
	return port, nil
}

func (a App) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+a.Path, a.Work)
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprintln(w, "ok") })
	return mux
}
