package coordinator

import (
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/audit"
	"github.com/photofinish/photofinish/runner/k6/stream"
	"github.com/photofinish/photofinish/runner/plan"
)

// set is what time.Now would have given had somebody set the wall clock by whole seconds: the monotonic reading stays. No test may set the clock of
// the machine that it shares, and there is no other way to such a time than through its memory: the seconds lie above 30 bits of nanoseconds.
func set(now time.Time, seconds int64) time.Time {
	*(*uint64)(unsafe.Pointer(&now)) += uint64(seconds) << 30
	return now
}

func TestAClockThatIsSetIsSeenAndMovesNoHeat(t *testing.T) {
	for seconds, found := range map[int64]bool{0: false, 3600: true, -2: true} {
		told := time.Now().Round(0) // as it comes from k6: by the wall clock alone
		h := heatRun{
			run:  &run{record: race.Race{}, Race: Race{Plan: plan.Plan{Mode: race.Together}}},
			plan: plan.Heat{Number: 1}, cfg: stream.Config{Warmup: time.Second},
		}
		h.begin(t.Context(), &clocks{}, told)
		h.machine.stop(t.Context())
		require.WithinDuration(t, told.Add(time.Second), h.began, time.Millisecond)
		later := set(h.noted.Add(11*time.Second), seconds)
		require.WithinDuration(t, later.Add(-10*time.Second), h.began, 100*time.Millisecond, "the start has the clock that nobody sets")
		h.ended = later
		seen := h.observe(nil, h.began.Add(10*time.Second)).audit
		require.Equal(t, 10*time.Second, seen.Duration)
		require.Equal(t, time.Duration(seconds)*time.Second, seen.Wall-seen.Duration)
		kinds := map[race.FindingKind]bool{}
		for _, f := range audit.Judge(audit.Observations{Heats: []audit.Heat{seen}}) {
			kinds[f.Kind] = true
		}
		require.Equal(t, found, kinds[race.ClockJump], "%d s", seconds)
	}
}
