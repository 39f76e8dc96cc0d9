package compare

import (
	"context"
	"slices"
	"time"

	"github.com/photofinish/photofinish/pkg/promql"
	"github.com/photofinish/photofinish/pkg/race"
)

// The limits of a search.
const (
	// coarsePoints is how many windows the first look divides the time into, coarseLeast the least width of one in ms: what a look costs is its points.
	coarsePoints = 3000
	coarseLeast  = int64(20_000)
	// guessed is the longest time in ms that is looked at second by second before it is known whether anybody raced in it.
	guessed = int64(15 * 60_000)
	// chunkPoints keeps one query below the 11,000 points per series that Prometheus allows.
	chunkPoints = 10_000
	// appWindow is the width in ms of the windows that tell which apps raced: less than the silence that parts two races of one testid.
	appWindow = int64(20_000)
	// maxChunks bounds the queries of one search. Beyond chunkPoints x maxChunks seconds of racing (7 days) the times get coarser.
	maxChunks = 60
	// pad is how far beyond the range the search looks, so that a race that overlaps it is seen whole. Where one reaches even further, the search
	// looks farther times as far, up to maxPad.
	pad     = time.Hour
	farther = 4
	maxPad  = 14 * 24 * time.Hour
)

// Found is the result of a search: the races that overlap the range, oldest first.
type Found struct {
	Races   []RaceInfo
	Notices []string
}

// Find lists the races whose series overlap the time from start to end, whoever ran them.
// The first race of a testid within the search has the testid as its id, a later one <testid>@<start unix>.
func Find(ctx context.Context, q promql.Querier, start, end time.Time) (Found, error) {
	if !start.Before(end) {
		return Found{}, race.Errorf(race.Invalid, "choose an end after the start", "the time range from %s to %s is empty",
			start.Format(time.RFC3339), end.Format(time.RFC3339))
	}
	a := &asker{q: q}
	w := Window{start, end}
	races, err := scanWhole(ctx, a, promql.NotEqual("testid", ""), w)
	if err != nil {
		return Found{}, err
	}
	found := Found{Notices: a.notices}
	for _, r := range races {
		if w.overlaps(r) {
			found.Races = append(found.Races, r)
		}
	}
	return found, nil
}

// scanWhole scans a window, and as far beyond it as the races that overlap it reach.
func scanWhole(ctx context.Context, a *asker, testid promql.Matcher, w Window) ([]RaceInfo, error) {
	for beyond := pad; ; beyond *= farther {
		from, to := w.Start.Add(-beyond), w.End.Add(beyond)
		races, err := scan(ctx, a, testid, w, from, to)
		if err != nil || beyond*farther > maxPad {
			return races, err
		}
		cut := func(r RaceInfo) bool { return r.Start.Sub(from) < 2*Silence || to.Sub(r.End) < 2*Silence }
		if !slices.ContainsFunc(races, func(r RaceInfo) bool { return w.overlaps(r) && cut(r) }) {
			return races, nil
		}
	}
}

func (w Window) overlaps(r RaceInfo) bool { return !r.End.Before(w.Start) && !r.Start.After(w.End) }

// scan looks for samples in windows: coarse ones first to see where there are any, then windows of a second where a race or a heat begins or ends.
// An expression that sees windows, not instants, misses no race that was shorter than the step. likely is where the races are expected: where
// that is short it is looked at closely right away, and nothing has to be asked again if it holds them all.
func scan(ctx context.Context, a *asker, testid promql.Matcher, likely Window, from, to time.Time) ([]RaceInfo, error) {
	const second = int64(1000)
	whole := span{from.Unix() * 1000, (to.Unix() + 1) * 1000}
	coarse := roundUp(max(whole.length()/coarsePoints, coarseLeast), second)
	tellsAll := coarse <= appWindow // then the first look tells heats and apps too
	by := []string{"testid"}
	if tellsAll {
		by = append(timedBy(), "app")
	}
	first := look(testid, []span{whole}, coarse, by...)
	guess := span{likely.Start.Unix() * 1000, (likely.End.Unix() + 1) * 1000}
	var closely []*task
	if guess.length() <= guessed {
		closely = look(testid, []span{guess}, second, findBy()...)
	} else {
		guess = span{}
	}
	if err := a.run(ctx, slices.Concat(first, closely)); err != nil {
		return nil, err
	}
	seen := windows(first, coarse)
	var timing []window
	var open []span
	if tellsAll {
		timing, open = edges(seen)
	} else {
		for _, w := range seen {
			open = append(open, w.span)
		}
	}
	open = merge(open, 1)
	fine := second
	if needed := total(open) / (chunkPoints * maxChunks); needed > fine {
		fine, guess, closely = roundUp(needed, second), span{}, nil
		a.notice("there is so much racing in this time that starts and ends are rounded to %d s; choose a shorter time", fine/1000)
	}
	rest := look(testid, without(open, guess), fine, findBy()...)
	wide, apps, later := coarse, first, rest
	if !tellsAll {
		wide = max(appWindow, fine)
		apps = look(testid, open, wide, "testid", "app")
		later = slices.Concat(rest, apps)
	}
	if err := a.run(ctx, later); err != nil {
		return nil, err
	}
	timing = slices.Concat(timing, windows(slices.Concat(closely, rest), fine))
	return assemble(timing, windows(apps, wide), max(Silence.Milliseconds(), fine)), nil
}

// edges parts windows into those amid others of the same heat, which tell no time, and the spans in which a heat begins or ends.
func edges(all []window) (amid []window, open []span) {
	type series [5]string
	spans := map[series][]span{}
	for _, w := range all {
		var key series
		for i, label := range findBy() {
			key[i] = w.labels[label]
		}
		if w.labels["app"] != "" {
			key[slices.Index(findBy(), tagged)] = "yes"
		}
		spans[key] = append(spans[key], w.span)
	}
	for key, own := range spans {
		labels := map[string]string{}
		for i, label := range findBy() {
			labels[label] = key[i]
		}
		width := own[0].length()
		for _, run := range merge(own, 1) {
			open = append(open, span{run.from, run.from + width}, span{run.to - width, run.to})
			if run.length() > 2*width {
				amid = append(amid, window{span{run.from + width, run.to - width}, labels})
			}
		}
	}
	return amid, open
}

// window says that a series with these labels has a sample within the span.
type window struct {
	span
	labels map[string]string
}

// look asks in which windows of a width there are samples of k6's request counters.
func look(testid promql.Matcher, where []span, width int64, by ...string) (tasks []*task) {
	step := time.Duration(width) * time.Millisecond
	expr := lookExpr(testid, step, by...)
	for _, piece := range chunks(where, width*chunkPoints) {
		tasks = append(tasks, &task{query: promql.Query{
			Expr: expr, Start: time.UnixMilli(piece.from + width), End: time.UnixMilli(roundUp(piece.to-piece.from, width) + piece.from), Step: step,
		}})
	}
	return tasks
}

// windows are those that hold samples.
func windows(tasks []*task, width int64) (found []window) {
	for _, t := range tasks {
		for _, s := range t.result {
			for _, p := range s.Points {
				found = append(found, window{span{p.At - width, p.At}, s.Labels})
			}
		}
	}
	return found
}

func roundUp(v, unit int64) int64 { return (v + unit - 1) / unit * unit }

// ListExpr is the expression that tells races apart, with the shortest window that Find looks at.
func ListExpr() string { return lookExpr(promql.NotEqual("testid", ""), time.Second, findBy()...) }

// tagged is a label of ours: whether requests carry a tag app. Which apps there are is looked up by coarser windows, since a hundred of them,
// second by second, would be a hundred times as much to answer.
const tagged = "photofinish_tagged"

// timedBy are the labels that a race's times are described by, of those that series have.
func timedBy() []string { return []string{"__name__", "testid", "heat", "phase"} }

// findBy are the labels that a race's times are described by.
func findBy() []string { return append(timedBy(), tagged) }

func lookExpr(testid promql.Matcher, width time.Duration, by ...string) string {
	samples := "last_over_time(" + promql.Selector([]string{ownRequests, stockRequests}, testid) + "[" + promql.Duration(width) + "])"
	if slices.Contains(by, tagged) {
		samples = "label_replace(" + samples + ", " + promql.Quote(tagged) + `, "yes", "app", ".+")`
	}
	return "count by " + promql.Labels(by...) + " (" + samples + ")"
}
