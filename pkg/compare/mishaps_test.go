package compare_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/compare"
)

func TestRestartsAndMemoryThatRanOutAreSeenWhileAnAppRaces(t *testing.T) {
	w := newWorld(t)
	s := newScene(w, "r", true)
	for _, app := range []string{"a", "b"} {
		s.run(load{app: app, median: 0.01, rate: 10}, t0, 30)
	}
	restarted := t0.Add(12500 * time.Millisecond)
	w.write(func(out writer) {
		for i := range 40 {
			at := t0.Add(time.Duration(i-5) * time.Second)
			for _, app := range []string{"a", "b"} {
				began, oom := t0.Add(-time.Hour), 2.0 // before the race: nothing that befell it
				if app == "b" && at.After(restarted) {
					began, oom = restarted, 3
				}
				for _, job := range []string{"cadvisor", "kubelet"} { // scraped twice
					put := func(name string, v float64) {
						out.float(at, v, "__name__", name, "name", app, "id", "/docker/"+app, "job", job)
					}
					put("container_cpu_usage_seconds_total", float64(i))
					put("container_start_time_seconds", float64(began.UnixMilli())/1000)
					put("container_oom_events_total", oom)
				}
			}
		}
	})
	r := lookup(t, w, "r")
	told, err := compare.Mishaps(t.Context(), w, r, compare.Join{})
	require.NoError(t, err)
	require.NotEmpty(t, told.Queries)
	mishaps := told.Mishaps
	require.Len(t, mishaps, 2)
	require.Equal(t, compare.Mishap{App: "b", At: restarted}, mishaps[0])
	require.Equal(t, "b", mishaps[1].App)
	require.True(t, mishaps[1].OutOfMemory)
	require.WithinDuration(t, restarted, mishaps[1].At, 2*time.Second)
}
