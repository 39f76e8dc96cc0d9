package schedule_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/config"
	"github.com/photofinish/photofinish/runner/schedule"
	"github.com/photofinish/photofinish/runner/service"
	"github.com/photofinish/photofinish/runner/store/sqlite"
)

// races accepts races into a real database and never runs them; refuse makes it refuse them.
type races struct {
	db     *sqlite.DB
	refuse error
	asked  []string
}

func (r *races) Plan(context.Context, []byte) (service.Description, error) {
	return service.Description{}, nil
}

func (r *races) Submit(ctx context.Context, who service.Who, key string, body []byte) (a sqlite.Accepted, known bool, err error) {
	r.asked = append(r.asked, who.User+" "+string(body))
	if r.refuse != nil {
		return a, false, r.refuse
	}
	return r.db.Accept(ctx, sqlite.New{
		Record: race.Race{ID: "race-" + strconv.Itoa(len(r.asked)), Name: "nightly", Status: race.Queued}, CreatedAt: time.Now(), Request: body, Key: key, RequestHash: service.Hash(body),
	}, 10)
}

func (r *races) end(t *testing.T, id string) {
	t.Helper()
	_, err := r.db.Stop(t.Context(), id, "", time.Now())
	require.NoError(t, err)
}

func open(t *testing.T) *races {
	t.Helper()
	db, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "races.db"))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return &races{db: db}
}

// clock is a clock that the test sets.
type clock struct{ now time.Time }

// runner is a scheduler for one race every day at three in Berlin.
func (c *clock) runner(t *testing.T, r *races, retention config.Retention) (*schedule.Scheduler, *prometheus.Registry) {
	t.Helper()
	registry := prometheus.NewRegistry()
	s, err := schedule.New(t.Context(), schedule.Options{
		Schedules: []config.Schedule{{Name: "nightly", Cron: "0 3 * * *", TimeZone: "Europe/Berlin", Race: map[string]any{"script": "a.js", "load": map[string]any{"rate": 50}}}},
		Retention: retention, Races: r, DB: r.db, Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Metrics: registry, Now: func() time.Time { return c.now },
	})
	require.NoError(t, err)
	return s, registry
}

// at lets a scheduler look once at a time.
func (c *clock) at(t *testing.T, s *schedule.Scheduler, now time.Time) schedule.Told {
	t.Helper()
	c.now = now
	require.NoError(t, s.LookNow(t.Context()))
	all, err := s.Schedules(t.Context())
	require.NoError(t, err)
	require.Len(t, all, 1)
	return all[0]
}

// three is three in the morning in Berlin, on a day of November.
func three(day int) time.Time { return time.Date(2026, 11, day, 2, 0, 0, 0, time.UTC) }

func TestARaceIsAskedForWhenItsTimeHasCome(t *testing.T) {
	r, c := open(t), &clock{three(1).Add(-time.Hour)}
	s, metrics := c.runner(t, r, config.Retention{})
	told := c.at(t, s, three(1).Add(-time.Second))
	require.Equal(t, three(1), told.Next)
	require.Empty(t, told.Ticks)
	require.Empty(t, r.asked)

	told = c.at(t, s, three(1).Add(2*time.Second))
	require.Equal(t, three(2), told.Next)
	require.Len(t, told.Ticks, 1)
	require.Equal(t, sqlite.Started, told.Ticks[0].Outcome)
	require.Equal(t, "race-1", *told.Ticks[0].Race)
	require.Equal(t, []string{`schedule nightly {"load":{"rate":50},"name":"nightly","script":"a.js"}`}, r.asked)
	c.at(t, s, three(1).Add(3*time.Second))
	require.Len(t, r.asked, 1, "once")
	require.NoError(t, testutil.GatherAndCompare(metrics, strings.NewReader(`# HELP photofinish_schedule_ticks_total Times at which a schedule was due, by what became of them: started, skipped, refused or missed.
# TYPE photofinish_schedule_ticks_total counter
photofinish_schedule_ticks_total{outcome="missed",schedule="nightly"} 0
photofinish_schedule_ticks_total{outcome="refused",schedule="nightly"} 0
photofinish_schedule_ticks_total{outcome="skipped",schedule="nightly"} 0
photofinish_schedule_ticks_total{outcome="started",schedule="nightly"} 1
`), "photofinish_schedule_ticks_total"))
}

func TestOneRaceOfAScheduleAtATime(t *testing.T) {
	r, c := open(t), &clock{three(1).Add(-time.Hour)}
	s, _ := c.runner(t, r, config.Retention{})
	c.at(t, s, three(1))
	told := c.at(t, s, three(2))
	require.Equal(t, sqlite.Skipped, told.Ticks[0].Outcome)
	require.Contains(t, told.Ticks[0].Detail, "race-1")
	r.end(t, "race-1")
	told = c.at(t, s, three(3))
	require.Equal(t, sqlite.Started, told.Ticks[0].Outcome)
	require.Len(t, told.Ticks, 3)
}

func TestTimesWithoutARunnerAreMissedAndTold(t *testing.T) {
	r, c := open(t), &clock{three(1).Add(-time.Hour)}
	s, _ := c.runner(t, r, config.Retention{})
	c.at(t, s, three(1))
	r.end(t, "race-1")

	s, metrics := c.runner(t, r, config.Retention{}) // four days later another runner
	told := c.at(t, s, three(5).Add(5*time.Hour))
	require.Len(t, told.Ticks, 2)
	require.Equal(t, sqlite.Missed, told.Ticks[0].Outcome)
	require.Equal(t, three(5), told.Ticks[0].Due)
	require.Contains(t, told.Ticks[0].Detail, "3 times before it")
	require.Equal(t, three(6), told.Next)
	require.Len(t, r.asked, 1, "it is not made up for")
	require.InDelta(t, 4, testutil.ToFloat64(counter(t, metrics, "missed")), 0)

	s, _ = c.runner(t, r, config.Retention{})
	require.Len(t, c.at(t, s, three(5).Add(6*time.Hour)).Ticks, 2, "it is told of once")
	told = c.at(t, s, three(6).Add(59*time.Second))
	require.Equal(t, sqlite.Started, told.Ticks[0].Outcome, "a little late still counts")
}

func TestARunnerThatDiesRightAfterItAskedDoesNotAskAgain(t *testing.T) {
	r, c := open(t), &clock{three(1).Add(-time.Hour)}
	first, _ := c.runner(t, r, config.Retention{})
	second, _ := c.runner(t, r, config.Retention{}) // knows nothing of what the first will do
	c.at(t, first, three(1))
	r.end(t, "race-1")
	told := c.at(t, second, three(1).Add(10*time.Second))
	require.Equal(t, "race-1", *told.Ticks[0].Race, "the same key is the same race")
}

func TestWhatIsRefusedIsToldOf(t *testing.T) {
	r, c := open(t), &clock{three(1).Add(-time.Hour)}
	s, _ := c.runner(t, r, config.Retention{})
	r.refuse = race.Errorf(race.Unavailable, "", "the queue is full")
	told := c.at(t, s, three(1))
	require.Equal(t, sqlite.Refused, told.Ticks[0].Outcome)
	require.Equal(t, "the queue is full", told.Ticks[0].Detail)
	require.Nil(t, told.Ticks[0].Race)
}

func TestOldRacesAreRemovedBeforeTheNext(t *testing.T) {
	later := func(day int) time.Time { return three(day).AddDate(1, 0, 0) } // than the races are accepted, which is now
	r, c := open(t), &clock{later(1).Add(-time.Hour)}
	s, _ := c.runner(t, r, config.Retention{Keep: 1})
	for day := 1; day <= 3; day++ {
		r.end(t, *c.at(t, s, later(day)).Ticks[0].Race)
	}
	ids, err := r.db.IDs(t.Context())
	require.NoError(t, err)
	require.Equal(t, []string{"race-2", "race-3"}, ids, "the newest that had ended, and the one that was started then")
}

func TestAClockThatIsSetIsNoticedWithinSeconds(t *testing.T) {
	r := open(t)
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		c := &clock{three(1).Add(-5 * time.Hour)}
		s, _ := c.runner(t, r, config.Retention{})
		done := make(chan struct{})
		go func() { defer close(done); s.Run(ctx) }()
		synctest.Wait()
		require.Empty(t, r.asked)
		c.now = three(1).Add(time.Second)
		time.Sleep(10 * time.Second)
		synctest.Wait()
		require.Len(t, r.asked, 1)
		cancel()
		<-done
	})
}

func counter(t *testing.T, registry *prometheus.Registry, outcome string) prometheus.Collector {
	t.Helper()
	families, err := registry.Gather()
	require.NoError(t, err)
	g := prometheus.NewGauge(prometheus.GaugeOpts{Name: "it"})
	for _, f := range families {
		for _, m := range f.GetMetric() {
			for _, l := range m.GetLabel() {
				if f.GetName() == "photofinish_schedule_ticks_total" && l.GetValue() == outcome {
					g.Set(m.GetCounter().GetValue())
				}
			}
		}
	}
	return g
}

func TestARequestThatCannotBeRightIsRefusedAtTheStart(t *testing.T) {
	r := open(t)
	for text, want := range map[string]string{
		`{"heats": 3}`:                     "schedules[0]: race: script: is missing",
		`{"script": "a.js", "colour": 1}`:  `schedules[0]: race: unknown key "colour"`,
		`{"script": "a.js", "heats": "x"}`: "schedules[0]: race: heats: must be a whole number",
	} {
		var asked map[string]any
		require.NoError(t, json.Unmarshal([]byte(text), &asked))
		_, err := schedule.New(t.Context(), schedule.Options{
			Schedules: []config.Schedule{{Name: "n", Cron: "@daily", Race: asked}}, Races: r, DB: r.db, Metrics: prometheus.NewRegistry(),
		})
		require.ErrorContains(t, err, want)
	}
}
