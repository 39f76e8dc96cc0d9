package server

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/schedule"
	"github.com/photofinish/photofinish/runner/store/sqlite"
)

const (
	defaultPage = 50
	maxPage     = 200
	// maxKey bounds an Idempotency-Key, in bytes.
	maxKey = 255
)

// requested reads the body of a request; one that cannot be read is answered here.
func (a *api) requested(w http.ResponseWriter, r *http.Request) (body []byte, ok bool) {
	if kind, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";"); kind != "" && !strings.EqualFold(strings.TrimSpace(kind), "application/json") {
		refuse(w, http.StatusUnsupportedMediaType, "unsupported_media_type", "the request must be application/json, not "+kind, "send it with Content-Type: application/json")
		return nil, false
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, int64(a.Limits.Body)))
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		refuse(w, http.StatusRequestEntityTooLarge, "too_large", "the request is larger than "+strconv.FormatInt(large.Limit, 10)+" bytes", "say less in it, or let limits.body of the runner's configuration allow more")
		return nil, false
	}
	if err != nil {
		refuse(w, http.StatusBadRequest, "invalid", "the request cannot be read to its end", "send as many bytes as its Content-Length says")
		return nil, false
	}
	return body, true
}

// plan tells what a request would come to.
func (a *api) plan(w http.ResponseWriter, r *http.Request) {
	body, ok := a.requested(w, r)
	if !ok {
		return
	}
	told, err := a.Races.Plan(r.Context(), body)
	if err != nil {
		refuseFor(w, err)
		return
	}
	tell(w, http.StatusOK, told)
}

func (a *api) submit(w http.ResponseWriter, r *http.Request) {
	body, ok := a.requested(w, r)
	if !ok {
		return
	}
	key := r.Header.Get("Idempotency-Key")
	if len(key) > maxKey {
		refuse(w, http.StatusBadRequest, "invalid", "the Idempotency-Key is longer than "+strconv.Itoa(maxKey)+" bytes", "choose a shorter one, such as a UUID")
		return
	}
	accepted, known, err := a.Races.Submit(r.Context(), whoOf(r.Context()), key, body)
	if err != nil {
		refuseFor(w, err)
		return
	}
	if !known {
		who := whoOf(r.Context())
		a.Log.InfoContext(r.Context(), "race accepted", "race", accepted.ID, "position", accepted.Position, "user", who.User, "org", who.Org)
	}
	w.Header().Set("Location", "/v1/races/"+accepted.ID)
	tell(w, http.StatusAccepted, accepted)
}

func (a *api) list(w http.ResponseWriter, r *http.Request) {
	f, err := filter(r)
	if err != nil {
		refuseFor(w, err)
		return
	}
	kept, next, err := a.Races.Page(r.Context(), f)
	if err != nil {
		refuseFor(w, err)
		return
	}
	page := struct {
		Races []json.RawMessage `json:"races"`
		Next  *string           `json:"next"`
	}{Races: []json.RawMessage{}}
	if next != "" {
		page.Next = &next
	}
	for _, k := range kept {
		text, err := a.placed(k)
		if err != nil {
			refuseFor(w, err)
			return
		}
		page.Races = append(page.Races, text)
	}
	tell(w, http.StatusOK, page)
}

func filter(r *http.Request) (sqlite.Filter, error) {
	query := r.URL.Query()
	f := sqlite.Filter{Name: query.Get("name"), Cursor: query.Get("cursor"), Limit: defaultPage}
	for _, given := range query["status"] {
		status := race.Status(given)
		if status == "" {
			continue
		}
		if !slices.Contains(statuses(), status) {
			var known []string
			for _, s := range statuses() {
				known = append(known, string(s))
			}
			return f, race.Errorf(race.Invalid, "choose from "+strings.Join(known, ", "), "status: %q is none", status).At("status")
		}
		f.Status = append(f.Status, status)
	}
	if given := query.Get("limit"); given != "" {
		n, err := strconv.Atoi(given)
		if err != nil || n < 1 {
			return f, race.Errorf(race.Invalid, fmt.Sprintf("leave it out for %d, or ask for up to %d", defaultPage, maxPage), "limit: must be a number from 1, not %q", given).At("limit")
		}
		f.Limit = min(n, maxPage)
	}
	return f, nil
}

// placed is race.json with the race's place in the queue, and how far it is. The record is passed on as it was written: a list of long races
// would take longer to be read and written again than to be found.
func (a *api) placed(k sqlite.Kept) (json.RawMessage, error) {
	position := "null"
	if k.Position > 0 {
		position = strconv.Itoa(k.Position)
	}
	far, err := a.Races.Progress(k)
	if err != nil {
		return nil, err
	}
	progress, err := json.Marshal(far)
	if err != nil {
		return nil, fmt.Errorf("tell the progress of race %s: %w", k.ID, err)
	}
	text := strings.TrimRight(string(k.Record), " \n")
	return json.RawMessage(strings.TrimSuffix(text, "}") + `,"position":` + position + `,"progress":` + string(progress) + "}"), nil
}

func (a *api) get(w http.ResponseWriter, r *http.Request) {
	k, err := a.Races.Kept(r.Context(), r.PathValue("id"))
	a.tellKept(w, k, err)
}

// override lets the verdicts of an unfair race stand.
func (a *api) override(w http.ResponseWriter, r *http.Request) {
	body, ok := a.requested(w, r)
	if !ok {
		return
	}
	k, err := a.Races.Override(r.Context(), whoOf(r.Context()), r.PathValue("id"), body)
	a.tellKept(w, k, err)
}

func (a *api) tellKept(w http.ResponseWriter, k sqlite.Kept, err error) {
	if err != nil {
		refuseFor(w, err)
		return
	}
	text, err := a.placed(k)
	if err != nil {
		refuseFor(w, err)
		return
	}
	tell(w, http.StatusOK, text)
}

func (a *api) stop(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	status, err := a.Races.Stop(r.Context(), whoOf(r.Context()), id)
	if err != nil {
		refuseFor(w, err)
		return
	}
	tell(w, http.StatusAccepted, struct {
		ID     string      `json:"id"`
		Status race.Status `json:"status"`
	}{id, status})
}

func (a *api) logs(w http.ResponseWriter, r *http.Request) {
	app := r.PathValue("app")
	lines, err := a.Races.Logs(r.Context(), r.PathValue("id"), app)
	if err != nil {
		refuseFor(w, err)
		return
	}
	tell(w, http.StatusOK, struct {
		App   string   `json:"app"`
		Lines []string `json:"lines"`
	}{app, append([]string{}, lines...)})
}

func (a *api) schedules(w http.ResponseWriter, r *http.Request) {
	all, err := a.Schedules.Schedules(r.Context())
	if err != nil {
		refuseFor(w, err)
		return
	}
	tell(w, http.StatusOK, struct {
		Schedules []schedule.Told `json:"schedules"`
	}{all})
}

func (a *api) scripts(w http.ResponseWriter, _ *http.Request) {
	names, err := a.Races.ScriptNames()
	if err != nil {
		refuseFor(w, err)
		return
	}
	tell(w, http.StatusOK, struct {
		Scripts []string `json:"scripts"`
	}{append([]string{}, names...)})
}

func (a *api) script(w http.ResponseWriter, r *http.Request) {
	told, err := a.Races.Describe(r.Context(), r.PathValue("name"))
	if err != nil {
		refuseFor(w, err)
		return
	}
	tell(w, http.StatusOK, told)
}
