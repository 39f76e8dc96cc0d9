package cmd

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/race"
)

func TestTheExitCodeIsTheFirstOfThoseThatHold(t *testing.T) {
	var (
		stopped = error(interrupted{by: "Ctrl-C"})
		invalid = error(race.Errorf(race.Invalid, "", "no such lane"))
		unknown = error(race.Errorf(race.NotFound, "", "no such race"))
		notRun  = error(race.Errorf(race.Unavailable, "", "not healthy"))
	)
	for name, c := range map[string]struct {
		outcome outcome
		code    int
	}{
		"done":                              {outcome{}, 0},
		"wrong usage":                       {outcome{err: invalid}, 2},
		"a race that nobody knows":          {outcome{err: unknown}, 2},
		"not run":                           {outcome{err: notRun}, 3},
		"an error without a code":           {outcome{err: errors.New("what?")}, 3},
		"a regression":                      {outcome{regression: true}, 4},
		"crossed thresholds":                {outcome{thresholds: true}, 99},
		"interrupted":                       {outcome{err: stopped}, 130},
		"interrupted, and the disk is full": {outcome{err: errors.Join(stopped, notRun)}, 130},
		"interrupted within what failed":    {outcome{err: fmt.Errorf("heat 2: %w", errors.Join(notRun, stopped))}, 130},
		"interrupted before wrong usage was seen":   {outcome{err: errors.Join(invalid, stopped)}, 130},
		"wrong usage, and not run":                  {outcome{err: fmt.Errorf("x: %w", errors.Join(notRun, fmt.Errorf("y: %w", invalid)))}, 2},
		"not run, with a regression and thresholds": {outcome{err: notRun, regression: true, thresholds: true}, 3},
		"a regression and crossed thresholds":       {outcome{regression: true, thresholds: true}, 4},
		"all at once":                               {outcome{err: errors.Join(notRun, invalid, stopped), regression: true, thresholds: true}, 130},
		"the context ended without a signal":        {outcome{err: context.Canceled}, 3},
	} {
		t.Run(name, func(t *testing.T) { require.Equal(t, c.code, c.outcome.exitCode()) })
	}
}
