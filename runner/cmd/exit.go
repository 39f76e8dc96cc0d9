package cmd

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/photofinish/photofinish/pkg/race"
)

// The exit codes, by the contract. Where several hold, the first of Interrupted, Usage, NotRun, Regression, Thresholds.
const (
	exitDone        = 0
	exitUsage       = 2
	exitNotRun      = 3
	exitRegression  = 4
	exitThresholds  = 99
	exitInterrupted = 130
)

// interrupted ends a race because somebody asked for it.
type interrupted struct{ by string }

func (i interrupted) Error() string { return "interrupted by " + i.by }

// outcome is everything that an exit code depends on.
type outcome struct {
	err        error
	regression bool // and --fail-on regression
	thresholds bool // k6 thresholds were crossed
}

func (o outcome) exitCode() int {
	var i interrupted
	switch {
	case errors.As(o.err, &i):
		return exitInterrupted
	case holds(o.err, race.Invalid) || holds(o.err, race.NotFound):
		return exitUsage
	case o.err != nil:
		return exitNotRun
	case o.regression:
		return exitRegression
	case o.thresholds:
		return exitThresholds
	}
	return exitDone
}

// holds says whether an error, or one of those that are joined in it, has a code.
func holds(err error, code race.Code) bool {
	switch e := err.(type) { //nolint:errorlint // the tree is walked level by level
	case nil:
		return false
	case *race.Error:
		return e.Code == code
	case interface{ Unwrap() []error }:
		return slices.ContainsFunc(e.Unwrap(), func(one error) bool { return holds(one, code) })
	}
	return holds(errors.Unwrap(err), code)
}

// complain prints an error for a person: what went wrong, and what to do next.
func complain(w io.Writer, err error) {
	if err == nil {
		return
	}
	text := fmt.Sprintf("photofinish: %v\n", err)
	if hint := race.HintOf(err); hint != "" {
		text += fmt.Sprintf("  %s\n", hint)
	}
	_, _ = io.WriteString(w, text) // where standard error is closed, nobody is there to be told
}
