// Package panics keeps a panic in a goroutine of our own from ending the program, and with it the work of everybody else.
package panics

import (
	"errors"
	"fmt"
	"runtime/debug"
)

// Error is a panic that was caught.
type Error struct {
	// Value is what was panicked with, and Stack where.
	Value any
	Stack []byte
}

func (e *Error) Error() string { return fmt.Sprintf("panic: %v", e.Value) }

// Catch calls f and returns its error. A panic in it becomes an *Error; one that was caught before, in another goroutine, keeps its stack.
func Catch(f func() error) (err error) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case *Error:
			err = r
		default:
			err = &Error{Value: r, Stack: debug.Stack()}
		}
	}()
	return f()
}

// Rethrow panics with what err holds of a panic that was caught, for the goroutine that waited for the one in which it was.
func Rethrow(err error) {
	if caught := (*Error)(nil); errors.As(err, &caught) {
		panic(caught) //nolint:forbidigo // it is one already
	}
}

// Caught is f for a goroutine of its own, as an errgroup starts it.
func Caught(f func() error) func() error {
	return func() error { return Catch(f) }
}
