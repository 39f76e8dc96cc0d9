package plugin

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/grafana/grafana-plugin-sdk-go/data"

	"github.com/photofinish/photofinish/pkg/race"
)

// notices are what the user should know about an answer, each once.
type notices []data.Notice

// add warns of what is missing or otherwise than asked for.
func (n *notices) add(format string, args ...any) { n.take(fmt.Sprintf(format, args...)) }

// tell says what is as it should be, and may be missed all the same.
func (n *notices) tell(format string, args ...any) {
	n.put(data.Notice{Severity: data.NoticeSeverityInfo, Text: fmt.Sprintf(format, args...)})
}

func (n *notices) take(texts ...string) {
	for _, text := range texts {
		n.put(data.Notice{Severity: data.NoticeSeverityWarning, Text: text})
	}
}

// join takes over the notices of a part of an answer.
func (n *notices) join(others notices) {
	for _, o := range others {
		n.put(o)
	}
}

func (n *notices) put(notice data.Notice) {
	if !slices.ContainsFunc(*n, func(o data.Notice) bool { return o.Text == notice.Text }) {
		*n = append(*n, notice)
	}
}

// sentence is an error as one sentence that says what to do.
func sentence(err error) string {
	text := strings.Join(strings.Fields(err.Error()), " ")
	if hint := race.HintOf(err); hint != "" {
		text += "; " + hint
	}
	return text
}

// plain is the error for a person in another, without the steps on the way to it that were put before: which of them it was says nothing to who asked.
func plain(err error) error {
	var e *race.Error
	if errors.As(err, &e) {
		return e
	}
	return err
}

// failed is the answer to a query that could not be answered.
func failed(err error) backend.DataResponse {
	status, source := backend.StatusInternal, backend.ErrorSourcePlugin
	switch race.CodeOf(err) {
	case race.Invalid, race.Conflict:
		status, source = backend.StatusBadRequest, backend.ErrorSourceDownstream
	case race.NotFound:
		status, source = backend.StatusNotFound, backend.ErrorSourceDownstream
	case race.Unavailable:
		status, source = backend.StatusBadGateway, backend.ErrorSourceDownstream
	case race.Internal:
	}
	switch {
	case isGone(err):
		source = backend.ErrorSourceDownstream
	case errors.Is(err, context.DeadlineExceeded):
		status, source = backend.StatusTimeout, backend.ErrorSourceDownstream
	}
	return backend.ErrDataResponseWithSource(status, source, sentence(err))
}
