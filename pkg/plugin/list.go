package plugin

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/photofinish/photofinish/pkg/compare"
	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/pkg/runnerclient"
)

// Where a race is known from.
const (
	fromRunner     = "runner"
	fromPrometheus = "Prometheus"
)

// listed is one race of a list: what the runner recorded or, where no runner knows it, what its series tell.
type listed struct {
	id, name string
	status   race.Status
	// start and end are nil while they are not known.
	start, end *time.Time
	// asked is the latest time at which somebody can have asked for a race that ended without having begun; zero for the others.
	asked  time.Time
	record *race.Race
	info   *compare.RaceInfo
}

func listedRecord(r race.Race) listed {
	return listed{id: r.ID, name: r.Name, status: r.Status, start: r.StartedAt, end: r.FinishedAt, record: &r}
}

func listedInfo(r compare.RaceInfo, now time.Time) listed {
	l := listed{id: r.ID, name: race.NameOf(r.TestID), status: race.Racing, start: &r.Start, info: &r}
	if r.Finished(now) {
		l.status, l.end = race.Finished, &r.End
	}
	return l
}

// list finds the races that overlap the query's time range, the newest first, narrowed to the query's name.
// strict: a runner that cannot be reached is an error; otherwise it is a notice, and Prometheus tells what it can.
func (d *Datasource) list(ctx context.Context, q query, strict bool) ([]listed, notices, error) {
	var said notices
	records, more, err := d.records.since(ctx, q.From)
	switch {
	case err != nil && strict:
		return nil, nil, err
	case err != nil:
		said.add("%s; these races are those that Prometheus knows", sentence(err))
	case more:
		said.add("the runner has more than %d races: the oldest are left out", maxListed)
	}
	found, err := compare.Find(ctx, d.prom, q.From, q.To)
	if err != nil {
		return nil, nil, fmt.Errorf("list the races: %w", err)
	}
	said.take(found.Notices...)
	races, known := overlapping(records, q, d.now())
	for _, r := range found.Races {
		if !known[r.TestID] {
			races = append(races, listedInfo(r, d.now()))
		}
	}
	races = slices.DeleteFunc(races, func(l listed) bool { return q.Name != "" && l.name != q.Name })
	slices.SortStableFunc(races, newestFirst)
	if len(races) > maxListed {
		races = races[:maxListed]
		said.add("there are more than %d races in this time: the oldest are left out", maxListed)
	}
	return races, said, nil
}

// overlapping are the races of a runner's list that overlap the query's time range, and the ids of all.
func overlapping(records []runnerclient.Record, q query, now time.Time) (races []listed, known map[string]bool) {
	known = map[string]bool{}
	newer := now // when the race began that was asked for next
	for i, r := range records {
		known[r.ID] = true
		l := listedRecord(r.Race)
		start, end := now.Add(-lateNow), now // of one that waits or goes on
		switch {
		case l.start != nil:
			start, newer = *l.start, *l.start
		case l.end != nil:
			start, newer = *l.end, *l.end
		case l.status.Ended(): // cancelled while it waited
			start, end = began(records[i+1:]), newer
			l.asked = newer
		}
		if l.end != nil {
			end = *l.end
		}
		if !start.After(q.To) && !end.Before(q.From) {
			races = append(races, l)
		}
	}
	return races, known
}

// began is when the newest of some races began that did, or failed before it could; zero where there is none.
func began(records []runnerclient.Record) time.Time {
	for _, r := range records {
		if at := cmp.Or(r.StartedAt, r.FinishedAt); at != nil {
			return *at
		}
	}
	return time.Time{}
}

// newestFirst orders races by their start; those that wait for theirs come first, and those that ended without one beside those that were asked for next.
func newestFirst(a, b listed) int {
	at, waitsA := a.place()
	bt, waitsB := b.place()
	switch {
	case waitsA && waitsB:
		return cmp.Compare(a.id, b.id)
	case waitsA:
		return -1
	case waitsB:
		return 1
	}
	return cmp.Or(bt.Compare(at), cmp.Compare(a.id, b.id))
}

func (l listed) place() (at time.Time, waits bool) {
	switch {
	case l.start != nil:
		return *l.start, false
	case l.end != nil:
		return *l.end, false
	case !l.asked.IsZero():
		return l.asked.Add(-1), false // behind the one that began then
	}
	return time.Time{}, true
}

// newest is the newest finished race of a list whose end lies in the query's time range.
func newest(races []listed, q query) (listed, bool) {
	var found listed
	ok := false
	for _, l := range races {
		if l.status != race.Finished || l.end == nil || l.end.Before(q.From) || l.end.After(q.To) {
			continue
		}
		if !ok || l.end.After(*found.end) {
			found, ok = l, true
		}
	}
	return found, ok
}

// isUnknown says whether an error means that there is no such race.
func isUnknown(err error) bool { return race.CodeOf(err) == race.NotFound }

// isGone says whether the caller went away.
func isGone(err error) bool { return errors.Is(err, context.Canceled) }
