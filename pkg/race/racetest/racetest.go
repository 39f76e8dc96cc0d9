// Package racetest makes up a plausible race for tests of what shows or reads one: four apps, eight heats, the same numbers every time.
package racetest

import (
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/pkg/verdict"
)

// The shape of the race.
const (
	Heats    = 8
	requests = 2000 // per app and heat
	duration = 10 * time.Second
	pause    = 5 * time.Second // between heats: fresh apps and warm-up
)

// Sample is a race and the single latencies in ms from which it was made, by app.
type Sample struct {
	Race      race.Race
	Latencies map[string][]float64
}

// app is how one contestant behaves.
type app struct {
	name    string
	latency func(r *rand.Rand, heat int) float64 // ms
	cpuMS   float64                              // per request
	memory  float64                              // bytes at the start
	leak    float64                              // bytes per request
	failing float64                              // share
}

func lognormal(median, sigma float64) func(*rand.Rand, int) float64 {
	return func(r *rand.Rand, heat int) float64 {
		drift := 1 + .02*math.Sin(float64(heat)) // what all apps share within a heat
		return drift * median * math.Exp(sigma*r.NormFloat64())
	}
}

func apps() []app {
	light, slow := lognormal(.52, .34), lognormal(.6, .3)
	return []app{
		{name: "control", latency: light, cpuMS: .21, memory: 14.2e6},
		{name: "high-latency", latency: func(r *rand.Rand, h int) float64 { return 100 + slow(r, h) + r.ExpFloat64()*.8 }, cpuMS: .22, memory: 15.1e6},
		{name: "high-cpu", latency: lognormal(4.3, .28), cpuMS: 3.9, memory: 14.6e6},
		{name: "memory-leak", latency: lognormal(.545, .37), cpuMS: .25, memory: 14.4e6, leak: 51200, failing: .004},
	}
}

// FourApps makes the race of control, high-latency, high-cpu and memory-leak.
func FourApps() Sample {
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // the same numbers every time are the point
	start := time.Date(2026, 3, 14, 9, 26, 53, 0, time.UTC)
	vus, rate, cpus, memory, by := int64(20), 200.0, .5, int64(128<<20), "anna"
	r := race.Race{
		Version: race.RecordVersion, ID: "ab-test-20260314-092650", Name: "ab-test", Script: "tests/ab-test.js", Engine: "process", Status: race.Finished, RequestedBy: &by,
		StartedAt: at(start, -3*time.Second), FinishedAt: at(start, Heats*(duration+pause)), Baseline: "control", Mode: race.Together, Arrivals: race.Uniform,
		Load: race.Load{Executor: "constant-arrival-rate", VUs: &vus, Rate: &rate, DurationMS: float64(duration.Milliseconds())}, WarmupMS: 3000, PlannedHeats: Heats,
		Versions: map[string]string{"photofinish": "0.1.0", "k6": "v1.8.0", "prometheus": "v0.316.0", "cadvisor": "v0.60.6", "go": "go1.26"},
		Machine:  &race.Machine{OS: "debian 12", Kernel: "6.1.0", CPUModel: "a processor", CPUs: 8, MemoryBytes: 16 << 30, Cgroup: "v2"},
	}
	s := Sample{Latencies: map[string][]float64{}}
	order := []string{}
	for _, a := range apps() {
		order = append(order, a.name)
	}
	perHeat := map[string][]race.HeatLane{}
	for n := range Heats {
		began := time.Duration(n) * (duration + pause)
		heat := race.Heat{Number: n + 1, StartedAt: at(start, began), FinishedAt: at(start, began+duration), Lanes: map[string]race.HeatLane{}}
		heat.Order = slices.Concat(order[n%len(order):], order[:n%len(order)])
		for _, a := range apps() {
			ms := make([]float64, requests)
			for i := range ms {
				ms[i] = a.latency(random, n)
			}
			s.Latencies[a.name] = append(s.Latencies[a.name], ms...)
			lane := heatLane(a, ms, 1+.01*random.NormFloat64())
			heat.Lanes[a.name] = lane
			perHeat[a.name] = append(perHeat[a.name], lane)
		}
		r.Heats = append(r.Heats, heat)
	}
	for i, a := range apps() {
		end := *r.FinishedAt
		lane := pooled(a, s.Latencies[a.name], perHeat[a.name])
		lane.URL = "http://127.0.0.1:" + []string{"4000", "4001", "4002", "4003"}[i] + "/" + a.name
		lane.Resources = race.Resources{CPUs: &cpus, Memory: &memory}
		lane.Exit = &race.Exit{Reason: race.Stopped, Code: new(int), At: &end}
		r.Lanes = append(r.Lanes, lane)
	}
	r.Audit = race.Audit{Fair: true, Findings: []race.Finding{
		{Lane: "high-cpu", Kind: race.Throttled, Severity: race.Warning, Detail: "reached its CPU quota in 11% of the periods; its latency holds waiting for the quota"},
		{Lane: "memory-leak", Kind: race.ErrorsDiffer, Severity: race.Warning, Detail: "0.4% of its requests failed, 0% of the baseline's"},
		{Kind: race.SeriesLost, Severity: race.Note, Detail: "Prometheus counts 63,998 requests, k6 64,000: the last push of heat 8 came late"},
	}}
	r.Verdicts = judge(r)
	s.Race = r
	return s
}

// Unfair is the race of FourApps beside somebody who compiled, so that nothing was decided.
func Unfair() race.Race {
	r := FourApps().Race
	r.Audit = race.Audit{Findings: append([]race.Finding{{Kind: race.OtherLoad, Severity: race.Unfair, Detail: "programs that are no part of the race used 61% of the machine's CPU"}}, r.Audit.Findings...)}
	r.Verdicts = judge(r)
	return r
}

func judge(r race.Race) []race.Verdict {
	var specs []verdict.MeasureSpec
	for _, id := range []string{"latency_p50", "latency_p95", "latency_p99", "error_rate", "cpu_ms_per_request", "memory_working_set", "memory_slope"} {
		specs = append(specs, verdict.Spec(id, verdict.Lower))
	}
	specs = append(specs, verdict.Spec("request_rate", verdict.Higher))
	return verdict.Judge(verdict.FromRace(r, specs))
}

func heatLane(a app, ms []float64, noise float64) race.HeatLane {
	sorted := slices.Sorted(slices.Values(ms))
	failed := int64(a.failing * float64(len(ms)))
	return race.HeatLane{
		ActiveMS: float64(duration.Milliseconds()), Requests: int64(len(ms)), Failed: failed,
		Measures: measures(a, sorted, float64(failed)/float64(len(ms)), noise, requests),
	}
}

// pooled is the lane over the whole race: latencies of all heats together, costs as their mean.
func pooled(a app, ms []float64, heats []race.HeatLane) race.Lane {
	sorted := slices.Sorted(slices.Values(ms))
	var failed int64
	for _, h := range heats {
		failed += h.Failed
	}
	m := measures(a, sorted, float64(failed)/float64(len(ms)), 1, requests)
	cpu, slope := a.cpuMS*float64(len(ms))/1000, *m["memory_slope"]
	return race.Lane{
		App: a.name, Measures: m,
		Client: &race.Client{
			Requests: int64(len(ms)), Failed: failed, Rate: *m["request_rate"], Checks: race.Checks{Passed: int64(len(ms)) - failed, Failed: failed},
			LatencyMS: race.Latency{Mean: m["latency_mean"], P50: m["latency_p50"], P90: m["latency_p90"], P95: m["latency_p95"], P99: m["latency_p99"], Max: m["latency_max"]},
		},
		Container: &race.Container{CPUSeconds: &cpu, MemoryMaxBytes: m["memory_working_set"], MemorySlopeBytesPerSecond: &slope},
		Joined:    &race.Joined{CPUMSPerRequest: m["cpu_ms_per_request"], MemoryBytesPerRequest: m["memory_bytes_per_request"]},
	}
}

func measures(a app, sorted []float64, failed, noise float64, perHeat int) map[string]*float64 {
	sum := 0.0
	for _, v := range sorted {
		sum += v
	}
	rate := float64(perHeat) / duration.Seconds()
	values := map[string]float64{
		"latency_mean": sum / float64(len(sorted)), "latency_p50": Quantile(sorted, .5), "latency_p90": Quantile(sorted, .9),
		"latency_p95": Quantile(sorted, .95), "latency_p99": Quantile(sorted, .99), "latency_max": sorted[len(sorted)-1],
		"request_rate": rate, "error_rate": failed, "check_rate": 1 - failed, "vus": 4, "cpu_ms_per_request": a.cpuMS * noise, "cpu_cores": a.cpuMS * noise * rate / 1000,
		"memory_working_set": (a.memory + a.leak*float64(perHeat)) * (1 + 3*(noise-1)), "memory_slope": a.leak * rate * noise, "memory_bytes_per_request": a.leak,
		"data_received_rate": 180 * rate, "data_sent_rate": 95 * rate,
	}
	out := map[string]*float64{"network_receive_rate": nil, "network_transmit_rate": nil, "network_bytes_per_request": nil, "cpu_throttled_ratio": nil, "throttled_ms_per_request": nil}
	for id, v := range values {
		out[id] = &v
	}
	return out
}

// Quantile reads a quantile (0-1) from sorted values.
func Quantile(sorted []float64, q float64) float64 {
	return sorted[min(len(sorted)-1, int(q*float64(len(sorted))))]
}

func at(start time.Time, after time.Duration) *time.Time {
	t := start.Add(after)
	return &t
}
