package plugin

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/photofinish/photofinish/pkg/compare"
	"github.com/photofinish/photofinish/pkg/past"
	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/pkg/scoreboard"
	"github.com/photofinish/photofinish/pkg/verdict"
)

// judgedAll judges the races that a query is about. Of all races of a time range, those without the query's baseline are left out with a notice;
// asked for by their id they are an error. So is an app that was in none of the races.
func (d *Datasource) judgedAll(ctx context.Context, q query, races []listed, a *answer) ([]race.Race, error) {
	var judged []race.Race
	var mistaken error
	for _, l := range races {
		r, said, executed, err := d.judged(ctx, q, l)
		switch {
		case err == nil:
		case len(q.Races) == 0 && race.CodeOf(err) == race.Invalid:
			if q.Baseline != "" || !q.alerts() { // a rule about every race has nothing to say of those that name no baseline
				mistaken = cmp.Or(mistaken, err)
			}
			a.notices.add("%s; it is left out", sentence(err))
			continue
		default:
			return nil, err
		}
		a.notices.join(said)
		a.executed = append(a.executed, executed...)
		if len(r.Lanes) > 0 { // a race that waits for its turn may have none yet
			judged = append(judged, r)
		}
	}
	if len(judged) == 0 {
		return nil, mistaken
	}
	return judged, hasApps(judged, q.Apps)
}

// hasApps says which app asked for was in none of the races.
func hasApps(races []race.Race, apps []string) error {
	var raced []string
	for _, r := range races {
		for _, l := range r.Lanes {
			if !slices.Contains(raced, l.App) {
				raced = append(raced, l.App)
			}
		}
	}
	for _, app := range apps {
		switch {
		case slices.Contains(raced, app):
		case len(races) == 1:
			return race.Errorf(race.NotFound, "its apps are "+strings.Join(raced, ", "), "race %s has no app %q", races[0].ID, app)
		default:
			return race.Errorf(race.NotFound, "their apps are "+strings.Join(raced, ", "), "none of the %d races has an app %q", len(races), app)
		}
	}
	return nil
}

// judged is the record of a race with its verdicts: the runner's own, overrides included, or one that is made of what Prometheus holds.
func (d *Datasource) judged(ctx context.Context, q query, l listed) (race.Race, notices, []compare.ExecutedQuery, error) {
	if l.record != nil {
		r, said, err := recorded(*l.record, q.Baseline)
		return r, said, []compare.ExecutedQuery{recordQuery(l.id)}, err
	}
	totals, err := d.totals(d.about(ctx, []listed{l}), *l.info, l)
	if err != nil {
		return race.Race{}, nil, nil, err
	}
	r, err := past.Judge(*l.info, totals, past.Options{Baseline: q.Baseline, Now: d.now()})
	if err != nil {
		return race.Race{}, nil, nil, cmp.Or(q.mistaken(totals.Custom), err) // what is wrong with the query comes before what it lacks
	}
	var said notices
	said.take(totals.Notices...)
	said.add("no audit: race %s is %s", l.id, past.NotAudited(fromPrometheus).Detail)
	if r.Status != race.Finished {
		said.tell("race %s is not finished: there is no verdict yet", l.id)
	}
	return r, said, totals.Queries, nil
}

// totals reduces a race that only Prometheus knows. It is the dearest of all questions, so its answer is remembered once the race is over.
func (d *Datasource) totals(ctx context.Context, info compare.RaceInfo, l listed) (compare.Totals, error) {
	key := fmt.Sprintf("totals|%s|%d|%d", info.ID, info.Start.Unix(), info.End.Unix())
	keep := d.over(l) && !d.private
	if keep {
		if t, ok := recall[compare.Totals](d.memory, key, time.Now()); ok {
			return t, nil
		}
	}
	t, err := compare.Reduce(ctx, d.prom, info, d.join)
	if err != nil {
		return t, fmt.Errorf("race %s: %w", info.ID, err)
	}
	if keep && !t.Warned {
		const each = 4000 // bytes: 22 measures with their ids
		d.memory.put(key, t, each*len(info.Apps)*(1+len(info.Heats)), time.Now().Add(finishedFor))
	}
	return t, nil
}

// recordQuery is where the record of a race comes from.
func recordQuery(id string) compare.ExecutedQuery {
	return compare.ExecutedQuery{Measure: "race.json of the runner", Expr: "GET /v1/races/" + id}
}

// recorded is a record against a baseline, with what must be said of how the race ended.
func recorded(r race.Race, baseline string) (race.Race, notices, error) {
	var said notices
	if !r.Status.Ended() {
		said.tell("race %s is %s: there is no verdict yet", r.ID, r.Status)
	} else if r.Status != race.Finished {
		said.add("race %s %s; what it measured until then is shown", r.ID, fate(r))
	}
	if r.Audit.Overridden() {
		said.add("race %s: %s", r.ID, scoreboard.Override(r.Audit))
	}
	r, anew, err := verdict.Against(r, baseline)
	if anew != "" {
		said.add("%s", anew)
	}
	return r, said, err
}

func fate(r race.Race) string {
	text := map[race.Status]string{race.Failed: "failed", race.Cancelled: "was stopped", race.Interrupted: "was interrupted"}[r.Status]
	if r.Error != nil {
		text += " (" + *r.Error + ")"
	}
	return text
}
