package config

import (
	"fmt"
	"time"

	"github.com/adhocore/gronx"

	"github.com/photofinish/photofinish/pkg/race"
)

// Schedule starts a race by the clock, again and again.
type Schedule struct {
	// Name tells schedules apart, and is the name of their races.
	Name string `yaml:"name"`
	// Cron says when: minute, hour, day, month and weekday, a second before them if wanted, or @daily and the like.
	Cron string `yaml:"cron"`
	// TimeZone is where, an IANA name; "" is where the runner is.
	TimeZone string `yaml:"time_zone"`
	// Race is what POST /v1/races is asked for, without the name.
	Race map[string]any `yaml:"race"`
}

// Retention is which races stay: the newest Keep, and those that are younger than OlderThan. Races that have not ended always stay. Without Keep all stay.
type Retention struct {
	Keep      int      `yaml:"keep"`
	OlderThan Duration `yaml:"older_than"`
}

// Next is the first time after t at which the schedule is due.
func (s Schedule) Next(t time.Time) (time.Time, error) {
	where, err := s.location()
	if err != nil {
		return time.Time{}, err
	}
	next, err := gronx.NextTickAfter(s.Cron, t.In(where), false)
	if err != nil {
		return time.Time{}, fmt.Errorf("%q is never due: %w", s.Cron, err)
	}
	return next, nil
}

func (s Schedule) location() (*time.Location, error) {
	if s.TimeZone == "" {
		return time.Local, nil
	}
	where, err := time.LoadLocation(s.TimeZone)
	if err != nil {
		return nil, race.Errorf(race.Invalid, "name one like Europe/Berlin", "time zone %q is not known", s.TimeZone)
	}
	return where, nil
}

func checkSchedules(all []Schedule) error {
	names := map[string]bool{}
	for i, s := range all {
		key := fmt.Sprintf("schedules[%d]", i)
		switch {
		case s.Name == "":
			return wrong(key+".name", "it tells schedules apart, and names their races", "is missing")
		case names[s.Name]:
			return wrong(key+".name", "", "%q is used twice", s.Name)
		case !gronx.IsValid(s.Cron):
			return wrong(key+".cron", `write it like "0 3 * * *" (minute, hour, day, month, weekday) or @daily`, "%q is no cron expression", s.Cron)
		case s.Race["name"] != nil:
			return wrong(key+".race", "the schedule's name is the race's", "has a name of its own")
		}
		names[s.Name] = true
		if _, err := s.location(); err != nil {
			return wrong(key+".time_zone", race.HintOf(err), "%w", err)
		}
		if _, err := s.Next(time.Now()); err != nil {
			return wrong(key+".cron", "", "%w", err)
		}
	}
	return nil
}
