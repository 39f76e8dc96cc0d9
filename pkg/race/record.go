package race

import "time"

// RecordVersion is the version of the race.json format that this package writes.
const RecordVersion = 1

// Race is one comparison as race.json records it. Pointers are nil (JSON null) for what is not known yet.
type Race struct {
	Version int    `json:"version"`
	ID      string `json:"id"`
	Name    string `json:"name"`
	Script  string `json:"script"`
	// ScriptSHA256 is the hash of the script's text when the race was started, without what it imports; "" where nobody recorded it.
	ScriptSHA256 string     `json:"script_sha256,omitempty"`
	Engine       string     `json:"engine"`
	Status       Status     `json:"status"`
	RequestedBy  *string    `json:"requested_by"`
	StartedAt    *time.Time `json:"started_at"`
	FinishedAt   *time.Time `json:"finished_at"`
	Baseline     string     `json:"baseline"`
	Mode         Mode       `json:"mode"`
	Arrivals     Arrivals   `json:"arrivals"`
	Load         Load       `json:"load"`
	WarmupMS     float64    `json:"warmup_ms"`
	Turns        *Rhythm    `json:"turns,omitempty"` // nil for a race together
	// PlannedHeats is how many heats were declared; Heats holds those that were started.
	PlannedHeats int `json:"planned_heats"`
	// UntilDecided: the race was looked at after every heat, and ended as soon as its primary measures were decided.
	UntilDecided bool   `json:"until_decided,omitempty"`
	Heats        []Heat `json:"heats"`
	// Profiling is only there where lanes asked for profiles.
	Profiling *Profiling `json:"profiling,omitempty"`
	// Capacity is only there where the highest rates were searched that the apps hold.
	Capacity *Capacity `json:"capacity,omitempty"`
	Lanes    []Lane    `json:"lanes"`
	Verdicts []Verdict `json:"verdicts"`
	// CustomMeasures are the measures of this race beyond the contract's, which the measures of lanes and heats and the verdicts name by id.
	CustomMeasures []CustomMeasure `json:"custom_measures,omitempty"`
	// Thresholds are the script's own; absent where it has none, and where nobody recorded them.
	Thresholds []Threshold `json:"thresholds,omitempty"`
	// Series is how many time series the race made; absent where nobody recorded it.
	Series *Series `json:"series,omitempty"`
	Audit  Audit   `json:"audit"`
	// Error says in one sentence why a race failed or was interrupted; null for the others.
	Error *string `json:"error"`
	// Versions names the programs that measured: photofinish, k6, prometheus, cadvisor, go, and docker where it ran the apps.
	Versions map[string]string `json:"versions,omitempty"`
	Machine  *Machine          `json:"machine,omitempty"`
	// K6 is the stopwatch of a race that was not run with the k6 that is built in; nil for the others.
	K6 *K6 `json:"k6,omitempty"`
	// BaselineRace is there where verdicts compare each app with itself in that race, instead of with Baseline in this one.
	BaselineRace *BaselineRace `json:"baseline_race,omitempty"`
}

// Series is what a race costs its Prometheus.
type Series struct {
	// Estimated is how many time series were expected before the start, and SamplesPerSecond how many samples while a heat is raced.
	Estimated        int `json:"estimated"`
	SamplesPerSecond int `json:"samples_per_second"`
	// Written is how many there were when the race was over; nil where that is not known.
	Written *int `json:"written"`
}

// BaselineRace is an earlier race that a race is compared with.
type BaselineRace struct {
	ID         string     `json:"id"`
	Name       string     `json:"name"`
	StartedAt  *time.Time `json:"started_at"`
	FinishedAt *time.Time `json:"finished_at"`
	// Control is the lane that ran in both races, through which apps are compared; "" where none did.
	Control string `json:"control"`
	// Lanes are the measures of its apps over the whole race.
	Lanes map[string]map[string]*float64 `json:"lanes"`
}

// Interrupt ends a race whose runner ended before it, with what was measured.
func (r *Race) Interrupt(at time.Time, why string) {
	at = at.UTC()
	r.Status, r.Error, r.FinishedAt = Interrupted, &why, &at
	for i := range r.Lanes {
		if e := r.Lanes[i].Exit; e != nil && e.Reason == Running {
			r.Lanes[i].Exit = &Exit{Reason: Stopped, At: &at}
		}
	}
}

// Rhythm is how heats in turns are cut, in ms: about how long each lane's blocks are, the pause after each, and how long after a block its lane is still
// charged for what it spends. The first of several heats may have had longer ones, while nobody knew how long an iteration takes in an app that is warm.
type Rhythm struct {
	BlockMS float64 `json:"block_ms"`
	GapMS   float64 `json:"gap_ms"`
	TailMS  float64 `json:"tail_ms"`
}

// K6 is a stock k6 that was run from an image.
type K6 struct {
	Image   Image  `json:"image"`             // its ID is "" before it was found or pulled
	Version string `json:"version,omitempty"` // as "v1.8.0"
	// Pods is how many pods of a cluster shared the load; 0 is a container on the runner's machine.
	Pods int `json:"pods,omitempty"`
}

// Machine is where the race was run.
type Machine struct {
	OS          string `json:"os"`
	Kernel      string `json:"kernel"`
	CPUModel    string `json:"cpu_model"`
	CPUs        int    `json:"cpus"`
	MemoryBytes uint64 `json:"memory_bytes"`
	Cgroup      string `json:"cgroup"` // "v1", "v2" or "none" where limits cannot be enforced
}

// Load is the load on one lane. Rate is iterations per second (null for closed models), DurationMS is per lane and heat.
type Load struct {
	Executor   string   `json:"executor"`
	VUs        *int64   `json:"vus"`
	Rate       *float64 `json:"rate"`
	DurationMS float64  `json:"duration_ms"`
}

// Heat is one repetition of the race. StartedAt and FinishedAt bound the measured part (phase=race), warm-up excluded.
type Heat struct {
	Number     int        `json:"number"` // from 1
	StartedAt  *time.Time `json:"started_at"`
	FinishedAt *time.Time `json:"finished_at"`
	Order      []string   `json:"order"`
	// Lanes holds what each app did in this heat, the numbers that the verdicts are computed from.
	Lanes map[string]HeatLane `json:"lanes,omitempty"`
}

// HeatLane is one app's result in one heat.
type HeatLane struct {
	ActiveMS float64             `json:"active_ms"` // time in which this lane was given load
	Requests int64               `json:"requests"`
	Failed   int64               `json:"failed"`
	Measures map[string]*float64 `json:"measures"`
	// DroppedRatio is the share of the planned iterations (0-1) that k6 did not start, because no VU was free.
	DroppedRatio float64 `json:"dropped_ratio,omitempty"`
}

// Profiling is what was run for profiles, after the heats that count.
type Profiling struct {
	PlannedHeats int `json:"planned_heats"`
	// Heats are in no measure and no verdict. Their numbers go on from those of the race.
	Heats []Heat `json:"heats"`
}

// Profile is a profile that was taken of an app, and kept beside the record as pprof.
type Profile struct {
	Kind     ProfileKind `json:"kind"`
	Bytes    int64       `json:"bytes"`    // of the file
	Seconds  float64     `json:"seconds"`  // that it covers
	Requests int64       `json:"requests"` // that the app was sent in that time
}

// Lane is one app's place in the race and its totals.
type Lane struct {
	App       string              `json:"app"`
	URL       string              `json:"url"`
	Resources Resources           `json:"resources"`
	Image     *Image              `json:"image,omitempty"`
	Exit      *Exit               `json:"exit"`
	Client    *Client             `json:"client"`
	Container *Container          `json:"container"`
	Joined    *Joined             `json:"joined"`
	Measures  map[string]*float64 `json:"measures"`
	// LastLog is the tail of the app's output, kept for a lane that left the race.
	LastLog []string `json:"last_log,omitempty"`
	// Profiles were taken in the heats of Profiling.
	Profiles []Profile `json:"profiles,omitempty"`
	// ProfilesURL shows the app's profiles at a Pyroscope.
	ProfilesURL string `json:"profiles_url,omitempty"`
}

// Resources are the limits of a lane; null means unlimited. Memory is bytes, CPUSet is the kernel's list format ("0-1,3").
type Resources struct {
	CPUs   *float64 `json:"cpus"`
	Memory *int64   `json:"memory"`
	CPUSet *string  `json:"cpuset"`
}

// Image is what a container was started from. ID is the hash of its content here ("sha256:…"); Digest is the registry's, by which others can pull
// the very same, "" for an image that came from none.
type Image struct {
	Name   string `json:"name"`
	ID     string `json:"id"`
	Digest string `json:"digest,omitempty"`
}

// Exit says why and when an app is no longer in the race. Code is the process's exit code, null if it was ended by a signal.
type Exit struct {
	Reason ExitReason `json:"reason"`
	Code   *int       `json:"code"`
	At     *time.Time `json:"at"`
}

// Client is what k6 saw, summed over the heats, warm-up excluded; percentiles pool the heats.
type Client struct {
	Requests  int64   `json:"requests"`
	Failed    int64   `json:"failed"`
	Rate      float64 `json:"rate"` // requests per second of active time
	LatencyMS Latency `json:"latency_ms"`
	Checks    Checks  `json:"checks"`
	// Dropped counts planned iterations that k6 did not start, because no VU was free.
	Dropped int64 `json:"dropped,omitempty"`
	// ResponseMS is from the planned start of an iteration to its end, in ms, the wait for k6 and for connections included; only of open models and the k6
	// that is built in.
	ResponseMS *Latency `json:"response_ms,omitempty"`
}

// Latency is the distribution of http_req_duration in ms; null where a lane had no request.
type Latency struct {
	Mean *float64 `json:"mean"`
	P50  *float64 `json:"p50"`
	P90  *float64 `json:"p90"`
	P95  *float64 `json:"p95"`
	P99  *float64 `json:"p99"`
	Max  *float64 `json:"max"`
}

// Checks counts k6 checks.
type Checks struct {
	Passed int64 `json:"passed"`
	Failed int64 `json:"failed"`
}

// Container is what the app spent while racing, read from its cgroup or container; null is unknown, never zero.
type Container struct {
	CPUSeconds                *float64 `json:"cpu_seconds"`
	MemoryMaxBytes            *float64 `json:"memory_max_bytes"`
	MemorySlopeBytesPerSecond *float64 `json:"memory_slope_bytes_per_second"`
	ThrottledSeconds          *float64 `json:"throttled_seconds"`
	NetworkRxBytes            *float64 `json:"network_rx_bytes"`
	NetworkTxBytes            *float64 `json:"network_tx_bytes"`
}

// Joined is cost per request: the container's counters over k6's counts for the same interval.
type Joined struct {
	CPUMSPerRequest        *float64 `json:"cpu_ms_per_request"`
	ThrottledMSPerRequest  *float64 `json:"throttled_ms_per_request"`
	MemoryBytesPerRequest  *float64 `json:"memory_bytes_per_request"`
	NetworkBytesPerRequest *float64 `json:"network_bytes_per_request"`
}

// Verdict says how one app compares with the baseline in one measure.
// Ratio is app / baseline with its plain interval [Low, High] at Confidence;
// DecisionLow and DecisionHigh are the adjusted interval that Outcome was read from.
type Verdict struct {
	App           string   `json:"app"`
	Measure       string   `json:"measure"`
	Outcome       Outcome  `json:"outcome"`
	Ratio         *float64 `json:"ratio"`
	Low           *float64 `json:"low"`
	High          *float64 `json:"high"`
	DecisionLow   *float64 `json:"decision_low"`
	DecisionHigh  *float64 `json:"decision_high"`
	Confidence    float64  `json:"confidence"`
	Primary       bool     `json:"primary"`
	MinimumEffect float64  `json:"minimum_effect"`
	Heats         int      `json:"heats"`
	HeatsNeeded   *int     `json:"heats_needed"`
	Warnings      []string `json:"warnings"`
}

// Threshold is one of the script's own for one lane, as k6 judged it at the end of each heat. Lane is empty for what k6 counts for all lanes together.
type Threshold struct {
	Lane      string `json:"lane"`
	Condition string `json:"condition"` // "http_req_failed: rate<0.01"
	Heats     int    `json:"heats"`     // in which it was judged
	Crossed   []int  `json:"crossed"`   // the numbers of the heats in which it was not kept
}

// Audit is what was found about the race's fairness. OverriddenBy names who let the verdicts stand in spite of an unfair race; when and why are
// only there with it.
type Audit struct {
	Fair           bool       `json:"fair"`
	OverriddenBy   *string    `json:"overridden_by"`
	OverriddenAt   *time.Time `json:"overridden_at,omitempty"`
	OverrideReason string     `json:"override_reason,omitempty"`
	Findings       []Finding  `json:"findings"`
}

// Overridden says whether somebody let the verdicts of an unfair race stand.
func (a Audit) Overridden() bool { return !a.Fair && a.OverriddenBy != nil }

// Finding is one remark of the audit. Lane is empty where it concerns the whole race.
type Finding struct {
	Lane     string      `json:"lane"`
	Kind     FindingKind `json:"kind"`
	Severity Severity    `json:"severity"`
	Detail   string      `json:"detail"`
}
