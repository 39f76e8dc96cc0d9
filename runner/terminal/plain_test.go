package terminal_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/terminal"
)

func TestThePlainLineOfAHeatsEndCountsItsLastAnswers(t *testing.T) {
	var b bytes.Buffer
	v := terminal.New(&b, terminal.Options{})
	for _, s := range []race.Snapshot{
		{Phase: "race", Heat: 1, Heats: 2, Elapsed: 4 * time.Second, Lanes: []race.LaneSnapshot{{App: "a", Requests: 193}}},
		{Phase: "done", Heat: 1, Heats: 2, Elapsed: 4100 * time.Millisecond, Lanes: []race.LaneSnapshot{{App: "a", Requests: 195}}},
		{Phase: "done", Heat: 1, Heats: 2, Elapsed: 4200 * time.Millisecond, Lanes: []race.LaneSnapshot{{App: "a", Requests: 200, Failed: 1}}},
	} {
		v.Progress(s)
	}
	v.Status(race.WarmingUp, "heat 2 of 2")
	v.Progress(race.Snapshot{Phase: "warmup", Heat: 2, Heats: 2, Elapsed: 5 * time.Second, Lanes: []race.LaneSnapshot{{App: "a", Requests: 200, Failed: 1}}})
	require.NoError(t, v.Close())
	require.Equal(t, "0:04 heat 1 of 2 done: a 200 requests, 1 failed\nWarming up: heat 2 of 2\n", b.String())
}
