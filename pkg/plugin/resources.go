package plugin

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/grafana/grafana-plugin-sdk-go/backend"

	"github.com/photofinish/photofinish/pkg/compare"
	"github.com/photofinish/photofinish/pkg/measure"
	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/pkg/runnerclient"
)

// routes are the resource calls: what mirrors the runner, and what is known here.
func (d *Datasource) routes() http.Handler {
	mux := http.NewServeMux()
	mirror := func(pattern string, path func(*http.Request) []string) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { d.mirror(w, r, path(r)) })
	}
	mirror("GET /races", fixed("races"))
	mirror("POST /races", fixed("races"))
	mirror("GET /races/{id}", func(r *http.Request) []string { return []string{"races", r.PathValue("id")} })
	mirror("POST /races/{id}/stop", func(r *http.Request) []string { return []string{"races", r.PathValue("id"), "stop"} })
	mirror("POST /races/{id}/override", func(r *http.Request) []string { return []string{"races", r.PathValue("id"), "override"} })
	mirror("GET /races/{id}/logs/{app}", func(r *http.Request) []string {
		return []string{"races", r.PathValue("id"), "logs", r.PathValue("app")}
	})
	mirror("GET /races/{id}/profiles", func(r *http.Request) []string { return []string{"races", r.PathValue("id"), "profiles"} })
	mirror("GET /races/{id}/profiles/{app}/{kind}", func(r *http.Request) []string {
		return []string{"races", r.PathValue("id"), "profiles", r.PathValue("app"), r.PathValue("kind")}
	})
	mirror("POST /plans", fixed("plans"))
	mirror("GET /scripts", fixed("scripts"))
	mirror("GET /scripts/{name...}", func(r *http.Request) []string { return []string{"scripts", r.PathValue("name")} })
	mux.HandleFunc("GET /apps", d.apps)
	mux.HandleFunc("GET /measures", d.measures)
	mux.HandleFunc("GET /capabilities", d.capabilities)
	return inForm(mux)
}

// inForm answers what no route takes as the runner answers its errors, where the mux would write plain text.
func inForm(mux *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		unknown := func() { refuse(w, http.StatusNotFound, "not_found", "this data source has no resource "+r.URL.Path) }
		if !isClean(r.URL.EscapedPath()) {
			unknown()
			return
		}
		if _, pattern := mux.Handler(r); pattern != "" {
			mux.ServeHTTP(w, r)
			return
		}
		plain := refusal{header: http.Header{}}
		if mux.ServeHTTP(&plain, r); plain.status == http.StatusMethodNotAllowed {
			refuse(w, plain.status, "method_not_allowed", r.URL.Path+" takes "+plain.header.Get("Allow")+" only")
			return
		}
		unknown()
	})
}

// isClean says whether a path has no empty, "." or ".." part, of which the mux would make a redirect to another resource.
func isClean(escaped string) bool { return path.Clean(escaped) == strings.TrimSuffix(escaped, "/") }

// refusal takes an answer of the mux's own without its text.
type refusal struct {
	header http.Header
	status int
}

func (r *refusal) Header() http.Header         { return r.header }
func (r *refusal) WriteHeader(status int)      { r.status = status }
func (r *refusal) Write(p []byte) (int, error) { return len(p), nil }

func fixed(path ...string) func(*http.Request) []string {
	return func(*http.Request) []string { return path }
}

// mirror passes a call on to the runner and its answer back, if the user may.
func (d *Datasource) mirror(w http.ResponseWriter, r *http.Request, path []string) {
	user := backend.UserFromContext(r.Context())
	if why := mayStart(user); r.Method != http.MethodGet && why != "" {
		refuse(w, http.StatusForbidden, "forbidden", why)
		return
	}
	if d.runner == nil {
		d.noRunner(w)
		return
	}
	var body []byte
	var err error
	if r.Body != nil { // the adapter makes requests as a client does, without a body where there is none
		body, err = io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequestBody))
	}
	if err != nil {
		refuse(w, http.StatusRequestEntityTooLarge, "too_large", "the request is larger than "+strconv.Itoa(maxRequestBody>>20)+" MB")
		return
	}
	header := http.Header{}
	for _, name := range []string{"Content-Type", "Idempotency-Key"} {
		if v := r.Header.Get(name); v != "" {
			header.Set(name, v)
		}
	}
	if user != nil && user.Login != "" {
		header.Set("X-Photofinish-User", user.Login)
	}
	header.Set("X-Photofinish-Org", strconv.FormatInt(backend.PluginConfigFromContext(r.Context()).OrgID, 10)) //nolint:staticcheck // the runner stores the organisation's number
	call := runnerclient.Call{Method: r.Method, Path: slices.Concat([]string{"v1"}, path), Query: r.URL.Query(), Header: header, Body: body}
	answer, err := d.runner.Do(r.Context(), call)
	if err != nil {
		refuseFor(w, err)
		return
	}
	if answer.Status == http.StatusUnauthorized { // it is this data source that was not let in: Grafana would send its user to the login page
		refuse(w, http.StatusBadGateway, "unavailable", "the runner does not accept the token of the data source's settings")
		return
	}
	if !passes(answer) {
		refuse(w, http.StatusBadGateway, "unavailable",
			"what answered is not the runner; check that the address in the data source's settings is the runner's own and not a login page or another program's")
		return
	}
	if id := r.PathValue("id"); r.Method != http.MethodGet && id != "" {
		d.records.changed(id)
	}
	for _, name := range []string{"Content-Type", "Content-Disposition"} {
		if v := answer.Header.Get(name); v != "" {
			w.Header().Set(name, v)
		}
	}
	w.WriteHeader(answer.Status)
	_, _ = w.Write(answer.Body) // the caller's own loss
}

// passes says whether an answer is of a kind that the runner's API sends: nobody's page shall run as one of Grafana's. A proxy on the way may drop the kind of JSON.
// The runner's errors are JSON whatever was asked.
func passes(answer runnerclient.Answer) bool {
	kind, _, err := mime.ParseMediaType(answer.Header.Get("Content-Type"))
	if (err != nil || answer.Status >= http.StatusBadRequest) && len(answer.Body) > 0 && !json.Valid(answer.Body) {
		return false
	}
	return err != nil || slices.Contains([]string{"application/json", "application/octet-stream", "text/plain"}, kind)
}

func (d *Datasource) noRunner(w http.ResponseWriter) {
	if d.runnerBroken != nil {
		refuse(w, http.StatusBadGateway, "unavailable", sentence(d.runnerBroken))
		return
	}
	refuse(w, http.StatusNotImplemented, "no_runner", "this data source has no runner; enter its address in the data source's settings to start races from Grafana")
}

// apps lists the apps of a race.
func (d *Datasource) apps(w http.ResponseWriter, r *http.Request) {
	id := r.URL.Query().Get("race")
	if id == "" {
		refuse(w, http.StatusBadRequest, "invalid", "name the race: apps?race=ID")
		return
	}
	if err := noLonger("race", id); err != nil {
		refuseFor(w, err)
		return
	}
	l, err := d.named(r.Context(), id)
	if err != nil {
		refuseFor(w, err)
		return
	}
	tell(w, http.StatusOK, append([]string{}, l.apps()...))
}

// named finds a race of the last time by its id.
func (d *Datasource) named(ctx context.Context, id string) (listed, error) {
	if d.broken != nil {
		return listed{}, d.broken
	}
	l, _, err := d.byID(ctx, d.untilNow(), id, false)
	return l, err
}

// untilNow is a query for the time in which races are looked for.
func (d *Datasource) untilNow() query {
	now := d.now()
	return query{From: now.Add(-searchBack), To: now}
}

// told is a measure as the query editor shows it.
type told struct {
	ID          string `json:"id"`
	Name        string `json:"name"`
	Unit        string `json:"unit"`
	Better      string `json:"better"`
	Source      string `json:"source"`
	Primary     bool   `json:"primary"`
	Description string `json:"description"`
}

// measures lists the measures of the contract and, where a race is named, those that it has of its own. A race that is not known has none: a query
// editor asks about whatever its query names.
func (d *Datasource) measures(w http.ResponseWriter, r *http.Request) {
	var own []race.CustomMeasure
	if id := r.URL.Query().Get("race"); id != "" {
		var err error
		if own, err = d.ownMeasures(r.Context(), id); err != nil && !isUnknown(err) {
			refuseFor(w, err)
			return
		}
	}
	list := []told{}
	for _, m := range measure.Of(own...) {
		list = append(list, told{m.ID, m.Name, string(m.Unit), string(m.Better), string(m.Source), m.Primary, m.Sentence})
	}
	tell(w, http.StatusOK, list)
}

func (d *Datasource) ownMeasures(ctx context.Context, id string) ([]race.CustomMeasure, error) {
	l, err := d.named(ctx, id)
	if err != nil {
		return nil, err
	}
	info, _, err := d.seriesOf(ctx, d.untilNow(), l)
	switch {
	case err != nil:
		return nil, err
	case info == nil: // it has written nothing yet
		return l.record.CustomMeasures, nil
	}
	known, _, err := compare.KnowOwn(ctx, d.prom, []compare.RaceInfo{*info}, nil)
	if err != nil {
		return nil, err
	}
	return known[0].Custom, nil
}

// can is what the user who asks may do here.
type can struct {
	CanStart bool   `json:"canStart"`
	Reason   string `json:"reason"`
	Runner   bool   `json:"runner"`
	Version  string `json:"version"`
}

func (d *Datasource) capabilities(w http.ResponseWriter, r *http.Request) {
	c := can{Runner: d.runner != nil, Reason: mayStart(backend.UserFromContext(r.Context()))}
	switch {
	case d.runnerBroken != nil:
		c.Reason = sentence(d.runnerBroken)
	case d.runner == nil:
		c.Reason = "this data source has no runner; enter its address in the data source's settings"
	default:
		var err error
		if c.Reason == "" { // so it hangs on the runner alone
			c.Version, err = d.letIn(r.Context())
		} else {
			var health runnerclient.Health
			health, err = d.runner.Health(r.Context())
			c.Version = health.Version
		}
		if err != nil {
			c.Reason = sentence(err)
		}
	}
	c.CanStart = c.Reason == ""
	tell(w, http.StatusOK, c)
}

// refuseFor answers with an error in the runner's form.
func refuseFor(w http.ResponseWriter, err error) {
	status := map[race.Code]int{
		race.Invalid: http.StatusBadRequest, race.NotFound: http.StatusNotFound, race.Conflict: http.StatusConflict, race.Unavailable: http.StatusBadGateway,
	}[race.CodeOf(err)]
	if status == 0 {
		status = http.StatusInternalServerError
	}
	code := string(race.CodeOf(err))
	if errors.Is(err, runnerclient.ErrUnreachable) {
		code = "runner_unreachable"
	}
	refuse(w, status, code, sentence(err))
}

func refuse(w http.ResponseWriter, status int, code, message string) {
	tell(w, status, map[string]any{"code": code, "message": message, "details": nil})
}

func tell(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the caller's own loss
}
