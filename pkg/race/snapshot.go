package race

import "time"

// Snapshot is a race at a moment, as the live views show it. It is made several times a second, or once a second of a race whose Source is Prometheus.
type Snapshot struct {
	At        time.Time
	Status    Status
	Phase     string // "warmup", "race" or "done"
	Source    Source
	Heat      int // from 1
	Heats     int
	Mode      Mode
	Elapsed   time.Duration // since the race was started
	Remaining time.Duration // estimated
	Lanes     []LaneSnapshot
}

// Source is where the client's figures of a Snapshot come from.
type Source string

// The sources. A stock k6 tells nothing itself, so that what it wrote to Prometheus is read, once a second.
const (
	FromK6         Source = "k6"
	FromPrometheus Source = "prometheus"
)

// LaneSnapshot is one lane of a Snapshot. Requests and Failed count the whole race so far; the rates and percentiles are those of the last second.
type LaneSnapshot struct {
	App         string
	Baseline    bool
	Place       int // from 1; 0 before anybody moved
	Requests    int64
	Failed      int64
	Rate        float64 // requests per second
	P50MS       float64
	P95MS       float64
	ErrorRate   float64  // of the whole race so far, 0-1
	CPUCores    *float64 // over the last second
	CPULimit    *float64
	MemoryBytes *float64
	MemoryLimit *float64
	Done        float64 // share of the lane's whole distance, 0-1
	Racing      bool    // false while other lanes have their turn
	Out         string  // why and when the lane left the race, e.g. "memory, 12 s"; "" while it races
}
