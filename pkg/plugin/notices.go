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
type notices []string

func (n *notices) add(format string, args ...any) { n.take(fmt.Sprintf(format, args...)) }

func (n *notices) take(texts ...string) {
	for _, text := range texts {
		if !slices.Contains(*n, text) {
			*n = append(*n, text)
		}
	}
}

// all are Grafana's notices.
func (n notices) all() []data.Notice {
	list := make([]data.Notice, len(n))
	for i, text := range n {
		list[i] = data.Notice{Severity: data.NoticeSeverityWarning, Text: text}
	}
	return list
}

// sentence is an error as one sentence that says what to do.
func sentence(err error) string {
	text := strings.Join(strings.Fields(err.Error()), " ")
	if hint := race.HintOf(err); hint != "" {
		text += "; " + hint
	}
	return text
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
