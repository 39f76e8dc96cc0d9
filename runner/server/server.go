// Package server is the runner's HTTP API, as docs/openapi.yaml describes it; a test holds the two together.
package server

import (
	"context"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/config"
	"github.com/photofinish/photofinish/runner/events"
	"github.com/photofinish/photofinish/runner/schedule"
	"github.com/photofinish/photofinish/runner/service"
	"github.com/photofinish/photofinish/runner/stage"
	"github.com/photofinish/photofinish/runner/store/sqlite"
)

// answerTimeout bounds one answer, but for events, which have a bound of their own for each.
const answerTimeout = time.Minute

// Races is what the API tells of and does.
type Races interface {
	Submit(ctx context.Context, who service.Who, key string, body []byte) (a sqlite.Accepted, known bool, err error)
	Stop(ctx context.Context, who service.Who, id string) (race.Status, error)
	Override(ctx context.Context, who service.Who, id string, body []byte) (sqlite.Kept, error)
	Kept(ctx context.Context, id string) (sqlite.Kept, error)
	Page(ctx context.Context, f sqlite.Filter) ([]sqlite.Kept, string, error)
	Logs(ctx context.Context, id, app string) ([]string, error)
	Profile(ctx context.Context, id, app string, kind race.ProfileKind) ([]byte, error)
	Events(ctx context.Context, id, after string) (*events.Reader, error)
	ScriptNames() ([]string, error)
	Describe(ctx context.Context, name string) (service.Description, error)
	Plan(ctx context.Context, body []byte) (service.Description, error)
	Progress(k sqlite.Kept) (*service.Progress, error)
}

// Schedules are the races that are started by the clock.
type Schedules interface {
	Schedules(ctx context.Context) ([]schedule.Told, error)
}

// Options are what the API is made of.
type Options struct {
	Races     Races
	Schedules Schedules
	Engines   stage.Engines
	Token     config.Secret
	Limits    config.Limits
	Version   string
	// Metrics is what /metrics shows; the API adds its own to it.
	Metrics *prometheus.Registry
	Log     *slog.Logger
	// Ending is closed when the runner shuts down: readers of events are let go.
	Ending <-chan struct{}
}

type api struct {
	Options
	streams chan struct{} // one place for each reader of events
	meter   *meter
}

// route is one call of the API.
type route struct {
	method, path string
	open         bool // needs no token
	lasting      bool // answers for as long as it takes
	do           http.HandlerFunc
}

// New makes the handler of the API.
func New(o Options) http.Handler {
	a := &api{Options: o, streams: make(chan struct{}, o.Limits.Streams), meter: newMeter(o.Metrics)}
	mux := http.NewServeMux()
	methods := map[string][]string{}
	for _, r := range a.routes() {
		methods[r.path] = append(methods[r.path], r.method)
		mux.HandleFunc(r.method+" "+r.path, a.guarded(r))
	}
	for path, known := range methods {
		mux.HandleFunc(path, a.guarded(route{path: path, do: wrongMethod(known)}))
	}
	mux.HandleFunc("/", a.guarded(route{path: "unknown", do: func(w http.ResponseWriter, r *http.Request) {
		refuse(w, http.StatusNotFound, "not_found", "there is no "+r.URL.Path+" here", "the calls are /healthz, /metrics and those under /v1 that docs/openapi.yaml describes")
	}}))
	return mux
}

func (a *api) routes() []route {
	return []route{
		{method: "GET", path: "/healthz", open: true, do: a.healthz},
		{method: "GET", path: "/metrics", do: a.metrics()},
		{method: "POST", path: "/v1/races", do: a.submit},
		{method: "GET", path: "/v1/races", do: a.list},
		{method: "GET", path: "/v1/races/{id}", do: a.get},
		{method: "POST", path: "/v1/races/{id}/stop", do: a.stop},
		{method: "POST", path: "/v1/races/{id}/override", do: a.override},
		{method: "GET", path: "/v1/races/{id}/events", lasting: true, do: a.events},
		{method: "GET", path: "/v1/races/{id}/logs/{app}", do: a.logs},
		{method: "GET", path: "/v1/races/{id}/profiles", do: a.profiles},
		{method: "GET", path: "/v1/races/{id}/profiles/{app}/{kind}", do: a.profile},
		{method: "POST", path: "/v1/plans", do: a.plan},
		{method: "GET", path: "/v1/schedules", do: a.schedules},
		{method: "GET", path: "/v1/scripts", do: a.scripts},
		{method: "GET", path: "/v1/scripts/{name...}", do: a.script},
	}
}

func wrongMethod(known []string) http.HandlerFunc {
	if slices.Contains(known, http.MethodGet) {
		known = append(known, http.MethodHead)
	}
	allow := strings.Join(known, ", ")
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Allow", allow)
		refuse(w, http.StatusMethodNotAllowed, "method_not_allowed", r.Method+" is not possible here; use "+allow, "")
	}
}
