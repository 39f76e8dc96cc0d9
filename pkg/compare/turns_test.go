package compare_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/compare"
	"github.com/photofinish/photofinish/pkg/race"
)

// TestHeatsCloseBehindEachOther: a second lies between the heats, less than the margins around them, and each heat's container has the id of the last one's.
func TestHeatsCloseBehindEachOther(t *testing.T) {
	w := newWorld(t)
	s := newScene(w, "close", true)
	record := race.Race{ID: "close", Lanes: []race.Lane{{App: "a"}}}
	for i, heat := range []string{"1", "2", "3"} {
		start := t0.Add(time.Duration(i) * 7 * time.Second)
		end := start.Add(6 * time.Second)
		record.Heats = append(record.Heats, race.Heat{Number: i + 1, StartedAt: &start, FinishedAt: &end})
		s.run(load{app: "a", heat: heat, median: 0.01, rate: 20}, start, 6)
		s.sample(cage{
			id: "/a", naming: []string{"container_label_photofinish_app", "a", "container_label_photofinish_race", "close"}, cores: 0.3, memory: 1e6,
		}, start.Add(-200*time.Millisecond), time.Second, 7)
	}
	info, ok := compare.FromRecord(record)
	require.True(t, ok)
	for i := 1; i < len(info.Heats); i++ {
		require.False(t, info.Heats[i].Start.Before(info.Heats[i-1].End), "heats do not overlap")
		require.False(t, info.Heats[i].Start.After(*record.Heats[i].StartedAt), "the margin leaves the heat whole")
		require.False(t, info.Heats[i-1].End.Before(*record.Heats[i-1].FinishedAt), "the margin leaves the heat whole")
	}
	r, err := compare.TimeSeries(t.Context(), w, compare.Request{Races: []compare.RaceInfo{info}, Measures: []string{"memory_working_set", "cpu_cores"}, Elapsed: true})
	require.NoError(t, err)
	memory, cores := series(t, r, "a", "memory_working_set", ""), series(t, r, "a", "cpu_cores", "")
	require.Greater(t, memory.Coverage, 0.8)
	for i := range memory.Values {
		require.True(t, math.IsNaN(memory.Values[i]) || memory.Values[i] == 1e6, "memory at %v s: %v", r.Elapsed[i], memory.Values[i])
		require.True(t, math.IsNaN(cores.Values[i]) || cores.Values[i] < 0.31, "CPU at %v s: %v", r.Elapsed[i], cores.Values[i])
	}
}

// TestALaneThatTakesTurns: cAdvisor's samples come half a second after k6's, so that a step holds the CPU of one moment and the requests of another.
func TestALaneThatTakesTurns(t *testing.T) {
	w := newWorld(t)
	cpu := 0.0
	w.write(func(a writer) {
		for heat, start := range map[string]time.Time{"1": t0, "2": t0.Add(30 * time.Second)} {
			total := 0.0
			name := func(n string, more ...string) []string {
				return append([]string{"__name__", n, "testid", "turns", "app", "a", "heat", heat, "phase", "race"}, more...)
			}
			for i := range 21 {
				at := start.Add(time.Duration(i) * time.Second)
				if takesTurn(i) {
					total += 50
				}
				a.float(at, total, name("photofinish_http_reqs_total", "expected_response", "true")...)
				a.float(at, 0, name("photofinish_http_reqs_total", "expected_response", "false")...)
			}
			for _, expected := range []string{"true", "false"} {
				a.stale(start.Add(20*time.Second+time.Millisecond), name("photofinish_http_reqs_total", "expected_response", expected)...)
			}
		}
		for i := range 60 {
			at := t0.Add(time.Duration(i)*time.Second - 500*time.Millisecond)
			a.float(at, cpu, "__name__", "container_cpu_usage_seconds_total", "id", "/a", "container_label_photofinish_app", "a")
			if takesTurn(i % 30) {
				cpu += 0.1
			}
		}
	})
	r, err := compare.TimeSeries(t.Context(), w, compare.Request{Races: []compare.RaceInfo{lookup(t, w, "turns")}, Measures: []string{"cpu_ms_per_request", "request_rate"}})
	require.NoError(t, err)
	cost, rate := series(t, r, "a", "cpu_ms_per_request", ""), series(t, r, "a", "request_rate", "")
	points := 0
	for i, v := range cost.Values {
		if rate.Values[i] > 0 {
			points++
			require.InDelta(t, 2, v, 1e-6, "at %v", r.Times[i])
		} else {
			require.True(t, math.IsNaN(v), "at %v", r.Times[i])
		}
	}
	require.Equal(t, 12, points, "every step with requests has a cost")

	errors, err := compare.TimeSeries(t.Context(), w, compare.Request{Races: []compare.RaceInfo{lookup(t, w, "turns")}, Measures: []string{"error_rate"}})
	require.NoError(t, err)
	require.Empty(t, errors.Notices, "where nothing was asked nothing is missing")

	info := lookup(t, w, "turns")
	info.Turns = true
	for _, step := range []time.Duration{time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second, time.Minute, 6 * time.Hour} {
		r, err := compare.TimeSeries(t.Context(), w, compare.Request{Races: []compare.RaceInfo{info}, Measures: []string{"cpu_ms_per_request", "request_rate"}, Step: step})
		require.NoError(t, err)
		rate, points := series(t, r, "a", "request_rate", "").Values, 0
		for i, v := range series(t, r, "a", "cpu_ms_per_request", "").Values {
			require.Equal(t, rate[i] > 0, !math.IsNaN(v), "steps of %v: at %v", step, r.Times[i])
			if rate[i] > 0 {
				points++
				require.InDelta(t, 2, v, 1e-6, "steps of %v: at %v", step, r.Times[i])
			}
		}
		require.Positive(t, points, step)
	}
}

// takesTurn: two seconds of every seven, within 21 seconds.
func takesTurn(second int) bool { return second < 21 && second%7 >= 3 && second%7 < 5 }
