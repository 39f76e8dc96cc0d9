package results_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/runner/engine"
	"github.com/photofinish/photofinish/runner/results"
)

var t0 = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func at(ms int, cpu time.Duration) engine.Counters {
	return engine.Counters{At: t0.Add(time.Duration(ms) * time.Millisecond), CPU: cpu}
}

func window(fromMS, toMS int) results.Window {
	at := func(ms int) time.Time { return t0.Add(time.Duration(ms) * time.Millisecond) }
	return results.Window{From: at(fromMS), To: at(toMS), Load: at(toMS).Sub(at(fromMS))}
}

func TestOnlyWhatGrewWithinTheWindowsIsCharged(t *testing.T) {
	readings := []engine.Counters{at(0, 10), at(1000, 20), at(2000, 50), at(3000, 60), at(4000, 100)}
	s := results.Spend(readings, []results.Window{window(1000, 2000), window(3000, 4000)})
	require.Equal(t, time.Duration(30+40), *s.CPU)
	require.Equal(t, 2*time.Second, s.Covered)
	require.Nil(t, s.Throttled, "no quota, no throttling known")
}

func TestAReadingThatCameLateIsUsedWithItsOwnTime(t *testing.T) {
	s := results.Spend([]engine.Counters{at(3, 0), at(1007, 100)}, []results.Window{window(0, 1000)})
	require.Equal(t, 1004*time.Millisecond, s.Covered)
}

func TestACounterThatWasResetDoesNotJump(t *testing.T) {
	s := results.Spend([]engine.Counters{at(0, 500), at(1000, 30)}, []results.Window{window(0, 1000)})
	require.Equal(t, time.Duration(30), *s.CPU)
}

func TestWithoutReadingsNothingIsKnown(t *testing.T) {
	require.Equal(t, results.Spent{}, results.Spend(nil, []results.Window{window(0, 1000)}))
	require.Nil(t, results.Spend([]engine.Counters{at(0, 5)}, []results.Window{window(0, 1000)}).CPU, "one reading is no span")
}

func TestHeatsAddUpAndUnknownStaysUnknown(t *testing.T) {
	a, b := results.Spend([]engine.Counters{at(0, 0), at(1000, 7)}, []results.Window{window(0, 1000)}), results.Spent{}
	sum := results.Join(a, b, a)
	require.Equal(t, time.Duration(14), *sum.CPU)
	require.Nil(t, results.Join(b, b).CPU)
}
