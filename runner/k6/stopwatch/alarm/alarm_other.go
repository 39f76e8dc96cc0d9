//go:build !linux

package alarm

import (
	"context"
	"time"
)

// exact does not exist here: Go's timers have to do.
type exact struct{}

func newExact(context.Context) *exact { return nil }

func (*exact) wait(time.Time) bool { return false }

func (*exact) close() error { return nil }
