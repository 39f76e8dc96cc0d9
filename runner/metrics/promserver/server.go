package promserver

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/prometheus/tsdb"
	"github.com/prometheus/prometheus/util/features"

	"github.com/photofinish/photofinish/pkg/race"
)

// Times that keep a stuck client or disk from holding up the runner.
const (
	closeTimeout  = 10 * time.Second // Close gives up after it
	drainTimeout  = 2 * time.Second  // running queries get this much of it
	headerTimeout = 5 * time.Second
)

// Server is a running Prometheus. Its methods may be called concurrently.
type Server struct {
	address string
	http    *http.Server
	served  chan struct{} // closed when the listener is
	scraper *scraper
	passing *passing           // nil where there is no receiver
	stop    context.CancelFunc // ends the scraper
	release func() error       // closes the engine and the database, and removes a temporary folder
	once    sync.Once
	err     error
}

// Start opens the database in o.Dir, listens, and begins to scrape. The server answers when Start returns, and until Close;
// ctx bounds the start only. Errors: race.Invalid for options that make no sense, race.Unavailable for a port in use or an unusable folder.
func Start(ctx context.Context, o Options) (*Server, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	// The port first: it is what fails most often, and it leaves nothing behind.
	l, err := listen(ctx, o.Listen, o.AllowRemote)
	if err != nil {
		return nil, err
	}
	s, err := start(context.WithoutCancel(ctx), o, l)
	if err != nil {
		return nil, errors.Join(err, ignoreClosed(l.Close()))
	}
	return s, nil
}

func start(ctx context.Context, o Options, l net.Listener) (*Server, error) {
	dir, remove, err := folder(o.Dir)
	if err != nil {
		return nil, err
	}
	p := parts{
		options: o, stats: tsdb.NewDBStats(), parser: newParser(), registry: prometheus.NewRegistry(), features: features.NewRegistry(),
		address: reachable(l), dir: dir, started: time.Now().UTC(),
	}
	if p.db, err = openDB(dir, o.Logger, p.registry, p.stats); err != nil {
		return nil, errors.Join(err, remove())
	}
	p.engine = newEngine(p)
	var passing *passing
	release := func() error { return errors.Join(passing.close(), p.engine.Close(), closeDB(p.db, dir), remove()) }
	if o.Receiver != nil {
		if passing, err = o.Receiver.passOn(p); err != nil {
			return nil, errors.Join(err, release())
		}
	}
	if p.cfg, err = configure(o, p.address); err == nil {
		p.scraper, err = newScraper(o.Logger, p.db, p.registry)
	}
	if err != nil {
		return nil, errors.Join(err, release())
	}
	s := serve(ctx, p, l, release)
	s.passing = passing
	return s, nil
}

func serve(ctx context.Context, p parts, l net.Listener, release func() error) *Server {
	log := p.options.Logger
	ctx, stop := context.WithCancel(ctx)
	s := &Server{
		address: p.address,
		http: &http.Server{
			Handler:           p.handler(),
			ReadHeaderTimeout: headerTimeout,
			ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
		},
		served: make(chan struct{}), scraper: p.scraper, stop: stop, release: release,
	}
	go func() {
		defer close(s.served)
		if err := s.http.Serve(l); err != nil && !errors.Is(err, http.ErrServerClosed) {
			log.Error("the metrics API ended", "err", err)
		}
	}()
	go p.scraper.run(ctx, p.cfg, log)
	return s
}

// URL is the address to give to Grafana, promtool or client_golang: http://127.0.0.1:port.
func (s *Server) URL() string { return "http://" + s.address }

// RemoteWriteURL is where k6 and other writers push, by remote write 1.0 or 2.0.
func (s *Server) RemoteWriteURL() string { return s.URL() + "/api/v1/write" }

// Ready says whether the server takes samples and answers queries: from Start's return until Close.
func (s *Server) Ready() bool {
	select {
	case <-s.served:
		return false
	default:
		return true
	}
}

// Close stops scraping, lets running requests end, writes out what is in memory and frees the port and the database.
// It returns within closeTimeout, with an error if not all was done by then, and may be called again.
func (s *Server) Close() error {
	s.once.Do(func() {
		done := make(chan error, 1)
		go func() { done <- s.close() }()
		select {
		case s.err = <-done:
		case <-time.After(closeTimeout):
			s.err = race.Errorf(race.Internal, "", "the metrics server did not close within %s", closeTimeout)
		}
	})
	return s.err
}

func (s *Server) close() error {
	s.stop()
	<-s.scraper.stopped
	ctx, cancel := context.WithTimeout(context.Background(), drainTimeout)
	defer cancel()
	if err := s.http.Shutdown(ctx); err != nil {
		// Somebody holds a connection: cut it. The error of that is his.
		_ = s.http.Close()
	}
	<-s.served
	return s.release()
}

// folder makes the temporary folder if dir is empty; remove undoes it.
func folder(dir string) (path string, remove func() error, err error) {
	if dir != "" {
		return dir, func() error { return nil }, nil
	}
	path, err = os.MkdirTemp("", "photofinish-metrics-")
	if err != nil {
		return "", nil, race.Errorf(race.Unavailable, "Set TMPDIR to a folder that you may write to.", "cannot make a folder for the metrics: %w", err)
	}
	return path, func() error { return os.RemoveAll(path) }, nil
}

// closeDB closes the database; that its folder was removed meanwhile does no harm.
func closeDB(db *tsdb.DB, dir string) error {
	if err := db.Close(); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("closing the metrics database in %s: %w", dir, err)
	}
	return nil
}

func ignoreClosed(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}
