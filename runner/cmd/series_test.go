package cmd_test

import (
	"bufio"
	"context"
	"encoding/json"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/compare"
	"github.com/photofinish/photofinish/pkg/measure"
	"github.com/photofinish/photofinish/pkg/promql"
	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/cgroup"
	"github.com/photofinish/photofinish/runner/cmd"
	"github.com/photofinish/photofinish/runner/engine"
	"github.com/photofinish/photofinish/runner/metrics/promserver"
	"github.com/photofinish/photofinish/runner/store"
)

// bucket is the width of a bucket of schema 8, the most by which a percentile may be off.
const bucket = 0.003

// raw is what k6's raw JSON output holds of the race part: latencies in ms, ascending, and the number of failed requests, by app.
type raw struct {
	latencies map[string][]float64
	failed    map[string]int64
}

func readRaw(t *testing.T, files ...string) raw {
	t.Helper()
	r := raw{latencies: map[string][]float64{}, failed: map[string]int64{}}
	eachPoint(t, files, func(metric string, value float64, tags map[string]string) {
		app, phase := tags["app"], tags["phase"]
		switch {
		case app == "" || phase != "" && phase != "race":
		case metric == "http_req_duration":
			r.latencies[app] = append(r.latencies[app], value)
		case metric == "http_req_failed" && value != 0:
			r.failed[app]++
		}
	})
	for _, l := range r.latencies {
		slices.Sort(l)
	}
	return r
}

// eachPoint visits the samples in k6's raw JSON output.
func eachPoint(t *testing.T, files []string, visit func(metric string, value float64, tags map[string]string)) {
	t.Helper()
	for _, path := range files {
		f, err := os.Open(path)
		require.NoError(t, err)
		lines := bufio.NewScanner(f)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			var p struct {
				Type, Metric string
				Data         struct {
					Value float64
					Tags  map[string]string
				}
			}
			require.NoError(t, json.Unmarshal(lines.Bytes(), &p))
			if p.Type == "Point" {
				visit(p.Metric, p.Data.Value, p.Data.Tags)
			}
		}
		require.NoError(t, lines.Err())
		require.NoError(t, f.Close())
	}
}

// agrees proves that a percentile of the latencies is off by no more than a share.
func (r raw) agrees(t *testing.T, app, id string, value, off float64) {
	t.Helper()
	between(t, r.latencies[app], percentiles[id], value, off, app+" "+id)
}

// between proves that a percentile of sorted values is off by no more than a share. Where it lies between two of them, both neighbours are right.
func between(t *testing.T, sorted []float64, q, value, off float64, what string) {
	t.Helper()
	rank := q * float64(len(sorted))
	const slack = 1e-6 // of the product's rounding
	low, high := sorted[int(math.Ceil(rank-slack))-1], sorted[min(len(sorted)-1, int(math.Floor(rank+slack)))]
	require.GreaterOrEqual(t, value, low/(1+off), what)
	require.LessOrEqual(t, value, high*(1+off), what)
}

var percentiles = map[string]float64{"latency_p50": .50, "latency_p90": .90, "latency_p95": .95, "latency_p99": .99}

// witness reads a lane's cgroup by itself, every 10 ms.
type witness struct{ readings []engine.Counters }

func watch(ctx context.Context, name string) (*witness, *sync.WaitGroup) {
	w, tree := &witness{}, cgroup.New()
	var wait sync.WaitGroup
	wait.Go(func() {
		for ctx.Err() == nil {
			if c, err := tree.Group(name).Counters(ctx); err == nil {
				w.readings = append(w.readings, c)
			}
			time.Sleep(10 * time.Millisecond)
		}
	})
	return w, &wait
}

// at is the CPU time in seconds at a moment. Where the counter starts anew after it, the app was stopped with its heat, and the next heat's
// app has begun in another group of the same name: what was read last is all that the first one spent.
func (w *witness) at(t *testing.T, moment time.Time) float64 {
	t.Helper()
	i := slices.IndexFunc(w.readings, func(c engine.Counters) bool { return !c.At.Before(moment) })
	const atOnce = 100 * time.Millisecond // k6 ends with its last answer, a little before the heat would, and its apps with it
	if last := w.readings[len(w.readings)-1]; i < 0 && moment.Sub(last.At) < atOnce {
		return last.CPU.Seconds()
	}
	require.Positive(t, i, "the witness did not see this moment")
	a, b := w.readings[i-1], w.readings[i]
	if b.CPU < a.CPU {
		return a.CPU.Seconds()
	}
	require.Less(t, b.At.Sub(a.At), 200*time.Millisecond, "the witness was held up")
	share := moment.Sub(a.At).Seconds() / b.At.Sub(a.At).Seconds()
	return a.CPU.Seconds() + share*(b.CPU-a.CPU).Seconds()
}

// requireCgroups skips what only cgroups can show.
func requireCgroups(t *testing.T) {
	t.Helper()
	support := cgroup.New().Support()
	if support.Version != cgroup.None {
		return
	}
	if os.Getenv("PHOTOFINISH_REQUIRE_ALL") != "" {
		t.Fatalf("container metrics cannot be tried: %s", support.Reason)
	}
	t.Skipf("NOT TESTED, container metrics: %s", support.Reason)
}

// kept is a race whose Prometheus is still up.
type kept struct {
	record  race.Race
	url     string
	raw     raw
	witness map[string]*witness
}

// keep runs a race with --keep until its Prometheus is all that is left; a witness looks at the lanes' cgroups meanwhile.
func keep(t *testing.T, args ...string) kept {
	t.Helper()
	rawDir := t.TempDir()
	t.Setenv(rawOutput, rawDir)
	ctx, cancel := context.WithCancel(t.Context())
	dir := filepath.Join(t.TempDir(), "race")
	stdout, stderr := &output{}, &output{}
	code := make(chan int, 1)
	go func() {
		code <- cmd.Run(ctx, append([]string{"race", "--keep", "--out", dir}, args...), stdout, stderr)
	}()
	k := kept{witness: map[string]*witness{}}
	t.Cleanup(func() {
		cancel()
		require.Equal(t, 0, <-code, "the race was over when it was ended")
		if k.url != "" {
			_, err := net.Dial("tcp", strings.TrimPrefix(k.url, "http://"))
			require.Error(t, err, "Prometheus ends with the context")
		}
		t.Logf("%s%s", stdout, stderr)
		nothingLeft(t)
	})
	watching, stop := context.WithCancel(t.Context())
	defer stop()
	var waits []*sync.WaitGroup
	address := regexp.MustCompile(`Prometheus stays up at (\S+) until`)
	for deadline := time.Now().Add(time.Minute); k.url == ""; time.Sleep(10 * time.Millisecond) {
		require.True(t, time.Now().Before(deadline), "%s%s", stdout, stderr)
		if r, err := store.Load(dir); err == nil && len(waits) == 0 {
			for _, app := range []string{"a", "b"} {
				w, wait := watch(watching, r.ID+"/"+app)
				k.witness[app] = w
				waits = append(waits, wait)
			}
		}
		if found := address.FindStringSubmatch(stderr.String()); found != nil {
			k.url = found[1]
		}
	}
	stop()
	for _, w := range waits {
		w.Wait()
	}
	var err error
	k.record, err = store.Load(dir)
	require.NoError(t, err)
	files, err := filepath.Glob(filepath.Join(rawDir, "*.json"))
	require.NoError(t, err)
	require.Len(t, files, len(k.record.Heats), "a file of raw output for each heat")
	k.raw = readRaw(t, files...)
	return k
}

func querier(t *testing.T, url string) promql.Querier {
	t.Helper()
	q, err := promql.New(promql.Config{URL: url})
	require.NoError(t, err)
	return q
}

// One race shows that all who count agree: k6 itself, the record, the series, and the cgroups.
func TestEverythingThatCountsAgrees(t *testing.T) {
	requireCgroups(t)
	script := writeScript(t, "", "a: "+lane(portA, "cpus: 0.9", "spin=2ms"), "b: "+lane(portB, "cpus: 0.9", "spin=4ms", "flaky"))
	k := keep(t, script, "--mode", "together", "--heats", "2", "--duration", "6s")
	t.Run("the record and k6's raw output", func(t *testing.T) {
		for _, l := range k.record.Lanes {
			require.Len(t, k.raw.latencies[l.App], int(l.Client.Requests))
			require.Equal(t, k.raw.failed[l.App], l.Client.Failed)
			for id := range percentiles {
				k.raw.agrees(t, l.App, id, *l.Measures[id], bucket)
			}
		}
		require.Positive(t, k.raw.failed["b"])
		require.NotContains(t, kinds(k.record), race.SeriesLost, "k6's own end-of-test summary counts the same")
	})
	t.Run("the record and the series, by compare", func(t *testing.T) {
		f := run(t.Context(), t, "", "compare", k.record.ID, "--baseline", "a", "--prometheus-url", k.url, "--json")
		require.Equal(t, 0, f.code)
		var past race.Race
		require.NoError(t, json.Unmarshal([]byte(f.stdout), &past))
		require.Len(t, past.Heats, 2)
		for i, l := range past.Lanes {
			require.Equal(t, k.record.Lanes[i].Client.Requests, l.Client.Requests)
			require.Equal(t, k.record.Lanes[i].Client.Failed, l.Client.Failed)
			k.raw.agrees(t, l.App, "latency_p95", *l.Measures["latency_p95"], bucket)
		}
	})
	t.Run("every measure of the record is in the series", func(t *testing.T) {
		info, ok := compare.FromRecord(k.record)
		require.True(t, ok)
		totals, err := compare.Reduce(t.Context(), querier(t, k.url), info, compare.Join{})
		require.NoError(t, err)
		for _, l := range k.record.Lanes {
			for _, id := range measure.IDs() {
				inRecord, inSeries := l.Measures[id], totals.Whole[l.App].Measures[id]
				require.Equal(t, inRecord == nil, inSeries == nil, "%s %s: %v", l.App, id, totals.Notices)
				if _, percentile := percentiles[id]; percentile {
					k.raw.agrees(t, l.App, id, *inSeries, bucket)
				}
				if off, near := nearness[id]; near {
					require.InEpsilon(t, *inRecord, *inSeries, off, "%s %s", l.App, id)
				}
			}
		}
	})
	t.Run("CPU: the record, cAdvisor and the cgroup", k.agreesOnCPU)
}

// nearness is by how much a measure may differ that both sides know: nothing but the bucket for what k6 counts; what is read off samples
// each second misses up to one of the six at either end, and CPU use varies from second to second.
var nearness = map[string]float64{
	"latency_mean": bucket, "latency_max": bucket,
	"request_rate": .10, "cpu_cores": .20, "cpu_ms_per_request": .20, "memory_working_set": .25,
}

func (k kept) agreesOnCPU(t *testing.T) {
	const percent = 0.01
	q := querier(t, k.url)
	for app, w := range k.witness {
		recorded, seen := *k.record.Lanes[slices.IndexFunc(k.record.Lanes, func(l race.Lane) bool { return l.App == app })].Container.CPUSeconds, 0.0
		for _, h := range k.record.Heats {
			seen += w.at(t, *h.FinishedAt) - w.at(t, *h.StartedAt)
			// cAdvisor's samples carry their own times, so that the cgroup can be asked for exactly these.
			expr := promql.Selector([]string{"container_cpu_usage_seconds_total"}, promql.Equal("container_label_photofinish_app", app)) + "[6s]"
			got, err := q.Query(t.Context(), promql.At(expr, *h.FinishedAt))
			require.NoError(t, err)
			require.Len(t, got.Series, 1)
			points := got.Series[0].Points
			require.GreaterOrEqual(t, len(points), 5, "a sample each second")
			first, last := points[0], points[len(points)-1]
			grown := w.at(t, time.UnixMilli(last.At)) - w.at(t, time.UnixMilli(first.At))
			require.InEpsilon(t, grown, last.Value-first.Value, percent, "%s heat %d: cAdvisor", app, h.Number)
		}
		require.InEpsilon(t, seen, recorded, percent, "%s: the record", app)
	}
}

func kinds(r race.Race) []race.FindingKind {
	var all []race.FindingKind
	for _, f := range r.Audit.Findings {
		all = append(all, f.Kind)
	}
	return all
}

func TestSomebodyElsesPrometheusGetsTheSeriesOfBothSides(t *testing.T) {
	requireCgroups(t)
	foreign, err := promserver.Start(t.Context(), promserver.Options{Dir: t.TempDir()})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, foreign.Close()) })
	script := writeScript(t, "", "a: "+lane(portA, "", "spin=2ms"), "b: "+lane(portB, "", "spin=4ms"))
	f := runRace(t.Context(), t, script, "--mode", "together", "--duration", "4s", "--prometheus-url", foreign.URL()+"/")
	require.Equal(t, 0, f.code)
	require.NotContains(t, f.stdout, "container series are missing")

	info, ok := compare.FromRecord(f.record)
	require.True(t, ok)
	q := querier(t, foreign.URL())
	totals, err := compare.Reduce(t.Context(), q, info, compare.Join{})
	require.NoError(t, err)
	for _, app := range []string{"a", "b"} {
		require.InDelta(t, f.lane(t, app).Client.Requests, totals.Whole[app].Requests, 0)
		require.InEpsilon(t, *f.lane(t, app).Measures["cpu_ms_per_request"], *totals.Whole[app].Measures["cpu_ms_per_request"], .15)
	}
	got, err := q.Query(t.Context(), promql.At("container_cpu_usage_seconds_total", time.Now()))
	require.NoError(t, err)
	require.Empty(t, got.Series, "the series end with the race")
	report, err := os.ReadFile(filepath.Join(f.dir, "report.html"))
	require.NoError(t, err)
	require.Contains(t, string(report), "cpu_ms_per_request")
	nothingLeft(t)
}

func TestAPrometheusThatTakesNothingIsFoundBeforeTheRace(t *testing.T) {
	off := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "remote write receiver needs to be enabled with --web.enable-remote-write-receiver", http.StatusNotFound)
	}))
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	defer off.Close()
	for name, c := range map[string]struct{ url, says string }{
		"the receiver is off": {off.URL, "the Prometheus at " + off.URL + " does not take remote writes"},
		"nobody listens":      {gone.URL, "the Prometheus at " + gone.URL + " cannot be reached"},
	} {
		t.Run(name, func(t *testing.T) {
			f := runRace(t.Context(), t, writeScript(t, "", "a: "+lane(portA, ""), "b: "+lane(portB, "")), "--prometheus-url", c.url)
			require.Equal(t, 3, f.code)
			require.Contains(t, f.stderr, c.says)
			require.Contains(t, f.stderr, "--web.enable-remote-write-receiver")
			require.NotContains(t, f.stdout, "heat 1")
			require.NoDirExists(t, f.dir, "a folder without a race")
			nothingLeft(t)
		})
	}
}
