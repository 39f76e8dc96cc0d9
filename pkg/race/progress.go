package race

import "time"

// Progress is a race at a moment, as the runner tells it to others: a Snapshot in JSON.
type Progress struct {
	At          time.Time      `json:"at"`
	Status      Status         `json:"status"`
	Phase       string         `json:"phase"` // warmup, race or done
	Heat        int            `json:"heat"`  // from 1
	Heats       int            `json:"heats"`
	Mode        Mode           `json:"mode"`
	Source      Source         `json:"source"` // of the lanes' client figures: k6 itself, or prometheus
	ElapsedMS   float64        `json:"elapsed_ms"`
	RemainingMS float64        `json:"remaining_ms"` // estimated
	Lanes       []LaneProgress `json:"lanes"`
}

// LaneProgress is one lane of a race at a moment. Requests, errors and error_rate are of the race so far, the others of the last second.
type LaneProgress struct {
	App         string   `json:"app"`
	Place       int      `json:"place"` // from 1; 0 before anybody moved
	Baseline    bool     `json:"baseline"`
	Requests    int64    `json:"requests"`
	Errors      int64    `json:"errors"`
	ErrorRate   float64  `json:"error_rate"`
	Rate        float64  `json:"rate"`
	P50         float64  `json:"p50"` // ms
	P95         float64  `json:"p95"` // ms
	CPUCores    *float64 `json:"cpu_cores"`
	CPULimit    *float64 `json:"cpu_limit"`
	MemoryBytes *float64 `json:"memory_bytes"`
	MemoryLimit *float64 `json:"memory_limit"`
	Done        float64  `json:"done"`   // share of the lane's distance, 0-1
	Racing      bool     `json:"racing"` // false while other lanes have their turn
	Out         string   `json:"out"`    // why and when it left the race
}
