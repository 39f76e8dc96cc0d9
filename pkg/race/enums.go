package race

// Status is where a race is in its life.
type Status string

// The statuses of a race, in the order in which they come.
const (
	Queued      Status = "queued"
	Preparing   Status = "preparing"
	WarmingUp   Status = "warming-up"
	Racing      Status = "racing"
	Collecting  Status = "collecting"
	Finished    Status = "finished"
	Failed      Status = "failed"
	Cancelled   Status = "cancelled"
	Interrupted Status = "interrupted"
)

// Ended says whether the race is over, one way or another.
func (s Status) Ended() bool {
	return s == Finished || s == Failed || s == Cancelled || s == Interrupted
}

// Mode says whether the lanes race at the same time or in short turns.
type Mode string

// The modes. Auto is a request only: a record says what was chosen.
const (
	Together Mode = "together"
	Turns    Mode = "turns"
	Auto     Mode = "auto"
)

// Arrivals says when, within a tick of an open model, a request is sent.
type Arrivals string

// Uniform waits a uniform random part of the tick, Poisson makes exponential gaps, Even sends at the tick as stock k6 does.
const (
	Uniform Arrivals = "uniform"
	Poisson Arrivals = "poisson"
	Even    Arrivals = "even"
)

// Outcome is the answer of a verdict. For measures other than latency read Faster and Slower as better and worse.
type Outcome string

// The four outcomes.
const (
	Faster       Outcome = "faster"
	Slower       Outcome = "slower"
	Same         Outcome = "same"
	Inconclusive Outcome = "inconclusive"
)

// ExitReason says how an app stands at the end of the race.
type ExitReason string

// The exit reasons: Stopped is the runner's own doing, Exited the app's, OOM the kernel's, Killed anybody else's.
const (
	Running   ExitReason = "running"
	Stopped   ExitReason = "stopped"
	Exited    ExitReason = "exited"
	OOM       ExitReason = "oom"
	Killed    ExitReason = "killed"
	Unhealthy ExitReason = "unhealthy"
)

// MetricType says what a custom measure is made from.
type MetricType string

// The types: k6's, an expression of PromQL, and what a search for capacity found.
const (
	Trend      MetricType = "trend"
	Rate       MetricType = "rate"
	Counter    MetricType = "counter"
	Expression MetricType = "expression"
	Searched   MetricType = "searched"
)

// CapacityLimit says why an app was not seen to hold a higher rate.
type CapacityLimit string

// The limits. Only LimitApp and LimitStart are the app's own; with the others it may hold more.
const (
	LimitApp   CapacityLimit = "app"       // it broke a condition, or ended
	LimitK6    CapacityLimit = "k6"        // the stopwatch itself ran out of CPU
	LimitVUs   CapacityLimit = "vus"       // no VU was free, though every condition was kept
	LimitRate  CapacityLimit = "rate"      // no higher one may be asked for
	LimitTries CapacityLimit = "tries"     // no more of them were allowed
	LimitStart CapacityLimit = "not-ready" // it did not start again
)

// TryPhase says what a try of a rate is for.
type TryPhase string

// The phases: a rate is looked for, then the rates around it are tried again and again.
const (
	TrySearch  TryPhase = "search"
	TryConfirm TryPhase = "confirm"
)

// Severity of a finding. One finding of severity Unfair makes every outcome inconclusive.
type Severity string

// The severities.
const (
	Note    Severity = "note"
	Warning Severity = "warning"
	Unfair  Severity = "unfair"
)

// FindingKind names what the audit found.
type FindingKind string

// The kinds of findings. The JSON Schema of race.json lists the same values; a test holds them together.
const (
	LimitsNotEnforced FindingKind = "limits-not-enforced" // the runner may not make cgroups here
	LimitsDiffer      FindingKind = "limits-differ"       // the lanes were given different resources
	Throttled         FindingKind = "throttled"           // a lane hit its CPU quota
	DroppedIterations FindingKind = "dropped-iterations"  // k6 had no VU free at a planned arrival
	StartLag          FindingKind = "start-lag"           // requests were sent later than intended
	K6Saturated       FindingKind = "k6-saturated"        // the stopwatch itself ran out of CPU
	Restarted         FindingKind = "restarted"           // an app started more often than once a heat
	OutOfMemory       FindingKind = "out-of-memory"
	LaneOut           FindingKind = "lane-out" // an app left the race before its end
	Interference      FindingKind = "interference"
	ClosedModel       FindingKind = "closed-model" // the load depends on the answers
	OtherLoad         FindingKind = "other-load"   // CPU used by others or stolen by the hypervisor
	ClockJump         FindingKind = "clock-jump"
	SeriesLost        FindingKind = "series-lost"   // Prometheus and k6's own counts differ
	SeriesBudget      FindingKind = "series-budget" // the race makes more time series than is kind to a Prometheus
	AppURLAtInit      FindingKind = "app-url-at-init"
	ErrorsDiffer      FindingKind = "errors-differ"
	NoRequests        FindingKind = "no-requests"
	HeatLost          FindingKind = "heat-lost"
	ThresholdCrossed  FindingKind = "threshold-crossed" // of the script's own
	ThresholdAborted  FindingKind = "threshold-aborted" // and its abortOnFail retired the lane
	StockK6           FindingKind = "stock-k6"          // what a k6 that is not the built-in one cannot do or tell
	NoAudit           FindingKind = "no-audit"
	EarlierRace       FindingKind = "earlier-race" // what bears on a comparison with another race
	Redelivered       FindingKind = "message-redelivered"
	PoisonMessage     FindingKind = "poison-message"  // a message that a worker received again and again, and never finished
	QueueLost         FindingKind = "queue-lost"      // the queue itself could not be used
	MeasureMissing    FindingKind = "measure-missing" // nothing was measured of a measure that the script declares
	Profiled          FindingKind = "profiled"        // what it cost to be profiled
	ProfileMissing    FindingKind = "profile-missing"
	CapacityUnknown   FindingKind = "capacity-unknown" // the highest rate that an app holds is not known, or only a lower bound of it
)

// FindingKinds lists every kind, in the order of the declaration.
func FindingKinds() []FindingKind {
	return []FindingKind{
		LimitsNotEnforced, LimitsDiffer, Throttled, DroppedIterations, StartLag, K6Saturated, Restarted, OutOfMemory, LaneOut,
		Interference, ClosedModel, OtherLoad, ClockJump, SeriesLost, SeriesBudget, AppURLAtInit, ErrorsDiffer, NoRequests,
		HeatLost, ThresholdCrossed, ThresholdAborted, StockK6, NoAudit, EarlierRace, Redelivered, PoisonMessage, QueueLost, MeasureMissing, Profiled, ProfileMissing, CapacityUnknown,
	}
}

// ProfileKind says what a profile counts.
type ProfileKind string

// The kinds of profiles. Heap counts what was allocated in its time (alloc_space, alloc_objects) and what was in use at its end (inuse_space, inuse_objects).
const (
	CPUProfile  ProfileKind = "cpu"
	HeapProfile ProfileKind = "heap"
)
