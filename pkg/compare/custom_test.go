package compare_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/compare"
	"github.com/photofinish/photofinish/pkg/measure"
	"github.com/photofinish/photofinish/pkg/race"
)

func found(t *testing.T, w *world, id string) compare.RaceInfo {
	t.Helper()
	r, _, err := compare.Lookup(t.Context(), w, id, day(t0))
	require.NoError(t, err)
	return r
}

func queueOf(expr string) race.CustomMeasure {
	return race.CustomMeasure{ID: "queue", Name: "Queue", Unit: "jobs", Better: "lower", Type: race.Expression, Expr: expr}
}

// queued is a race of our own with a gauge of somebody else's that is sampled before, in and after its heats.
func queued(t *testing.T) (*world, compare.RaceInfo) {
	t.Helper()
	w := newWorld(t)
	twoHeats(w)
	w.write(func(a writer) {
		for i := range 60 {
			at := t0.Add(time.Duration(i-5) * time.Second)
			a.float(at, float64(i), "__name__", "queue", "app", "control", "instance", "1")
			a.float(at, float64(2*i), "__name__", "queue", "app", "slow", "instance", "1")
			a.float(at, 3, "__name__", "queue", "app", "slow", "instance", "2")
			a.float(at, 3, "__name__", "queue", "app", "stranger", "instance", "1")
		}
	})
	r := found(t, w, "r1")
	r.Recorded = true
	return w, r
}

func TestAnExpressionIsAMeasureWithinTheHeats(t *testing.T) {
	w, r := queued(t)
	r.Custom = []race.CustomMeasure{queueOf(`sum by (app) (queue)`)}
	got, err := compare.TimeSeries(t.Context(), w, compare.Request{Races: []compare.RaceInfo{r}, Measures: []string{"queue"}, Step: time.Second})
	require.NoError(t, err)
	require.Len(t, got.Series, 2)
	for _, s := range got.Series {
		require.Equal(t, "Queue", s.Measure.Name)
		there := 0
		for i, v := range s.Values {
			inside := false
			for _, h := range r.Heats {
				inside = inside || got.Times[i].After(h.Start) && !got.Times[i].After(h.End.Add(time.Second))
			}
			if !math.IsNaN(v) {
				there++
				require.True(t, inside, "%s at %s", s.App, got.Times[i])
			}
		}
		require.Greater(t, there, 18)
	}
}

func TestAnExpressionThatDoesNotTellItsAppsSaysSo(t *testing.T) {
	w, r := queued(t)
	r.Custom = []race.CustomMeasure{queueOf(`queue`)}
	got, err := compare.TimeSeries(t.Context(), w, compare.Request{Races: []compare.RaceInfo{r}, Measures: []string{"queue"}, Step: time.Second})
	require.NoError(t, err)
	mentions(t, got.Notices, "queue", `several series of app "slow"`, "sum by (app)")

	end := r.Heats[0].End
	ask := func(expr string) (map[string]map[string]float64, map[string]error) {
		return compare.Ask(t.Context(), w, []race.CustomMeasure{queueOf(expr), {ID: "not_asked", Type: race.Rate}}, "r1", r.Apps, r.Heats[0].Start, end)
	}
	values, wrong := ask(`sum by (app) (queue)`)
	require.Empty(t, wrong)
	require.Equal(t, map[string]map[string]float64{"queue": {"control": values["queue"]["control"], "slow": values["queue"]["slow"]}}, values, "strangers are left out")
	require.InDelta(t, 2*values["queue"]["control"]+3, values["queue"]["slow"], 0)
	values, wrong = ask(`max by (app) (max_over_time(queue{app!="$race"}[$window]))`)
	require.Empty(t, wrong)
	require.Positive(t, values["queue"]["control"])
	for expr, says := range map[string]string{
		`queue`: "several series", `queue{app="stranger"}`: "no series of an app that raced", `queue{app=~"stranger|control"} / 0`: "", `sum by (app) (`: "parse error",
	} {
		values, wrong := ask(expr)
		if says == "" {
			require.Empty(t, wrong)
			require.Empty(t, values["queue"], "infinities are no values")
			continue
		}
		require.ErrorContains(t, wrong["queue"], says, expr)
	}
	values, wrong = ask(`absent_of_everything{app="control"}`)
	require.Empty(t, wrong)
	require.Empty(t, values["queue"])
}

func TestAStockK6sOwnMetricsAreFoundByTheirSeries(t *testing.T) {
	w := newWorld(t)
	s := newScene(w, "by-hand", false)
	for _, app := range []string{"a", "b"} {
		s.run(load{app: app, median: 0.010, rate: 20}, t0, 10)
	}
	w.write(func(a writer) {
		for i := range 10 {
			at := t0.Add(time.Duration(i+1) * time.Second)
			for _, app := range []string{"a", "b"} {
				labels := func(name string) []string { return []string{"__name__", name, "testid", "by-hand", "app", app} }
				a.float(at, float64(10*(i+1)), labels("k6_sold_total")...)
				a.float(at, 0.5, labels("k6_fast_rate")...)
				a.float(at, 7, labels("k6_depth")...)
				a.float(at, 1, labels("k6_iterations_total")...)
				var observed []float64
				for range 10 * (i + 1) {
					observed = append(observed, 0.2)
				}
				a.histogram(at, native(3, observed), labels("k6_wait_seconds")...)
				a.histogram(at, native(3, observed), labels("k6_size")...)
			}
		}
	})
	r := found(t, w, "by-hand")
	known, _, err := compare.KnowOwn(t.Context(), w, []compare.RaceInfo{r}, []string{"latency_p95"})
	require.NoError(t, err)
	require.Empty(t, known[0].Custom, "nothing is asked where everything is known")
	totals, err := compare.Reduce(t.Context(), w, r, compare.Join{})
	require.NoError(t, err)
	own := measure.Of(totals.Custom...).IDs()[len(measure.IDs()):]
	require.Equal(t, []string{
		"size_mean", "size_p50", "size_p90", "size_p95", "size_p99", "size_max", "sold_per_second", "wait_mean", "wait_p50", "wait_p90", "wait_p95", "wait_p99", "wait_max",
	}, own, "shares without counts, gauges and k6's own are none")
	for _, app := range []string{"a", "b"} {
		m := totals.Whole[app].Measures
		within(t, 200, m["wait_mean"], 1e-9, "times are ms")
		within(t, 200, m["wait_p95"], .1, "times are ms")
		within(t, 0.2, m["size_mean"], 1e-9, "others are as they were given")
		within(t, 10, m["sold_per_second"], .01, "sold")
		require.Nil(t, m["wait_max"])
	}
	mentions(t, totals.Notices, "wait_max", "stock k6")
	_, err = compare.TimeSeries(t.Context(), w, compare.Request{Races: []compare.RaceInfo{r}, Measures: []string{"wait_p59"}})
	require.Contains(t, race.HintOf(err), "wait_p50", "what is near is named")
}
