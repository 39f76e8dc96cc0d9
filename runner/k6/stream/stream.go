// Package stream is what the runner and its k6 process tell each other. The runner writes a Config file before it starts k6;
// k6 writes Events, one JSON object a line, to file descriptor EventsFD; the runner answers the Started event
// with a Command on CommandsFD. Nothing else passes between them while a heat runs.
package stream

import (
	"math"
	"time"

	"github.com/photofinish/photofinish/pkg/race"
)

// The file descriptors that the k6 process inherits.
const (
	EventsFD   = 3
	CommandsFD = 4
)

// ConfigEnv names the environment variable that holds the path of the Config file.
const ConfigEnv = "PHOTOFINISH_CONFIG"

// Config is one heat as k6 runs it.
type Config struct {
	RaceID string `json:"race_id"`
	Heat   int    `json:"heat"`
	// RemoteWriteURL is where the output extension pushes its series; "" for nowhere.
	RemoteWriteURL string `json:"remote_write_url"`
	// Warmup is the shortest time between the first scenario's start and the start of the race.
	Warmup time.Duration `json:"warmup_ns"`
	// Seed makes the arrivals reproducible.
	Seed  uint64 `json:"seed"`
	Lanes []Lane `json:"lanes"`
	// Probe: the run only has to prove that each lane reaches its own app; one iteration a lane, no phases, no series.
	Probe bool `json:"probe"`
	// CoarseTimers begins iterations to the millisecond only, for less CPU: arrivals that are close are woken for together.
	CoarseTimers bool `json:"coarse_timers,omitempty"`
}

// Span is how long the race part of the heat lasts, from the first block to the last.
func (c Config) Span() time.Duration {
	var end time.Duration
	for _, l := range c.Lanes {
		for _, b := range l.Blocks {
			end = max(end, b.End)
		}
	}
	return end
}

// Lane is one app's part of the heat.
type Lane struct {
	App string `json:"app"`
	URL string `json:"url"` // what APP_URL holds; "" for a worker
	// Queue is a worker's: its messages and their replies are the lane's requests. Nil for an app that is asked by HTTP.
	Queue *Queue `json:"queue,omitempty"`
	// Blocks are the times in which this lane is given load, counted from the start of the race, ascending. Together: one block.
	Blocks []Block `json:"blocks"`
}

// Queue are the addresses of a worker's queues: what QUEUE_URL and REPLY_URL hold.
type Queue struct {
	Requests string `json:"requests"`
	Replies  string `json:"replies"`
}

// Block is a time span [Start, End), counted from the start of the race.
type Block struct {
	Start time.Duration `json:"start_ns"`
	End   time.Duration `json:"end_ns"`
}

// Command is one line from the runner to k6. The first one answers Started: when the race part begins. Later ones retire lanes.
type Command struct {
	RaceStart int64  `json:"race_start_unix_ns,omitempty"`
	Retire    string `json:"retire,omitempty"` // an app that is out of the race: it gets no more load
}

// EventType says what an Event holds.
type EventType string

// The events. Started comes once, when the first scenario begins; Progress about five times a second; Result once, at the end.
const (
	Started  EventType = "started"
	Progress EventType = "progress"
	Result   EventType = "result"
)

// Event is one line from k6 to the runner.
type Event struct {
	Type     EventType               `json:"type"`
	At       time.Time               `json:"at"`
	Phase    string                  `json:"phase,omitempty"`    // "warmup", "race" or "done"
	Progress map[string]LaneProgress `json:"progress,omitempty"` // by app
	Result   map[string]LaneResult   `json:"result,omitempty"`   // by app
	// Foreign counts requests without a known app tag (set-up, teardown, untagged scenarios).
	Foreign int64 `json:"foreign,omitempty"`
}

// LaneProgress is a lane as the live views show it.
type LaneProgress struct {
	Requests int64   `json:"requests"` // in phase race so far
	Failed   int64   `json:"failed"`
	Rate     float64 `json:"rate"`   // requests per second over the last second
	P50MS    float64 `json:"p50_ms"` // over the last second; 0 without requests
	P95MS    float64 `json:"p95_ms"`
	VUs      int     `json:"vus"`
	Dropped  int64   `json:"dropped"`
}

// LaneResult is what k6 counted for a lane.
type LaneResult struct {
	Warmup Totals `json:"warmup"`
	Race   Totals `json:"race"`
	// Reached counts requests by host:port, and messages that were answered by the address of their queue; only in a probe.
	Reached map[string]int64 `json:"reached,omitempty"`
	// Iteration is how long an iteration took: in a probe the longest, else the mean of the race part; 0 where that is not known.
	Iteration time.Duration `json:"iteration,omitempty"`
}

// Totals are exact counts of one lane and phase. Of a worker the requests are its messages, and the latency is that from a message to its reply.
type Totals struct {
	Requests      int64     `json:"requests"`
	Failed        int64     `json:"failed"`
	ChecksPassed  int64     `json:"checks_passed"`
	ChecksFailed  int64     `json:"checks_failed"`
	DataSent      float64   `json:"data_sent"`     // bytes
	DataReceived  float64   `json:"data_received"` // bytes
	Iterations    int64     `json:"iterations"`
	Dropped       int64     `json:"dropped"`
	Redelivered   int64     `json:"redelivered,omitempty"`  // messages that a queue gave out more than once
	QueueErrors   int64     `json:"queue_errors,omitempty"` // requests that failed because of the queue itself
	MaxVUs        int       `json:"max_vus"`
	FirstRequest  time.Time `json:"first_request"`
	LastResponse  time.Time `json:"last_response"`
	Latency       Histogram `json:"latency"`        // http_req_duration of all responses
	LatencyPassed Histogram `json:"latency_passed"` // of expected responses only
	StartLag      Histogram `json:"start_lag"`      // actual minus intended start of an iteration
	Response      Histogram `json:"response"`       // end minus intended start of an iteration; only of open models
	// Metrics are those of the script's own, by name.
	Metrics map[string]Metric `json:"metrics,omitempty"`
}

// Metric is what a metric of the script's own came to.
type Metric struct {
	Type race.MetricType `json:"type"`
	Time bool            `json:"time,omitempty"` // its values are ms
	// Values are those of a Trend, as the script gave them.
	Values Histogram `json:"values,omitzero"`
	// Of a Rate how many values there were and how many of them were not zero.
	Count  int64 `json:"count,omitempty"`
	Passed int64 `json:"passed,omitempty"`
	// Sum is that of a Counter's values.
	Sum float64 `json:"sum,omitempty"`
}

// Observe counts one value. Not-a-number and infinities are left out.
func (m *Metric) Observe(v float64) {
	if math.IsNaN(v) || math.IsInf(m.Sum+v, 0) {
		return
	}
	switch m.Type {
	case race.Trend:
		m.Values.Observe(v)
	case race.Rate:
		m.Count++
		if v != 0 {
			m.Passed++
		}
	case race.Counter:
		m.Sum += v
	case race.Expression, race.Searched:
	}
}

// Merge adds what the same metric came to elsewhere.
func (m *Metric) Merge(other Metric) {
	m.Type, m.Time = other.Type, other.Time
	m.Values.Merge(other.Values)
	m.Count += other.Count
	m.Passed += other.Passed
	m.Sum += other.Sum
}

// MergeMetrics adds b to a, and shares nothing with either. It is nil where there is none.
func MergeMetrics(a, b map[string]Metric) map[string]Metric {
	var all map[string]Metric
	for _, part := range []map[string]Metric{a, b} {
		for name, metric := range part {
			if all == nil {
				all = make(map[string]Metric, len(part))
			}
			sum := all[name]
			sum.Merge(metric)
			all[name] = sum
		}
	}
	return all
}

// Histogram is a native histogram of schema 8 (buckets 0.27% wide) over seconds, sparse:
// Buckets[i] counts the observations in (base^(i-1), base^i] with base = 2^(1/256). Zero counts observations <= 0.
type Histogram struct {
	Count   int64         `json:"count"`
	Zero    int64         `json:"zero,omitempty"`
	Sum     float64       `json:"sum"` // seconds
	Min     float64       `json:"min"` // seconds, exact
	Max     float64       `json:"max"` // seconds, exact
	Buckets map[int]int64 `json:"buckets,omitempty"`
	// Coarse is how often the resolution is halved: 0 for our own k6's, 5 for schema 3, which a stock k6 writes to Prometheus.
	Coarse int `json:"coarse,omitempty"`
}
