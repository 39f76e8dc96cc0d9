package plugin

import (
	"context"
	"strings"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/data"
)

// races lists the races that overlap the time range, the newest first.
func (d *Datasource) races(ctx context.Context, q query) (answer, error) {
	list, said, err := d.list(ctx, q, false)
	if err != nil {
		return answer{}, err
	}
	f := table("races")
	text := func(name string) *data.Field { return data.NewField(name, nil, []string{}) }
	when := func(name string) *data.Field { return data.NewField(name, nil, []*time.Time{}) }
	f.Fields = data.Fields{
		text("id"), text("name"), text("status"), when("started_at"), when("finished_at"), text("baseline"), text("apps"),
		data.NewField("heats", nil, []int64{}), text("source"),
	}
	for _, l := range list {
		f.AppendRow(l.id, l.name, string(l.status), l.start, l.end, l.baseline(), strings.Join(l.apps(), ", "), int64(l.heats()), l.source())
	}
	return answer{frames: data.Frames{f}, notices: said}, nil
}

func (l listed) source() string {
	if l.record != nil {
		return fromRunner
	}
	return fromPrometheus
}

func (l listed) baseline() string {
	if l.record != nil {
		return l.record.Baseline
	}
	return ""
}

func (l listed) apps() []string {
	if l.record == nil {
		return l.info.Apps
	}
	apps := make([]string, len(l.record.Lanes))
	for i, lane := range l.record.Lanes {
		apps[i] = lane.App
	}
	return apps
}

func (l listed) heats() int {
	if l.record != nil {
		return len(l.record.Heats)
	}
	return len(l.info.Heats)
}
