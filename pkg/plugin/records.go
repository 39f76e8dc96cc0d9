package plugin

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/pkg/runnerclient"
)

// records is the one way to the runner's records. Panels of a dashboard and rules of alerting ask for the same ones: equal questions that are
// under way are asked once, and records that will not change any more are remembered for a while.
type records struct {
	runner *runnerclient.Client // nil where there is none
	broken error                // why the runner's settings cannot be used
	memory *memory
	pages  flights[runnerclient.Page]
	// listed are pages, apart from memory: a long list must not drive everything else out.
	listed *memory
	single flights[race.Race]
}

// since are the records of all races that were not over by a time, and of some others, up to maxListed, those that were asked for last first. more: there
// are others. There are none without a runner.
func (s *records) since(ctx context.Context, from time.Time) (found []runnerclient.Record, more bool, err error) {
	if s.broken != nil {
		return nil, false, s.broken
	}
	if s.runner == nil {
		return nil, false, nil
	}
	filter := runnerclient.Filter{Limit: firstPage}
	for {
		page, err := s.page(ctx, filter)
		if err != nil {
			return nil, false, err // it names the runner
		}
		found = append(found, page.Races...)
		if page.Next == "" || page.Next == filter.Cursor || len(page.Races) == 0 ||
			wereOver(page.Races[max(0, len(page.Races)-inARow):], from.Add(-outOfTurn)) {
			return found, false, nil
		}
		if len(found) >= maxListed {
			return found, true, nil
		}
		filter = runnerclient.Filter{Limit: min(listPage, maxListed-len(found)), Cursor: page.Next}
	}
}

// page is a page of the list. New races stand on the first one, so the others stay as they are once their races are over.
func (s *records) page(ctx context.Context, f runnerclient.Filter) (runnerclient.Page, error) {
	key := "races|" + strconv.Itoa(f.Limit) + "|" + f.Cursor
	if page, ok := recall[runnerclient.Page](s.listed, key, time.Now()); ok {
		return page, nil
	}
	page, err := s.pages.do(ctx, key, func(ctx context.Context) (runnerclient.Page, error) { return s.runner.Races(ctx, f) })
	if err != nil {
		return runnerclient.Page{}, notWaited(ctx, err)
	}
	if f.Cursor != "" && !slices.ContainsFunc(page.Races, func(r runnerclient.Record) bool { return !r.Status.Ended() }) {
		size := 0
		for _, r := range page.Races {
			size += recordSize(r.Race)
		}
		s.listed.put(key, page, size, time.Now().Add(recordFor))
	}
	return page, nil
}

// wereOver says whether all of some races are known to have ended by a time.
func wereOver(page []runnerclient.Record, by time.Time) bool {
	return !slices.ContainsFunc(page, func(r runnerclient.Record) bool {
		return !r.Status.Ended() || r.FinishedAt == nil || !r.FinishedAt.Before(by)
	})
}

// byID is the record of a race. Where there is no runner, every race is unknown to it.
func (s *records) byID(ctx context.Context, id string) (race.Race, error) {
	if s.broken != nil {
		return race.Race{}, s.broken
	}
	if s.runner == nil || !race.ValidID(id) {
		return race.Race{}, race.Errorf(race.NotFound, "", "no runner knows race %s", id)
	}
	key := recordKey(id)
	if r, ok := recall[race.Race](s.memory, key, time.Now()); ok {
		return r, nil
	}
	r, err := s.single.do(ctx, key, func(ctx context.Context) (race.Race, error) {
		found, err := s.runner.Race(ctx, id)
		return found.Race, err
	})
	if err != nil {
		return race.Race{}, notWaited(ctx, err)
	}
	if r.Status.Ended() {
		s.memory.put(key, r, recordSize(r), time.Now().Add(recordFor))
	}
	return r, nil
}

// changed forgets a record that somebody has just changed, and the pages it may stand on.
func (s *records) changed(id string) {
	s.memory.forget(func(key string) bool { return key == recordKey(id) })
	s.listed.forget(func(string) bool { return true })
}

func recordKey(id string) string { return "record|" + id }

// notWaited says of an error that it is one only because the caller did not wait.
func notWaited(ctx context.Context, err error) error {
	if ctx.Err() == nil {
		return err
	}
	return race.Errorf(race.Unavailable, "ask for fewer races, or give the runner and Grafana more time",
		"Grafana stopped waiting for the runner: %w", context.Cause(ctx))
}

// recordSize is about how many bytes a record takes.
func recordSize(r race.Race) int {
	const each = 2000 // 22 measures with their ids
	return each * (1 + len(r.Lanes)*(1+len(r.Heats)))
}
