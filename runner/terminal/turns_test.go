package terminal_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/terminal"
)

func TestAWaitingLaneShowsItsLastTurn(t *testing.T) {
	e := &emulator{t: t}
	v := terminal.New(e, terminal.Options{TTY: true, Size: screenOf(100, 40), Now: clock()})
	lane := func(app string, racing bool, rate, p95 float64, place int) race.LaneSnapshot {
		return race.LaneSnapshot{App: app, Requests: 100, Racing: racing, Rate: rate, P95MS: p95, Place: place}
	}
	turn := func(at time.Duration, mode race.Mode, lanes ...race.LaneSnapshot) {
		v.Progress(race.Snapshot{Status: race.Racing, Phase: "race", Heat: 1, Heats: 2, Mode: mode, Elapsed: at, Lanes: lanes})
	}
	rowOf := func(app string) string {
		_, after, ok := strings.Cut(e.String(), " "+app+" ")
		require.True(t, ok, e.String())
		head, _, _ := strings.Cut(after, "cpu")
		before, _, _ := strings.Cut(e.String(), " "+app+" ")
		return before[strings.LastIndex(before, "\n")+1:] + head
	}
	turn(2*time.Second, race.Turns, lane("slow", true, 50, 100, 1), lane("quick", false, 0, 0, 2))
	turn(3*time.Second, race.Turns, lane("slow", true, 49, 101, 2), lane("quick", false, 0, 0, 1))
	turn(4*time.Second, race.Turns, lane("slow", false, 0, 0, 1), lane("quick", true, 5, .4, 2))
	require.Regexp(t, `^ 2[^·]*49/s\s+p95\s+101 ms`, rowOf("slow"), "ranked by the last turn, not by nothing")
	require.Regexp(t, `^ 1[^·]*5/s\s+p95\s+0\.400 ms`, rowOf("quick"))
	turn(5*time.Second, race.Turns, lane("slow", true, 3, 0, 0), lane("quick", false, 0, 0, 0))
	require.Regexp(t, `3/s\s+p95\s+101 ms`, rowOf("slow"), "a turn that has just begun has no p95 yet")

	turn(6*time.Second, race.Together, lane("slow", true, 0, 0, 2), lane("quick", true, 50, .5, 1))
	require.Regexp(t, `0/s\s+p95\s+- `, rowOf("slow"), "together, a lane that stands still is seen to")
	require.NoError(t, v.Close())
}

func TestTheHeatIsToldOnce(t *testing.T) {
	e := &emulator{t: t}
	v := terminal.New(e, terminal.Options{TTY: true, Size: screenOf(100, 40), Now: clock()})
	s := shot(time.Second)
	s.Status = "" // as the coordinator's are: the status comes by its own call
	v.Status(race.Racing, "heat 3 of 8")
	v.Progress(s)
	require.Equal(t, 1, strings.Count(e.String(), "heat 3 of 8"), e.String())
	v.Status(race.WarmingUp, "heat 4 of 8")
	require.Contains(t, e.String(), "heat 4 of 8")
	require.NotContains(t, e.String(), "heat 3 of 8", "the last snapshot's is over")
	require.NoError(t, v.Close())
}
