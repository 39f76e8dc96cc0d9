package promserver

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/golang/snappy"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	promconfig "github.com/prometheus/common/config"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/config"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/relabel"
	"github.com/prometheus/prometheus/storage/remote"
	"github.com/prometheus/prometheus/tsdb"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/access"
)

// Receiver is a receiver of remote write to which everything that the server holds is passed on. Prometheus' own queue does it, from the
// write-ahead log: what cannot be sent waits on the disk, and a fixed number of samples in memory.
type Receiver struct {
	// URL is the whole address, such as https://mimir/api/v1/push.
	URL string
	// HTTP is what it takes to be let in.
	HTTP promconfig.HTTPClientConfig
	// Warn is told, once each, of samples that were refused and of a receiver that does not answer; nil for nobody.
	Warn func(string)
}

// NewReceiver makes a receiver of what a configuration or flags say; key comes before the names of the keys in messages. The secrets are taken out
// of the environment, so that nothing which is started here sees them.
func NewReceiver(s access.Server, key string, warn func(string)) (*Receiver, error) {
	c, err := s.HTTP(key)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(s.Password.Hide(), s.Token.Hide()); err != nil {
		return nil, fmt.Errorf("%s: hide the secrets: %w", key, err)
	}
	return &Receiver{URL: s.URL, HTTP: c, Warn: warn}, nil
}

const (
	// sendTimeout bounds one request.
	sendTimeout = 10 * time.Second
	// sendWithin is how long samples wait for company. Three writers push each second, so that a request carries those of one of them.
	sendWithin = 200 * time.Millisecond
	// maxBackoff is the longest pause before another try, where the receiver names none.
	maxBackoff = 5 * time.Second
	// sendShards times sendCapacity is how many samples wait in memory: a race makes some hundreds a second.
	sendShards   = 4
	sendCapacity = 5000
	// flushDeadline is how long Close waits for the receiver.
	flushDeadline = 3 * time.Second
	// checkTries is how often Check asks a receiver that has a bad moment.
	checkTries = 3
	checkPause = time.Second
	// deliveryPoll is how often Deliver looks.
	deliveryPoll = 50 * time.Millisecond
	// mostWords bounds what is quoted of a receiver, in bytes.
	mostWords = 300
)

// mark is a series that is written to find out how far the queue has come; it is dropped there.
const mark = "photofinish_remote_write_mark"

func (r Receiver) config() (*config.RemoteWriteConfig, error) {
	u, err := url.Parse(r.URL)
	if err != nil {
		return nil, race.Errorf(race.Invalid, "write it like https://host/api/v1/push", "the address to write to is none")
	}
	c := config.DefaultRemoteWriteConfig
	c.Name, c.URL, c.HTTPClientConfig = "photofinish", &promconfig.URL{URL: u}, r.HTTP
	c.RemoteTimeout, c.SendNativeHistograms = model.Duration(sendTimeout), true
	c.MetadataConfig.Send = false // k6 has none
	c.QueueConfig.RetryOnRateLimit = true
	c.QueueConfig.BatchSendDeadline, c.QueueConfig.MaxBackoff = model.Duration(sendWithin), model.Duration(maxBackoff)
	c.QueueConfig.MaxShards, c.QueueConfig.Capacity = sendShards, sendCapacity
	expr, err := relabel.NewRegexp(mark)
	if err != nil {
		return nil, fmt.Errorf("the mark's name: %w", err)
	}
	drop := relabel.DefaultRelabelConfig
	drop.SourceLabels, drop.Regex, drop.Action, drop.NameValidationScheme = model.LabelNames{model.MetricNameLabel}, expr, relabel.Drop, model.UTF8Validation
	c.WriteRelabelConfigs = []*relabel.Config{&drop}
	return &c, nil
}

// Check makes sure, before a race, that the receiver can be reached, lets us in and takes remote writes. It writes nothing.
func (r Receiver) Check(ctx context.Context) error {
	c, err := r.config()
	if err != nil {
		return err
	}
	client, err := remote.NewWriteClient(c.Name, &remote.ClientConfig{
		URL: c.URL, Timeout: c.RemoteTimeout, HTTPClientConfig: c.HTTPClientConfig, RetryOnRateLimit: true, WriteProtoMsg: c.ProtobufMessage,
	})
	if err != nil {
		return race.Errorf(race.Invalid, "", "%s cannot be written to: %w", r, err)
	}
	for try := 1; ; try++ {
		_, err = client.Store(ctx, snappy.Encode(nil, nil), 0) // no series at all
		if err == nil || try == checkTries || !waits(err) {
			break
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(checkPause):
		}
	}
	switch said := words(err); {
	case err == nil, strings.Contains(said, "HTTP status 400"): // it was let in, and only an empty request is not to its taste
		return nil
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case strings.Contains(said, "HTTP status 401"), strings.Contains(said, "HTTP status 403"):
		return race.Errorf(race.Unavailable, "correct the name and password, the token or the tenant's header; a token needs the right to write metrics", "%s does not let us in: %s", r, said)
	case strings.Contains(said, "HTTP status 404"), strings.Contains(said, "HTTP status 405"), strings.Contains(said, "HTTP status 3"):
		return race.Errorf(race.Unavailable, "give the whole address of its receiver: …/api/v1/write of Prometheus and VictoriaMetrics, …/api/v1/push of Mimir, …/api/prom/push of Grafana Cloud, …/api/v1/receive of Thanos",
			"%s takes no remote writes: %s", r, said)
	default:
		return race.Errorf(race.Unavailable, "correct the address, or leave it out: everything is in the embedded Prometheus too", "%s cannot be written to: %w", r, away(said))
	}
}

// away is a receiver that cannot be reached, or has a bad moment; its text is the cause.
type away string

func (a away) Error() string { return string(a) }

// Away says whether an error of Check may pass by itself.
func Away(err error) bool {
	var a away
	return errors.As(err, &a)
}

// String is the address as it may be shown: without what may be secret in it.
func (r Receiver) String() string {
	u, err := url.Parse(r.URL)
	if err != nil {
		return "that address"
	}
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
}

// Delivery is what became of the samples, since Start.
type Delivery struct {
	To      string // the receiver's address; "" where there is none
	Sent    int64  // taken by the receiver
	Refused int64  // by the receiver, for good
	Waiting int64  // not taken yet
	// Answer is what the receiver said last of samples that it refused or that wait; "" is nothing.
	Answer string
}

// passing passes the samples on.
type passing struct {
	receiver Receiver
	storage  *remote.Storage
	ear      ear
	db       *tsdb.DB
	registry prometheus.Gatherer

	mu    sync.Mutex // of marks
	marks float64
}

// passOn begins to pass on what is written to the database from now on.
func (r Receiver) passOn(p parts) (*passing, error) {
	c, err := r.config()
	if err != nil {
		return nil, err
	}
	heard := ear{next: p.options.Logger.Handler(), receiver: r, heard: &heard{}}
	s := remote.NewStorage(slog.New(heard), p.registry, p.db.StartTime, p.dir, flushDeadline, nil, false)
	if err := s.ApplyConfig(&config.Config{GlobalConfig: config.DefaultGlobalConfig, RemoteWriteConfigs: []*config.RemoteWriteConfig{c}}); err != nil {
		_ = s.Close() // it has nothing yet
		return nil, race.Errorf(race.Invalid, "", "%s cannot be written to: %w", r, err)
	}
	p.db.SetWriteNotified(s)
	return &passing{receiver: r, storage: s, ear: heard, db: p.db, registry: p.registry}, nil
}

// close lets the queue send what it has, for a while.
func (p *passing) close() error {
	if p == nil {
		return nil
	}
	if err := p.storage.Close(); err != nil {
		return fmt.Errorf("stop writing to %s: %w", p.receiver, err)
	}
	return nil
}

// Delivered tells what became of the samples until now; nothing, where there is no receiver.
func (s *Server) Delivered() (Delivery, error) {
	if s.passing == nil {
		return Delivery{}, nil
	}
	c, err := s.passing.counts()
	return s.passing.delivery(c), err
}

// Deliver waits until everything that is in the database by now was taken or refused, but no longer than ctx lives.
func (s *Server) Deliver(ctx context.Context) (Delivery, error) {
	p := s.passing
	if p == nil {
		return Delivery{}, nil
	}
	marks, err := p.setMark(ctx)
	if err != nil {
		return Delivery{}, err
	}
	ticker := time.NewTicker(deliveryPoll)
	defer ticker.Stop()
	for due := -1.0; ; {
		c, err := p.counts()
		if err != nil {
			return Delivery{}, err
		}
		if due < 0 && c.marks >= marks { // the log was read up to the mark
			due = c.tried - c.retried + c.pending
		}
		// What is on its way counts as tried and as pending. Other samples may go on coming, so that there is always something pending.
		if due >= 0 && (c.pending == 0 || c.tried-c.retried-c.pending >= due) {
			d := p.delivery(c)
			d.Waiting = 0 // what has come since is not asked for
			return d, nil
		}
		select {
		case <-ctx.Done():
			return p.delivery(c), nil
		case <-ticker.C:
		}
	}
}

// setMark writes a sample of the mark, and tells how many there are now.
func (p *passing) setMark(ctx context.Context) (float64, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	a := p.db.Appender(ctx)
	if _, err := a.Append(0, labels.FromStrings(model.MetricNameLabel, mark), time.Now().UnixMilli(), p.marks+1); err != nil {
		return 0, fmt.Errorf("mark the end of what is to be delivered: %w", errors.Join(err, a.Rollback()))
	}
	if err := a.Commit(); err != nil {
		return 0, fmt.Errorf("mark the end of what is to be delivered: %w", err)
	}
	p.marks++
	return p.marks, nil
}

// counts are samples, histograms among them, since Start.
type counts struct {
	written float64 // to the database
	tried   float64 // each time that a sample was sent, again too
	retried float64
	refused float64
	pending float64 // in memory, or on their way
	marks   float64 // that the queue has come past
}

func (p *passing) delivery(c counts) Delivery {
	sent := max(0, c.tried-c.retried-c.refused-c.pending)
	return Delivery{
		To: p.receiver.String(), Sent: int64(sent), Refused: int64(c.refused), Waiting: int64(max(c.pending, c.written-c.marks-sent-c.refused)), Answer: p.ear.last(),
	}
}

// counts reads what Prometheus itself counts.
func (p *passing) counts() (c counts, err error) {
	families, err := p.registry.Gather()
	if err != nil {
		return c, fmt.Errorf("count what was delivered: %w", err)
	}
	into := map[string]*float64{
		"prometheus_tsdb_head_samples_appended_total":        &c.written,
		"prometheus_remote_storage_samples_total":            &c.tried,
		"prometheus_remote_storage_histograms_total":         &c.tried,
		"prometheus_remote_storage_samples_retried_total":    &c.retried,
		"prometheus_remote_storage_histograms_retried_total": &c.retried,
		"prometheus_remote_storage_samples_failed_total":     &c.refused,
		"prometheus_remote_storage_histograms_failed_total":  &c.refused,
		"prometheus_remote_storage_samples_pending":          &c.pending,
		"prometheus_remote_storage_histograms_pending":       &c.pending,
		"prometheus_remote_storage_samples_dropped_total":    &c.marks,
	}
	for _, f := range families {
		sum, wanted := into[f.GetName()]
		if !wanted {
			continue
		}
		for _, m := range f.GetMetric() {
			if sum != &c.marks || slices.ContainsFunc(m.GetLabel(), func(l *dto.LabelPair) bool { return l.GetValue() == "dropped_series" }) {
				*sum += m.GetCounter().GetValue() + m.GetGauge().GetValue()
			}
		}
	}
	return c, nil
}

// ear hears what the queue logs of the receiver's answers, and tells the first of each kind.
type ear struct {
	next     slog.Handler
	receiver Receiver
	*heard
}

type heard struct {
	mu                 sync.Mutex
	answer             string
	refused, unanswers bool
}

// last is the receiver's last answer to samples that it did not take.
func (h *heard) last() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.answer
}

// Enabled implements slog.Handler.
func (e ear) Enabled(ctx context.Context, l slog.Level) bool {
	return l >= slog.LevelWarn || e.next.Enabled(ctx, l)
}

// Handle implements slog.Handler.
func (e ear) Handle(ctx context.Context, r slog.Record) error {
	r.Attrs(func(a slog.Attr) bool {
		if err, failed := a.Value.Any().(error); failed && a.Key == "err" && r.Level >= slog.LevelWarn {
			e.hear(err, r.Level >= slog.LevelError)
		}
		return true
	})
	if !e.next.Enabled(ctx, r.Level) {
		return nil
	}
	return e.next.Handle(ctx, r) //nolint:wrapcheck // it only passes on
}

// hear notes an answer. for good: the samples are not sent again.
func (e ear) hear(err error, forGood bool) {
	said := words(err)
	e.mu.Lock()
	e.answer = said
	first := forGood && !e.refused || !forGood && !e.unanswers
	e.refused, e.unanswers = e.refused || forGood, e.unanswers || !forGood
	e.mu.Unlock()
	if !first || e.receiver.Warn == nil {
		return
	}
	if forGood {
		e.receiver.Warn(fmt.Sprintf("%s refused samples, which are not sent again (said once): %s", e.receiver, said))
		return
	}
	e.receiver.Warn(fmt.Sprintf("%s does not take samples now; they wait on the disk, and are tried again (said once): %s", e.receiver, said))
}

// WithAttrs implements slog.Handler.
func (e ear) WithAttrs(attrs []slog.Attr) slog.Handler {
	e.next = e.next.WithAttrs(attrs)
	return e
}

// WithGroup implements slog.Handler.
func (e ear) WithGroup(name string) slog.Handler {
	e.next = e.next.WithGroup(name)
	return e
}

// waits says whether a failure may pass by itself.
func waits(err error) bool {
	var again remote.RecoverableError
	return errors.As(err, &again)
}

// words are a receiver's own, or the network's, on one line and without the address, which may hold secrets.
func words(err error) string {
	if err == nil {
		return ""
	}
	var failed *url.Error
	if errors.As(err, &failed) {
		err = failed.Err
	}
	text := strings.Join(strings.Fields(strings.TrimPrefix(err.Error(), "server returned ")), " ")
	if len(text) > mostWords {
		text = strings.ToValidUTF8(text[:mostWords], "") + " …"
	}
	return text
}
