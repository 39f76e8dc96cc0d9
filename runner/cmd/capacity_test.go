package cmd_test

import (
	"context"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/pkg/verdict"
)

// limited puts the sample app with a known limit on the path, and gives the sample script ports that are free for tests.
func limited(t *testing.T) (script string) {
	t.Helper()
	dir := t.TempDir()
	build := exec.CommandContext(t.Context(), "go", "build", "-o", dir, "../../testapps/limited")
	out, err := build.CombinedOutput()
	require.NoError(t, err, string(out))
	t.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
	text, err := os.ReadFile("../../tests/capacity-test.js")
	require.NoError(t, err)
	script = filepath.Join(dir, "capacity-test.js")
	ported := strings.NewReplacer("lane(4004,", "lane(30101,", "lane(4005,", "lane(30102,").Replace(string(text))
	require.NoError(t, os.WriteFile(script, []byte(ported), 0o600))
	return script
}

func (f finished) capacity(t *testing.T, app string) race.LaneCapacity {
	t.Helper()
	require.NotNil(t, f.record.Capacity)
	for _, l := range f.record.Capacity.Lanes {
		if l.App == app {
			return l
		}
	}
	require.Failf(t, "no capacity", "%s", app)
	return race.LaneCapacity{}
}

// Two and three workers of 10 ms hold 200 and 300 requests a second. The median is bounded here, not the p95: a busy machine that stalls for a moment moves no median, and a
// rate that is 2% too high adds 1.5 s × 2% = 30 ms of queue to it in the middle of the heat.
func TestTheCapacityOfAnAppIsWhatTheorySays(t *testing.T) {
	ownTemp(t)
	f := runRace(t.Context(), t, limited(t), "--find-capacity", "latency_p50<40,error_rate<0.01", "--rate", "170", "--duration", "2s", "--warmup", "500ms")
	require.Zero(t, f.code)
	require.Equal(t, race.Finished, f.record.Status)
	require.Len(t, f.record.Heats, 1, "what is tried is apart from the race")
	require.InDelta(t, 340, f.lane(t, "two-workers").Client.Requests, 10, "170 a second, 2 s, 1 heat")
	for app, want := range map[string]float64{"two-workers": 200, "three-workers": 300} {
		l := f.capacity(t, app)
		require.Equal(t, race.LimitApp, l.Limit)
		require.InEpsilon(t, want, *l.Rate, .05, app)
		require.Less(t, *l.Low, *l.Rate)
		require.Greater(t, *l.High, *l.Rate)
		require.Contains(t, l.Broke, "latency_p50<40: ")
		require.InDelta(t, *l.Rate, *f.lane(t, app).Measures[race.CapacityMeasure], 0)
		checkTries(t, l)
	}
	require.Contains(t, f.stdout, "two-workers holds ")
	v := verdictOf(t, f.record, "three-workers", race.CapacityMeasure)
	require.True(t, v.Primary)
	require.InEpsilon(t, 1.5, *v.Ratio, .08)
	if f.record.Audit.Fair {
		require.Equal(t, race.Faster, v.Outcome)
	}
	again := verdict.Again(f.record, race.Effects{})
	require.Contains(t, again, v, "it can be judged from the record alone")
	_, lost := f.finding(race.SeriesLost)
	require.False(t, lost, "no series of a try is taken for a part of the race")
}

// checkTries sees to it that a reader can trace how a capacity was found.
func checkTries(t *testing.T, l race.LaneCapacity) {
	t.Helper()
	require.InDelta(t, 170, l.Tries[0].Rate, 0, "the search starts at the script's rate, or the flag's")
	phase, before := race.TrySearch, 1
	for _, tried := range l.Tries {
		require.Greater(t, tried.Heat, before, "each is a heat")
		before = tried.Heat
		if tried.Phase == race.TryConfirm {
			phase = race.TryConfirm
		}
		require.Equal(t, phase, tried.Phase, "first it searches, then it confirms")
		require.Equal(t, tried.Held, len(tried.Broke) == 0)
		p50, errors := *tried.Measures["latency_p50"], *tried.Measures["error_rate"]
		if tried.Limit == race.LimitApp || tried.Held {
			require.Equal(t, tried.Held, p50 < 40 && errors < .01)
		}
		if tried.Held {
			require.InEpsilon(t, tried.Rate, *tried.Measures["request_rate"], .02)
		}
	}
	require.Equal(t, race.TryConfirm, phase)
}

func TestASearchForCapacitiesThatCannotBeIsRefused(t *testing.T) {
	closed := writeScript(t, "", "one: "+lane(30101, ""), "two: "+lane(30102, ""))
	for name, c := range map[string]struct {
		args []string
		says []string
	}{
		"a closed model": {
			[]string{"--vus", "2", "--find-capacity", "latency_p95<200"},
			[]string{"depends on the answers, so it has no rate to be held", "race with --rate N"},
		},
		"an unknown measure": {[]string{"--find-capacity", "latency_p96<200"}, []string{`find_capacity: there is no measure "latency_p96"`, "did you mean"}},
		"no bound":           {[]string{"--find-capacity", "latency_p95"}, []string{`"latency_p95" is no MEASURE<NUMBER`, "latency_p95<200,error_rate<0.01"}},
		"no number":          {[]string{"--find-capacity", "latency_p95<200ms"}, []string{`"200ms" in "latency_p95<200ms" is no number (of ms)`}},
		"itself":             {[]string{"--find-capacity", "capacity>200"}, []string{"the capacity cannot be its own condition"}},
	} {
		t.Run(name, func(t *testing.T) {
			f := runRace(t.Context(), t, append([]string{closed}, c.args...)...)
			require.Equal(t, 2, f.code)
			for _, text := range c.says {
				require.Contains(t, f.stderr, text)
			}
		})
	}
}

func TestAnAppThatHoldsNoRateAndOneThatHoldsMoreAreToldApart(t *testing.T) {
	ownTemp(t)
	f := runRace(t.Context(), t, writeScript(t, "", "slow: "+lane(30101, "", "slow=60ms"), "quick: "+lane(30102, "", "slow=1ms")),
		"--mode", "together", "--rate", "20", "--duration", "1s", "--warmup", "200ms", "--find-capacity", "latency_p50<50, request_rate<70", "--baseline", "quick")
	require.Zero(t, f.code)
	slow, quick := f.capacity(t, "slow"), f.capacity(t, "quick")
	require.Nil(t, slow.Rate)
	require.Equal(t, race.LimitApp, slow.Limit)
	require.Len(t, slow.Tries, 2, "20 and 10: fewer iterations in a heat say nothing")
	require.Greater(t, len(quick.Tries), len(slow.Tries))
	require.InEpsilon(t, 70, *quick.Rate, .1)
	unknown, found := f.finding(race.CapacityUnknown)
	require.True(t, found)
	require.Equal(t, "slow", unknown.Lane)
	require.Contains(t, unknown.Detail, "already the lowest rate that was tried, 10/s, was not held (latency_p50<50: ")
	v := verdictOf(t, f.record, "slow", race.CapacityMeasure)
	require.Equal(t, race.Inconclusive, v.Outcome)
	require.Contains(t, v.Warnings, "the capacity of slow is not known")
}

func TestASearchForCapacitiesIsInterrupted(t *testing.T) {
	ownTemp(t)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	began := time.Now()
	time.AfterFunc(8*time.Second, stop)
	f := runRace(ctx, t, writeScript(t, "", "one: "+lane(30101, ""), "two: "+lane(30102, "")), "--mode", "turns", "--heats", "1", "--duration", "1s", "--find-capacity", "latency_p95<1e9")
	require.NotZero(t, f.code)
	require.Less(t, time.Since(began), time.Minute)
	require.Equal(t, race.Interrupted, f.record.Status)
	require.Len(t, f.record.Heats, 1, "what was measured stands")
	require.Empty(t, f.record.Capacity.Lanes[0].Limit, "its search was not over")
	require.NotEmpty(t, f.record.Capacity.Lanes[0].Tries)
	for _, tried := range f.record.Capacity.Lanes[0].Tries {
		require.False(t, math.IsNaN(tried.Rate))
	}
}
