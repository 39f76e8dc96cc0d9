package stage_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/stage"
)

func TestAnIdTellsTheNameOfItsRace(t *testing.T) {
	id, err := stage.NewID("ab-test", time.Now())
	require.NoError(t, err)
	require.Equal(t, "ab-test", race.NameOf(id), "the data source reads it so")
}
