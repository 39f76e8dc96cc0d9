package compare_test

import (
	"math"
	"math/rand/v2"
	"strconv"
	"time"
)

// scene writes races into a world as k6 and cAdvisor would, and remembers the truth.
type scene struct {
	w      *world
	rng    *rand.Rand
	testid string
	own    bool // our extension; else a stock k6 with native histograms
	phased bool
	period time.Duration // between pushes
	older  bool          // our extension as it was before it wrote the sum of the latencies
	// markers: stale markers at the end of each run.
	markers bool
	truth   map[string]*truth // app + "/" + heat
}

// truth is what really happened.
type truth struct {
	latencies []float64 // seconds
	failed    int
	checks    int
	passed    int
	seconds   float64
}

func newScene(w *world, testid string, own bool) *scene {
	return &scene{w: w, rng: rand.New(rand.NewPCG(1, 2)), testid: testid, own: own, phased: own, period: time.Second, markers: true, truth: map[string]*truth{}}
}

// load is what an app does in one heat.
type load struct {
	app, heat string
	rate      int           // requests per period
	median    float64       // seconds
	failEvery int           // 0: never
	phase     string        // with phased; default race
	jitter    time.Duration // how far pushes stray
}

func (s *scene) labels(l load, name string, more ...string) []string {
	pairs := []string{"__name__", name, "testid", s.testid, "app", l.app}
	if l.heat != "" {
		pairs = append(pairs, "heat", l.heat)
	}
	if s.phased {
		phase := l.phase
		if phase == "" {
			phase = "race"
		}
		pairs = append(pairs, "phase", phase)
	}
	return append(pairs, more...)
}

// run writes one app's heat: pushes at start+period, start+2 periods …; our extension also writes explicit zeros at the start.
func (s *scene) run(l load, start time.Time, pushes int) {
	tr := &truth{seconds: float64(pushes) * s.period.Seconds()}
	s.truth[l.app+"/"+l.heat+l.phase] = tr
	var ok, bad []float64
	s.w.write(func(a writer) {
		if s.own {
			s.pushOwn(a, l, start, tr, 0, false)
		}
		for push := 1; push <= pushes; push++ {
			highest := 0.0
			for i := range l.rate {
				v := l.median * math.Exp(0.4*s.rng.NormFloat64())
				highest = max(highest, v)
				tr.latencies = append(tr.latencies, v)
				tr.checks++
				if n := len(tr.latencies); l.failEvery > 0 && n%l.failEvery == 0 {
					tr.failed++
					bad = append(bad, v)
				} else {
					tr.passed++
					ok = append(ok, v)
				}
				_ = i
			}
			at := start.Add(time.Duration(push) * s.period)
			if l.jitter > 0 {
				at = at.Add(-time.Duration(s.rng.Int64N(int64(l.jitter))))
			}
			if s.own {
				s.pushOwn(a, l, at, tr, highest, l.rate > 0)
			} else {
				s.pushStock(a, l, at, ok, bad)
			}
		}
		if s.markers {
			s.end(a, l, start.Add(time.Duration(pushes)*s.period+time.Millisecond), len(bad) > 0)
		}
	})
}

func (s *scene) pushOwn(a writer, l load, at time.Time, tr *truth, highest float64, any bool) {
	a.histogram(at, native(8, tr.latencies), s.labels(l, "photofinish_http_req_duration_seconds")...)
	if !s.older {
		waited := 0.0
		for _, v := range tr.latencies {
			waited += v
		}
		a.float(at, waited, s.labels(l, "photofinish_http_req_duration_seconds_total")...)
	}
	a.float(at, float64(len(tr.latencies)-tr.failed), s.labels(l, "photofinish_http_reqs_total", "expected_response", "true")...)
	a.float(at, float64(tr.failed), s.labels(l, "photofinish_http_reqs_total", "expected_response", "false")...)
	a.float(at, float64(tr.passed), s.labels(l, "photofinish_checks_total", "result", "pass")...)
	a.float(at, float64(tr.checks-tr.passed), s.labels(l, "photofinish_checks_total", "result", "fail")...)
	a.float(at, 100*float64(len(tr.latencies)), s.labels(l, "photofinish_data_received_bytes_total")...)
	a.float(at, 10*float64(len(tr.latencies)), s.labels(l, "photofinish_data_sent_bytes_total")...)
	a.float(at, 7, s.labels(l, "photofinish_vus")...)
	if any {
		a.float(at, highest, s.labels(l, "photofinish_http_req_duration_max_seconds")...)
	}
}

// pushStock writes, as a stock k6 does, only series that have had a sample; two statuses make two series.
func (s *scene) pushStock(a writer, l load, at time.Time, ok, bad []float64) {
	for i, part := range [][]float64{ok, bad} {
		if len(part) == 0 {
			continue
		}
		extra := []string{"status", []string{"200", "500"}[i], "expected_response", []string{"true", "false"}[i]}
		a.float(at, float64(len(part)), s.labels(l, "k6_http_reqs_total", extra...)...)
		a.histogram(at, native(3, part), s.labels(l, "k6_http_req_duration_seconds", extra...)...)
	}
	a.float(at, 100*float64(len(ok)+len(bad)), s.labels(l, "k6_data_received_total")...)
	a.float(at, 10*float64(len(ok)+len(bad)), s.labels(l, "k6_data_sent_total")...)
}

func (s *scene) end(a writer, l load, at time.Time, failures bool) {
	if s.own {
		if !s.older {
			a.stale(at, s.labels(l, "photofinish_http_req_duration_seconds_total")...)
		}
		for _, name := range []string{"photofinish_http_req_duration_seconds", "photofinish_data_received_bytes_total", "photofinish_vus"} {
			a.stale(at, s.labels(l, name)...)
		}
		for _, expected := range []string{"true", "false"} {
			a.stale(at, s.labels(l, "photofinish_http_reqs_total", "expected_response", expected)...)
		}
		return
	}
	a.stale(at, s.labels(l, "k6_http_reqs_total", "status", "200", "expected_response", "true")...)
	a.stale(at, s.labels(l, "k6_http_req_duration_seconds", "status", "200", "expected_response", "true")...)
	if failures {
		a.stale(at, s.labels(l, "k6_http_reqs_total", "status", "500", "expected_response", "false")...)
		a.stale(at, s.labels(l, "k6_http_req_duration_seconds", "status", "500", "expected_response", "false")...)
	}
}

// cage is a container as cAdvisor sees it.
type cage struct {
	id        string
	naming    []string // label, value, …
	cores     float64
	already   float64 // CPU seconds before the first sample
	memory    float64 // bytes at the first sample
	growth    float64 // bytes per second
	quota     bool
	throttled float64 // share of periods
	network   bool
	resetAt   int // sample at which the counters begin anew; 0 never
}

// sample writes n samples of a container, one every period, from start on.
func (s *scene) sample(c cage, start time.Time, every time.Duration, n int) {
	s.w.write(func(a writer) {
		base := 0
		for i := range n {
			at := start.Add(time.Duration(i) * every)
			already := c.already
			if c.resetAt > 0 && i >= c.resetAt {
				base, already = c.resetAt, 0
			}
			seconds := float64(i-base) * every.Seconds()
			put := func(name string, v float64, more ...string) {
				pairs := append([]string{"__name__", name, "id", c.id, "instance", "here:8080", "job", "cadvisor"}, c.naming...)
				a.float(at, v, append(pairs, more...)...)
			}
			for cpu := range 2 {
				put("container_cpu_usage_seconds_total", (already+c.cores*seconds)/2, "cpu", "cpu0"+strconv.Itoa(cpu))
			}
			put("container_memory_working_set_bytes", c.memory+c.growth*float64(i)*every.Seconds())
			if c.quota {
				put("container_cpu_cfs_periods_total", 10*seconds)
				put("container_cpu_cfs_throttled_periods_total", 10*seconds*c.throttled)
				put("container_cpu_cfs_throttled_seconds_total", seconds*c.throttled/10)
			}
			if c.network {
				put("container_network_receive_bytes_total", 1000*seconds, "interface", "eth0")
				put("container_network_transmit_bytes_total", 500*seconds, "interface", "eth0")
			}
		}
	})
}
