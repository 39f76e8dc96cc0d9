package scoreboard_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/pkg/race/racetest"
	"github.com/photofinish/photofinish/pkg/scoreboard"
)

func TestACapacityIsToldWithItsIntervalAndWhatBroke(t *testing.T) {
	r := racetest.Capacity()
	lines := scoreboard.Capacity(r)
	require.Equal(t, scoreboard.Sentence{App: "control", Text: "control holds 480 req/s [470, 490], found in 11 tries; beyond it latency_p95<60: 198 ms"}, lines[0])
	require.Equal(t, "A capacity is the highest rate that keeps latency_p95<60 and error_rate<0.01, with its 95% interval.", scoreboard.CapacityTerms(r))
	require.Equal(t, scoreboard.CapacityTerms(r), scoreboard.Certainty(r), "one heat has nothing else to say")
	require.Equal(t, "Capacity", scoreboard.Standings(r).Columns[0].Title)

	lane := &r.Capacity.Lanes[0]
	lane.High, lane.Limit, lane.Broke = nil, race.LimitK6, "k6 itself ran out of CPU"
	require.Equal(t, "control holds at least 480 req/s, in 11 tries; beyond it k6 itself ran out of CPU", scoreboard.Capacity(r)[0].Text)
	lane.Rate, lane.Low, lane.Tries = nil, nil, lane.Tries[:1]
	lane.Broke = "latency_p95<60: 70 ms"
	require.Equal(t, "control held no rate in 1 try: latency_p95<60: 70 ms", scoreboard.Capacity(r)[0].Text)
	lane.Limit = ""
	require.Len(t, scoreboard.Capacity(r), 1, "a search that goes on says nothing")
	require.Empty(t, scoreboard.Capacity(racetest.FourApps().Race))
	require.Empty(t, scoreboard.CapacityTerms(racetest.FourApps().Race))
}
