package plugin

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/photofinish/photofinish/pkg/compare"
)

// targets finds the races that a query names: by id, as $latest, or all of the time range where it names none.
// No race at all is no error: the query then has no data. strict is as with list.
func (d *Datasource) targets(ctx context.Context, q query, strict bool) ([]listed, notices, error) {
	var said notices
	var races []listed
	if len(q.Races) == 0 || slices.Contains(q.Races, latest) {
		all, more, err := d.list(ctx, q, strict)
		if err != nil {
			return nil, nil, err
		}
		said.join(more)
		tagged, bare := comparable(q, all)
		if len(q.Races) == 0 {
			if len(bare) > 0 {
				said.add("left out, because no request has the tag app and so there is nothing to compare: %s", ids(bare))
			}
			shown := q.affordable(tagged)
			if len(shown) < len(tagged) {
				said.add("there are %d races in this time: the newest %d are shown", len(tagged), len(shown))
			}
			return shown, said, nil
		}
		if l, ok := newest(tagged, q); ok {
			races = append(races, l)
		} else {
			said.add("no race%s finished in this time range", named(q.Name))
		}
	}
	for _, id := range q.Races {
		if id == latest || slices.ContainsFunc(races, func(l listed) bool { return l.id == id }) {
			continue
		}
		l, more, err := d.byID(ctx, q, id, strict)
		if err != nil {
			return nil, nil, err
		}
		said.join(more)
		races = append(races, l)
	}
	return races, said, nil
}

// affordable keeps the newest races. Tables take many more of those that the runner recorded: they cost no query to Prometheus.
func (q query) affordable(all []listed) []listed {
	var kept []listed
	dear := 0
	for _, l := range all {
		if l.record == nil || !q.ofRecords() {
			if dear++; dear > maxRaces {
				continue
			}
		}
		if len(kept) < maxRecords {
			kept = append(kept, l)
		}
	}
	return kept
}

// ofRecords says whether a query is answered from records alone, where there are any.
func (q query) ofRecords() bool {
	return q.Type == typeStandings || q.Type == typeVerdict || q.Type == typeProfile || q.Type == typeEvents && q.Field == fieldChanges
}

// comparable parts the runs without the tag app from the races: whoever else uses this Prometheus may tag theirs with testid only.
// Asked for by their id they are an error that says how to tag them; as events they are as good as any.
func comparable(q query, all []listed) (tagged, bare []listed) {
	for _, l := range all {
		if (q.Type != typeEvents || q.Field == fieldChanges) && l.info != nil && len(l.info.Apps) == 0 {
			bare = append(bare, l)
		} else {
			tagged = append(tagged, l)
		}
	}
	return tagged, bare
}

// ids names the newest of some races.
func ids(races []listed) string {
	var names []string
	for _, l := range races {
		names = append(names, l.id)
	}
	return few(names)
}

// few are the first of some names, and how many more there are.
func few(names []string) string {
	const most = 5
	text := strings.Join(names[:min(len(names), most)], ", ")
	if more := len(names) - most; more > 0 {
		text += fmt.Sprintf(", %d more", more)
	}
	return text
}

func named(name string) string {
	if name == "" {
		return ""
	}
	return fmt.Sprintf(" called %q", beginning(name))
}

// byID finds one race, at the runner first.
func (d *Datasource) byID(ctx context.Context, q query, id string, strict bool) (listed, notices, error) {
	var said notices
	r, err := d.records.byID(ctx, id)
	switch {
	case err == nil:
		return listedRecord(r), nil, nil
	case isUnknown(err):
	case strict || isGone(err):
		return listed{}, nil, err
	default:
		said.add("%s; what is shown is what Prometheus knows", sentence(err))
	}
	info, more, err := d.lookup(ctx, q, id)
	if err != nil {
		return listed{}, nil, err
	}
	said.join(more)
	return listedInfo(info, d.now()), said, nil
}

// known is a finished race that was looked up, and from when on it was looked for: a testid may name an earlier race in an earlier time.
type known struct {
	info  compare.RaceInfo
	since time.Time
}

// lookup finds a race in Prometheus: in the time range first, so that an id means there what `races` lists, then in the time before it, then
// in the time after it.
func (d *Datasource) lookup(ctx context.Context, q query, id string) (compare.RaceInfo, notices, error) {
	key := "lookup|" + id
	if k, ok := recall[known](d.memory, key, time.Now()); ok && !q.From.Before(k.since) && !k.info.End.Before(q.From) {
		return k.info, nil, nil
	}
	var info compare.RaceInfo
	var said []string
	var err error
	before := q.From.Add(-searchBack)
	windows := []compare.Window{{Start: q.From, End: q.To}, {Start: before, End: q.To}}
	if now := d.now(); now.Sub(q.To) > time.Hour { // a look reaches an hour beyond its window
		windows = append(windows, compare.Window{Start: before, End: now})
	}
	for _, w := range windows {
		info, said, err = compare.Lookup(ctx, d.prom, id, w)
		if err == nil {
			if !d.private && len(said) == 0 && info.Finished(d.now()) {
				d.memory.put(key, known{info, w.Start}, 1000, time.Now().Add(finishedFor))
			}
			var all notices
			all.take(said...)
			return info, all, nil
		}
		if !isUnknown(err) {
			break
		}
	}
	return compare.RaceInfo{}, nil, plain(err)
}

// infoOf is a race as its series are to be asked for. A recorded race that is over needs no search, unless it ended without a whole heat.
func (d *Datasource) infoOf(ctx context.Context, q query, l listed) (compare.RaceInfo, notices, error) {
	if l.info != nil {
		return *l.info, nil, nil
	}
	if l.status.Ended() {
		if info, ok := compare.FromRecord(*l.record); ok {
			return info, nil, nil
		}
	}
	since, until := q.From, d.now()
	if l.start != nil {
		since = *l.start
	}
	if l.end != nil {
		until = *l.end
	}
	info, said, err := compare.LookupSince(ctx, d.prom, l.id, since, until)
	if err != nil {
		return compare.RaceInfo{}, nil, plain(err)
	}
	var all notices
	all.take(said...)
	return info.With(*l.record), all, nil
}

// seriesOf is infoOf, or nil for a race that the runner knows and that has written nothing yet; the notices say so.
func (d *Datasource) seriesOf(ctx context.Context, q query, l listed) (*compare.RaceInfo, notices, error) {
	info, said, err := d.infoOf(ctx, q, l)
	if err != nil && isUnknown(err) && l.record != nil {
		said.add("race %s is %s and has written nothing to Prometheus%s", l.id, l.status, map[bool]string{false: " yet"}[l.status.Ended()])
		return nil, said, nil
	}
	return &info, said, err
}

// over says whether nothing will be written about a race any more, so that answers about it may be remembered.
func (d *Datasource) over(l listed) bool {
	return l.status.Ended() && l.end != nil && d.now().Sub(*l.end) >= compare.Silence
}

// about marks the context where all races are over.
func (d *Datasource) about(ctx context.Context, races []listed) context.Context {
	for _, l := range races {
		if !d.over(l) {
			return ctx
		}
	}
	return settled(ctx)
}
