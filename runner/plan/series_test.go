package plan_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/plan"
)

// estimated changes the definition of a race of two limited lanes and three heats, and estimates its series.
func estimated(t *testing.T, containers bool, change func(*race.Definition)) plan.Series {
	t.Helper()
	def := define(race.Together, 3, 4*time.Second, .5, .5)
	def.Scenarios = []race.Scenario{{Name: "load"}}
	change(&def)
	return plan.SeriesOf(def, made(t, def, 8), containers)
}

func TestSeriesAreThoseOfEveryHeatPhaseAndLane(t *testing.T) {
	plain := estimated(t, false, func(*race.Definition) {})
	const apps, ofK6, ours = 2, 9 + 4 + 1, 12
	const around = 2*(40+6) + 40 + 7
	require.Equal(t, []plan.SeriesPart{
		{What: "k6's output", Series: 3 * (2*apps*ofK6 + 2)},
		{What: "photofinish's output", Series: 3 * 2 * apps * ours},
		{What: "cAdvisor, of the apps and k6", Series: around},
	}, plain.Parts)
	require.Equal(t, 3*(2*apps*(ofK6+ours)+2)+around, plain.Total)
	require.Equal(t, apps*(ofK6+ours)+2+around, plain.SamplesPerSecond)
	require.Equal(t, 3*2*apps*9, plain.PerName)

	for name, c := range map[string]struct {
		more       int
		containers bool
		change     func(*race.Definition)
	}{
		"no warm-up":               {-3 * apps * (ofK6 + ours), false, func(d *race.Definition) { d.Warmup = 0 }},
		"a heat more":              {2*apps*(ofK6+ours) + 2, false, func(d *race.Definition) { d.Heats++ }},
		"a stock k6":               {-3 * 2 * apps * ours, false, func(d *race.Definition) { d.K6.Image = "grafana/k6" }},
		"a stock k6 in three pods": {-3*2*apps*ours + 2*3*(2*apps*ofK6+2), false, func(d *race.Definition) { d.K6 = race.K6Spec{Image: "grafana/k6", Pods: 3} }},
		"a measure of its own":     {3 * 2 * apps * 3, false, func(d *race.Definition) { d.Measures = []race.DeclaredMeasure{{Name: "x"}, {Name: "y", Expr: "up"}} }},
		"two names that thresholds ask of": {3 * 2 * apps * 9, false, func(d *race.Definition) {
			d.Thresholds = thresholds("http_req_duration{name:a}", "http_reqs{app:x, name:b}")
		}},
		"two checks and a group": {3 * 2 * apps * 2, false, func(d *race.Definition) {
			d.Thresholds = thresholds("checks{check:a}", "checks{check:b}", "group_duration{group:::x}")
		}},
		"two scenarios":                 {3 * 2 * apps * ofK6, false, func(d *race.Definition) { d.Scenarios = append(d.Scenarios, race.Scenario{Name: "more"}) }},
		"a scenario of one lane":        {3 * 2 * ofK6, false, func(d *race.Definition) { d.Scenarios = append(d.Scenarios, race.Scenario{Name: "more", App: "a"}) }},
		"a lane that runs elsewhere":    {-(40 + 6), false, func(d *race.Definition) { d.Lanes[1].URL = "http://there" }},
		"a lane on another machine":     {-(40 + 6), false, func(d *race.Definition) { d.Lanes[1].Remote = true }},
		"containers, new for each heat": {3*2*(40+6+8+20) - 2*(40+6), true, func(*race.Definition) {}},
		"a worker":                      {-3 * 2, false, func(d *race.Definition) { d.Lanes[0].Command, d.Lanes[0].Queue = []string{"x"}, &race.Queue{} }},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, plain.Total+c.more, estimated(t, c.containers, c.change).Total)
		})
	}
	turns := estimated(t, false, func(d *race.Definition) { d.Mode = race.Turns })
	require.Equal(t, plain.Total, turns.Total)
	require.Equal(t, plain.SamplesPerSecond-ofK6, turns.SamplesPerSecond, "one lane is given load at a time")
}

func thresholds(exprs ...string) map[string]json.RawMessage {
	all := map[string]json.RawMessage{}
	for _, e := range exprs {
		all[e] = nil
	}
	return all
}

func TestARaceOfTooManySeriesIsRefused(t *testing.T) {
	many := estimated(t, false, func(d *race.Definition) { d.Heats = 1000 })
	require.NoError(t, many.Check(0))
	require.NoError(t, many.Check(many.Total))
	err := many.Check(many.Total - 1)
	require.ErrorContains(t, err, "the race would make about 110,000 time series, and at most 106,")
	require.ErrorContains(t, err, "of k6's output")
	require.Equal(t, race.Invalid, race.CodeOf(err))
	require.Contains(t, race.HintOf(err), "--max-series")
	require.Contains(t, many.Describe(), "more than the 10,000 that small plans of hosted Prometheus hold")
	few := estimated(t, false, func(*race.Definition) {})
	require.Equal(t, "about 460 time series: 170 of k6's output, 140 of photofinish's output, 140 of cAdvisor, of the apps and k6; each further address, status or group of the script adds 108", few.Describe())
}
