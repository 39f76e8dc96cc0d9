package compare_test

import (
	"context"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/compare"
	"github.com/photofinish/photofinish/pkg/promql"
	"github.com/photofinish/photofinish/pkg/race"
)

func ids(found compare.Found) []string {
	var ids []string
	for _, r := range found.Races {
		ids = append(ids, r.ID)
	}
	return ids
}

func TestRacesAreFoundByTestID(t *testing.T) {
	w := newWorld(t)
	twoHeats(w)
	s := newScene(w, "by-hand", false)
	s.run(load{app: "a", median: 0.01, rate: 10}, t0.Add(5*time.Minute), 10)
	s.run(load{app: "b", median: 0.01, rate: 10}, t0.Add(5*time.Minute+2*time.Second), 10)
	found, err := compare.Find(t.Context(), w, t0.Add(-time.Minute), t0.Add(20*time.Minute))
	require.NoError(t, err)
	require.Equal(t, []string{"r1", "by-hand"}, ids(found))
	own, hand := found.Races[0], found.Races[1]
	require.Equal(t, []string{"control", "slow"}, own.Apps)
	require.True(t, own.Own && own.Phased)
	require.Len(t, own.Heats, 2)
	require.Equal(t, "2", own.Heats[1].Label)
	require.WithinDuration(t, t0.Add(3*time.Second), own.Heats[0].Start, time.Second, "a heat begins after its warm-up")
	require.WithinDuration(t, t0.Add(13*time.Second), own.Heats[0].End, time.Second)
	require.Equal(t, []compare.Heat{{Start: hand.Start, End: hand.End}}, hand.Heats)
	require.WithinDuration(t, t0.Add(5*time.Minute+time.Second), hand.Start, time.Second)
	require.WithinDuration(t, t0.Add(5*time.Minute+12*time.Second), hand.End, time.Second)
	require.False(t, hand.Finished(hand.End.Add(59*time.Second)))
	require.True(t, hand.Finished(hand.End.Add(60*time.Second)))
}

func TestATestIDUsedAgainAfterAMinuteIsANewRace(t *testing.T) {
	w := newWorld(t)
	s := newScene(w, "ab2", false)
	s.markers = false
	l := load{app: "a", median: 0.01, rate: 10, failEvery: 20}
	s.run(l, t0, 10)
	s.run(l, t0.Add(40*time.Second), 10)
	second := t0.Add(50*time.Second + 70*time.Second)
	s.run(l, second, 10)
	found, err := compare.Find(t.Context(), w, t0, t0.Add(10*time.Minute))
	require.NoError(t, err)
	again := "ab2@" + strconv.FormatInt(second.Unix(), 10)
	require.Equal(t, []string{"ab2", again}, ids(found))
	require.Equal(t, "ab2", found.Races[1].TestID)

	r, notices, err := compare.Lookup(t.Context(), w, "ab2", day(t0))
	require.NoError(t, err)
	require.Equal(t, found.Races[0].Start, r.Start)
	mentions(t, notices, "used again", again)

	// The first race's last values are still in sight of Prometheus, and must not be counted for the second.
	r, totals, err := compare.Past(t.Context(), w, again, compare.Window{Start: second.Add(5 * time.Minute), End: second.Add(6 * time.Minute)}, compare.Join{})
	require.NoError(t, err)
	require.Equal(t, 100.0, totals.Whole["a"].Requests)
	require.Equal(t, 5.0, *totals.Whole["a"].Failed)
	within(t, 10, totals.Whole["a"].Measures["request_rate"], 1e-9, "rate")
	lines, err := compare.TimeSeries(t.Context(), w, compare.Request{Races: []compare.RaceInfo{r}, Measures: []string{"error_rate", "latency_mean"}})
	require.NoError(t, err)
	for _, s := range lines.Series {
		require.Equal(t, 1.0, s.Coverage, s.Measure.ID)
	}
}

func TestAShortRaceIsFoundWithinAMonth(t *testing.T) {
	w := newWorld(t)
	s := newScene(w, "brief", true)
	s.run(load{app: "a", median: 0.01, rate: 10}, t0.Add(11*24*time.Hour), 5)
	found, err := compare.Find(t.Context(), w, t0, t0.Add(30*24*time.Hour))
	require.NoError(t, err)
	require.Equal(t, []string{"brief"}, ids(found))
	require.WithinDuration(t, t0.Add(11*24*time.Hour), found.Races[0].Start, time.Second)
}

func TestARaceThatBeganBeforeTheRangeIsSeenWhole(t *testing.T) {
	w := newWorld(t)
	s := newScene(w, "r", true)
	s.run(load{app: "a", median: 0.01, rate: 1}, t0, 300)
	found, err := compare.Find(t.Context(), w, t0.Add(100*time.Second), t0.Add(110*time.Second))
	require.NoError(t, err)
	require.Len(t, found.Races, 1)
	require.WithinDuration(t, t0, found.Races[0].Start, time.Second)
	found, err = compare.Find(t.Context(), w, t0.Add(400*time.Second), t0.Add(410*time.Second))
	require.NoError(t, err)
	require.Empty(t, found.Races)
}

func TestAnUnknownRaceIsAnErrorThatNamesTheNewest(t *testing.T) {
	w := newWorld(t)
	_, _, err := compare.Past(t.Context(), w, "nope", day(t0), compare.Join{})
	require.ErrorContains(t, err, "no race")
	require.Contains(t, race.HintOf(err), "--tag testid=nope")
	newScene(w, "yes", true).run(load{app: "a", median: 0.01, rate: 1}, t0, 5)
	_, _, err = compare.Past(t.Context(), w, "nope@12", day(t0), compare.Join{})
	require.Equal(t, race.NotFound, race.CodeOf(err))
	require.Contains(t, race.HintOf(err), "yes")
	_, err = compare.Find(t.Context(), w, t0, t0)
	require.ErrorContains(t, err, "empty")
}

func TestARaceWithoutAppTagsSaysHowToTagThem(t *testing.T) {
	w := newWorld(t)
	w.write(func(a writer) {
		for i := range 20 {
			a.float(t0.Add(time.Duration(i)*time.Second), float64(i), "__name__", "k6_http_reqs_total", "testid", "r")
		}
	})
	_, _, err := compare.Past(t.Context(), w, "r", day(t0), compare.Join{})
	require.ErrorContains(t, err, "no label app")
	require.Contains(t, race.HintOf(err), "tags: { app:")
}

func TestTheRaceOfARecordNeedsNoSearch(t *testing.T) {
	w := newWorld(t)
	s := twoHeats(w)
	at := func(seconds float64) *time.Time {
		x := t0.Add(time.Duration(seconds * float64(time.Second)))
		return &x
	}
	_, ok := compare.FromRecord(race.Race{ID: "r1"})
	require.False(t, ok)
	r, ok := compare.FromRecord(race.Race{
		ID: "r1", Lanes: []race.Lane{{App: "slow"}, {App: "control"}},
		Heats: []race.Heat{{Number: 1, StartedAt: at(3), FinishedAt: at(13)}, {Number: 2, StartedAt: at(23), FinishedAt: at(33)}, {Number: 3}},
	})
	require.True(t, ok)
	require.True(t, r.Own)
	totals, err := compare.Reduce(t.Context(), w, r, compare.Join{})
	require.NoError(t, err)
	require.Equal(t, float64(len(s.truth["slow/2"].latencies)), totals.Heats[1].Apps["slow"].Requests)
	within(t, 40, totals.Heats[1].Apps["slow"].Measures["request_rate"], 1e-9, "rate")
}

func TestARecordSaysWhoseSeriesAreToBeRead(t *testing.T) {
	start, end := t0, t0.Add(time.Second)
	r, ok := compare.FromRecord(race.Race{ID: "r1", Heats: []race.Heat{{Number: 1, StartedAt: &start, FinishedAt: &end}}, K6: &race.K6{Image: race.Image{Name: "grafana/k6:2"}}})
	require.True(t, ok)
	require.False(t, r.Own, "a stock k6 has only its own")
	require.True(t, r.Phased)
}

func TestALongRaceIsSeenWholeThroughANarrowWindow(t *testing.T) {
	w := newWorld(t)
	s := newScene(w, "soak", true)
	s.period = 20 * time.Second
	s.run(load{app: "a", median: 0.01, rate: 1}, t0, 6*180)
	middle := compare.Window{Start: t0.Add(3 * time.Hour), End: t0.Add(3*time.Hour + time.Minute)}
	r, _, err := compare.Lookup(t.Context(), w, "soak", middle)
	require.NoError(t, err)
	found, err := compare.Find(t.Context(), w, middle.Start, middle.End)
	require.NoError(t, err)
	require.Len(t, found.Races, 1)
	for _, seen := range []compare.RaceInfo{r, found.Races[0]} {
		require.WithinDuration(t, t0, seen.Start, 21*time.Second)
		require.WithinDuration(t, t0.Add(6*time.Hour), seen.End, 21*time.Second)
	}
}

// asking remembers the queries that pass through it.
type asking struct {
	promql.Querier
	mu      sync.Mutex
	queries []promql.Query
}

func (a *asking) Query(ctx context.Context, q promql.Query) (promql.Result, error) {
	a.mu.Lock()
	a.queries = append(a.queries, q)
	a.mu.Unlock()
	return a.Querier.Query(ctx, q) //nolint:wrapcheck // a spy
}

func TestALongRaceIsLookedAtSecondBySecondOnlyWhereHeatsBeginAndEnd(t *testing.T) {
	w := newWorld(t)
	s := newScene(w, "soak", true)
	again := t0.Add(1001*time.Second + 65*time.Second)
	for i, start := range []time.Time{t0.Add(11 * time.Second), t0.Add(511 * time.Second), again} {
		s.run(load{app: "a", heat: strconv.Itoa(i%2 + 1), median: 0.01, rate: 1}, start, 490)
	}
	spy := &asking{Querier: w}
	found, err := compare.Find(t.Context(), spy, t0, t0.Add(time.Hour))
	require.NoError(t, err)
	require.Equal(t, []string{"soak", "soak@" + strconv.FormatInt(found.Races[1].Start.Unix(), 10)}, ids(found))
	first := found.Races[0]
	require.WithinDuration(t, t0.Add(11*time.Second), first.Heats[0].Start, time.Second)
	require.WithinDuration(t, t0.Add(501*time.Second), first.Heats[0].End, time.Second)
	require.WithinDuration(t, t0.Add(511*time.Second), first.Heats[1].Start, time.Second)
	require.WithinDuration(t, t0.Add(1001*time.Second), first.End, time.Second)
	require.WithinDuration(t, again, found.Races[1].Start, time.Second)
	seconds := time.Duration(0)
	for _, q := range spy.queries {
		if q.Step == time.Second {
			seconds += q.End.Sub(q.Start) + q.Step
		}
	}
	require.Positive(t, seconds)
	require.LessOrEqual(t, seconds, 6*20*time.Second, "three heats begin and end, in windows of 20 s")
}

func TestARaceThatIsKnownToGoOnIsWholeWhateverItsPauses(t *testing.T) {
	w := newWorld(t)
	s := newScene(w, "r1", true)
	before, start, second := t0, t0.Add(5*time.Minute), t0.Add(8*time.Minute)
	s.run(load{app: "old", heat: "1", median: 0.01, rate: 10}, before, 10)
	s.run(load{app: "a", heat: "1", median: 0.01, rate: 10}, start, 20)
	s.run(load{app: "b", heat: "2", median: 0.01, rate: 10}, second, 20)
	r, notices, err := compare.LookupSince(t.Context(), w, "r1", start, second.Add(18*time.Second))
	require.NoError(t, err)
	require.Empty(t, notices, "nothing was used again")
	require.Equal(t, "r1", r.ID)
	require.Equal(t, []string{"a", "b"}, r.Apps, "what ended before belongs to another race")
	require.Len(t, r.Heats, 2)
	require.WithinDuration(t, start, r.Start, time.Second)
	require.WithinDuration(t, second.Add(20*time.Second), r.End, time.Second)
	require.Equal(t, []string{"1", "2"}, []string{r.Heats[0].Label, r.Heats[1].Label})
	require.WithinDuration(t, start.Add(20*time.Second), r.Heats[0].End, time.Second)
	require.WithinDuration(t, second, r.Heats[1].Start, time.Second)
	require.False(t, r.Previous.IsZero(), "the earlier race is kept out of sight")

	_, _, err = compare.LookupSince(t.Context(), w, "r1", second.Add(time.Minute), second.Add(2*time.Minute))
	require.Equal(t, race.NotFound, race.CodeOf(err))
}
