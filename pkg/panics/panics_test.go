package panics_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/photofinish/photofinish/pkg/panics"
)

func stumble() error {
	panic("stumbled") //nolint:forbidigo // that is what is tested
}

func TestAPanicIsAnErrorThatKnowsWhere(t *testing.T) {
	var group errgroup.Group
	group.Go(panics.Caught(stumble))
	err := fmt.Errorf("measure: %w", group.Wait())
	var caught *panics.Error
	require.ErrorAs(t, err, &caught)
	require.EqualError(t, err, "measure: panic: stumbled")
	require.Contains(t, string(caught.Stack), "stumble")

	again := panics.Catch(func() error {
		panics.Rethrow(err)
		return nil
	})
	require.Same(t, caught, again)
}

func TestWhatDoesNotPanicIsAsItWas(t *testing.T) {
	failed := errors.New("failed")
	require.NoError(t, panics.Catch(func() error { return nil }))
	panics.Rethrow(failed)
	panics.Rethrow(nil)
	require.Equal(t, failed, panics.Caught(func() error { return failed })())
}
