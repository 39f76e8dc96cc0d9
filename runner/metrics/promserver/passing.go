package promserver

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/config"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage/remote"
	"github.com/prometheus/prometheus/tsdb"

	"github.com/photofinish/photofinish/pkg/race"
)

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
