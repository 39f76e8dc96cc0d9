package server

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/store/sqlite"
)

// problem is how the API tells errors.
type problem struct {
	Code    string   `json:"code"`
	Message string   `json:"message"`
	Details *details `json:"details"` // null where there is nothing more to say
}

type details struct {
	Hint  string `json:"hint,omitempty"`  // the next step
	Field string `json:"field,omitempty"` // the key of the request that caused it
}

func refuse(w http.ResponseWriter, status int, code, message, hint string) {
	tell(w, status, sayProblem(code, message, details{Hint: hint}))
}

func sayProblem(code, message string, d details) problem {
	p := problem{Code: code, Message: strings.Join(strings.Fields(message), " ")}
	if d != (details{}) {
		p.Details = &d
	}
	return p
}

// refuseFor tells an error.
func refuseFor(w http.ResponseWriter, err error) {
	status, code := http.StatusInternalServerError, race.CodeOf(err)
	switch {
	case errors.Is(err, sqlite.ErrQueueFull):
		w.Header().Set("Retry-After", "10")
		refuse(w, http.StatusTooManyRequests, "queue_full", err.Error(), race.HintOf(err))
		return
	case code == race.Invalid:
		status = http.StatusBadRequest
	case code == race.NotFound:
		status = http.StatusNotFound
	case code == race.Conflict:
		status = http.StatusConflict
	case code == race.Unavailable:
		status = http.StatusServiceUnavailable
	}
	tell(w, status, sayProblem(string(code), err.Error(), details{Hint: race.HintOf(err), Field: race.FieldOf(err)}))
}

func tell(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the caller's own loss
}
