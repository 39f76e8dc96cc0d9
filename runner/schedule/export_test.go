package schedule

import (
	"context"
	"errors"
)

// LookNow does what the schedules are due for.
func (s *Scheduler) LookNow(ctx context.Context) error {
	var errs []error
	for _, e := range s.entries {
		errs = append(errs, s.look(ctx, e))
	}
	return errors.Join(errs...)
}
