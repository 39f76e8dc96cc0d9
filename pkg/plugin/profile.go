package plugin

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/pprof/profile"
	"github.com/grafana/grafana-plugin-sdk-go/config"
	"github.com/grafana/grafana-plugin-sdk-go/data"

	"github.com/photofinish/photofinish/pkg/compare"
	"github.com/photofinish/photofinish/pkg/flame"
	"github.com/photofinish/photofinish/pkg/race"
)

// The values of field of the type profile. Each has a twin that shows the difference to the baseline.
const (
	fieldCPU   = "cpu"
	fieldHeap  = "heap"
	fieldInuse = "inuse"

	diffSuffix = "_diff"
)

func profileFields() []string {
	return []string{fieldCPU, fieldHeap, fieldInuse, fieldCPU + diffSuffix, fieldHeap + diffSuffix, fieldInuse + diffSuffix}
}

// view is what a flame graph is to show.
type view struct {
	kind       race.ProfileKind
	sampleType string
	unit       string // Grafana's
	name       string
	whole      bool // of the app as it was, and not for one request
}

func viewOf(field string) view {
	switch field {
	case fieldHeap:
		return view{race.HeapProfile, flame.AllocSpace, "bytes", "allocated per request", false}
	case fieldInuse:
		return view{race.HeapProfile, flame.InuseSpace, "bytes", "memory in use at the end", true}
	default:
		return view{race.CPUProfile, flame.CPU, "ns", "CPU per request", false}
	}
}

// fewSamples of a CPU profile make a share that may be half or twice as large the next time.
const fewSamples = 100

// profiled is a profile with what it takes to read it.
type profiled struct {
	app   string
	facts race.Profile
	*profile.Profile
}

// profile answers with flame graphs, one for each app: what one request costs, function by function, or how that differs from the baseline.
func (d *Datasource) profile(ctx context.Context, q query) (answer, error) {
	races, said, err := d.targets(ctx, q, false)
	if err != nil {
		return answer{}, err
	}
	a := answer{notices: said}
	var absent error
	for _, l := range races {
		if err := hasApps([]race.Race{{ID: l.id, Lanes: lanesOf(l)}}, q.Apps); err != nil {
			absent = cmp.Or(absent, err) // an app may be in some of the races only
		}
		if l.record == nil {
			a.notices.tell("race %s was not run by the runner of this data source, which alone keeps profiles", l.id)
			continue
		}
		if err := d.flames(ctx, q, *l.record, &a); err != nil {
			return answer{}, err
		}
	}
	switch n := len(a.frames); {
	case n == 0 && len(races) > 0 && absent != nil && !waits(races):
		return answer{}, absent
	case n == 0:
		a.frames = data.Frames{noFlame()}
	case n > 1:
		a.notices.tell("Grafana's flame graph shows the first of these %d profiles, which is %s: choose one app for another", n, a.frames[0].Name)
	}
	return a, nil
}

// waits says whether there is a race whose apps are not known yet.
func waits(races []listed) bool {
	return slices.ContainsFunc(races, func(l listed) bool { return len(l.apps()) == 0 })
}

func lanesOf(l listed) []race.Lane {
	var lanes []race.Lane
	for _, app := range l.apps() {
		lanes = append(lanes, race.Lane{App: app})
	}
	return lanes
}

// flames adds the flame graphs of one race.
func (d *Datasource) flames(ctx context.Context, q query, r race.Race, a *answer) error {
	field, diff := strings.CutSuffix(q.Field, diffSuffix)
	v := viewOf(field)
	baseline := cmp.Or(q.Baseline, r.Baseline)
	kept := 0
	for _, l := range r.Lanes {
		kept += len(l.Profiles)
	}
	if kept == 0 {
		a.notices.tell("%s", noProfiles(r))
		return nil
	}
	var left *profiled
	if diff {
		var err error
		if left, err = d.profiled(ctx, r, baseline, v, a); err != nil || left == nil {
			return err
		}
	}
	for _, l := range r.Lanes {
		if len(q.Apps) > 0 && !slices.Contains(q.Apps, l.App) || diff && l.App == baseline && !slices.Equal(q.Apps, []string{baseline}) {
			continue
		}
		if diff && l.App == baseline {
			a.notices.tell("%s is the baseline: choose another app to see the difference", baseline)
			continue
		}
		if len(a.frames) == maxRaces {
			a.notices.add("there are more profiles than the %d that one query shows", maxRaces)
			return nil
		}
		p, err := d.profiled(ctx, r, l.App, v, a)
		if err != nil {
			return err
		}
		if p != nil {
			if err := a.addFlame(v, r, left, *p); err != nil {
				return err
			}
		}
	}
	return nil
}

// noProfiles says why a race has none, and what to do.
func noProfiles(r race.Race) string {
	switch {
	case r.Profiling == nil && !r.Status.Ended():
		return fmt.Sprintf("race %s is %s, and has no profiles: its lanes ask for none", r.ID, r.Status)
	case r.Profiling == nil:
		return fmt.Sprintf("race %s has no profiles: write profile: {pprof: '/debug/pprof'} into the lanes of its script, for apps that serve Go's net/http/pprof there", r.ID)
	case !r.Status.Ended():
		return fmt.Sprintf("race %s is %s: profiles are taken after the heats that count", r.ID, r.Status)
	}
	return fmt.Sprintf("race %s has no profiles, though they were asked for: its audit says why", r.ID)
}

// profiled reads a profile of an app, nil where there is none; the notices say why.
func (d *Datasource) profiled(ctx context.Context, r race.Race, app string, v view, a *answer) (*profiled, error) {
	at := slices.IndexFunc(r.Lanes, func(l race.Lane) bool { return l.App == app })
	if at < 0 {
		return nil, race.Errorf(race.Invalid, "", "the baseline %q is no app of race %s", app, r.ID)
	}
	one := slices.IndexFunc(r.Lanes[at].Profiles, func(p race.Profile) bool { return p.Kind == v.kind })
	if one < 0 {
		why := "its lane has no profile.pprof"
		for _, f := range r.Audit.Findings {
			if f.Kind == race.ProfileMissing && f.Lane == app && strings.Contains(f.Detail, string(v.kind)) {
				why = f.Detail
			}
		}
		a.notices.add("there is no %s profile of %s: %s", v.kind, app, why)
		return nil, nil //nolint:nilnil // the notices say why
	}
	p := &profiled{app: app, facts: r.Lanes[at].Profiles[one]}
	raw, err := d.pprof(ctx, r, app, v.kind)
	if err == nil {
		p.Profile, err = flame.Parse(raw)
	}
	if err != nil {
		return nil, fmt.Errorf("the %s profile of %s in race %s: %w", v.kind, app, r.ID, err)
	}
	path := fmt.Sprintf("races/%s/profiles/%s/%s", r.ID, app, v.kind)
	a.executed = append(a.executed, compare.ExecutedQuery{Measure: "pprof of the runner", Expr: "GET /v1/" + path})
	if n := samples(p.Profile); v.kind == race.CPUProfile && n < fewSamples {
		a.notices.tell("the CPU profile of %s has %d samples of 10 ms: its shares are rough; more load, a longer duration or profile_heats make them finer", app, n)
	}
	a.notices.put(data.Notice{
		Severity: data.NoticeSeverityInfo, Text: fmt.Sprintf("download the %s profile of %s for go tool pprof", v.kind, app), Link: d.link(ctx, path),
	})
	return p, nil
}

// samples is how often a CPU profile found the app at work.
func samples(p *profile.Profile) (n int64) {
	at := slices.IndexFunc(p.SampleType, func(t *profile.ValueType) bool { return t.Type == "samples" })
	for _, s := range p.Sample {
		if at >= 0 {
			n += s.Value[at]
		}
	}
	return n
}

// pprof is a profile as the runner keeps it.
func (d *Datasource) pprof(ctx context.Context, r race.Race, app string, kind race.ProfileKind) ([]byte, error) {
	key := fmt.Sprintf("pprof|%s|%s|%s", r.ID, app, kind)
	if raw, ok := recall[[]byte](d.memory, key, time.Now()); ok {
		return raw, nil
	}
	raw, err := d.runner.Profile(ctx, r.ID, app, kind)
	if err == nil && r.Status.Ended() {
		d.memory.put(key, raw, len(raw), time.Now().Add(finishedFor))
	}
	return raw, err
}

// link is the address of a resource of this data source for a browser.
func (d *Datasource) link(ctx context.Context, path string) string {
	root, err := config.GrafanaConfigFromContext(ctx).AppURL()
	if err != nil {
		root = "/"
	}
	return strings.TrimSuffix(root, "/") + "/api/datasources/uid/" + d.uid + "/resources/" + path
}

// addFlame adds the flame graph of an app, beside that of the baseline where there is one.
func (a *answer) addFlame(v view, r race.Race, left *profiled, p profiled) error {
	g, side := flame.New(), flame.Left
	name := p.app + ": " + v.name
	if left != nil {
		if err := v.add(g, flame.Left, *left); err != nil {
			return err
		}
		side, name = flame.Right, fmt.Sprintf("%s against %s: %s", p.app, left.app, v.name)
	}
	if err := v.add(g, side, p); err != nil {
		return err
	}
	if g.Total(flame.Left)+g.Total(flame.Right) == 0 {
		a.notices.tell("the %s profile of %s in race %s is empty: Go counts about one allocation of each 512 KiB, and one look at the CPU in 10 ms", v.kind, p.app, r.ID)
		return nil
	}
	if left != nil {
		g.Level("("+left.app+" takes less)", "("+p.app+" takes less)")
	}
	a.frames = append(a.frames, flameFrame(name, v.unit, g.Rows(maxFunctions), left != nil, data.Labels{"app": p.app, "race": r.ID}))
	return nil
}

func (v view) add(g *flame.Graph, side flame.Side, p profiled) error {
	per := 1.0
	if !v.whole {
		if p.facts.Requests <= 0 {
			return race.Errorf(race.Invalid, "", "the %s profile of %s is of no request", v.kind, p.app)
		}
		per /= float64(p.facts.Requests)
	}
	if err := g.Add(side, p.Profile, v.sampleType, per); err != nil {
		return fmt.Errorf("the %s profile of %s: %w", v.kind, p.app, err)
	}
	return nil
}

// flameFrame is what Grafana's flame graph takes: a nested set, depth first. Two sides make it show a difference, the right one to the left.
func flameFrame(name, unit string, rows []flame.Row, diff bool, labels data.Labels) *data.Frame {
	number := func(name string, of func(flame.Row) float64) *data.Field {
		values := make([]float64, len(rows))
		for i, r := range rows {
			values[i] = of(r)
		}
		return data.NewField(name, labels, values).SetConfig(&data.FieldConfig{Unit: unit})
	}
	levels, names := make([]int64, len(rows)), make([]string, len(rows))
	for i, r := range rows {
		levels[i], names[i] = int64(r.Level), r.Label
	}
	f := data.NewFrame(name, data.NewField("level", nil, levels),
		number("value", func(r flame.Row) float64 { return r.Value[flame.Left] }), number("self", func(r flame.Row) float64 { return r.Self[flame.Left] }))
	if diff {
		f.Fields = append(f.Fields,
			number("valueRight", func(r flame.Row) float64 { return r.Value[flame.Right] }), number("selfRight", func(r flame.Row) float64 { return r.Self[flame.Right] }))
	}
	f.Fields = append(f.Fields, data.NewField("label", nil, names))
	return f.SetMeta(&data.FrameMeta{PreferredVisualization: data.VisTypeFlameGraph})
}

// noFlame is a flame graph of nothing: Grafana's panel fails on one without a row. The panel has no room for a sentence; the notices say why.
func noFlame() *data.Frame {
	return flameFrame("no profile", "", []flame.Row{{Label: "no profile: the mark above says why"}}, false, nil)
}
