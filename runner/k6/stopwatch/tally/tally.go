// Package tally counts k6's samples by app and phase: exact totals for the result, a trailing second for the live views.
package tally

import (
	"net"
	"net/url"
	"sync"
	"time"

	"github.com/photofinish/photofinish/runner/k6/sqs"
	"github.com/photofinish/photofinish/runner/k6/stopwatch/heat"
	"github.com/photofinish/photofinish/runner/k6/stream"
	"go.k6.io/k6/lib/netext/httpext"
	"go.k6.io/k6/metrics"
)

// Tally is safe for concurrent use.
type Tally struct {
	heat    *heat.Heat
	builtin *metrics.BuiltinMetrics

	mu      sync.Mutex
	own     map[*metrics.Metric]*own
	places  map[*metrics.TagSet]place // tag sets are interned by k6, so that a pointer stands for its tags
	lanes   []*laneTally              // in the order of the heat's lanes
	foreign int64
}

// place is where the samples of a tag set are counted.
type place struct {
	lane  *laneTally // nil: no lane of this race
	phase heat.Phase
	timed bool // there is no phase tag; the time of the sample decides
}

type laneTally struct {
	*heat.Lane
	phases  [heat.Measured]phaseTally
	recent  trail
	reached map[string]int64 // only in a probe
	longest time.Duration    // of its iterations; only in a probe
}

type phaseTally struct {
	totals   stream.Totals
	slowest  float64       // seconds; the maximum since the last Snapshot, 0 without requests
	iterated time.Duration // all iterations together
	metrics  map[*own]*metricTally
}

// New makes an empty tally for a heat.
func New(h *heat.Heat, builtin *metrics.BuiltinMetrics) *Tally {
	t := &Tally{heat: h, builtin: builtin, places: make(map[*metrics.TagSet]place), own: make(map[*metrics.Metric]*own)}
	for _, l := range h.Lanes() {
		t.lanes = append(t.lanes, &laneTally{Lane: l, reached: make(map[string]int64)})
	}
	return t
}

// Add counts what k6 has measured.
func (t *Tally) Add(containers []metrics.SampleContainer) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, c := range containers {
		switch c := c.(type) {
		case *httpext.Trail:
			t.request(c)
		case *sqs.Trip:
			t.trip(c)
		case metrics.Sample:
			t.sample(&c)
		default:
			samples := c.GetSamples()
			for i := range samples {
				t.sample(&samples[i])
			}
		}
	}
}

// request counts an HTTP request. k6 makes its own http_reqs from the same trail, so that the counts agree exactly. What a script asks by HTTP
// beside a worker's messages is no request of its lane.
func (t *Tally) request(r *httpext.Trail) {
	p := t.place(r.Tags)
	if p.lane == nil {
		t.foreign++
		return
	}
	if t.heat.Config.Probe {
		p.lane.reached[target(r)]++
	}
	if p.lane.Worker {
		return
	}
	if phase, ok := t.phase(p, r.EndTime); ok {
		t.count(p, phase, r.EndTime, r.Duration, r.Failed.Valid && r.Failed.Bool)
	}
}

// trip counts a worker's message. The module makes its metrics from the same trip; of another lane it is nothing but these.
func (t *Tally) trip(r *sqs.Trip) {
	p := t.place(r.Tags)
	if p.lane == nil {
		t.foreign++
		return
	}
	if t.heat.Config.Probe && !r.Failed {
		p.lane.reached[r.Queue]++
	}
	if !p.lane.Worker {
		for _, s := range r.GetSamples() {
			t.sample(&s)
		}
		return
	}
	if phase, ok := t.phase(p, r.EndTime); ok {
		t.count(p, phase, r.EndTime, r.Duration, r.Failed)
		phase.totals.Redelivered += r.Redelivered
		phase.totals.QueueErrors += r.Errors
	}
}

// count counts what a lane was asked.
func (t *Tally) count(p place, phase *phaseTally, end time.Time, took time.Duration, failed bool) {
	seconds := took.Seconds()
	totals := &phase.totals
	totals.Requests++
	totals.Latency.Observe(seconds)
	if failed {
		totals.Failed++
	} else {
		totals.LatencyPassed.Observe(seconds)
	}
	if begin := end.Add(-took); totals.FirstRequest.IsZero() || begin.Before(totals.FirstRequest) {
		totals.FirstRequest = begin
	}
	if end.After(totals.LastResponse) {
		totals.LastResponse = end
	}
	phase.slowest = max(phase.slowest, seconds)
	p.lane.recent.observe(seconds)
}

// sample counts the few other metrics that are of use, and those of the script's own; the rest is k6's own output's business.
func (t *Tally) sample(s *metrics.Sample) {
	var custom *own
	switch s.Metric {
	case t.builtin.IterationDuration:
		t.iteration(s)
		return
	case t.builtin.Checks, t.builtin.DataSent, t.builtin.DataReceived, t.builtin.Iterations:
	default:
		if custom = t.ownMetric(s.Metric); custom == nil {
			return
		}
	}
	p := t.place(s.Tags)
	if p.lane == nil {
		return
	}
	phase, ok := t.phase(p, s.Time)
	if !ok {
		return
	}
	switch s.Metric {
	case t.builtin.Checks:
		if s.Value != 0 {
			phase.totals.ChecksPassed++
		} else {
			phase.totals.ChecksFailed++
		}
	case t.builtin.DataSent:
		phase.totals.DataSent += s.Value
	case t.builtin.DataReceived:
		phase.totals.DataReceived += s.Value
	case t.builtin.Iterations:
		phase.totals.Iterations += int64(s.Value)
	default:
		phase.observe(custom, s.Value)
	}
}

// iteration sees how long an iteration took, in ms.
func (t *Tally) iteration(s *metrics.Sample) {
	p := t.place(s.Tags)
	if p.lane == nil {
		return
	}
	took := time.Duration(s.Value * float64(time.Millisecond))
	if t.heat.Config.Probe {
		p.lane.longest = max(p.lane.longest, took)
	} else if phase, ok := t.phase(p, s.Time); ok {
		phase.iterated += took
	}
}

// place looks a tag set up once and remembers it.
func (t *Tally) place(tags *metrics.TagSet) place {
	if p, ok := t.places[tags]; ok {
		return p
	}
	var p place
	app, _ := tags.Get(heat.AppTag)
	for _, l := range t.lanes {
		if l.App == app {
			p.lane = l
		}
	}
	switch phase, ok := tags.Get(heat.Tag); {
	case ok && phase == heat.Warmup.String():
		p.phase = heat.Warmup
	case ok && phase == heat.Race.String():
		p.phase = heat.Race
	case ok:
		p.phase = heat.Done
	default:
		p.timed = true
	}
	t.places[tags] = p
	return p
}

func (t *Tally) phase(p place, at time.Time) (*phaseTally, bool) {
	phase := p.phase
	if p.timed {
		phase = t.heat.Phase(at)
	}
	if phase >= heat.Done {
		return nil, false
	}
	return &p.lane.phases[phase], true
}

// target is the host:port that a request was for: that of its url tag, else that of its name, else the address it reached.
func target(r *httpext.Trail) string {
	for _, tag := range []metrics.SystemTag{metrics.TagURL, metrics.TagName} {
		text, _ := r.Tags.Get(tag.String())
		if u, err := url.Parse(text); err == nil && u.Host != "" {
			return hostPort(u)
		}
	}
	if r.ConnRemoteAddr != nil {
		return r.ConnRemoteAddr.String()
	}
	return ""
}

func hostPort(u *url.URL) string {
	if u.Port() != "" {
		return u.Host
	}
	if u.Scheme == "https" {
		return net.JoinHostPort(u.Hostname(), "443")
	}
	return net.JoinHostPort(u.Hostname(), "80")
}
