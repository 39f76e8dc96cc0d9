package race

import (
	"errors"
	"fmt"
)

// Code is the machine-readable class of an error; the edges (exit codes, HTTP statuses) are chosen from it.
type Code string

// The codes.
const (
	Invalid     Code = "invalid"     // the definition or the usage is wrong; exit 2, HTTP 400
	NotFound    Code = "not_found"   // HTTP 404
	Conflict    Code = "conflict"    // HTTP 409
	Unavailable Code = "unavailable" // the race could not be run (engine, app not healthy, script error); exit 3
	Internal    Code = "internal"
)

// Error is an error for a person: Message names the thing and the cause, Hint the next step (may be empty).
type Error struct {
	Code    Code
	Message string
	Hint    string
	// Field is the key of a request that caused it, such as heats, load.rate or lanes.control.cpus: a form shows the error there. May be empty.
	Field string
	Err   error // the cause, for errors.Is; may be nil
}

func (e *Error) Error() string { return e.Message }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Errorf makes an Error of a code. The format may hold one %w.
func Errorf(code Code, hint, format string, args ...any) *Error {
	err := fmt.Errorf(format, args...)
	return &Error{Code: code, Message: err.Error(), Hint: hint, Err: errors.Unwrap(err)}
}

// At names the key of a request that caused the error.
func (e *Error) At(field string) *Error {
	e.Field = field
	return e
}

// CodeOf finds the code of an error, Internal where it has none.
func CodeOf(err error) Code {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return Internal
}

// HintOf finds the next step to tell the user, "" where there is none.
func HintOf(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return e.Hint
	}
	return ""
}

// FieldOf finds the key of a request that caused an error, "" where none is known. The outermost word counts.
func FieldOf(err error) string {
	var e *Error
	for errors.As(err, &e) {
		if e.Field != "" {
			return e.Field
		}
		err = e.Err
	}
	return ""
}
