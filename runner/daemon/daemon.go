// Package daemon puts the parts of the runner as a service together: the database, the scripts, Prometheus, the queue and the API.
package daemon

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/cgroup"
	"github.com/photofinish/photofinish/runner/config"
	"github.com/photofinish/photofinish/runner/engine/process"
	"github.com/photofinish/photofinish/runner/k6/confine"
	"github.com/photofinish/photofinish/runner/ledger"
	"github.com/photofinish/photofinish/runner/machine"
	"github.com/photofinish/photofinish/runner/metrics/promserver"
	"github.com/photofinish/photofinish/runner/schedule"
	"github.com/photofinish/photofinish/runner/scripts"
	"github.com/photofinish/photofinish/runner/server"
	"github.com/photofinish/photofinish/runner/service"
	"github.com/photofinish/photofinish/runner/stage"
	"github.com/photofinish/photofinish/runner/store/sqlite"
)

// DatabaseFile is the name of the database in the data folder.
const DatabaseFile = "races.db"

const (
	headerTimeout = 10 * time.Second
	bodyTimeout   = 30 * time.Second
	idleTimeout   = 2 * time.Minute
	maxHeader     = 64 << 10 // bytes
	// goodbye bounds the wait for answers that are under way when the runner shuts down, and for the ends of races that readers are told.
	goodbye = 5 * time.Second
)

// Daemon is a runner that is ready to listen.
type Daemon struct {
	config  config.Config
	log     *slog.Logger
	service *service.Service
	clock   *schedule.Scheduler
	handler http.Handler
	ending  chan struct{}
	ends    []func() error // last first
}

// New puts the parts together. all are the kinds of engines that this program has; the configuration chooses among them. Who gets a Daemon closes it.
func New(ctx context.Context, c config.Config, all stage.Engines, log *slog.Logger) (d *Daemon, err error) {
	d = &Daemon{config: c, log: log, ending: make(chan struct{})}
	defer func() {
		if err != nil {
			err = errors.Join(err, d.Close())
			d = nil
		}
	}()
	token, err := c.ReadToken()
	if err != nil {
		return d, err
	}
	if c.Token.Env != "" {
		if err := os.Unsetenv(c.Token.Env); err != nil { // nothing that is started here is to see it
			return d, fmt.Errorf("hide the token: %w", err)
		}
	}
	receiver, err := d.receiver(ctx)
	if err != nil {
		return d, err
	}
	engines, err := chosen(all, c.Engines)
	if err != nil {
		return d, err
	}
	if err := d.dataFolder(); err != nil {
		return d, err
	}
	if err := d.sweep(ctx, engines); err != nil {
		return d, err
	}
	db, err := sqlite.Open(ctx, filepath.Join(c.Data, DatabaseFile))
	if err != nil {
		return d, err
	}
	d.later(db.Close)
	library, err := d.scripts()
	if err != nil {
		return d, err
	}
	prometheusURL, embedded, err := d.prometheus(ctx, receiver)
	if err != nil {
		return d, err
	}
	metrics := prometheus.NewRegistry()
	metrics.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), server.RaceMetrics(db, log))
	racer := racer{engines: engines, k6: library.K6(), temp: d.temp(), prometheusURL: prometheusURL, pyroscopeURL: c.Pyroscope.URL, maxSeries: c.Limits.Series, receiver: receiver, log: log}
	if receiver != nil {
		racer.passing = embedded
	}
	d.service, err = service.New(ctx, service.Options{
		DB: db, Scripts: library, Race: racer.race, Engines: engines, CPUs: runtime.NumCPU(), LastCPU: machine.LastCPU(), Limits: c.Limits, Lanes: c.Lanes, Log: log, Phase: server.PhaseMetrics(metrics),
	})
	if err != nil {
		return d, err
	}
	d.clock, err = schedule.New(ctx, schedule.Options{Schedules: c.Schedules, Retention: c.Retention, Races: d.service, DB: db, Log: log, Metrics: metrics})
	if err != nil {
		return d, err
	}
	d.handler = server.New(server.Options{
		Races: d.service, Schedules: d.clock, Engines: engines, Token: token, Limits: c.Limits, Version: stage.Version(), Metrics: metrics, Log: log, Ending: d.ending,
	})
	return d, nil
}

func (d *Daemon) later(end func() error) { d.ends = append(d.ends, end) }

// Close frees what New took. It may be called again.
func (d *Daemon) Close() error {
	var errs []error
	for i := len(d.ends) - 1; i >= 0; i-- {
		errs = append(errs, d.ends[i]())
	}
	d.ends = nil
	return errors.Join(errs...)
}

func chosen(all stage.Engines, names []string) (stage.Engines, error) {
	var some stage.Engines
	for _, name := range names {
		kind, err := all.Choose(name, nil)
		if err != nil {
			return nil, race.Errorf(race.Invalid, race.HintOf(err), "engines: %w", err)
		}
		some = append(some, kind)
	}
	return some, nil
}

// dataFolder makes the folder of the database and keeps other runners out of it.
func (d *Daemon) dataFolder() error {
	if err := os.MkdirAll(d.config.Data, 0o700); err != nil {
		return race.Errorf(race.Unavailable, "name another folder as data in the configuration", "the data folder cannot be made: %w", err)
	}
	lock, err := os.OpenFile(filepath.Join(d.config.Data, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return race.Errorf(race.Unavailable, "name another folder as data in the configuration", "the data folder cannot be written to: %w", err)
	}
	d.later(lock.Close)
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil { // the kernel frees it with the process
		return race.Errorf(race.Unavailable, "stop it, or name another folder as data in the configuration", "another runner uses the data folder %s", d.config.Data)
	}
	// What a dead runner was working on is worthless, and nobody but us uses this folder.
	if err := errors.Join(os.RemoveAll(d.temp()), os.Mkdir(d.temp(), 0o700)); err != nil {
		return race.Errorf(race.Unavailable, "", "the folder for working files cannot be made anew: %w", err)
	}
	return nil
}

// temp is where working folders are made.
func (d *Daemon) temp() string { return filepath.Join(d.config.Data, "work") }

// sweep ends what dead runners left behind on this machine, before anything new is started.
func (d *Daemon) sweep(ctx context.Context, engines stage.Engines) error {
	races, err := ledger.Open("")
	if err != nil {
		return err
	}
	groups := cgroup.New()
	local, err := process.New(process.Options{Cgroups: groups, Ledger: races})
	if err != nil {
		return err
	}
	say := func(format string, args ...any) { d.log.WarnContext(ctx, fmt.Sprintf(format, args...)) }
	for _, kind := range engines {
		e, err := kind.Make(stage.EngineOptions{Cgroups: groups, Ledger: races})
		if err != nil {
			return err
		}
		if err := stage.Sweep(ctx, races, say, e); err != nil {
			d.log.WarnContext(ctx, "what dead runners left cannot be removed now; the next race tries again", "engine", kind.Name, "error", err)
		}
	}
	return stage.Sweep(ctx, races, say, local)
}

func (d *Daemon) scripts() (*scripts.Library, error) {
	c := d.config.Scripts
	if err := confine.Supported(); err != nil && !c.Unconfined {
		return nil, race.Errorf(race.Unavailable, "let scripts read what the runner may with scripts.unconfined: true, if you trust every one of them",
			"scripts cannot be confined to their folder: %w", err)
	}
	k, err := stage.SelfAsK6()
	if err != nil {
		return nil, err
	}
	k.Env = environment(c.Env, os.LookupEnv)
	library, err := scripts.Open(c.Folder, d.temp(), k, c.Unconfined)
	if err != nil {
		return nil, err
	}
	d.later(library.Close)
	return library, nil
}

// environment is what k6, and a script in __ENV, gets to see: what programs need to find things, and what the configuration names.
func environment(more []string, get func(string) (string, bool)) []string {
	env := []string{}
	for _, name := range append([]string{"PATH", "TMPDIR", "LANG", "TZ"}, more...) {
		if v, set := get(name); set {
			env = append(env, name+"="+v)
		}
	}
	return env
}

// receiver is the receiver of remote write that the configuration names, with the secrets that it wants; nil where it names none. One that does
// not let us in keeps the runner from starting, one that is away does not.
func (d *Daemon) receiver(ctx context.Context) (*promserver.Receiver, error) {
	c := d.config.RemoteWrite
	if !c.Given() {
		return nil, nil
	}
	r, err := promserver.NewReceiver(c, "remote_write", func(line string) { d.log.WarnContext(context.WithoutCancel(ctx), line) })
	if err != nil {
		return nil, err
	}
	if err := r.Check(ctx); err != nil {
		if !promserver.Away(err) {
			return nil, race.Errorf(race.CodeOf(err), race.HintOf(err), "remote_write: %w", err)
		}
		d.log.WarnContext(ctx, "the receiver of remote_write is away; what is for it waits on the disk", "error", err)
	}
	return r, nil
}

// prometheus starts the embedded Prometheus, unless the configuration names another one.
func (d *Daemon) prometheus(ctx context.Context, to *promserver.Receiver) (string, *promserver.Server, error) {
	c := d.config.Prometheus
	if c.URL != "" {
		return c.URL, nil, nil
	}
	embedded, err := promserver.Start(context.WithoutCancel(ctx), promserver.Options{Listen: c.Listen, Dir: filepath.Join(d.config.Data, "metrics"), Receiver: to})
	if err != nil {
		return "", nil, race.Errorf(race.CodeOf(err), "name another address as prometheus.listen, or a Prometheus of your own as prometheus.url", "prometheus: %w", err)
	}
	d.later(embedded.Close)
	d.log.InfoContext(ctx, "Prometheus is embedded", "url", embedded.URL())
	return embedded.URL(), embedded, nil
}

// Run listens and runs races until ctx ends; ready is told the address.
func (d *Daemon) Run(ctx context.Context, ready func(address string)) error {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", d.config.Listen)
	if err != nil {
		return race.Errorf(race.Unavailable, "stop the program that listens there, or choose another address as listen", "cannot listen on %s: %w", d.config.Listen, err)
	}
	api := &http.Server{
		Handler: d.handler, ReadHeaderTimeout: headerTimeout, ReadTimeout: bodyTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeader,
		ErrorLog: slog.NewLogLogger(d.log.Handler(), slog.LevelDebug),
	}
	serving := make(chan error, 1)
	go func() {
		if d.config.TLS.Cert != "" {
			serving <- api.ServeTLS(listener, d.config.TLS.Cert, d.config.TLS.Key)
			return
		}
		serving <- api.Serve(listener)
	}()
	ready(listener.Addr().String())
	racing := make(chan struct{})
	running, stop := context.WithCancelCause(ctx)
	go func() { defer close(racing); d.service.Run(running) }()
	go d.clock.Run(running)
	select {
	case err = <-serving:
		err = race.Errorf(race.Unavailable, "", "the API ended: %w", err)
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	stop(err)
	leaving, cancel := context.WithTimeout(context.WithoutCancel(ctx), goodbye)
	defer cancel()
	go func() { // readers of events stay until they can be told how the races ended
		defer close(d.ending)
		select {
		case <-racing:
		case <-leaving.Done():
		}
	}()
	if api.Shutdown(leaving) != nil { // somebody is still being answered
		_ = api.Close()
	}
	<-racing
	return err
}
