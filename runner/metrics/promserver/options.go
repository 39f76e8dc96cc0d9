package promserver

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"syscall"
	"time"

	"github.com/photofinish/photofinish/pkg/race"
)

// DefaultListen lets the kernel choose a free port on the loopback interface.
const DefaultListen = "127.0.0.1:0"

// DefaultScrapeInterval is the grid on which a race is compared.
const DefaultScrapeInterval = time.Second

// minScrapeInterval keeps a typo (1 for 1s is a nanosecond) from turning the scraper into a busy loop.
const minScrapeInterval = 100 * time.Millisecond

// Options say where the server listens, where it keeps its data and what it scrapes.
type Options struct {
	// Listen is host:port; "" is DefaultListen.
	Listen string
	// AllowRemote permits a Listen address outside the loopback interface. The API knows no passwords: whoever reaches it may read and write.
	AllowRemote bool
	// Dir holds the database and is kept on Close; "" is a temporary folder that Close removes.
	Dir string
	// Logger hears what Prometheus says; nil for nobody.
	Logger *slog.Logger
	// ScrapeInterval holds for all targets; 0 is DefaultScrapeInterval.
	ScrapeInterval time.Duration
	// Targets are scraped from Start to Close. Sample times that a target gives are kept.
	Targets []ScrapeTarget
	// Receiver gets everything that is written, too; nil for nobody.
	Receiver *Receiver
}

// ScrapeTarget is something that shows metrics: either URL or Handler is set.
type ScrapeTarget struct {
	// Job is the label job of the series; unique among the targets.
	Job string
	// URL is the whole address, path included.
	URL string
	// Handler is a target in this process. The server shows it as /scrape/<job>, so that people can look at it too.
	Handler http.Handler
	// Labels are added to every series of the target.
	Labels map[string]string
}

var jobPattern = regexp.MustCompile(`^[A-Za-z0-9_-]{1,63}$`)

func (o Options) withDefaults() (Options, error) {
	if o.Listen == "" {
		o.Listen = DefaultListen
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.ScrapeInterval == 0 {
		o.ScrapeInterval = DefaultScrapeInterval
	}
	if o.ScrapeInterval < minScrapeInterval {
		return o, race.Errorf(race.Invalid, "Use 1s or more.", "scrape interval %s is below %s", o.ScrapeInterval, minScrapeInterval)
	}
	jobs := map[string]bool{}
	for _, t := range o.Targets {
		if err := t.validate(); err != nil {
			return o, err
		}
		if jobs[t.Job] {
			return o, race.Errorf(race.Invalid, "", "scrape target %q is there twice", t.Job)
		}
		jobs[t.Job] = true
	}
	return o, nil
}

func (t ScrapeTarget) validate() error {
	if !jobPattern.MatchString(t.Job) {
		return race.Errorf(race.Invalid, "Use letters, digits, _ and -.", "scrape target %q: the name is not usable as a job", t.Job)
	}
	if (t.URL == "") == (t.Handler == nil) {
		return race.Errorf(race.Invalid, "", "scrape target %q needs either a URL or a handler", t.Job)
	}
	if t.Handler != nil {
		return nil
	}
	u, err := url.Parse(t.URL)
	if err != nil {
		return race.Errorf(race.Invalid, "", "scrape target %q: %w", t.Job, err)
	}
	if (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		return race.Errorf(race.Invalid, "Give it as http://host:port/metrics.", "scrape target %q: %q is not an http address", t.Job, t.URL)
	}
	return nil
}

// listen opens the port, or says why not in words that a user of --listen understands.
func listen(ctx context.Context, addr string, allowRemote bool) (net.Listener, error) {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, race.Errorf(race.Invalid, "Give it as 127.0.0.1:9090.", "the metrics address %q is not host:port: %w", addr, err)
	}
	if !allowRemote && !loopback(host) {
		return nil, race.Errorf(race.Invalid, "Use 127.0.0.1, or reach it through a proxy that asks for a password.",
			"the metrics address %q is reachable from other machines, and this API knows no passwords", addr)
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", addr)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, race.Errorf(race.Unavailable, "Stop the program that holds the port, or choose another one with --listen (127.0.0.1:0 takes any free one).",
			"the metrics address %s is already in use: %w", addr, err)
	case err != nil:
		return nil, race.Errorf(race.Unavailable, "Choose another address with --listen.", "cannot listen on the metrics address %s: %w", addr, err)
	}
	return l, nil
}

func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// reachable is the address by which this machine reaches a listener, also one that is bound to all interfaces.
func reachable(l net.Listener) string {
	tcp, ok := l.Addr().(*net.TCPAddr)
	if !ok {
		return l.Addr().String()
	}
	if tcp.IP.IsUnspecified() {
		return fmt.Sprintf("127.0.0.1:%d", tcp.Port)
	}
	return tcp.String()
}
