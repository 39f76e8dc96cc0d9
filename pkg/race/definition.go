package race

import (
	"encoding/json"
	"regexp"
	"time"
)

// Defaults of a race, by the contract.
const (
	DefaultHeats = 12
	// CapacityHeats are those of a race that searches capacities and says nothing of its heats: one, at the rate from which the searches start.
	CapacityHeats   = 1
	DefaultDuration = 10 * time.Second
	DefaultWarmup   = 3 * time.Second
)

var (
	idPattern  = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,63}$`)
	appPattern = regexp.MustCompile(`^[A-Za-z0-9_-]{1,63}$`)
	// stamp is what the runner puts behind a race's name to make its id: the start and some random digits.
	stamp = regexp.MustCompile(`-[0-9]{8}-[0-9]{6}-[0-9a-f]{4}$`)
)

// ValidID says whether s may be a race id.
func ValidID(s string) bool { return idPattern.MatchString(s) }

// NameOf is the name of a race of which only the id is known: races of one name must be told for such where no record says it. An id that
// somebody chose by hand (k6 run --tag testid=…) is its own name.
func NameOf(id string) string {
	if name := stamp.ReplaceAllString(id, ""); name != "" {
		return name
	}
	return id
}

// ValidApp says whether s may be a lane's name.
func ValidApp(s string) bool { return appPattern.MatchString(s) }

// Definition is a race as asked for, after the script's options and the overrides were joined and checked.
type Definition struct {
	Name   string
	Script string // path of the k6 script as given
	// ScriptSHA256 is the hash of its text in hexadecimal digits.
	ScriptSHA256 string
	Baseline     string
	Lanes        []LaneSpec // in the order of the script
	Load         Load
	Heats        int
	// ProfileHeats are run after Heats for the profiles of lanes that have a Profile.Pprof; 0 where no lane has.
	ProfileHeats int
	// Capacity are the conditions under which the highest rate is searched that each app holds, after Heats; nil searches none.
	Capacity []Condition
	// Most is the most load that a search for Capacity may put on a lane.
	Most Bounds
	// UntilDecided ends the race after the first heat that decides all primary measures; Heats is then the most that are run.
	UntilDecided bool
	Warmup       time.Duration
	Duration     time.Duration // per lane and heat
	Mode         Mode
	Arrivals     Arrivals
	// MinimumEffect is what is worth a verdict.
	MinimumEffect Effects
	// Primary names the measures that decide; nil leaves the usual family.
	Primary []string
	// Measures are what the script says of its own measures, by name.
	Measures []DeclaredMeasure
	// K6 is the k6 to race with; the zero value is the one that is built in.
	K6 K6Spec
	// Scenarios are the k6 scenarios to be raced; those without an App are run for every lane.
	Scenarios []Scenario
	// Thresholds are k6's, by metric expression, untouched.
	Thresholds map[string]json.RawMessage
	// Options are the script's other k6 options, to be passed on.
	Options map[string]json.RawMessage
}

// K6Spec is a stock k6 of an image.
type K6Spec struct {
	Image string
	// Pods is how many pods of a cluster share the load; 0 is one container on the runner's machine.
	Pods int
	// Resources of each pod; what is not said is as the engine has it.
	Resources
}

// BuiltIn says whether it is the k6 that is built in.
func (k K6Spec) BuiltIn() bool { return k.Image == "" }

// Remote says whether it runs on other machines than the runner's.
func (k K6Spec) Remote() bool { return k.Pods > 0 }

// Bounds are the most iterations per second and VUs of a lane; 0 leaves it to what one k6 can be asked for.
type Bounds struct {
	Rate float64
	VUs  int64
}

// Effects are the smallest differences that are worth a verdict. The zero value leaves each measure its own.
type Effects struct {
	// All is relative (0.02 is 2%), for every measure that is compared by its ratio; 0 is nothing said.
	All float64
	// Of are those of single measures by id, which come before All: relative too, but in the measure's unit where it is compared by its difference.
	Of map[string]float64
}

// Lane finds a lane by its app.
func (d *Definition) Lane(app string) (LaneSpec, bool) {
	for _, l := range d.Lanes {
		if l.App == app {
			return l, true
		}
	}
	return LaneSpec{}, false
}

// Scenario is one k6 scenario of the script.
type Scenario struct {
	Name     string
	App      string // the value of its tag `app`; "" if it is to be run for every lane
	Executor string
	Exec     string // exported function; "default" if the script names none
	Config   map[string]json.RawMessage
}

// Open says whether arrivals are planned by time and not by answers.
func (s Scenario) Open() bool {
	return s.Executor == "constant-arrival-rate" || s.Executor == "ramping-arrival-rate"
}

// LaneSpec says how to start an app, or where it already runs. Exactly one of URL, Command, Image, Build and Compose is used by an engine; none
// of a worker that already runs.
type LaneSpec struct {
	App     string
	URL     string   // of an app that already runs; the runner starts nothing
	Command []string // a local process
	Image   string   // a container image
	Build   string   // a Dockerfile's folder
	Compose string   // FILE#SERVICE of a compose file
	Port    int      // where the app listens; given to it as PORT
	Path    string   // appended to the app's address to make APP_URL
	Resources
	Env    map[string]string
	Health Health
	// Queue makes the app a worker: it takes messages and is asked nothing by HTTP; nil for the others.
	Queue   *Queue
	Profile ProfileSpec
	// Remote: the engine starts the app on another machine than the runner's.
	Remote bool
}

// Queue is where a worker takes its messages from and puts its replies, each a name or an address.
type Queue struct{ Requests, Replies string }

// Elsewhere says whether the app already runs: nothing of it is to be started.
func (l LaneSpec) Elsewhere() bool {
	return l.URL != "" || l.Queue != nil && l.Command == nil && l.Image == "" && l.Build == "" && l.Compose == ""
}

// ProfileSpec says where profiles of an app come from and go to; "" is nowhere.
type ProfileSpec struct {
	// Pprof is the path under which the app serves Go's net/http/pprof, such as /debug/pprof.
	Pprof string
	// Pyroscope is the address of a server that profiles are pushed to: those that are taken here, and those that the app pushes itself.
	Pyroscope string
}

// Health says how to know that the app is ready: an HTTP answer below 500 at Path within Timeout.
type Health struct {
	Path    string        // default "/healthz"; an answer of 404 there falls back to the lane's path
	Timeout time.Duration // default 30 s
}
