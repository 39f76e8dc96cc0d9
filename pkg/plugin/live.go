package plugin

import (
	"context"
	"encoding/base64"
	"strings"

	"github.com/grafana/grafana-plugin-sdk-go/data"
	"github.com/grafana/grafana-plugin-sdk-go/live"

	"github.com/photofinish/photofinish/pkg/race"
)

// maxChannel is the length of a channel that Grafana still takes.
const maxChannel = 160

// The path of a channel: livePrefix and the race's id, which Grafana would not take as it stands, and liveAll where every column is asked for.
const (
	livePrefix = "race/"
	liveAll    = "/" + fieldAll
)

// livePath is where the events of a race are told. all: with the columns that `field: all` adds.
func livePath(id string, all bool) string {
	path := livePrefix + base64.RawURLEncoding.EncodeToString([]byte(id))
	if all {
		path += liveAll
	}
	return path
}

// readLivePath reads what livePath writes; ok is false for any other path.
func readLivePath(path string) (id string, all, ok bool) {
	encoded, ok := strings.CutPrefix(path, livePrefix)
	if !ok {
		return "", false, false
	}
	encoded, all = strings.CutSuffix(encoded, liveAll)
	raw, err := base64.RawURLEncoding.DecodeString(encoded)
	if err != nil || !race.ValidID(string(raw)) || livePath(string(raw), all) != path { // decoding takes line breaks, and more ways than one
		return "", false, false
	}
	return string(raw), all, true
}

// live answers with how races stand, and with the channels on which Grafana hears how they go on: a frame a race.
func (d *Datasource) live(ctx context.Context, q query) (answer, error) {
	races, said, err := d.liveTargets(ctx, q)
	if err != nil {
		return answer{}, err
	}
	a := answer{notices: said}
	for _, l := range races {
		if l.record == nil {
			a.notices.add("race %s was not started through %s, so nobody tells live of it; a query of type timeseries follows it from Prometheus", l.id, d.aRunner())
			continue
		}
		if l.status == race.Queued {
			a.notices.add("race %s is queued", l.id)
		}
		f := newLiveFrame(q.Field == fieldAll)
		f.of(*l.record)
		f.record(*l.record, when(*l.record, d.now()))
		a.frames = append(a.frames, f.Frame)
		a.executed = append(a.executed, recordQuery(l.id))
		if f.all && l.status.Ended() {
			continue // there is nothing to follow, and Grafana would show for ever that the panel streams
		}
		channel := live.Channel{Scope: live.ScopeDatasource, Namespace: d.uid, Path: livePath(l.id, f.all)}
		if channel.IsValid() && len(channel.String()) <= maxChannel {
			f.Meta.Channel = channel.String()
		} else {
			a.notices.add("race %s cannot be followed live: with this data source's uid its channel has more than the %d characters that Grafana takes; "+
				"give the data source a shorter uid", l.id, maxChannel)
		}
	}
	if len(a.frames) == 0 {
		a.frames = data.Frames{newLiveFrame(q.Field == fieldAll).Frame}
	}
	return a, nil
}

func (d *Datasource) aRunner() string {
	if d.runner == nil {
		return "a runner, and this data source has none"
	}
	return "this data source's runner"
}

// liveTargets finds the races that a query names. $latest is here the race that runs now, else the newest of the time range, whatever became of it.
func (d *Datasource) liveTargets(ctx context.Context, q query) ([]listed, notices, error) {
	if len(q.Races) == 0 {
		q.Races = []string{latest}
	}
	var races []listed
	var said notices
	for _, id := range q.Races {
		if id != latest {
			l, more, err := d.byID(ctx, q, id, false)
			if err != nil {
				return nil, nil, err
			}
			said.join(more)
			races = append(races, l)
			continue
		}
		l, ok, more, err := d.current(ctx, q)
		if err != nil {
			return nil, nil, err
		}
		said.join(more)
		if !ok {
			said.add("no race%s in this time range", named(q.Name))
			continue
		}
		races = append(races, l)
	}
	return races, said, nil
}

// current is the race that runs now, else the newest one. Prometheus is asked only where the runner has none that runs.
func (d *Datasource) current(ctx context.Context, q query) (found listed, ok bool, said notices, err error) {
	records, _, err := d.records.since(ctx, d.now())
	if err != nil && isGone(err) {
		return listed{}, false, nil, err
	}
	for _, r := range records { // an error comes again from list, as a notice
		if r.StartedAt == nil || r.Status == race.Queued || r.Status.Ended() || q.Name != "" && r.Name != q.Name {
			continue
		}
		if !ok || r.StartedAt.After(*found.start) {
			found, ok = listedRecord(r.Race), true
		}
	}
	if ok {
		return found, true, nil, nil
	}
	all, said, err := d.list(ctx, q, false)
	if err != nil {
		return listed{}, false, nil, err
	}
	tagged, _ := comparable(q, all)
	if len(tagged) == 0 {
		return listed{}, false, said, nil
	}
	for _, l := range tagged {
		if !l.status.Ended() && l.status != race.Queued {
			return l, true, said, nil
		}
	}
	return tagged[0], true, said, nil
}
