package plugin

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/data"

	"github.com/photofinish/photofinish/pkg/measure"
	"github.com/photofinish/photofinish/pkg/race"
)

// phaseDone is the phase of a heat, and of a race, that is over; before its first heat the phase is the race's status.
const phaseDone = "done"

// liveRow is a lane at a moment. Figures that are not known are nil.
type liveRow struct {
	time                time.Time
	app, phase          string
	heat                int64
	requests            int64
	rate, p50, p95      *float64
	errors              int64
	cpu, memory         *float64
	place               int64
	status              race.Status
	detail              string
	heats               int64
	elapsed, remaining  *float64 // s; elapsed is since the first heat began, as in timeseries with align: elapsed
	done                float64
	racing              bool
	out                 string
	baseline            bool
	cpuLimit, memoryMax *float64
	target              *float64 // requests that an open model wants of the lane in the whole race
	took                *float64 // s, of a race that is over: the events that tell its end come a little later
}

// liveFrame is a frame of the query type live: its columns are the same in an answer and in everything that follows on its channel.
type liveFrame struct {
	*data.Frame
	all bool
}

func newLiveFrame(all bool) liveFrame {
	f := table("live")
	text := func(name string) *data.Field { return data.NewField(name, nil, []string{}) }
	count := func(name string) *data.Field { return data.NewField(name, nil, []int64{}) }
	flag := func(name string) *data.Field { return data.NewField(name, nil, []bool{}) }
	num := func(name, unit string) *data.Field {
		return data.NewField(name, nil, []*float64{}).SetConfig(&data.FieldConfig{Unit: unit})
	}
	f.Fields = data.Fields{
		data.NewField("time", nil, []time.Time{}), text("app"), text("phase"), count("heat"), count("requests"),
		num("rate", "reqps"), num("p50", "ms"), num("p95", "ms"), count("errors"), num("cpu_cores", "none"), num("memory_bytes", string(measure.Bytes)), count("place"),
	}
	if all {
		f.Fields = append(f.Fields,
			text("status"), text("detail"), count("heats"), num("elapsed", "s"), num("remaining", "s"), num("done", "percentunit"), flag("racing"), text("out"),
			flag("baseline"), num("cpu_limit", "none"), num("memory_limit", string(measure.Bytes)), num("target", "none"), num("took", "s"))
	}
	return liveFrame{f, all}
}

// of says which race a frame is about.
func (f liveFrame) of(r race.Race) {
	f.Meta.Custom = map[string]any{"race": r.ID, "name": r.Name}
}

// took is how many seconds lie between two times, nil where one of them is not known.
func took(start, end *time.Time) *float64 {
	if start == nil || end == nil {
		return nil
	}
	return seconds64(end.Sub(*start))
}

func (f liveFrame) add(r liveRow) {
	values := []any{r.time.UTC(), r.app, r.phase, r.heat, r.requests, r.rate, r.p50, r.p95, r.errors, r.cpu, r.memory, r.place}
	if f.all {
		values = append(values, string(r.status), r.detail, r.heats, r.elapsed, r.remaining, &r.done, r.racing, r.out, r.baseline, r.cpuLimit, r.memoryMax, r.target, r.took)
	}
	f.AppendRow(values...)
}

// record adds a race as its record tells it: of one that is over the figures of the whole race, of another its lanes and that nothing is known yet.
// at is when; what was seen of it live before must not be later.
func (f liveFrame) record(r race.Race, at time.Time) {
	rows := make([]liveRow, 0, len(r.Lanes))
	for _, l := range r.Lanes {
		rows = append(rows, recordRow(r, l, at))
	}
	if r.Status.Ended() {
		rank(rows, r.Load.Rate != nil)
	}
	for _, row := range rows {
		f.add(row)
	}
}

func recordRow(r race.Race, l race.Lane, at time.Time) liveRow {
	row := liveRow{
		time: at, app: l.App, phase: string(r.Status), status: r.Status, heats: int64(r.PlannedHeats), baseline: l.App == r.Baseline,
		cpuLimit: l.Resources.CPUs, target: target(r), heat: int64(len(r.Heats)),
	}
	if l.Resources.Memory != nil {
		limit := float64(*l.Resources.Memory)
		row.memoryMax = &limit
	}
	if r.Error != nil {
		row.detail = *r.Error
	}
	if l.Client != nil {
		row.requests, row.errors = l.Client.Requests, l.Client.Failed
	}
	if !r.Status.Ended() {
		return row
	}
	row.phase, row.took = phaseDone, took(r.StartedAt, r.FinishedAt)
	if origin := firstHeat(r); !origin.IsZero() {
		row.elapsed = seconds64(row.time.Sub(origin))
	}
	if l.Client != nil {
		row.rate, row.p50, row.p95 = &l.Client.Rate, l.Client.LatencyMS.P50, l.Client.LatencyMS.P95
	}
	row.cpu, row.memory = l.Measures["cpu_cores"], l.Measures["memory_working_set"]
	row.done, row.out = ran(r, l.App), outOf(r, l)
	return row
}

func seconds64(d time.Duration) *float64 {
	s := d.Seconds()
	return &s
}

// target is how many requests an open model is to make of each lane; nil in a closed one, where nobody knows before.
func target(r race.Race) *float64 {
	if r.Load.Rate == nil || r.PlannedHeats == 0 {
		return nil
	}
	n := *r.Load.Rate * r.Load.DurationMS / 1000 * float64(r.PlannedHeats)
	return &n
}

// ran is the share of its time under load that a lane has behind it.
func ran(r race.Race, app string) float64 {
	whole := r.Load.DurationMS * float64(r.PlannedHeats)
	var active float64
	for _, h := range r.Heats {
		active += h.Lanes[app].ActiveMS
	}
	if whole <= 0 {
		return 0
	}
	return min(1, active/whole)
}

// outOf says why and when a lane left the race, in the words of the runner's progress.
func outOf(r race.Race, l race.Lane) string {
	if l.Exit == nil || l.Exit.At == nil || r.StartedAt == nil || l.Exit.Reason == race.Stopped || l.Exit.Reason == race.Running {
		return ""
	}
	why := string(l.Exit.Reason)
	switch {
	case l.Exit.Reason == race.OOM:
		why = "memory"
	case l.Exit.Reason == race.Exited && l.Exit.Code != nil:
		why = fmt.Sprintf("exit code %d", *l.Exit.Code)
	}
	return fmt.Sprintf("%s, %.0f s", why, max(0, l.Exit.At.Sub(*r.StartedAt).Seconds())) // a race starts after its first warm-up
}

// rank gives the places as the runner does while a race goes on: by p95 in an open model, where all are asked the same, else by requests.
func rank(rows []liveRow, open bool) {
	var order []*liveRow
	for i := range rows {
		if r := &rows[i]; r.requests > 0 && r.out == "" && (!open || r.p95 != nil) {
			order = append(order, r)
		}
	}
	slices.SortStableFunc(order, func(a, b *liveRow) int {
		if open {
			return cmp.Compare(*a.p95, *b.p95)
		}
		return cmp.Compare(b.requests, a.requests)
	})
	for i, r := range order {
		r.place = int64(i + 1)
	}
}

// when is the time of a race's record: its end, or now while it goes on.
func when(r race.Race, now time.Time) time.Time {
	if r.Status.Ended() && r.FinishedAt != nil {
		return *r.FinishedAt
	}
	return now
}

// progress adds the lanes of an event. origin is when the first heat began, zero while it is not known.
func (f liveFrame) progress(p race.Progress, target *float64, origin time.Time) {
	for _, l := range p.Lanes {
		row := liveRow{
			time: p.At, app: l.App, phase: p.Phase, heat: int64(p.Heat), requests: l.Requests, rate: &l.Rate, errors: l.Errors,
			cpu: l.CPUCores, memory: l.MemoryBytes, place: int64(l.Place),
			status: p.Status, heats: int64(p.Heats), done: l.Done, racing: l.Racing, out: l.Out, baseline: l.Baseline,
			cpuLimit: l.CPULimit, memoryMax: l.MemoryLimit, target: target,
		}
		if l.P95 > 0 { // nobody answered in the last second
			row.p50, row.p95 = &l.P50, &l.P95
		}
		remaining := p.RemainingMS / 1000
		row.remaining = &remaining
		if !origin.IsZero() {
			row.elapsed = seconds64(p.At.Sub(origin))
		}
		f.add(row)
	}
}
