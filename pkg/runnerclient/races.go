package runnerclient

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/photofinish/photofinish/pkg/race"
)

// Record is a race as the runner tells it.
type Record struct {
	race.Race
	// Position in the queue; nil once the race has left it.
	Position *int `json:"position"`
}

// Filter narrows a list of races; its zero value lists all.
type Filter struct {
	Name   string
	Status race.Status
	Limit  int
	Cursor string
}

// Page is a part of the list of races, the newest first. Next is the cursor of the next page, "" on the last.
type Page struct {
	Races []Record `json:"races"`
	Next  string   `json:"next"`
}

// Races lists races.
func (c *Client) Races(ctx context.Context, f Filter) (Page, error) {
	query := url.Values{}
	for name, value := range map[string]string{"name": f.Name, "status": string(f.Status), "cursor": f.Cursor} {
		if value != "" {
			query.Set(name, value)
		}
	}
	if f.Limit > 0 {
		query.Set("limit", strconv.Itoa(f.Limit))
	}
	var page Page
	return page, c.get(ctx, &page, query, "v1", "races")
}

// Race finds one race. The error of an unknown one has the code race.NotFound.
func (c *Client) Race(ctx context.Context, id string) (Record, error) {
	var r Record
	return r, c.get(ctx, &r, nil, "v1", "races", id)
}

// Profile is a profile of a race's app in the format of pprof. The error of one that is not there has the code race.NotFound.
func (c *Client) Profile(ctx context.Context, id, app string, kind race.ProfileKind) ([]byte, error) {
	answer, err := c.Do(ctx, Call{Method: http.MethodGet, Path: []string{"v1", "races", id, "profiles", app, string(kind)}})
	if err != nil {
		return nil, err
	}
	if answer.Status != http.StatusOK {
		return nil, c.refusal(answer)
	}
	return answer.Body, nil
}

// Health is what the runner says of itself, without a token.
type Health struct {
	Version string `json:"version"`
}

// Health asks whether the runner is well.
func (c *Client) Health(ctx context.Context) (Health, error) {
	var h Health
	return h, c.get(ctx, &h, nil, "healthz")
}

// notOurs is the next step where something answered that is not the runner, such as Prometheus or a proxy.
const notOurs = "check that the address is the runner's own and not a login page or another program's"

func (c *Client) get(ctx context.Context, into any, query url.Values, path ...string) error {
	answer, err := c.Do(ctx, Call{Method: http.MethodGet, Path: path, Query: query})
	if err != nil {
		return err
	}
	if answer.Status != http.StatusOK {
		return c.refusal(answer)
	}
	if err := json.Unmarshal(answer.Body, into); err != nil {
		return race.Errorf(race.Unavailable, notOurs, "what %s answered is not the runner's JSON: %w", c.base.Redacted(), err)
	}
	return nil
}

// refusal turns an error of the API into ours.
func (c *Client) refusal(a Answer) error {
	var told struct {
		Message string `json:"message"`
	}
	message := http.StatusText(a.Status)
	ours := json.Unmarshal(a.Body, &told) == nil && told.Message != ""
	if ours {
		message = told.Message
	}
	message = strings.Join(strings.Fields(message), " ")
	code, hint := race.Unavailable, "look at the runner's log"
	switch {
	case a.Status == http.StatusUnauthorized || a.Status == http.StatusForbidden:
		hint = "check the runner's token in the data source's settings"
	case a.Status < http.StatusInternalServerError && !ours: // so a 404 does not say that there is no such race
		hint = notOurs
	case a.Status == http.StatusBadRequest:
		code, hint = race.Invalid, ""
	case a.Status == http.StatusNotFound:
		code, hint = race.NotFound, ""
	case a.Status == http.StatusConflict:
		code, hint = race.Conflict, ""
	}
	return race.Errorf(code, hint, "the runner at %s answered %d: %s", c.base.Redacted(), a.Status, message)
}
