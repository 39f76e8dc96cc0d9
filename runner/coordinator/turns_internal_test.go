package coordinator

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/k6/stream"
	"github.com/photofinish/photofinish/runner/plan"
)

// inTurns is a heat of two lanes for 10 s each, in blocks of such a length, that began at a time.
func inTurns(began time.Time, block, gap, tail time.Duration) (*heatRun, *laneState) {
	var a, b stream.Lane
	a.App, b.App = "a", "b"
	for at := time.Duration(0); len(a.Blocks) < int(10*time.Second/block); at += 2 * (block + gap) {
		a.Blocks = append(a.Blocks, stream.Block{Start: at, End: at + block})
		b.Blocks = append(b.Blocks, stream.Block{Start: at + block + gap, End: at + 2*block + gap})
	}
	l := &laneState{spec: race.LaneSpec{App: "a"}, results: newResults("a")}
	h := &heatRun{
		run: &run{Race: Race{
			Definition: race.Definition{Duration: 10 * time.Second},
			Plan:       plan.Plan{Mode: race.Turns, Heats: make([]plan.Heat, 1), Rhythm: plan.Rhythm{Block: block, Gap: gap, Tail: tail}},
		}},
		plan: plan.Heat{Number: 1}, began: began, cfg: stream.Config{Lanes: []stream.Lane{a, b}},
	}
	return h, l
}

func TestShortTurnsAreShownAsOneRace(t *testing.T) {
	began := time.Now()
	short, l := inTurns(began, 200*time.Millisecond, 50*time.Millisecond, 100*time.Millisecond)
	other := began.Add(3*time.Second + 300*time.Millisecond) // the other lane's turn
	_, racing := short.distance(l, other)
	require.True(t, racing)
	done, racing := short.distance(l, began.Add(short.cfg.Span()))
	require.False(t, racing, "it is over")
	require.InDelta(t, 1, done, 1e-9)
	// Of 3.3 s the lane had 7 turns, 1.4 s.
	require.InDelta(t, 50, short.rate(l, stream.LaneProgress{Requests: 70, Rate: 12}, other), 1e-9)
	require.Zero(t, short.rate(l, stream.LaneProgress{}, began))

	long, l := inTurns(began, 2*time.Second, 100*time.Millisecond, 100*time.Millisecond)
	_, racing = long.distance(l, began.Add(3*time.Second))
	require.False(t, racing, "it waits")
	require.InDelta(t, 12, long.rate(l, stream.LaneProgress{Requests: 70, Rate: 12}, other), 1e-9, "of the last second")
}

func TestALaneIsChargedUntilItsLastAnswersAndNothingTwice(t *testing.T) {
	began := time.Now()
	for tail, last := range map[time.Duration]time.Duration{100 * time.Millisecond: 100 * time.Millisecond, time.Second: 300 * time.Millisecond} {
		h, _ := inTurns(began, 200*time.Millisecond, 50*time.Millisecond, tail)
		ws := h.windows(h.cfg.Lanes[0], began.Add(time.Minute))
		require.Len(t, ws, 50)
		for i, w := range ws[:49] {
			require.Equal(t, began.Add(h.cfg.Lanes[0].Blocks[i].End+last), w.To, "no further than its next block")
			require.Equal(t, 200*time.Millisecond, w.Load)
			require.False(t, w.To.After(ws[i+1].From))
		}
		require.Equal(t, began.Add(h.cfg.Lanes[0].Blocks[49].End+tail), ws[49].To)
	}
}
