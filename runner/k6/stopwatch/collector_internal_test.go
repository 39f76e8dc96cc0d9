package stopwatch

import (
	"runtime"
	"runtime/debug"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestASmallHeapIsCollectedSeldomAndALargeOneAsEver(t *testing.T) {
	for live, want := range map[uint64]int{
		0: rareGC, 1 << 20: rareGC, 51 << 20: rareGC, 64 << 20: 300, 100 << 20: 150, roomyHeap / 2: plainGC, roomyHeap: plainGC, 10 * roomyHeap: plainGC,
	} {
		got := gcPercent(live)
		require.Equal(t, want, got, "%d MB", live>>20)
		if got > plainGC {
			require.LessOrEqual(t, live+live*uint64(got)/100, uint64(roomyHeap))
		}
	}
}

func TestTheCollectorIsSetOnceTheHeapIsKnown(t *testing.T) {
	before := debug.SetGCPercent(plainGC)
	defer debug.SetGCPercent(before)
	runtime.GC()
	t.Setenv("GOGC", "70")
	var c collector
	c.tune()
	require.Equal(t, plainGC, debug.SetGCPercent(plainGC), "the user's own setting is left alone")
	t.Setenv("GOGC", "")
	c.tune()
	require.Equal(t, rareGC, debug.SetGCPercent(plainGC))
}
