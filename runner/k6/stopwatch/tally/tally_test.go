package tally_test

import (
	"math/rand/v2"
	"net"
	"strconv"
	"testing"
	"time"

	"github.com/photofinish/photofinish/runner/k6/sqs"
	"github.com/photofinish/photofinish/runner/k6/stopwatch/heat"
	"github.com/photofinish/photofinish/runner/k6/stopwatch/tally"
	"github.com/photofinish/photofinish/runner/k6/stream"
	"github.com/stretchr/testify/require"
	"go.k6.io/k6/lib/netext/httpext"
	"go.k6.io/k6/metrics"
	"gopkg.in/guregu/null.v3"
)

type fixture struct {
	*tally.Tally
	heat    *heat.Heat
	builtin *metrics.BuiltinMetrics
	root    *metrics.TagSet
}

func newFixture(tb testing.TB, probe bool) *fixture {
	tb.Helper()
	h, err := heat.New(stream.Config{Probe: probe, Lanes: []stream.Lane{
		{App: "a", Blocks: []stream.Block{{End: time.Minute}}},
		{App: "b", Blocks: []stream.Block{{End: time.Minute}}},
		{App: "w", Queue: &stream.Queue{Requests: "http://q/w", Replies: "http://q/r"}, Blocks: []stream.Block{{End: time.Minute}}},
	}}, nil, nil)
	require.NoError(tb, err)
	registry := metrics.NewRegistry()
	builtin := metrics.RegisterBuiltinMetrics(registry)
	return &fixture{Tally: tally.New(h, builtin), heat: h, builtin: builtin, root: registry.RootTagSet()}
}

func (f *fixture) tags(pairs ...string) *metrics.TagSet {
	set := f.root
	for i := 0; i < len(pairs); i += 2 {
		set = set.With(pairs[i], pairs[i+1])
	}
	return set
}

func request(tags *metrics.TagSet, took time.Duration, failed bool, end time.Time) *httpext.Trail {
	return &httpext.Trail{EndTime: end, Duration: took, Failed: null.BoolFrom(failed), Tags: tags}
}

func sample(m *metrics.Metric, tags *metrics.TagSet, v float64) metrics.Sample {
	return metrics.Sample{TimeSeries: metrics.TimeSeries{Metric: m, Tags: tags}, Time: time.Now(), Value: v}
}

func TestSamplesAreCountedByAppAndPhase(t *testing.T) {
	t.Parallel()
	f := newFixture(t, false)
	begin := time.Now()
	race, warmup := f.tags("app", "a", "phase", "race"), f.tags("app", "a", "phase", "warmup")
	f.Add([]metrics.SampleContainer{
		request(race, 10*time.Millisecond, false, begin.Add(time.Second)),
		request(race, 30*time.Millisecond, true, begin.Add(2*time.Second)),
		request(warmup, 5*time.Millisecond, false, begin),
		request(f.tags("app", "b", "phase", "done"), time.Second, false, begin),
		request(f.tags("app", "stranger", "phase", "race"), time.Second, false, begin),
		request(f.tags(), time.Second, false, begin),
		sample(f.builtin.Checks, race, 1), sample(f.builtin.Checks, race, 1), sample(f.builtin.Checks, race, 0),
		metrics.Samples{sample(f.builtin.DataSent, race, 11), sample(f.builtin.DataReceived, race, 12)},
		metrics.Samples{sample(f.builtin.IterationDuration, race, 50), sample(f.builtin.Iterations, race, 1)},
		sample(f.builtin.VUs, f.root, 3),
	})
	result := f.Result(time.Now())
	require.EqualValues(t, 2, result.Foreign)
	a := result.Result["a"].Race
	require.EqualValues(t, 2, a.Requests)
	require.EqualValues(t, 1, a.Failed)
	require.EqualValues(t, 2, a.Latency.Count)
	require.InDelta(t, 0.04, a.Latency.Sum, 1e-12)
	require.InDelta(t, 0.03, a.Latency.Max, 1e-12)
	require.EqualValues(t, 1, a.LatencyPassed.Count)
	require.InDelta(t, 0.01, a.LatencyPassed.Max, 1e-12)
	require.EqualValues(t, []int64{2, 1, 1}, []int64{a.ChecksPassed, a.ChecksFailed, a.Iterations})
	require.InDelta(t, 11, a.DataSent, 0)
	require.InDelta(t, 12, a.DataReceived, 0)
	require.Equal(t, begin.Add(990*time.Millisecond), a.FirstRequest)
	require.Equal(t, begin.Add(2*time.Second), a.LastResponse)
	require.EqualValues(t, 1, result.Result["a"].Warmup.Requests)
	require.Zero(t, result.Result["b"].Race.Requests)
	require.Zero(t, result.Result["b"].Warmup.Requests)
}

func TestWithoutAPhaseTagTheTimeDecides(t *testing.T) {
	t.Parallel()
	f := newFixture(t, false)
	now := time.Now()
	f.heat.Start(now) // the warm-up lasts no time, and the race begins
	f.Add([]metrics.SampleContainer{
		request(f.tags("app", "a"), time.Millisecond, false, now.Add(time.Second)),
		request(f.tags("app", "a"), time.Millisecond, false, now.Add(-time.Second)),
	})
	result := f.Result(now).Result["a"]
	require.EqualValues(t, 1, result.Race.Requests)
	require.EqualValues(t, 1, result.Warmup.Requests)
}

func TestProgressShowsTheTrailingSecond(t *testing.T) {
	t.Parallel()
	f := newFixture(t, false)
	race := f.tags("app", "a", "phase", "race")
	for i := range 10 { // two seconds: 20 requests a slot, slow ones in the first second
		took := 2 * time.Millisecond
		if i < 5 {
			took = time.Second
		}
		for range 20 {
			f.Add([]metrics.SampleContainer{request(race, took, false, time.Now())})
		}
		p := f.Progress(time.Now()).Progress["a"]
		require.EqualValues(t, 20*(i+1), p.Requests)
		require.InDelta(t, min(100, 20*(i+1)), p.Rate, 1e-9)
		if i == 9 {
			require.InEpsilon(t, 2, p.P50MS, 0.003)
			require.InEpsilon(t, 2, p.P95MS, 0.003)
		}
	}
	for range 5 {
		f.Progress(time.Now())
	}
	p := f.Progress(time.Now()).Progress["a"]
	require.Equal(t, stream.LaneProgress{Requests: 200}, p, "nothing happened for a second")
}

func TestASnapshotHasTheExtremesOfItsSecond(t *testing.T) {
	t.Parallel()
	f := newFixture(t, false)
	race := f.tags("app", "a", "phase", "race")
	f.Add([]metrics.SampleContainer{request(race, 3*time.Millisecond, false, time.Now()), request(race, time.Millisecond, false, time.Now())})
	parts := f.Snapshot(heat.Race)
	require.Len(t, parts, 3)
	require.Equal(t, "a", parts[0].App)
	require.InDelta(t, 0.003, parts[0].Slowest, 1e-12)
	f.Add([]metrics.SampleContainer{request(race, time.Millisecond, false, time.Now())})
	require.EqualValues(t, 2, parts[0].Totals.Latency.Count, "a snapshot does not change any more")
	parts = f.Snapshot(heat.Race)
	require.InDelta(t, 0.001, parts[0].Slowest, 1e-12)
	require.EqualValues(t, 3, parts[0].Totals.Requests)
	require.Zero(t, f.Snapshot(heat.Race)[0].Slowest)
}

func TestAProbeNamesWhatWasReached(t *testing.T) {
	t.Parallel()
	f := newFixture(t, true)
	named := request(f.tags("app", "a", "name", "front page"), time.Millisecond, false, time.Now())
	named.ConnRemoteAddr = &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 4000}
	f.Add([]metrics.SampleContainer{
		request(f.tags("app", "a", "url", "http://127.0.0.1:4001/x?y=1", "name", "front page"), time.Millisecond, false, time.Now()),
		request(f.tags("app", "a", "name", "https://example.test/x"), time.Millisecond, false, time.Now()),
		named,
	})
	require.Equal(t, map[string]int64{"127.0.0.1:4001": 1, "example.test:443": 1, "127.0.0.1:4000": 1}, f.Result(time.Now()).Result["a"].Reached)
}

func TestAWorkersRequestsAreItsMessages(t *testing.T) {
	t.Parallel()
	f := newFixture(t, true)
	end := time.Now()
	trip := func(app, queue string, took time.Duration, failed bool) *sqs.Trip {
		return &sqs.Trip{Queue: queue, EndTime: end, Duration: took, Failed: failed, Redelivered: 1, Errors: 2, Tags: f.tags("app", app, "phase", "race")}
	}
	f.Add([]metrics.SampleContainer{
		trip("w", "http://q/w", 20*time.Millisecond, false), trip("w", "http://q/w", 40*time.Millisecond, true),
		request(f.tags("app", "w", "phase", "race"), time.Second, false, end), // what the script asks beside them
		trip("a", "http://q/a", time.Second, false), request(f.tags("app", "a", "phase", "race", "url", "http://127.0.0.1:1/"), time.Millisecond, false, end),
		trip("stranger", "http://q/w", time.Second, false),
	})
	result := f.Result(end)
	require.EqualValues(t, 1, result.Foreign)
	w := result.Result["w"].Race
	require.EqualValues(t, []int64{2, 1, 2, 1, 2, 4}, []int64{w.Requests, w.Failed, w.Latency.Count, w.LatencyPassed.Count, w.Redelivered, w.QueueErrors})
	require.InDelta(t, 0.06, w.Latency.Sum, 1e-12)
	require.Equal(t, end.Add(-40*time.Millisecond), w.FirstRequest)
	require.EqualValues(t, 1, result.Result["w"].Reached["http://q/w"], "what was not answered reached nobody")
	a := result.Result["a"].Race
	require.EqualValues(t, 1, a.Requests, "an app that is asked by HTTP is measured by that")
	require.InDelta(t, 0.001, a.Latency.Sum, 1e-12)
}

// BenchmarkOutputPerRequest is what counting one request, its iteration's samples and a check costs, of a few dozen tag sets.
func BenchmarkOutputPerRequest(b *testing.B) {
	f := newFixture(b, false)
	random := rand.New(rand.NewPCG(1, 2))
	var batch []metrics.SampleContainer
	const requests = 100
	for i := range requests {
		tags := f.tags("app", []string{"a", "b"}[i%2], "phase", "race", "status", strconv.Itoa(200+i%7))
		batch = append(batch, request(tags, time.Duration(1e5+random.IntN(1e6)), false, time.Now()),
			sample(f.builtin.Checks, tags, 1),
			metrics.Samples{sample(f.builtin.DataSent, tags, 1), sample(f.builtin.DataReceived, tags, 1)},
			metrics.Samples{sample(f.builtin.IterationDuration, tags, 1), sample(f.builtin.Iterations, tags, 1)})
	}
	b.ReportAllocs()
	for b.Loop() {
		f.Add(batch)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/requests, "ns/request")
}

func TestHowLongAnIterationTakes(t *testing.T) {
	t.Parallel()
	for _, probe := range []bool{true, false} {
		f := newFixture(t, probe)
		for _, ms := range []float64{3, 12.5, 7} {
			tags := f.tags("app", "a", "phase", "race")
			f.Add([]metrics.SampleContainer{sample(f.builtin.IterationDuration, tags, ms), sample(f.builtin.Iterations, tags, 1)})
		}
		f.Add([]metrics.SampleContainer{sample(f.builtin.IterationDuration, f.tags("app", "a", "phase", "warmup"), 8)})
		f.Add([]metrics.SampleContainer{sample(f.builtin.IterationDuration, f.tags("app", "other"), 99)})
		result := f.Result(time.Now()).Result
		require.Zero(t, result["b"].Iteration)
		if probe {
			require.Equal(t, 12500*time.Microsecond, result["a"].Iteration, "the longest")
		} else {
			require.Equal(t, 7500*time.Microsecond, result["a"].Iteration, "the mean of the race part")
		}
	}
}
