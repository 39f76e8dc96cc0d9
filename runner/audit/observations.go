package audit

import (
	"time"

	"github.com/photofinish/photofinish/pkg/race"
)

// Observations is all that was seen of a race. Nil pointers and empty maps are "not known": nothing is found where nothing is known.
type Observations struct {
	Baseline string
	Mode     race.Mode
	Arrivals race.Arrivals
	// Lanes in the order of the definition.
	Lanes []Lane
	Heats []Heat
	// CPUs of the machine.
	CPUs int
	// Pinned: k6 and every lane had CPUs of their own.
	Pinned bool
	// ClosedScenarios names the scenarios whose load depends on the answers.
	ClosedScenarios []string
	// AppURLAtInit: the script read APP_URL at init, so every lane got a k6 process of its own.
	AppURLAtInit bool
	// StockK6 is the stopwatch where it was a k6 without our extension; nil for the one that is built in.
	StockK6 *race.K6
	// Series is how many time series the race made in Prometheus; 0 is not known.
	Series int
	// SeriesExpected is how many were estimated before the start, and Names how many values of the tag name an app has at most; 0 is not known.
	SeriesExpected, Names int
	// Passed is what became of the samples that were to go to another receiver too; nil where there is none.
	Passed *Passed
	// Missing are the measures that the script declares and of which nothing was measured.
	Missing []Missing
	// Profiles of the apps that were to be profiled.
	Profiles []Profile
	// Tried are the heats in which capacities were searched: what the apps do in them is no finding, but what others do on the machine is.
	Tried []Heat
	// Capacities that are not known.
	Capacities []Capacity
}

// Passed is what became of samples that were passed on by remote write.
type Passed struct {
	To                      string // the receiver's address
	Taken, Refused, Waiting int64  // samples
	Answer                  string // what the receiver said last of samples that it did not take
	// Later: what waits is still tried after the race.
	Later bool
}

// Missing is a measure without any value, and why.
type Missing struct{ Measure, Why string }

// Lane is one app over the whole race.
type Lane struct {
	App   string
	Asked race.Resources
	// Elsewhere: the app already ran and was only pointed at; its CPU and limits are not known.
	Elsewhere bool
	// Remote: it was started on another machine than the runner's.
	Remote bool
	// Counts of the requests of phase race, for the comparison with other sources.
	Counts Counts
}

// Counts are one lane's requests by source, over the same heats and phase.
type Counts struct {
	Output     int64  // our output extension: the exact count that race.json holds
	Summary    *int64 // k6's own end-of-test summary
	Prometheus *int64
}

// Heat is what was seen in one heat, the measured part only.
type Heat struct {
	Number int
	// Lost says why the heat gave no result ("k6 was killed"); "" for the others. Nothing else of a lost heat is looked at.
	Lost string
	// Duration by the monotonic clock, Wall by the wall clock.
	Duration, Wall time.Duration
	K6             K6
	Machine        Machine
	Lanes          map[string]LaneHeat // by app
	// Crossed are the thresholds that were crossed by all lanes together.
	Crossed []Crossing
}

// K6 is what the stopwatch itself spent.
type K6 struct {
	CPU       *float64 // seconds of CPU used, all k6 processes
	Remote    bool     // on other machines than the runner's
	Available float64  // CPUs it may use; 0 is all of the machine's
}

// Machine is the growth of the machine's own counters over the heat, in seconds of CPU.
type Machine struct {
	Busy  *float64 // all CPUs and processes, steal excluded
	Steal *float64 // taken by the hypervisor
	Own   float64  // the runner itself
}

// LaneHeat is one lane in one heat.
type LaneHeat struct {
	// Enforced: the limits asked for were in force.
	Enforced         bool
	CPU              *float64       // seconds of CPU over the heat, idle time between blocks included
	Throttled        *time.Duration // nil where no quota is set
	Periods          *uint64
	ThrottledPeriods *uint64

	Requests, Failed int64
	// Dropped are planned iterations that k6 did not start; Iterations those it did.
	Dropped, Iterations int64
	StartLagP99, P50    *float64 // ms

	// Exit is how the app stood when the heat was over; Stopped and Running are well.
	Exit     race.Exit
	OOMKills uint64
	// Starts beyond the one that every heat begins with.
	Restarts int
	// Redelivered are a worker's messages that its queue gave out more than once; QueueErrors its requests that failed because of the queue.
	Redelivered, QueueErrors int64
	// Poison are messages that were still in the queue after the worker had received each more than once, PoisonReceives times at most;
	// DeadLetters are those that the queue itself had put aside for that, where it does.
	Poison, PoisonReceives int
	DeadLetters            int64
	// QueueLost says why the queue could not be used any more when the heat was over; "" is well.
	QueueLost string
	// Crossed are the script's thresholds that the lane did not keep.
	Crossed []Crossing
}

// Crossing is a threshold of the script that was crossed.
type Crossing struct {
	Condition string // "http_req_failed: rate<0.01"
	Retired   bool   // with abortOnFail: the lane was not raced any more
}
