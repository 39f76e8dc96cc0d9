package compare

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/photofinish/photofinish/pkg/promql"
	"github.com/photofinish/photofinish/pkg/race"
)

// newest is how many races an error lists.
const newest = 5

// Window is the time in which a race is looked for.
type Window struct{ Start, End time.Time }

// Lookup finds one race by its id within the window. <testid>@<start unix> finds the race of that start, wherever the window begins;
// a plain testid finds the first race of it, and a notice names later ones. The error of an unknown race lists the newest ids.
func Lookup(ctx context.Context, q promql.Querier, id string, w Window) (RaceInfo, []string, error) {
	a := &asker{q: q}
	races, err := scanWhole(ctx, a, promql.Equal("testid", id), w)
	if err != nil {
		return RaceInfo{}, nil, err
	}
	if len(races) > 0 {
		if again := races[1:]; len(again) > 0 {
			a.notice("testid %s was used again: this is its first race; the newest is %s", id, again[len(again)-1].ID)
		}
		return races[0], a.notices, nil
	}
	if testid, start, ok := reused(id); ok {
		races, err = scanWhole(ctx, a, promql.Equal("testid", testid), Window{start, later(w.End, start)})
		if err != nil {
			return RaceInfo{}, nil, err
		}
		if i := slices.IndexFunc(races, func(r RaceInfo) bool { return r.Start.Equal(start) }); i >= 0 {
			races[i].ID = id
			return races[i], a.notices, nil
		}
	}
	return RaceInfo{}, nil, unknown(ctx, q, id, w)
}

// LookupSince finds a race of which it is known when it began: all that its testid wrote from then until a later time, whatever pauses it made.
func LookupSince(ctx context.Context, q promql.Querier, testid string, since, until time.Time) (RaceInfo, []string, error) {
	a := &asker{q: q}
	w := Window{since, later(until, since)}
	races, err := scanWhole(ctx, a, promql.Equal("testid", testid), w)
	if err != nil {
		return RaceInfo{}, nil, err
	}
	if r, ok := oneOf(races, since); ok {
		return r, a.notices, nil
	}
	return RaceInfo{}, nil, unknown(ctx, q, testid, w)
}

// reused takes <testid>@<start unix> apart.
func reused(id string) (testid string, start time.Time, ok bool) {
	at := strings.LastIndexByte(id, '@')
	if at <= 0 {
		return "", time.Time{}, false
	}
	unix, err := strconv.ParseInt(id[at+1:], 10, 64)
	return id[:at], time.Unix(unix, 0), err == nil
}

func unknown(ctx context.Context, q promql.Querier, id string, w Window) error {
	found, err := Find(ctx, q, w.Start, w.End)
	if err != nil {
		return err
	}
	between := "between " + w.Start.UTC().Format(time.RFC3339) + " and " + w.End.UTC().Format(time.RFC3339)
	if len(found.Races) == 0 {
		return race.Errorf(race.NotFound, "run k6 with --out experimental-prometheus-rw --tag testid="+id+", or look at another time",
			"this Prometheus holds no race %s", between)
	}
	var ids []string
	for _, r := range slices.Backward(found.Races) {
		ids = append(ids, r.ID)
	}
	return race.Errorf(race.NotFound, "the newest are "+strings.Join(ids[:min(len(ids), newest)], ", "),
		"this Prometheus holds no race %q %s", id, between)
}
