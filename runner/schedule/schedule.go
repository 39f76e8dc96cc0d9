// Package schedule starts races by the clock, one of each schedule at a time, and keeps account of every time that a schedule was due.
package schedule

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/config"
	"github.com/photofinish/photofinish/runner/service"
	"github.com/photofinish/photofinish/runner/store/sqlite"
)

const (
	// grace is how late a race may be started: later its time was missed. A nightly race by day would measure something else.
	grace = time.Minute
	// glance is the longest sleep: a clock that is set, and a machine that slept, are noticed by then.
	glance = 10 * time.Second
	// most is how many missed times are counted one by one.
	most = 10_000
	// told is how many past times are told of a schedule.
	told = 20
)

// Races are where races are asked for.
type Races interface {
	Submit(ctx context.Context, who service.Who, key string, body []byte) (a sqlite.Accepted, known bool, err error)
	Plan(ctx context.Context, body []byte) (service.Description, error)
}

// Options are what a Scheduler is made of.
type Options struct {
	Schedules []config.Schedule
	Retention config.Retention
	Races     Races
	DB        *sqlite.DB
	Log       *slog.Logger
	Metrics   prometheus.Registerer
	// Now is the clock; nil for the machine's.
	Now func() time.Time
}

// Scheduler starts races by the clock.
type Scheduler struct {
	Options
	entries []*entry
	ticks   *prometheus.CounterVec
	next    *prometheus.GaugeVec
}

// entry is a schedule and when it is due next.
type entry struct {
	config.Schedule
	body []byte // of the request
	mu   sync.Mutex
	next time.Time
}

// Told is a schedule as it is told of.
type Told struct {
	Name     string          `json:"name"`
	Cron     string          `json:"cron"`
	TimeZone *string         `json:"time_zone"`
	Race     json.RawMessage `json:"race"`
	// Next is when it is due next.
	Next time.Time `json:"next"`
	// Ticks are the last times at which it was due, the newest first.
	Ticks []sqlite.Tick `json:"ticks"`
}

// New reads the schedules' requests. A schedule that was due while no runner was there has missed that time.
func New(ctx context.Context, o Options) (*Scheduler, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	s := &Scheduler{
		Options: o,
		ticks: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "photofinish_schedule_ticks_total", Help: "Times at which a schedule was due, by what became of them: started, skipped, refused or missed.",
		}, []string{"schedule", "outcome"}),
		next: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "photofinish_schedule_next_timestamp_seconds", Help: "When a schedule is due next.",
		}, []string{"schedule"}),
	}
	o.Metrics.MustRegister(s.ticks, s.next)
	for i, schedule := range o.Schedules {
		e, err := s.enter(ctx, schedule)
		if err != nil {
			return nil, race.Errorf(race.CodeOf(err), race.HintOf(err), "schedules[%d]: %w", i, err)
		}
		s.entries = append(s.entries, e)
	}
	return s, nil
}

func (s *Scheduler) enter(ctx context.Context, schedule config.Schedule) (*entry, error) {
	asked := map[string]any{"name": schedule.Name}
	for key, value := range schedule.Race {
		asked[key] = value
	}
	body, err := json.Marshal(asked)
	if err != nil {
		return nil, race.Errorf(race.Invalid, "", "race: cannot be written as JSON: %w", err)
	}
	if _, err := service.ParseRequest(body); err != nil {
		return nil, race.Errorf(race.Invalid, race.HintOf(err), "race: %w", err)
	}
	for _, outcome := range []sqlite.Outcome{sqlite.Started, sqlite.Skipped, sqlite.Refused, sqlite.Missed} {
		s.ticks.WithLabelValues(schedule.Name, string(outcome)) // from 0 on, so that a rule sees the first
	}
	e := &entry{Schedule: schedule, body: body}
	since := s.Now()
	last, err := s.DB.Ticks(ctx, schedule.Name, 1)
	if err != nil {
		return nil, err
	}
	if len(last) > 0 {
		since = last[0].Due
	}
	if e.next, err = schedule.Next(since); err != nil {
		return nil, err
	}
	return e, nil
}

// Run starts races until ctx ends.
func (s *Scheduler) Run(ctx context.Context) {
	for _, e := range s.entries {
		if _, err := s.Races.Plan(ctx, e.body); err != nil && ctx.Err() == nil {
			s.Log.WarnContext(ctx, "the race of a schedule is not possible as things are", "schedule", e.Name, "error", err, "hint", race.HintOf(err))
		}
	}
	for ctx.Err() == nil && len(s.entries) > 0 {
		sleep := glance
		for _, e := range s.entries {
			if err := s.look(ctx, e); err != nil && ctx.Err() == nil {
				s.Log.ErrorContext(ctx, "a schedule cannot be kept; it is tried again", "schedule", e.Name, "error", err)
				continue
			}
			sleep = max(min(sleep, e.due().Sub(s.Now())), 0)
		}
		select {
		case <-time.After(sleep):
		case <-ctx.Done():
		}
	}
}

func (e *entry) due() time.Time {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.next
}

// look does what a schedule is due for, and finds out when it is due next.
func (s *Scheduler) look(ctx context.Context, e *entry) error {
	due, now := e.due(), s.Now()
	s.next.WithLabelValues(e.Name).Set(float64(due.Unix()))
	if due.After(now) {
		return nil
	}
	earlier := 0
	next, err := e.Next(due)
	for err == nil && !next.After(now) && earlier < most { // of several times that are over, the last is dealt with
		earlier++
		due = next
		next, err = e.Next(due)
	}
	if err == nil && !next.After(now) {
		next, err = e.Next(now)
	}
	if err != nil {
		return err //nolint:wrapcheck // it names the expression
	}
	tick := sqlite.Tick{Due: due.UTC()}
	if now.Sub(due) > grace {
		tick.Outcome, tick.Detail = sqlite.Missed, "the runner was not there"
	} else {
		s.start(ctx, e, &tick)
	}
	if earlier > 0 {
		tick.Detail = strings.TrimPrefix(fmt.Sprintf("%s; %d times before it were missed, since the runner was not there", tick.Detail, earlier), "; ")
	}
	if err := s.DB.Tick(ctx, e.Name, tick); err != nil {
		return err
	}
	s.account(ctx, e, tick, earlier)
	e.mu.Lock()
	e.next = next
	e.mu.Unlock()
	s.next.WithLabelValues(e.Name).Set(float64(next.Unix()))
	return nil
}

// start asks for the race of a time. The key keeps a runner that dies right after from asking again.
func (s *Scheduler) start(ctx context.Context, e *entry, tick *sqlite.Tick) {
	before, err := s.underWay(ctx, e.Name)
	if err == nil && before != "" {
		tick.Outcome, tick.Detail = sqlite.Skipped, "race "+before+" of the time before has not ended"
		return
	}
	s.prune(ctx)
	who := service.Who{User: "schedule " + e.Name}
	accepted, _, err := s.Races.Submit(ctx, who, who.User+" "+tick.Due.Format(time.RFC3339), e.body)
	if err != nil {
		tick.Outcome, tick.Detail = sqlite.Refused, err.Error()
		return
	}
	tick.Outcome, tick.Race = sqlite.Started, &accepted.ID
}

// underWay is the id of the schedule's last race while it has not ended.
func (s *Scheduler) underWay(ctx context.Context, name string) (string, error) {
	ticks, err := s.DB.Ticks(ctx, name, told)
	if err != nil {
		return "", err
	}
	for _, t := range ticks {
		if t.Race == nil {
			continue
		}
		k, err := s.DB.Get(ctx, *t.Race)
		if err != nil || k.Status.Ended() { // it may have been removed
			return "", nil //nolint:nilerr // then it is not under way
		}
		return k.ID, nil
	}
	return "", nil
}

// prune removes old races. It is done before a race, not during one: the disk would be busy with it.
func (s *Scheduler) prune(ctx context.Context) {
	if s.Retention.Keep == 0 {
		return
	}
	n, err := s.DB.Prune(ctx, s.Now().Add(-time.Duration(s.Retention.OlderThan)), s.Retention.Keep, false)
	switch {
	case err != nil:
		s.Log.ErrorContext(ctx, "old races cannot be removed", "error", err)
	case n > 0:
		s.Log.InfoContext(ctx, "old races were removed", "races", n, "kept", s.Retention.Keep)
	}
}

// account tells of a time in the log and the metrics.
func (s *Scheduler) account(ctx context.Context, e *entry, t sqlite.Tick, earlier int) {
	s.ticks.WithLabelValues(e.Name, string(t.Outcome)).Inc()
	s.ticks.WithLabelValues(e.Name, string(sqlite.Missed)).Add(float64(earlier))
	log := s.Log.With("schedule", e.Name, "due", t.Due)
	if t.Outcome == sqlite.Started {
		log.InfoContext(ctx, "a race was started by its schedule", "race", *t.Race, "detail", t.Detail)
		return
	}
	log.WarnContext(ctx, "a race was not started by its schedule", "outcome", t.Outcome, "detail", t.Detail)
}

// Schedules tells of all schedules.
func (s *Scheduler) Schedules(ctx context.Context) ([]Told, error) {
	all := []Told{}
	for _, e := range s.entries {
		ticks, err := s.DB.Ticks(ctx, e.Name, told)
		if err != nil {
			return nil, err
		}
		t := Told{Name: e.Name, Cron: e.Cron, Race: e.body, Next: e.due().UTC(), Ticks: ticks}
		if e.TimeZone != "" {
			t.TimeZone = &e.TimeZone
		}
		all = append(all, t)
	}
	return all, nil
}
