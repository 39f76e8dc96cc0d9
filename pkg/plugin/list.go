package plugin

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/photofinish/photofinish/pkg/compare"
	"github.com/photofinish/photofinish/pkg/race"
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
	record     *race.Race
	info       *compare.RaceInfo
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
		return nil, nil, plain(err)
	}
	said.take(found.Notices...)
	var races []listed
	known := map[string]bool{}
	for _, r := range records {
		known[r.ID] = true
		if overlaps(r.Race, q, d.now()) {
			races = append(races, listedRecord(r.Race))
		}
	}
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

// newestFirst orders races by their start, or by their end where they had none; those that wait for theirs come first.
func newestFirst(a, b listed) int {
	x, y := cmp.Or(a.start, a.end), cmp.Or(b.start, b.end)
	switch {
	case x == nil && y == nil:
		return cmp.Compare(a.id, b.id)
	case x == nil:
		return -1
	case y == nil:
		return 1
	}
	return cmp.Or(y.Compare(*x), cmp.Compare(a.id, b.id))
}

func overlaps(r race.Race, q query, now time.Time) bool {
	start, end := now.Add(-lateNow), now // of one that waits or goes on
	switch at := cmp.Or(r.StartedAt, r.FinishedAt); {
	case at != nil:
		start = *at
	case r.Status.Ended(): // nobody knows when; older runners kept no time of races that were cancelled while they waited
		return false
	}
	if r.FinishedAt != nil {
		end = *r.FinishedAt
	}
	return !start.After(q.To) && !end.Before(q.From)
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
