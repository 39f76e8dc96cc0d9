package compare_test

import (
	"context"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/compare"
	"github.com/photofinish/photofinish/pkg/promql"
	"github.com/photofinish/photofinish/pkg/race"
)

var t0 = time.Unix(1_790_000_000, 0)

func day(t time.Time) compare.Window {
	return compare.Window{Start: t.Add(-time.Hour), End: t.Add(time.Hour)}
}

func within(t *testing.T, want float64, got *float64, tolerance float64, what string) {
	t.Helper()
	require.NotNil(t, got, what)
	require.InDelta(t, 1, *got/want, tolerance, "%s: want %v, got %v", what, want, *got)
}

// isPercentile checks a percentile in ms against raw observations in seconds.
func isPercentile(t *testing.T, observed []float64, q float64, got *float64, tolerance float64, what string) {
	t.Helper()
	require.NotNil(t, got, what)
	low, high := percentiles(observed, q)
	require.GreaterOrEqual(t, *got, 1000*low*(1-tolerance), what)
	require.LessOrEqual(t, *got, 1000*high*(1+tolerance), what)
}

func mentions(t *testing.T, notices []string, words ...string) {
	t.Helper()
	require.True(t, slices.ContainsFunc(notices, func(n string) bool {
		for _, w := range words {
			if !strings.Contains(n, w) {
				return false
			}
		}
		return true
	}), "no notice with %q in %q", words, notices)
}

// twoHeats is a race of our own runner: warm-up and race, two heats, two apps.
func twoHeats(w *world) *scene {
	s := newScene(w, "r1", true)
	for i, heat := range []string{"1", "2"} {
		start := t0.Add(time.Duration(i) * 20 * time.Second)
		for _, l := range []load{{app: "control", median: 0.010, rate: 50}, {app: "slow", median: 0.013, rate: 40, failEvery: 10}} {
			l.heat, l.phase = heat, "warmup"
			s.run(l, start, 3)
			l.phase = ""
			s.run(l, start.Add(3*time.Second), 10)
		}
	}
	for app, cores := range map[string]float64{"control": 0.2, "slow": 0.5} {
		naming := []string{"container_label_photofinish_app", app, "container_label_photofinish_race", "r1"}
		s.sample(cage{id: "/pf/" + app, naming: naming, cores: cores, already: 3, memory: 1e7, growth: 4000, quota: true, throttled: 0.25, resetAt: 20},
			t0.Add(-300*time.Millisecond), time.Second, 36)
	}
	// Another race of the same apps at the same time.
	s.sample(cage{id: "/pf/other", naming: []string{"container_label_photofinish_app", "slow", "container_label_photofinish_race", "r2"}, cores: 9, memory: 9e9},
		t0.Add(-300*time.Millisecond), time.Second, 36)
	return s
}

func TestARaceOfOurRunnerIsReducedByHeatAndAsAWhole(t *testing.T) {
	w := newWorld(t)
	s := twoHeats(w)
	r, totals, err := compare.Past(t.Context(), w, "r1", day(t0), compare.Join{})
	require.NoError(t, err)
	require.Equal(t, []string{"control", "slow"}, r.Apps)
	require.True(t, r.Phased && r.Own)
	require.Len(t, totals.Heats, 2)
	require.False(t, totals.Coarse)
	for _, heat := range totals.Heats {
		for app, a := range heat.Apps {
			truth := s.truth[app+"/"+heat.Heat.Label]
			name := app + " in heat " + heat.Heat.Label
			require.Equal(t, float64(len(truth.latencies)), a.Requests, name+": warm-up is no part of it")
			require.Equal(t, float64(truth.failed), *a.Failed, name)
			require.Equal(t, race.Checks{Passed: int64(truth.passed), Failed: int64(truth.checks - truth.passed)}, *a.Checks, name)
			for id, q := range map[string]float64{"latency_p50": .5, "latency_p90": .9, "latency_p95": .95, "latency_p99": .99} {
				isPercentile(t, truth.latencies, q, a.Measures[id], 0.003, name+" "+id)
			}
			within(t, 1000*mean(truth.latencies), a.Measures["latency_mean"], 1e-9, name)
			within(t, 1000*slices.Max(truth.latencies), a.Measures["latency_max"], 1e-9, name)
			within(t, float64(len(truth.latencies))/truth.seconds, a.Measures["request_rate"], 1e-9, name)
			within(t, 100*float64(len(truth.latencies))/truth.seconds, a.Measures["data_received_rate"], 1e-9, name)
			require.InDelta(t, float64(truth.failed)/float64(len(truth.latencies)), *a.Measures["error_rate"], 1e-12, name)
			require.InDelta(t, float64(truth.passed)/float64(truth.checks), *a.Measures["check_rate"], 1e-12, name)
			require.Equal(t, 7.0, *a.Measures["vus"])
			within(t, 4000, a.Measures["memory_slope"], 1e-6, name)
			within(t, 4000/(*a.Measures["request_rate"]), a.Measures["memory_bytes_per_request"], 1e-6, name)
			within(t, 0.25, a.Measures["cpu_throttled_ratio"], 1e-6, name)
			require.Nil(t, a.Measures["network_receive_rate"], "local processes have no network series")
			require.Nil(t, a.Measures["network_bytes_per_request"])
		}
		within(t, 0.2, heat.Apps["control"].Measures["cpu_cores"], 1e-6, "control")
		within(t, 1000*0.2/50, heat.Apps["control"].Measures["cpu_ms_per_request"], 1e-6, "control")
		within(t, 1000*0.025/50, heat.Apps["control"].Measures["throttled_ms_per_request"], 1e-6, "control")
	}
	whole := totals.Whole["slow"]
	all := slices.Concat(s.truth["slow/1"].latencies, s.truth["slow/2"].latencies)
	require.Equal(t, float64(len(all)), whole.Requests)
	isPercentile(t, all, .95, whole.Measures["latency_p95"], 0.003, "percentiles pool the heats")
	within(t, 0.5, whole.Measures["cpu_cores"], 1e-6, "the other race's container is not counted, and neither is the restart")
	within(t, 1e7+4000*33, whole.Measures["memory_working_set"], 1e-3, "the highest while racing")
	mentions(t, totals.Notices, "network")
	for _, m := range []string{"latency_p95", "cpu_ms_per_request", "error_rate"} {
		require.True(t, slices.ContainsFunc(totals.Queries, func(q compare.ExecutedQuery) bool { return q.Measure == m }), m)
	}
}

func TestARaceOfAStockK6GivesWhatItsSeriesCan(t *testing.T) {
	w := newWorld(t)
	s := newScene(w, "ab2", false)
	s.markers = false
	// Series begin with what the first push already counted, and failures come late.
	s.run(load{app: "control", median: 0.010, rate: 50, jitter: 300 * time.Millisecond}, t0.Add(450*time.Millisecond), 20)
	s.run(load{app: "slow", median: 0.020, rate: 30, failEvery: 77, jitter: 300 * time.Millisecond}, t0.Add(450*time.Millisecond), 20)
	for app, cores := range map[string]float64{"control": 0.2, "slow": 0.5} {
		s.sample(cage{id: "/docker/" + app, naming: []string{"name", app}, cores: cores, already: 100, memory: 1e7, network: true}, t0.Add(-time.Minute), time.Second, 120)
	}
	r, totals, err := compare.Past(t.Context(), w, "ab2", day(t0), compare.Join{})
	require.NoError(t, err)
	require.False(t, r.Own)
	require.Len(t, r.Heats, 1, "without a heat tag it is one heat")
	require.True(t, totals.Coarse)
	for app, a := range totals.Whole {
		truth := s.truth[app+"/"]
		require.Equal(t, float64(len(truth.latencies)), a.Requests, app)
		require.Equal(t, float64(truth.failed), *a.Failed, app)
		isPercentile(t, truth.latencies, .95, a.Measures["latency_p95"], 0.091, app)
		within(t, 1000*mean(truth.latencies), a.Measures["latency_mean"], 1e-9, app)
		within(t, float64(len(truth.latencies))/truth.seconds, a.Measures["request_rate"], 0.03, app)
		for _, id := range []string{"check_rate", "latency_max", "vus"} {
			require.Nil(t, a.Measures[id], id)
		}
		within(t, 1500/(float64(len(truth.latencies))/truth.seconds), a.Measures["network_bytes_per_request"], 0.03, app)
		require.Nil(t, a.Measures["cpu_throttled_ratio"], "no quota")
	}
	within(t, 1000*0.5/30, totals.Whole["slow"].Measures["cpu_ms_per_request"], 0.03, "slow")
	mentions(t, totals.Notices, "stock k6", "latency_max, check_rate, vus")
	mentions(t, totals.Notices, "9.1%")
	mentions(t, totals.Notices, "quota")
}

func TestLongRacesAreReducedWithoutLoadingEveryHistogram(t *testing.T) {
	w := newWorld(t)
	s := newScene(w, "long", true)
	s.period = 10 * time.Second
	for i, heat := range []string{"1", "2"} {
		s.run(load{app: "control", heat: heat, median: 0.010, rate: 20}, t0.Add(time.Duration(i)*11*time.Minute), 60)
		s.run(load{app: "slow", heat: heat, median: 0.020, rate: 20}, t0.Add(time.Duration(i)*11*time.Minute), 60)
	}
	s.period = time.Second
	_, totals, err := compare.Past(t.Context(), w, "long", day(t0), compare.Join{})
	require.NoError(t, err)
	for _, heat := range totals.Heats {
		truth := s.truth["slow/"+heat.Heat.Label]
		within(t, 1000*mean(truth.latencies), heat.Apps["slow"].Measures["latency_mean"], 1e-9, "every request is counted")
		isPercentile(t, truth.latencies, .99, heat.Apps["slow"].Measures["latency_p99"], 0.003, "p99")
	}
}

func TestARunThatWasStartedAgainAtOnceIsSaid(t *testing.T) {
	w := newWorld(t)
	s := newScene(w, "twice", false)
	s.run(load{app: "a", median: 0.01, rate: 10}, t0, 10)
	s.run(load{app: "a", median: 0.01, rate: 9}, t0.Add(20*time.Second), 5)
	_, totals, err := compare.Past(t.Context(), w, "twice", day(t0), compare.Join{})
	require.NoError(t, err)
	mentions(t, totals.Notices, "started again")
}

func TestContainersThatWereSampledForAPartOfTheHeatsAreSaid(t *testing.T) {
	for seconds, says := range map[int]bool{24: true, 66: false} {
		w := newWorld(t)
		s := newScene(w, "r", true)
		s.run(load{app: "a", median: 0.01, rate: 10}, t0, 60)
		s.sample(cage{id: "/a", naming: []string{"name", "a"}, cores: 0.3}, t0.Add(-2500*time.Millisecond), time.Second, seconds)
		_, totals, err := compare.Past(t.Context(), w, "r", day(t0), compare.Join{})
		require.NoError(t, err)
		require.Equal(t, says, slices.ContainsFunc(totals.Notices, func(n string) bool {
			return strings.Contains(n, "cAdvisor's samples cover") && strings.Contains(n, "of the steps of a")
		}), "%d seconds: %q", seconds, totals.Notices)
		within(t, 0.3, totals.Whole["a"].Measures["cpu_cores"], 1e-6, "cores")
	}
}

func TestWarningsOfPrometheusAreToldOfTheTotals(t *testing.T) {
	w := newWorld(t)
	s := newScene(w, "r", true)
	s.run(load{app: "a", median: 0.01, rate: 10}, t0, 20)
	r := lookup(t, w, "r")
	totals, err := compare.Reduce(t.Context(), w, r, compare.Join{})
	require.NoError(t, err)
	require.False(t, totals.Warned, totals.Notices)
	totals, err = compare.Reduce(t.Context(), partial{w}, r, compare.Join{})
	require.NoError(t, err)
	require.True(t, totals.Warned)
	told, err := compare.Mishaps(t.Context(), partial{w}, r, compare.Join{})
	require.NoError(t, err)
	require.Equal(t, []string{"Prometheus: a store is down"}, told.Notices)
}

// partial is a Prometheus that knows only some of it.
type partial struct{ promql.Querier }

func (p partial) Query(ctx context.Context, q promql.Query) (promql.Result, error) {
	result, err := p.Querier.Query(ctx, q)
	result.Warnings = []string{"a store is down"}
	return result, err
}

func mean(v []float64) float64 {
	sum := 0.0
	for _, x := range v {
		sum += x
	}
	return sum / math.Max(float64(len(v)), 1)
}

func TestWhatAnAppSpentBeforeTheRaceIsNotTheRaces(t *testing.T) {
	w := newWorld(t)
	s := newScene(w, "r", true)
	s.run(load{app: "a", median: 0.01, rate: 10}, t0.Add(600*time.Millisecond), 10)
	w.write(func(a writer) {
		spent := 0.0
		for i := range 20 {
			at := t0.Add(time.Duration(i-5)*time.Second + 100*time.Millisecond)
			if spent += 0.2; at.Before(t0.Add(600 * time.Millisecond)) {
				spent += 5 // starting takes much
			}
			a.float(at, spent, "__name__", "container_cpu_usage_seconds_total", "name", "a", "id", "/a")
		}
	})
	_, totals, err := compare.Past(t.Context(), w, "r", day(t0), compare.Join{})
	require.NoError(t, err)
	within(t, 0.2, totals.Whole["a"].Measures["cpu_cores"], 1e-6, "cores")
}

func TestTheFirstAnswersLatencyDoesNotBendTheRate(t *testing.T) {
	w := newWorld(t)
	w.write(func(a writer) {
		// 100 requests/s, each takes half a second: the first second sees 50 answers.
		for i := range 11 {
			at := t0.Add(time.Duration(i)*time.Second + 600*time.Millisecond)
			answered := math.Max(0, 100*float64(i)-50)
			a.float(at, answered, "__name__", "photofinish_http_reqs_total", "testid", "r", "app", "a", "phase", "race", "expected_response", "true")
		}
	})
	_, totals, err := compare.Past(t.Context(), w, "r", day(t0), compare.Join{})
	require.NoError(t, err)
	within(t, 100, totals.Whole["a"].Measures["request_rate"], 1e-9, "rate")
	require.Equal(t, 950.0, totals.Whole["a"].Requests, "the counts stay whole")
}

func TestOtherPeoplesPhasesAreNoneOfOurs(t *testing.T) {
	w := newWorld(t)
	s := newScene(w, "hand", false)
	s.phased, s.period = true, 20*time.Second
	s.run(load{app: "a", median: 0.01, rate: 10, phase: "steady"}, t0, 60) // longer than a heat whose histograms are read at once
	r, totals, err := compare.Past(t.Context(), w, "hand", day(t0), compare.Join{})
	require.NoError(t, err)
	require.False(t, r.Phased)
	require.Len(t, r.Heats, 1)
	require.Equal(t, 600.0, totals.Whole["a"].Requests)
	require.NotNil(t, totals.Whole["a"].Measures["latency_p95"])
}

func TestARaceThatHasOnlyWarmedUpSaysSo(t *testing.T) {
	w := newWorld(t)
	s := newScene(w, "r1", true)
	s.period = 20 * time.Second
	s.run(load{app: "a", heat: "1", median: 0.01, rate: 10, phase: "warmup"}, t0, 60)
	r, totals, err := compare.Past(t.Context(), w, "r1", day(t0), compare.Join{})
	require.NoError(t, err)
	mentions(t, totals.Notices, "race r1 has only warmed up so far")
	require.Empty(t, totals.Heats)
	require.Len(t, totals.Whole["a"].Measures, 22)
	for id, v := range totals.Whole["a"].Measures {
		require.Nil(t, v, id)
	}
	d, err := compare.Distribute(t.Context(), w, r, nil, []float64{50, 99})
	require.NoError(t, err)
	require.Equal(t, []string{"race r1 has only warmed up so far"}, d.Notices)
	require.Len(t, d.Whole["a"], 2)
	require.Empty(t, d.Queries)
}
