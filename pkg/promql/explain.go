package promql

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	v1 "github.com/prometheus/client_golang/api/prometheus/v1"

	"github.com/photofinish/photofinish/pkg/race"
)

// maxDetail bounds how much of a server's own words an error repeats.
const maxDetail = 200

// AskLess begins the hints of errors that are about how much was asked. Behind it there may stand ", or" and another way.
const AskLess = "ask for a shorter time or fewer apps"

// explain turns what went wrong into one sentence and a next step.
func (c *Client) explain(ctx context.Context, err error) error {
	const check = "check that it runs and that the address and the network are right"
	var apiErr *v1.Error
	var netErr net.Error
	var asked *url.Error
	var large *http.MaxBytesError
	if errors.As(err, &asked) {
		err = asked.Err // without method and address: the address is told here, and a GET is said to be the POST that it was made of
	}
	switch {
	case errors.Is(err, context.Canceled):
		return race.Errorf(race.Unavailable, "", "the query to Prometheus at %s was cancelled: %w", c.url, err)
	case errors.Is(err, context.DeadlineExceeded) || errors.Is(ctx.Err(), context.DeadlineExceeded) || errors.As(err, &netErr) && netErr.Timeout():
		return race.Errorf(race.Unavailable, AskLess+", or raise the time-out",
			"Prometheus at %s did not answer in time: %w", c.url, err)
	case errors.As(err, &large):
		return race.Errorf(race.Unavailable, AskLess, "Prometheus at %s answered more than %d MB", c.url, large.Limit>>20)
	case errors.As(err, &apiErr):
		return c.explainAnswer(apiErr)
	case errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF):
		return race.Errorf(race.Unavailable, "try again; if it stays so, look at the logs of Prometheus and of the proxy before it",
			"Prometheus at %s broke off in the middle of its answer: %w", c.url, err)
	default:
		return race.Errorf(race.Unavailable, check, "Prometheus at %s cannot be reached: %w", c.url, err)
	}
}

func (c *Client) explainAnswer(err *v1.Error) error {
	status := regexp.MustCompile(`[45]\d\d$`).FindString(err.Msg)
	detail, kind := words(err)
	switch {
	case kind == v1.ErrTimeout || kind == v1.ErrCanceled:
		return race.Errorf(race.Unavailable, AskLess+", or raise --query.timeout of Prometheus",
			"Prometheus at %s gave up on a query: %s%w", c.url, detail, silent{err})
	case err.Type == v1.ErrExec && strings.Contains(err.Msg, "too many samples"):
		return race.Errorf(race.Unavailable, AskLess+", or raise --query.max-samples of Prometheus",
			"the query is too large for Prometheus at %s: %s%w", c.url, detail, silent{err})
	case err.Type == v1.ErrBadData || err.Type == v1.ErrExec:
		return race.Errorf(race.Unavailable, "see whether this Prometheus is old (3.0 or newer is needed) or limits queries",
			"Prometheus at %s refused a query: %s%w", c.url, detail, silent{err})
	case status == "401" || status == "403":
		return race.Errorf(race.Unavailable, "check the user, the password or token, and the tenant's header",
			"Prometheus at %s does not let us in (%s): %s%w", c.url, status, detail, silent{err})
	case status == "404":
		return race.Errorf(race.Unavailable, "check the path of the address; Mimir's ends in /prometheus",
			"there is no Prometheus API at %s (404)%w", c.url, silent{err})
	case status == "429":
		return race.Errorf(race.Unavailable, "wait a little, or raise the tenant's limit of queries",
			"Prometheus at %s takes no more queries now (429): %s%w", c.url, detail, silent{err})
	case err.Type == v1.ErrBadResponse:
		return race.Errorf(race.Unavailable, "check that the address is Prometheus itself and not a login page or a proxy's error page, and try again",
			"what %s answered is not Prometheus's JSON: %s%w", c.url, detail, silent{err})
	case err.Type == v1.ErrServer:
		return race.Errorf(race.Unavailable, "look at the logs of Prometheus and of the proxy before it",
			"Prometheus at %s failed (%s): %s%w", c.url, status, detail, silent{err})
	default:
		return race.Errorf(race.Unavailable, "look at the logs of Prometheus and of the proxy before it",
			"Prometheus at %s answered with an error: %s%w", c.url, detail, silent{err})
	}
}

// silent carries a cause for errors.As whose words were already told.
type silent struct{ err *v1.Error }

func (silent) Error() string   { return "" }
func (s silent) Unwrap() error { return s.err }

// words are what the server said, on one line and without HTML, and the kind of its error. Prometheus explains a 5xx in JSON, which the client leaves as it is.
func words(err *v1.Error) (string, v1.ErrorType) {
	text, kind := err.Msg, err.Type
	detail := strings.TrimSpace(err.Detail)
	var body struct {
		ErrorType v1.ErrorType `json:"errorType"`
		Error     string       `json:"error"`
	}
	switch {
	case strings.HasPrefix(detail, "{") && json.Unmarshal([]byte(detail), &body) == nil && body.Error != "":
		text, kind = body.Error, body.ErrorType
	case detail != "" && !strings.HasPrefix(detail, "<"):
		text = detail
	}
	text = strings.Join(strings.Fields(text), " ")
	if runes := []rune(text); len(runes) > maxDetail {
		text = string(runes[:maxDetail]) + "…"
	}
	return text, kind
}
