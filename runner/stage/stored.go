package stage

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/api"
	v1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/audit"
	"github.com/photofinish/photofinish/runner/coordinator"
)

const (
	// arrival is how long somebody else's store may take to show what it was sent: Mimir and the like take it in by a queue.
	arrival = 5 * time.Second
	// pollStored is how often it is asked meanwhile.
	pollStored = 500 * time.Millisecond
	// seriesAtMost is asked for: more than the budget is all that the audit wants to know.
	seriesAtMost = 10 * audit.SeriesBudget
)

// stored asks what has arrived of a race that is over, and waits a little where somebody else's store does not have all of it yet.
func (m *metrics) stored(ctx context.Context, r race.Race) (coordinator.Stored, error) {
	client, err := api.NewClient(api.Config{Address: m.url})
	if err != nil || r.StartedAt == nil {
		return coordinator.Stored{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, queryTimeout)
	defer cancel()
	store := v1.NewAPI(client)
	from := r.StartedAt.Add(-time.Duration(r.WarmupMS)*time.Millisecond - time.Minute)
	var found coordinator.Stored
	for end := time.Now().Add(arrival); r.K6 == nil; { // a stock k6 writes other counters, which are read heat by heat
		if found.Requests, err = requestsIn(ctx, store, r, from); err != nil {
			return coordinator.Stored{}, err
		}
		if m.server != nil || arrived(r, found.Requests) || time.Now().After(end) {
			break
		}
		select {
		case <-ctx.Done():
			return coordinator.Stored{}, ctx.Err()
		case <-time.After(pollStored):
		}
	}
	series, _, _, err := store.Series(ctx, []string{fmt.Sprintf("{testid=%q}", r.ID)}, from, time.Now(), v1.WithLimit(seriesAtMost))
	if err != nil {
		return found, fmt.Errorf("ask %s for the series of the race: %w", m.url, err)
	}
	found.Series = len(series)
	return found, nil
}

// requestsIn sums the last values of the counters of each app in the heats that the record has.
func requestsIn(ctx context.Context, store v1.API, r race.Race, from time.Time) (map[string]int64, error) {
	expr := fmt.Sprintf(`sum by (app, heat) (last_over_time(photofinish_http_reqs_total{testid=%q,phase="race"}[%ds]))`, r.ID, int(math.Ceil(time.Since(from).Seconds())))
	value, _, _, err := store.Query(ctx, expr, time.Now())
	if err != nil {
		return nil, fmt.Errorf("ask the Prometheus that was written to for the counts of the race: %w", err)
	}
	vector, ok := value.(model.Vector)
	if !ok {
		return nil, fmt.Errorf("the Prometheus that was written to answered with a %s", value.Type())
	}
	requests := map[string]int64{}
	for _, l := range r.Lanes {
		if l.Client != nil {
			requests[l.App] = 0
		}
	}
	for _, s := range vector {
		heat, _ := strconv.Atoi(string(s.Metric["heat"]))
		app := string(s.Metric["app"])
		if _, raced := requests[app]; raced && slices.ContainsFunc(r.Heats, func(h race.Heat) bool { return h.Number == heat && len(h.Lanes) > 0 }) {
			requests[app] += int64(s.Value)
		}
	}
	return requests, nil
}

// arrived says whether all that k6 counted is there.
func arrived(r race.Race, requests map[string]int64) bool {
	return !slices.ContainsFunc(r.Lanes, func(l race.Lane) bool { return l.Client != nil && requests[l.App] < l.Client.Requests })
}
