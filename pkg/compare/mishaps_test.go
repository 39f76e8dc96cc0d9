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

func TestAPodThatIsReplacedRestartsItsAppOnce(t *testing.T) {
	for name, join := range map[string]compare.Join{
		"by the name of its container": {AppMap: map[string]string{"a": "main"}}, "by a label of all its series": {AppLabels: []string{"version"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			s := newScene(w, "r", true)
			s.run(load{app: "a", median: 0.01, rate: 10}, t0, 30)
			replaced := t0.Add(12 * time.Second)
			w.write(func(out writer) {
				for i := range 40 {
					at, pod, began := t0.Add(time.Duration(i-5)*time.Second), "a-1", t0.Add(-time.Hour)
					if at.After(replaced) {
						pod, began = "a-2", replaced
					}
					for started, container := range []string{"", "POD", "main"} { // one after the other
						put := func(name string, v float64) {
							out.float(at, v, "__name__", name, "id", "/"+pod+"/"+container, "pod", pod, "container", container, "version", "a")
						}
						put("container_cpu_usage_seconds_total", float64(i))
						put("container_start_time_seconds", float64(began.Unix()+int64(started)))
					}
				}
			})
			told, err := compare.Mishaps(t.Context(), w, lookup(t, w, "r"), join)
			require.NoError(t, err)
			require.Equal(t, []compare.Mishap{{App: "a", At: replaced.Add(2 * time.Second)}}, told.Mishaps)
		})
	}
}
