package compare

import (
	"math"
	"runtime"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/photofinish/photofinish/pkg/measure"
	"github.com/photofinish/photofinish/pkg/panics"
)

// series makes a Series of each app, measure and, where asked, heat. A measure without a source is all gaps.
func (p *racePlan) series(req Request, need needs, shown grid) []Series {
	apart := make([][]Series, len(p.apps))
	var working errgroup.Group
	working.SetLimit(runtime.GOMAXPROCS(0)) // nothing else is left to do by now
	for i, app := range p.apps {
		working.Go(panics.Caught(func() error {
			apart[i] = p.seriesOf(app, req, need, shown)
			return nil
		}))
	}
	panics.Rethrow(working.Wait()) // its functions return no errors
	return slices.Concat(apart...)
}

func (p *racePlan) seriesOf(app string, req Request, need needs, shown grid) (all []Series) {
	for _, heats := range p.groups(req) {
		columns := p.samples.columns(app, heats.heats)
		silent := gaps(shown.n)
		p.place(silent, columns[silence], heats, req, shown)
		unexpected := map[measure.Source][]float64{measure.Client: silent}
		for _, m := range need.measures {
			s := Series{App: app, Measure: m, Race: p.race.ID, Heat: heats.label, Values: gaps(shown.n)}
			p.place(s.Values, columns[m.ID], heats, req, shown)
			s.cover(p.spansOf(heats, req), shown, unexpected[m.Source])
			all = append(all, s)
		}
	}
	return all
}

// group is the heats that one series joins. origin is where its elapsed time begins.
type group struct {
	label  string
	heats  []Heat
	origin time.Time
}

func (p *racePlan) groups(req Request) []group {
	if !req.HeatsEach {
		return []group{{heats: p.race.Heats, origin: p.race.Start}}
	}
	var groups []group
	for _, h := range p.race.Heats {
		groups = append(groups, group{label: h.Label, heats: []Heat{h}, origin: h.Start})
	}
	return groups
}

// place moves a column from the race's own grid to the shown one. Elapsed heats that begin within a step are moved by less than a step;
// no value is changed.
func (p *racePlan) place(values, column []float64, heats group, req Request, shown grid) {
	own := p.samples.grid
	shift := own.start - shown.start
	if req.Elapsed {
		shift -= roundTo(heats.origin.UnixMilli()-p.race.Start.UnixMilli(), own.step) + p.race.Start.UnixMilli()
	}
	for j, v := range column {
		if i, ok := shown.index(shown.start + shift + int64(j)*own.step); ok && !math.IsInf(v, 0) {
			values[i] = v
		}
	}
}

func roundTo(v, unit int64) int64 { return (v + unit/2) / unit * unit }

// spansOf are the heats on the shown grid's time.
func (p *racePlan) spansOf(heats group, req Request) []span {
	var spans []span
	for _, h := range heats.heats {
		s := h.span()
		if req.Elapsed {
			origin := heats.origin.UnixMilli()
			s = span{s.from - origin, s.to - origin}
		}
		spans = append(spans, s)
	}
	return spans
}

// edgeSteps are the steps at both ends of a heat that a source may miss without a notice: nobody pushes at the very moment that a heat begins and ends.
const edgeSteps = 2

// cover counts how many of the heats' grid points have a value, of those at which one is to be expected: silent is known where none is.
func (s *Series) cover(heats []span, shown grid, silent []float64) {
	points, there := 0, 0
	for i := range shown.n {
		if silent != nil && known(silent[i]) {
			continue
		}
		if slices.ContainsFunc(heats, func(h span) bool { return shown.within(i, h) }) {
			points++
			if known(s.Values[i]) {
				there++
			}
		}
	}
	if points > 0 {
		s.Coverage = float64(there) / float64(points)
	}
	s.sparse = there > 0 && float64(points-there) > float64(edgeSteps*len(heats))+(1-enough)*float64(points)
}

// enough is the share of the steps that a source should cover.
const enough = 0.9
