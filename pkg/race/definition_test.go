package race_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/race"
)

func TestTheNameOfARaceIsReadOffTheIdThatTheRunnerMade(t *testing.T) {
	for id, want := range map[string]string{
		"ab-test-20261125-044937-0f3a":   "ab-test",
		"nightly-2-20261125-044937-ffff": "nightly-2",
		"ab2":                            "ab2",
		"release-20261125":               "release-20261125",
		"-20261125-044937-0f3a":          "-20261125-044937-0f3a",
	} {
		require.Equal(t, want, race.NameOf(id))
	}
}
