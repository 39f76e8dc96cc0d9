package gctuner

import (
	"runtime"
	"runtime/debug"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestASmallHeapIsCollectedSeldomAndALargeOneAsEver(t *testing.T) {
	const roomy = 256 << 20
	for live, want := range map[uint64]int{
		0: rareGC, 1 << 20: rareGC, 51 << 20: rareGC, 64 << 20: 300, 100 << 20: 150, roomy / 2: plainGC, roomy: plainGC, 10 * roomy: plainGC,
	} {
		got := percent(live, roomy)
		require.Equal(t, want, got, "%d MB", live>>20)
		if got > plainGC {
			require.LessOrEqual(t, live+live*uint64(got)/100, uint64(roomy))
		}
	}
}

// now is GOGC as it is; whoever reads it sets it, too.
func now() int {
	p := debug.SetGCPercent(plainGC)
	debug.SetGCPercent(p)
	return p
}

func TestEachCollectionAdaptsToTheHeap(t *testing.T) {
	t.Setenv("GOGC", "")
	before := now()
	stop := Roomy(64 << 20)
	defer stop()
	becomes := func(want int) {
		t.Helper()
		require.Eventually(t, func() bool { runtime.GC(); return now() == want }, 5*time.Second, time.Millisecond)
	}
	becomes(rareGC)
	large := make([]byte, 30<<20)
	becomes(plainGC)
	runtime.KeepAlive(large)
	becomes(rareGC)
	stop()
	require.Equal(t, before, now())
	for range 3 {
		runtime.GC()
		time.Sleep(5 * time.Millisecond)
	}
	require.Equal(t, before, now(), "it has stopped")
}

func TestAGOGCOfTheUsersOwnIsLeftAlone(t *testing.T) {
	t.Setenv("GOGC", "70")
	before := now()
	defer Roomy(64 << 20)()
	runtime.GC()
	time.Sleep(20 * time.Millisecond)
	require.Equal(t, before, now())
}
