package compare_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/compare"
)

func lookup(t *testing.T, w *world, id string) compare.RaceInfo {
	t.Helper()
	r, _, err := compare.Lookup(t.Context(), w, id, day(t0))
	require.NoError(t, err)
	return r
}

func series(t *testing.T, r compare.Result, app, measure, heat string) compare.Series {
	t.Helper()
	for _, s := range r.Series {
		if s.App == app && s.Measure.ID == measure && s.Heat == heat {
			return s
		}
	}
	require.Failf(t, "no series", "%s %s %q", app, measure, heat)
	return compare.Series{}
}

func TestARangeThatCutsARaceHasTheSlopesOfTheWhole(t *testing.T) {
	w := newWorld(t)
	twoHeats(w)
	whole := lookup(t, w, "r1")
	for _, step := range []time.Duration{time.Second, 5 * time.Second} {
		req := compare.Request{Races: []compare.RaceInfo{whole}, Measures: []string{"memory_slope"}, Step: step}
		all, err := compare.TimeSeries(t.Context(), w, req)
		require.NoError(t, err)
		req.Start = whole.Heats[0].Start.Add(6 * time.Second)
		cut, err := compare.TimeSeries(t.Context(), w, req)
		require.NoError(t, err)
		require.True(t, cut.Times[0].After(req.Start))
		want, got := series(t, all, "control", "memory_slope", "").Values, series(t, cut, "control", "memory_slope", "").Values
		require.False(t, math.IsNaN(got[0]), step)
		require.InDeltaSlice(t, want[len(want)-len(got):], got, 1e-6, step)
	}
}

func TestARaceThatK6PushedOnceSaysWhyItHasNoRate(t *testing.T) {
	for pushes, said := range map[int]bool{1: true, 2: false} {
		w := newWorld(t)
		s := newScene(w, "short", false)
		s.period = 5 * time.Second
		s.run(load{app: "a", median: 0.01, rate: 50}, t0, pushes)
		r, err := compare.TimeSeries(t.Context(), w, compare.Request{Races: []compare.RaceInfo{lookup(t, w, "short")}, Measures: []string{"request_rate"}})
		require.NoError(t, err)
		require.Equal(t, said, strings.Contains(strings.Join(r.Notices, "; "), "k6 pushed only once what a did"), "%d pushes: %v", pushes, r.Notices)
	}
}

func TestMeasuresOfBothSidesStandOnOneGrid(t *testing.T) {
	w := newWorld(t)
	s := twoHeats(w)
	r, err := compare.TimeSeries(t.Context(), w, compare.Request{Races: []compare.RaceInfo{lookup(t, w, "r1")}})
	require.NoError(t, err)
	require.Equal(t, time.Second, r.Step)
	require.Len(t, r.Series, 2*22)
	for _, s := range r.Series {
		require.Len(t, s.Values, len(r.Times))
		for _, v := range s.Values {
			require.False(t, math.IsInf(v, 0))
		}
	}
	rate, p95, cost := series(t, r, "slow", "request_rate", ""), series(t, r, "slow", "latency_p95", ""), series(t, r, "slow", "cpu_ms_per_request", "")
	errors, max := series(t, r, "slow", "error_rate", ""), series(t, r, "slow", "latency_max", "")
	mean := series(t, r, "slow", "latency_mean", "")
	for i, at := range r.Times {
		second := int(at.Sub(t0) / time.Second)
		heat, push := "1", second-3
		if second >= 20 {
			heat, push = "2", second-23
		}
		if push < 1 || push > 10 {
			require.True(t, math.IsNaN(rate.Values[i]) && math.IsNaN(p95.Values[i]), "nothing races at second %d", second)
			continue
		}
		part := s.truth["slow/"+heat].latencies[40*(push-1) : 40*push]
		require.InDelta(t, 40, rate.Values[i], 1e-9)
		low, high := percentiles(part, .95)
		require.GreaterOrEqual(t, p95.Values[i], 1000*low*0.997, "second %d", second)
		require.LessOrEqual(t, p95.Values[i], 1000*high*1.003, "second %d", second)
		require.InDelta(t, 1000*average(part), mean.Values[i], 1e-9)
		require.InDelta(t, 0.1, errors.Values[i], 1e-9)
		require.InDelta(t, 1000*highest(part), max.Values[i], 1e-9)
		if push > 1 && second != 20 {
			require.InDelta(t, 1000*0.5/40, cost.Values[i], 1e-6, "second %d", second)
		}
	}
	require.InDelta(t, 10.0/11, rate.Coverage, 0.1)
	require.Zero(t, series(t, r, "slow", "network_receive_rate", "").Coverage)
}

func average(v []float64) float64 {
	sum := 0.0
	for _, x := range v {
		sum += x
	}
	return sum / float64(len(v))
}

func highest(v []float64) float64 {
	top := v[0]
	for _, x := range v {
		top = math.Max(top, x)
	}
	return top
}

func TestHeatsLieOverEachOtherByElapsedTime(t *testing.T) {
	w := newWorld(t)
	twoHeats(w)
	r, err := compare.TimeSeries(t.Context(), w, compare.Request{
		Races: []compare.RaceInfo{lookup(t, w, "r1")}, Measures: []string{"request_rate", "latency_p50", "cpu_cores"}, Elapsed: true, HeatsEach: true,
	})
	require.NoError(t, err)
	require.Empty(t, r.Times)
	require.Equal(t, 1.0, r.Elapsed[0])
	for _, id := range []string{"request_rate", "latency_p50", "cpu_cores"} {
		for i := range r.Elapsed {
			one, two := series(t, r, "control", id, "1").Values[i], series(t, r, "control", id, "2").Values[i]
			require.Equal(t, math.IsNaN(one), math.IsNaN(two), "%s at %g s", id, r.Elapsed[i])
		}
		require.Greater(t, series(t, r, "control", id, "2").Coverage, 0.8, id)
	}
}

func TestRacesLieOverEachOtherByElapsedTime(t *testing.T) {
	w := newWorld(t)
	for i, id := range []string{"monday", "tuesday"} {
		s := newScene(w, id, true)
		s.run(load{app: "a", median: 0.01, rate: 10 * (i + 1)}, t0.Add(time.Duration(i)*500*time.Second), 20)
	}
	r, err := compare.TimeSeries(t.Context(), w, compare.Request{
		Races: []compare.RaceInfo{lookup(t, w, "monday"), lookup(t, w, "tuesday")}, Measures: []string{"request_rate"}, Elapsed: true,
		Start: t0, End: t0.Add(time.Second), // elapsed shows whole races
	})
	require.NoError(t, err)
	require.Len(t, r.Series, 2)
	for i := 2; i < 20; i++ {
		require.InDelta(t, 10, r.Series[0].Values[i], 1e-9)
		require.InDelta(t, 20, r.Series[1].Values[i], 1e-9)
	}
}

func TestASlowSourceSetsTheStepAndNothingIsInterpolated(t *testing.T) {
	w := newWorld(t)
	s := newScene(w, "r", true)
	s.run(load{app: "a", median: 0.01, rate: 10}, t0, 120)
	s.sample(cage{id: "/a", naming: []string{"name", "a"}, cores: 0.3}, t0.Add(-20*time.Second), 10*time.Second, 8) // and then cAdvisor falls silent
	req := compare.Request{Races: []compare.RaceInfo{lookup(t, w, "r")}, Measures: []string{"cpu_cores", "request_rate", "cpu_ms_per_request"}}
	r, err := compare.TimeSeries(t.Context(), w, req)
	require.NoError(t, err)
	require.Equal(t, 10*time.Second, r.Step)
	cpu := series(t, r, "a", "cpu_cores", "")
	known := 0
	for i, at := range r.Times {
		if v := cpu.Values[i]; !math.IsNaN(v) {
			known++
			require.InDelta(t, 0.3, v, 1e-9)
			require.False(t, at.After(t0.Add(60*time.Second)), "a value from nothing at %s", at.Sub(t0))
		}
	}
	require.Equal(t, 5, known)
	mentions(t, r.Notices, "cAdvisor's samples cover")

	req.Measures = []string{"request_rate"}
	r, err = compare.TimeSeries(t.Context(), w, req)
	require.NoError(t, err)
	require.Equal(t, time.Second, r.Step, "what is not asked for sets no step")
}

func TestAClippedViewDoesNotCountWhatWasBeforeIt(t *testing.T) {
	w := newWorld(t)
	s := newScene(w, "r", false)
	s.run(load{app: "a", median: 0.01, rate: 10, failEvery: 30}, t0, 120)
	r, err := compare.TimeSeries(t.Context(), w, compare.Request{
		Races: []compare.RaceInfo{lookup(t, w, "r")}, Measures: []string{"request_rate", "error_rate", "latency_mean"},
		Start: t0.Add(60 * time.Second), End: t0.Add(90 * time.Second), Step: 3 * time.Second,
	})
	require.NoError(t, err)
	require.LessOrEqual(t, len(r.Times), 12)
	for i := range r.Times {
		require.InDelta(t, 10, series(t, r, "a", "request_rate", "").Values[i], 1e-9)
		require.InDelta(t, 1.0/30, series(t, r, "a", "error_rate", "").Values[i], 1e-9)
	}
	_, err = compare.TimeSeries(t.Context(), w, compare.Request{Races: []compare.RaceInfo{lookup(t, w, "r")}, Apps: []string{"b"}})
	require.ErrorContains(t, err, `no app "b"`)
	_, err = compare.TimeSeries(t.Context(), w, compare.Request{Races: []compare.RaceInfo{lookup(t, w, "r")}, Measures: []string{"latency_p59"}})
	require.ErrorContains(t, err, `no measure "latency_p59"`)
}

func TestAStockPushThatStraysOverTheGridMakesNoFalseRate(t *testing.T) {
	w := newWorld(t)
	s := newScene(w, "r", false)
	s.run(load{app: "a", median: 0.01, rate: 100, jitter: 40 * time.Millisecond}, t0.Add(20*time.Millisecond), 60)
	r, err := compare.TimeSeries(t.Context(), w, compare.Request{Races: []compare.RaceInfo{lookup(t, w, "r")}, Measures: []string{"request_rate"}})
	require.NoError(t, err)
	gaps := 0
	for _, v := range r.Series[0].Values {
		if math.IsNaN(v) {
			gaps++
			continue
		}
		require.InDelta(t, 100, v, 5, "each rate is taken over its own span")
	}
	require.Positive(t, gaps, "the test's pushes do stray")
	require.Less(t, r.Series[0].Coverage, 0.95)
}

func TestWithoutContainersTheClientsMeasuresStillCome(t *testing.T) {
	w := newWorld(t)
	newScene(w, "r", true).run(load{app: "a", median: 0.01, rate: 10}, t0, 10)
	r, err := compare.TimeSeries(t.Context(), w, compare.Request{Races: []compare.RaceInfo{lookup(t, w, "r")}})
	require.NoError(t, err)
	require.NotZero(t, series(t, r, "a", "latency_p95", "").Coverage)
	require.Zero(t, series(t, r, "a", "cpu_ms_per_request", "").Coverage)
	mentions(t, r.Notices, "no cAdvisor series name the container of a")
}

func TestARaceThatAnOlderPhotofinishRanHasNoMeanOverTime(t *testing.T) {
	w := newWorld(t)
	s := newScene(w, "r", true)
	s.older = true
	s.run(load{app: "a", median: 0.01, rate: 10}, t0, 10)
	found := lookup(t, w, "r")
	r, err := compare.TimeSeries(t.Context(), w, compare.Request{Races: []compare.RaceInfo{found}, Measures: []string{"latency_mean", "request_rate"}})
	require.NoError(t, err)
	require.Zero(t, series(t, r, "a", "latency_mean", "").Coverage, "null, not a wrong number")
	require.Positive(t, series(t, r, "a", "request_rate", "").Coverage)
	require.Len(t, r.Notices, 1)
	require.Contains(t, r.Notices[0], "older photofinish")
	totals, err := compare.Reduce(t.Context(), w, found, compare.Join{})
	require.NoError(t, err)
	require.InDelta(t, 1000*average(s.truth["a/"].latencies), *totals.Whole["a"].Measures["latency_mean"], 1e-9)
}

func TestClocksThatDisagreeAreSaid(t *testing.T) {
	w := newWorld(t)
	s := newScene(w, "r", true)
	s.run(load{app: "a", median: 0.01, rate: 10}, t0, 60)
	s.sample(cage{id: "/a", naming: []string{"name", "a"}, cores: 1}, t0.Add(-4*time.Minute), time.Second, 200)
	r, err := compare.TimeSeries(t.Context(), w, compare.Request{Races: []compare.RaceInfo{lookup(t, w, "r")}})
	require.NoError(t, err)
	require.Zero(t, series(t, r, "a", "cpu_cores", "").Coverage)
	mentions(t, r.Notices, "clocks")
}

func TestValuesThatAreNotFiniteBecomeGaps(t *testing.T) {
	w := newWorld(t)
	s := newScene(w, "r", true)
	s.run(load{app: "a", median: 0.01, rate: 10}, t0, 10)
	w.write(func(a writer) {
		for i := range 10 {
			at := t0.Add(time.Duration(i) * time.Second)
			pairs := []string{"name", "a", "id", "/a"}
			a.float(at, math.Inf(1), append(pairs, "__name__", "container_memory_working_set_bytes")...)
			a.float(at, math.NaN(), append(pairs, "__name__", "container_cpu_usage_seconds_total")...)
		}
	})
	r, err := compare.TimeSeries(t.Context(), w, compare.Request{Races: []compare.RaceInfo{lookup(t, w, "r")}})
	require.NoError(t, err)
	require.Zero(t, series(t, r, "a", "memory_working_set", "").Coverage)
	require.Zero(t, series(t, r, "a", "cpu_cores", "").Coverage)
}

func TestStockHistogramsThatAreOffAreSaid(t *testing.T) {
	w := newWorld(t)
	w.write(func(a writer) {
		for i := range 20 {
			a.float(t0.Add(time.Duration(i)*time.Second), float64(10*i+3), "__name__", "k6_http_reqs_total", "testid", "r", "app", "a", "expected_response", "true")
		}
	})
	r, err := compare.TimeSeries(t.Context(), w, compare.Request{Races: []compare.RaceInfo{lookup(t, w, "r")}, Measures: []string{"latency_p95"}})
	require.NoError(t, err)
	mentions(t, r.Notices, "K6_PROMETHEUS_RW_TREND_AS_NATIVE_HISTOGRAM=true")
}

func TestTheLastPushCountsThoughAStaleMarkerHidesIt(t *testing.T) {
	w := newWorld(t)
	s := newScene(w, "r", true)
	s.run(load{app: "a", median: 0.01, rate: 10, failEvery: 5}, t0.Add(300*time.Millisecond), 10)
	r, err := compare.TimeSeries(t.Context(), w, compare.Request{Races: []compare.RaceInfo{lookup(t, w, "r")}, Measures: []string{"error_rate", "request_rate", "latency_p50"}})
	require.NoError(t, err)
	last := len(r.Times) - 1
	require.Equal(t, t0.Add(11*time.Second).UTC(), r.Times[last])
	require.InDelta(t, 0.2, series(t, r, "a", "error_rate", "").Values[last], 1e-9)
	require.False(t, math.IsNaN(series(t, r, "a", "latency_p50", "").Values[last]))
	require.True(t, math.IsNaN(series(t, r, "a", "request_rate", "").Values[last]), "nobody knows over how long it was")
	require.Empty(t, r.Notices, "the edges of a heat are no lack of samples")
}

func TestNoTimeLiesBeyondTheRange(t *testing.T) {
	w := newWorld(t)
	newScene(w, "r", true).run(load{app: "a", median: 0.01, rate: 10}, t0, 60)
	race := lookup(t, w, "r")
	end := func(after time.Duration) []time.Time {
		r, err := compare.TimeSeries(t.Context(), w, compare.Request{
			Races: []compare.RaceInfo{race}, Measures: []string{"error_rate"}, Start: t0.Add(-time.Hour), End: t0.Add(after), Step: 7 * time.Second,
		})
		require.NoError(t, err)
		require.False(t, math.IsNaN(r.Series[0].Values[len(r.Times)-1]), "the last step has its value")
		return r.Times
	}
	cut, over := end(30500*time.Millisecond), end(60500*time.Millisecond)
	require.True(t, cut[len(cut)-1].Before(t0.Add(30500*time.Millisecond)), "a step that the range cuts is left out while the race goes on")
	require.True(t, over[len(over)-1].Equal(t0.Add(60500*time.Millisecond)), "a race that is over keeps its last step")
	for _, times := range [][]time.Time{cut, over} {
		for i := 1; i < len(times); i++ {
			require.True(t, times[i].After(times[i-1]))
		}
	}
}

// TestStepsLongerThanHeatsHoldWhatWasMeasuredInThem: a dashboard of a day has steps of minutes, and a heat lasts ten seconds.
func TestStepsLongerThanHeatsHoldWhatWasMeasuredInThem(t *testing.T) {
	for _, own := range []bool{true, false} {
		w := newWorld(t)
		s := newScene(w, "r", own)
		for i, heat := range []string{"1", "2", "3", "4"} {
			start := t0.Add(time.Duration(i) * 13 * time.Second)
			s.run(load{app: "a", heat: heat, median: 0.01, rate: 20}, start, 10)
			s.sample(cage{
				id: "/" + heat, naming: []string{"container_label_photofinish_app", "a", "container_label_photofinish_race", "r"}, cores: 0.3, memory: 1e6,
			}, start.Add(-200*time.Millisecond), time.Second, 11)
		}
		info := lookup(t, w, "r")
		require.Len(t, info.Heats, 4)
		for _, step := range []time.Duration{5 * time.Second, 7 * time.Second, 10 * time.Second, 15 * time.Second, time.Minute, time.Hour} {
			for _, elapsed := range []bool{false, true} {
				req := compare.Request{
					Races: []compare.RaceInfo{info}, Measures: []string{"request_rate", "cpu_cores", "cpu_ms_per_request", "memory_working_set", "latency_mean"}, Step: step, Elapsed: elapsed,
				}
				r, err := compare.TimeSeries(t.Context(), w, req)
				require.NoError(t, err)
				require.Equal(t, step, r.Step)
				for id, want := range map[string]float64{"request_rate": 20, "cpu_cores": .3, "cpu_ms_per_request": 15, "memory_working_set": 1e6, "latency_mean": 10.5} {
					one := series(t, r, "a", id, "")
					n := 0
					for i, v := range one.Values {
						if !math.IsNaN(v) {
							require.InEpsilon(t, want, v, .25, "%s at step %d of %s, own %v, elapsed %v", id, i, step, own, elapsed)
							n++
						}
					}
					require.Greater(t, float64(n), .7*float64(len(one.Values)), "%s in steps of %s, own %v, elapsed %v: %v", id, step, own, elapsed, one.Values)
				}
				for _, notice := range r.Notices {
					require.NotContains(t, notice, "no cAdvisor series")
					require.NotContains(t, notice, "no counts")
				}
			}
		}
	}
}

func TestARangeThatEndsWithinTheFirstStepSaysSo(t *testing.T) {
	w := newWorld(t)
	s := newScene(w, "r", true)
	s.run(load{app: "a", heat: "1", median: 0.01, rate: 20}, t0, 100)
	r, err := compare.TimeSeries(t.Context(), w, compare.Request{
		Races: []compare.RaceInfo{lookup(t, w, "r")}, Measures: []string{"request_rate"}, Start: t0.Add(-time.Hour), End: t0.Add(5 * time.Second), Step: time.Minute,
	})
	require.NoError(t, err)
	require.Equal(t, []string{"there is no whole step of 1m0s in what the time range shows of it yet; choose a shorter interval or a longer range"}, r.Notices)
	require.Empty(t, series(t, r, "a", "request_rate", "").Values)
}
