package heat_test

import (
	"bufio"
	"encoding/json"
	"io"
	"testing"
	"time"

	"github.com/photofinish/photofinish/runner/k6/stopwatch/heat"
	"github.com/photofinish/photofinish/runner/k6/stream"
	"github.com/stretchr/testify/require"
)

var second = []stream.Block{{End: time.Second}}

func config(lanes ...stream.Lane) stream.Config {
	return stream.Config{Warmup: time.Second, Lanes: lanes}
}

func TestThePhaseFollowsTheRunnersClock(t *testing.T) {
	t.Parallel()
	commands, runner := io.Pipe()
	h, err := heat.New(config(stream.Lane{App: "a", Blocks: second}), io.Discard, commands)
	require.NoError(t, err)
	now := time.Now()
	h.Start(now)
	require.Equal(t, heat.Warmup, h.Phase(now.Add(time.Hour)), "the warm-up lasts until the runner says")
	_, known := h.RaceStart()
	require.False(t, known)

	text, err := json.Marshal(stream.Command{RaceStart: now.Add(2 * time.Second).UnixNano()})
	require.NoError(t, err)
	_, err = runner.Write(append([]byte("{\"of a newer runner\":1}\n"), append(text, '\n')...))
	require.NoError(t, err)
	<-h.Going()
	for after, phase := range map[time.Duration]heat.Phase{
		1990 * time.Millisecond: heat.Warmup, 2010 * time.Millisecond: heat.Race, 2990 * time.Millisecond: heat.Race, 3010 * time.Millisecond: heat.Done,
	} {
		require.Equal(t, phase, h.Phase(now.Add(after)), after)
	}
	lane := h.Lane("a")
	wait, ok := h.Wait(lane, now.Add(1900*time.Millisecond))
	require.True(t, ok)
	require.Zero(t, wait, "nobody waits in the warm-up")
	_, ok = h.Wait(lane, now.Add(3100*time.Millisecond))
	require.False(t, ok)
	require.Nil(t, h.Lane("b"))
}

func TestARetiredLaneGetsNoMoreLoadAndTheOthersDo(t *testing.T) {
	t.Parallel()
	commands, runner := io.Pipe()
	h, err := heat.New(config(stream.Lane{App: "a", Blocks: second}, stream.Lane{App: "b", Blocks: second}), io.Discard, commands)
	require.NoError(t, err)
	now := time.Now()
	h.Start(now)
	for _, c := range []stream.Command{{RaceStart: now.UnixNano()}, {Retire: "nobody"}, {Retire: "a"}} {
		require.NoError(t, json.NewEncoder(runner).Encode(c))
	}
	require.Eventually(t, h.Lane("a").Retired, time.Second, time.Millisecond)
	_, ok := h.Wait(h.Lane("a"), now.Add(500*time.Millisecond))
	require.False(t, ok)
	_, ok = h.Wait(h.Lane("b"), now.Add(500*time.Millisecond))
	require.True(t, ok)
}

func TestWithoutARunnerTheRaceBeginsAfterTheShortestWarmup(t *testing.T) {
	t.Parallel()
	h, err := heat.New(config(stream.Lane{App: "a", Blocks: second}), nil, nil)
	require.NoError(t, err)
	now := time.Now()
	h.Start(now)
	start, known := h.RaceStart()
	require.True(t, known)
	require.WithinDuration(t, now.Add(time.Second), start, time.Millisecond)
	require.NoError(t, h.Finish(stream.Event{Type: stream.Result}))
}

func TestTheRunnersEndBeforeTheRaceIsNoticed(t *testing.T) {
	t.Parallel()
	commands, runner := io.Pipe()
	h, err := heat.New(config(), io.Discard, commands)
	require.NoError(t, err)
	require.NoError(t, runner.Close())
	<-h.Lost()

	events, reader := io.Pipe()
	require.NoError(t, events.Close())
	h, err = heat.New(config(), reader, nil)
	require.NoError(t, err)
	h.Start(time.Now())
	<-h.Lost()
	require.ErrorContains(t, h.Finish(stream.Event{Type: stream.Result}), "tell the runner")
}

func TestStartedAndResultArriveHoweverSlowlyTheRunnerReads(t *testing.T) {
	t.Parallel()
	events, writer := io.Pipe()
	h, err := heat.New(config(), writer, nil)
	require.NoError(t, err)
	for range 1000 {
		h.Report(stream.Event{Type: stream.Progress}) // nobody reads yet, and nobody waits
	}
	h.Start(time.Now())
	h.Start(time.Now())
	finished := make(chan error)
	go func() {
		err := h.Finish(stream.Event{Type: stream.Result})
		h.Report(stream.Event{Type: stream.Progress})
		finished <- err
		_ = writer.Close() // the reader's loop ends
	}()
	count := map[stream.EventType]int{}
	var last stream.EventType
	lines := bufio.NewScanner(events)
	for lines.Scan() {
		var e stream.Event
		require.NoError(t, json.Unmarshal(lines.Bytes(), &e))
		count[e.Type]++
		last = e.Type
		if e.Type == stream.Result {
			require.NoError(t, <-finished)
		}
	}
	require.Equal(t, 1, count[stream.Started])
	require.Equal(t, 1, count[stream.Result])
	require.LessOrEqual(t, count[stream.Progress], 2)
	require.Equal(t, stream.Result, last)
}

func TestALaneCountsItsVUsDropsAndLagsByPhase(t *testing.T) {
	t.Parallel()
	h, err := heat.New(config(stream.Lane{App: "a"}), nil, nil)
	require.NoError(t, err)
	l := h.Lane("a")
	l.Enter(heat.Warmup)
	l.Enter(heat.Warmup)
	l.Leave()
	l.Enter(heat.Race)
	require.Equal(t, 2, l.Running())
	require.Equal(t, 2, l.TakeRecentVUs(heat.Warmup))
	require.Zero(t, l.TakeRecentVUs(heat.Warmup), "the warm-up is over")
	require.Equal(t, 2, l.TakeRecentVUs(heat.Race))
	l.Leave()
	require.Equal(t, 2, l.TakeRecentVUs(heat.Race), "there were two a moment ago")
	require.Equal(t, 1, l.TakeRecentVUs(heat.Race), "and there is one left")
	require.Equal(t, 2, l.MostVUs(heat.Race))
	l.Drop(heat.Race)
	l.Late(heat.Race, 2*time.Millisecond)
	require.EqualValues(t, 1, l.Dropped(heat.Race))
	require.Zero(t, l.Dropped(heat.Warmup))
	lag := l.Lag(heat.Race)
	require.InDelta(t, 0.002, lag.Max, 1e-12)
}

func TestTwoLanesOfOneNameAreRefused(t *testing.T) {
	t.Parallel()
	_, err := heat.New(config(stream.Lane{App: "a"}, stream.Lane{App: "a"}), nil, nil)
	require.ErrorContains(t, err, `"a"`)
}
