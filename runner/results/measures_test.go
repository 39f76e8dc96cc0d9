package results_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/measure"
	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/engine"
	"github.com/photofinish/photofinish/runner/k6/stream"
	"github.com/photofinish/photofinish/runner/results"
)

func pointer[T any](v T) *T { return &v }

func histogram(seconds ...float64) stream.Histogram {
	var h stream.Histogram
	for _, s := range seconds {
		h.Observe(s)
	}
	return h
}

// tenRequests is a heat of 2 s under load: 10 requests, 1 failed, 50 ms of CPU, a working set that grows by 1 kB each second.
func tenRequests() results.LaneHeat {
	return results.LaneHeat{
		Totals: stream.Totals{
			Requests: 10, Failed: 1, ChecksPassed: 9, ChecksFailed: 3, DataSent: 400, DataReceived: 800, MaxVUs: 2,
			Latency: histogram(.001, .002, .003, .004, .005, .006, .007, .008, .009, .010),
		},
		Active: 2 * time.Second,
		Spent: results.Spent{
			CPU: pointer(50 * time.Millisecond), Throttled: pointer(20 * time.Millisecond), Periods: pointer(uint64(20)), ThrottledPeriods: pointer(uint64(5)),
		},
		Memory: []results.MemorySample{{Active: 0, Bytes: 10_000}, {Active: time.Second, Bytes: 11_000}, {Active: 2 * time.Second, Bytes: 12_000}},
		Whole:  true,
	}
}

func TestEveryMeasureOfTheContractHasAKey(t *testing.T) {
	m := results.Measures(tenRequests())
	require.Len(t, m, len(measure.All()))
	for _, id := range measure.IDs() {
		require.Contains(t, m, id)
	}
}

func TestWhatAStockK6DoesNotTellIsNotZero(t *testing.T) {
	heat := tenRequests()
	heat.Totals.MaxVUs = 0
	require.Nil(t, results.Measures(heat)["vus"])
}

func TestMeasuresAreCountsOverLoadTime(t *testing.T) {
	m := results.Measures(tenRequests())
	for id, want := range map[string]float64{
		"latency_mean": 5.5, "latency_max": 10, "request_rate": 5, "error_rate": 0.1, "check_rate": 0.75, "vus": 2,
		"data_sent_rate": 200, "data_received_rate": 400, "cpu_cores": 0.025, "cpu_throttled_ratio": 0.25,
		"memory_working_set": 12_000, "memory_slope": 1000, "cpu_ms_per_request": 5, "throttled_ms_per_request": 2, "memory_bytes_per_request": 200,
	} {
		require.NotNil(t, m[id], id)
		require.InEpsilon(t, want, *m[id], 1e-9, id)
	}
	require.InEpsilon(t, 5, *m["latency_p50"], 0.003, "one bucket of schema 8")
	for _, id := range []string{"network_receive_rate", "network_transmit_rate", "network_bytes_per_request"} {
		require.Nil(t, m[id], "a local process has no network counters of its own")
	}
}

func TestALaneWithoutRequestsHasNoLatencyAndNoCost(t *testing.T) {
	m := results.Measures(results.LaneHeat{Active: time.Second, Spent: results.Spent{CPU: pointer(time.Second)}})
	require.Zero(t, *m["request_rate"])
	require.InEpsilon(t, 1, *m["cpu_cores"], 1e-9)
	for _, id := range []string{"latency_p95", "error_rate", "check_rate", "cpu_ms_per_request", "memory_slope"} {
		require.Nil(t, m[id], id)
	}
}

func TestARacePoolsItsHeats(t *testing.T) {
	slow := tenRequests()
	slow.Totals.Latency = histogram(.100, .100, .100, .100, .100, .100, .100, .100, .100, .100)
	slow.Memory = []results.MemorySample{{Active: 0, Bytes: 5000}, {Active: time.Second, Bytes: 8000}, {Active: 2 * time.Second, Bytes: 11_000}}
	lane := results.Lane{App: "a", Heats: map[int]results.LaneHeat{1: tenRequests(), 2: slow}}
	rec := lane.Totals(race.Lane{App: "a"})

	require.EqualValues(t, 20, rec.Client.Requests)
	require.EqualValues(t, 2, rec.Client.Failed)
	require.InEpsilon(t, 5, rec.Client.Rate, 1e-9)
	require.InEpsilon(t, 100, *rec.Client.LatencyMS.P95, 0.003)
	require.InEpsilon(t, 10, *rec.Client.LatencyMS.P50, 0.003)
	require.InEpsilon(t, 0.1, *rec.Container.CPUSeconds, 1e-9)
	require.InEpsilon(t, 12_000, *rec.Container.MemoryMaxBytes, 1e-9)
	require.InEpsilon(t, 2000, *rec.Container.MemorySlopeBytesPerSecond, 1e-9, "the middle of the heats' slopes")
	require.InEpsilon(t, 5, *rec.Joined.CPUMSPerRequest, 1e-9)
	require.Nil(t, rec.Container.NetworkRxBytes)
	require.Nil(t, rec.Client.ResponseMS, "of a closed model nobody knows when iterations should have begun")
}

func TestARecordTellsWhatWasNotSentAndWhenItShouldHaveBeen(t *testing.T) {
	one, other := tenRequests(), tenRequests()
	one.Totals.Iterations, one.Totals.Dropped = 10, 40
	one.Totals.Response, other.Totals.Response = histogram(.010, .011, .012), histogram(.020, .030)
	rec := results.Lane{App: "a", Heats: map[int]results.LaneHeat{1: one, 2: other}}.Totals(race.Lane{App: "a"})
	require.EqualValues(t, 40, rec.Client.Dropped)
	require.InEpsilon(t, 12, *rec.Client.ResponseMS.P50, 0.003)
	require.InEpsilon(t, 30, *rec.Client.ResponseMS.Max, 1e-9)
	require.InEpsilon(t, 0.8, results.HeatRecord(one).DroppedRatio, 1e-9)
	require.Zero(t, results.HeatRecord(other).DroppedRatio)
}

func TestAHeatInWhichTheLaneWasLostIsCountedButNotJudged(t *testing.T) {
	lost := tenRequests()
	lost.Whole = false
	rec := results.HeatRecord(lost)
	require.EqualValues(t, 10, rec.Requests)
	require.Empty(t, rec.Measures)
}

func TestMemoryIsOnTheLanesOwnClock(t *testing.T) {
	reading := func(ms int, bytes uint64) engine.Counters {
		return engine.Counters{At: t0.Add(time.Duration(ms) * time.Millisecond), WorkingSet: &bytes}
	}
	samples := results.MemorySamples(
		[]engine.Counters{reading(500, 1), reading(1000, 2), reading(2000, 3), reading(2500, 9), reading(3000, 4)},
		[]results.Window{window(1000, 2000), window(3000, 4000)},
	)
	require.Equal(t, []results.MemorySample{{0, 2}, {time.Second, 3}, {time.Second, 4}}, samples)
}

// In turns of 50 ms a window reaches on for twice as long until the last answers are there: a leak is one of each second of load, not of waiting.
func TestMemorysClockStandsStillWhileTheLastAnswersAreWaitedFor(t *testing.T) {
	first, second := window(1000, 1150), window(2000, 2150)
	first.Load, second.Load = 50*time.Millisecond, 50*time.Millisecond
	reading := func(ms int, bytes uint64) engine.Counters {
		return engine.Counters{At: t0.Add(time.Duration(ms) * time.Millisecond), WorkingSet: &bytes}
	}
	heat := tenRequests()
	heat.Active = 100 * time.Millisecond
	heat.Memory = results.MemorySamples([]engine.Counters{reading(1000, 0), reading(1150, 1000), reading(2000, 1000), reading(2150, 2000)}, []results.Window{first, second})
	m := results.Measures(heat)
	require.InEpsilon(t, 20_000, *m["memory_slope"], 1e-9, "2,000 bytes in 100 ms of load")
	require.InEpsilon(t, 200, *m["memory_bytes_per_request"], 1e-9, "2,000 bytes for ten requests")
}
