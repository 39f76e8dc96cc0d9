package stage

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/photofinish/photofinish/pkg/promql"
	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/audit"
	"github.com/photofinish/photofinish/runner/coordinator"
)

const (
	// arrival is how long somebody else's store may take to show what it was sent: Mimir and the like take it in by a queue.
	arrival = 5 * time.Second
	// pollStored is how often it is asked meanwhile.
	pollStored = 500 * time.Millisecond
)

// stored asks what has arrived of a race that is over, and waits a little where somebody else's store does not have all of it yet.
func (m *metrics) stored(ctx context.Context, r race.Race) (found coordinator.Stored, err error) {
	q, err := promql.New(promql.Config{URL: m.url, Timeout: queryTimeout})
	if err != nil || r.StartedAt == nil {
		return found, err
	}
	from := r.StartedAt.Add(-time.Duration(r.WarmupMS)*time.Millisecond - time.Minute)
	for end := time.Now().Add(arrival); r.K6 == nil; { // a stock k6 writes other counters, which are read heat by heat
		if found.Requests, err = requestsIn(ctx, q, r, from); err != nil {
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
	if found.Passed, err = m.passed(ctx); err != nil {
		return found, err
	}
	counted := []string{"{" + promql.Equal("testid", r.ID).String() + "}", "{" + promql.Equal("container_label_photofinish_race", r.ID).String() + "}"}
	if m.server != nil { // there is nothing but this race
		counted = []string{"{" + promql.NotEqual("__name__", "").String() + "}"}
	}
	for _, selector := range counted {
		n, err := countOf(ctx, q, since(from, "count(last_over_time(%s[%s]))", selector))
		if err != nil {
			return found, err
		}
		found.Series += n
	}
	named := "{" + promql.Equal("testid", r.ID).String() + "," + promql.NotEqual("name", "").String() + "}"
	found.Names, err = countOf(ctx, q, since(from, "max(count by (app) (count by (app, name) (last_over_time(%s[%s]))))", named))
	return found, err
}

func countOf(ctx context.Context, q promql.Querier, query promql.Query) (n int, err error) {
	counted, err := q.Query(ctx, query)
	if err != nil {
		return 0, fmt.Errorf("ask for the number of the race's series: %w", err)
	}
	for _, s := range counted.Series {
		n = int(s.Last())
	}
	return n, nil
}

// delivery is how long a receiver may take to take what is left when a race is over.
const delivery = 15 * time.Second

// passed waits for the receiver, and tells what became of the samples since the race began; nil where nothing is passed on.
func (m *metrics) passed(ctx context.Context) (*audit.Passed, error) {
	if m.passing == nil {
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(ctx, delivery)
	defer cancel()
	d, err := m.passing.Deliver(ctx)
	if err != nil {
		return nil, err
	}
	return &audit.Passed{To: d.To, Taken: d.Sent - m.before.Sent, Refused: d.Refused - m.before.Refused, Waiting: d.Waiting, Answer: d.Answer, Later: m.server == nil}, nil
}

// since asks now for what a selector has had from a moment on.
func since(from time.Time, format, selector string) promql.Query {
	now := time.Now()
	return promql.At(fmt.Sprintf(format, selector, promql.Duration(now.Sub(from).Truncate(time.Second)+time.Second)), now)
}

// requestsIn sums the last values of the counters of each app in the heats that the record has.
func requestsIn(ctx context.Context, q promql.Querier, r race.Race, from time.Time) (map[string]int64, error) {
	counters := promql.Selector([]string{"photofinish_http_reqs_total"}, promql.Equal("testid", r.ID), promql.Equal("phase", "race"))
	counts, err := q.Query(ctx, since(from, "sum by (app, heat) (last_over_time(%s[%s]))", counters))
	if err != nil {
		return nil, fmt.Errorf("ask for the counts of the race: %w", err)
	}
	requests := map[string]int64{}
	for _, l := range r.Lanes {
		if l.Client != nil {
			requests[l.App] = 0
		}
	}
	for _, s := range counts.Series {
		heat, _ := strconv.Atoi(s.Labels["heat"])
		app := s.Labels["app"]
		if _, raced := requests[app]; raced && slices.ContainsFunc(r.Heats, func(h race.Heat) bool { return h.Number == heat }) {
			requests[app] += int64(s.Last())
		}
	}
	return requests, nil
}

// arrived says whether all that k6 counted is there.
func arrived(r race.Race, requests map[string]int64) bool {
	return !slices.ContainsFunc(r.Lanes, func(l race.Lane) bool { return l.Client != nil && requests[l.App] < l.Client.Requests })
}
