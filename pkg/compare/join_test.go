package compare_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/compare"
)

func TestForeignContainersAreJoinedByLabel(t *testing.T) {
	compose := "container_label_com_docker_compose_service"
	tests := []struct {
		name  string
		join  compare.Join
		cages []cage
		cores any // float64, or nil for none
	}{
		{"a compose service", compare.Join{}, []cage{{id: "/docker/1", naming: []string{compose, "a", "name", "x-a-1"}, cores: 0.3}}, 0.3},
		{"a container's name", compare.Join{}, []cage{{id: "/docker/1", naming: []string{"name", "a"}, cores: 0.3}}, 0.3},
		{"replicas of a service add up", compare.Join{}, []cage{
			{id: "/docker/1", naming: []string{compose, "a"}, cores: 0.3}, {id: "/docker/2", naming: []string{compose, "a"}, cores: 0.4},
		}, 0.7},
		{"a Kubernetes container, without the pod's pause container and the pod's own sum", compare.Join{}, []cage{
			{id: "/pod1/c", naming: []string{"container", "a", "pod", "a-1"}, cores: 0.3},
			{id: "/pod1/p", naming: []string{"container", "POD", "pod", "a"}, cores: 2},
			{id: "/pod1", naming: []string{"container", "", "pod", "a"}, cores: 2.3},
		}, 0.3},
		{"a Kubernetes pod, its containers summed once", compare.Join{}, []cage{
			{id: "/pod1/c", naming: []string{"container", "main", "pod", "a"}, cores: 0.3},
			{id: "/pod1/d", naming: []string{"container", "sidecar", "pod", "a"}, cores: 0.1},
			{id: "/pod1/p", naming: []string{"container", "POD", "pod", "a"}, cores: 2},
			{id: "/pod1/q", naming: []string{"container", "pause", "pod", "a"}, cores: 2},
			{id: "/pod1", naming: []string{"pod", "a"}, cores: 2.4},
		}, 0.4},
		{"the first label that fits counts", compare.Join{}, []cage{
			{id: "/docker/1", naming: []string{compose, "a"}, cores: 0.3}, {id: "/docker/2", naming: []string{"name", "a"}, cores: 5},
		}, 0.3},
		{"a mapped name", compare.Join{AppMap: map[string]string{"a": "api v2"}}, []cage{
			{id: "/docker/1", naming: []string{"name", "api v2"}, cores: 0.3}, {id: "/docker/2", naming: []string{"name", "a"}, cores: 5},
		}, 0.3},
		{"a label of one's own, with characters that need quotes", compare.Join{AppLabels: []string{" my.label ", ""}}, []cage{
			{id: "/docker/1", naming: []string{"my.label", "a"}, cores: 0.3}, {id: "/docker/2", naming: []string{"name", "a"}, cores: 5},
		}, 0.3},
		{"a container that was restarted, and worked for 19 of 20 seconds, does not make the counter jump", compare.Join{}, []cage{
			{id: "/docker/1", naming: []string{"name", "a"}, cores: 0.3, already: 1e6, resetAt: 12},
		}, 0.3 * 19 / 20},
		{"nobody's container", compare.Join{}, []cage{{id: "/docker/1", naming: []string{"name", "b"}, cores: 0.3}}, nil},
		{"an app that is called like a pause container", compare.Join{AppMap: map[string]string{"a": "POD"}}, []cage{
			{id: "/p", naming: []string{"container", "POD"}, cores: 2},
		}, nil},
		{"an app mapped to nothing keeps its name", compare.Join{AppMap: map[string]string{"a": " "}}, []cage{
			{id: "/", naming: []string{"name", ""}, cores: 2}, {id: "/docker/1", naming: []string{"name", "a"}, cores: 0.3},
		}, 0.3},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			s := newScene(w, "r", true)
			s.run(load{app: "a", median: 0.01, rate: 10}, t0, 20)
			for _, c := range tt.cages {
				s.sample(c, t0.Add(-2500*time.Millisecond), time.Second, 30)
			}
			_, totals, err := compare.Past(t.Context(), w, "r", day(t0), tt.join)
			require.NoError(t, err)
			got := totals.Whole["a"].Measures["cpu_cores"]
			if tt.cores == nil {
				require.Nil(t, got)
				mentions(t, totals.Notices, "no cAdvisor series name the container of a")
				return
			}
			within(t, tt.cores.(float64), got, 0.01, "cores")
		})
	}
}

func TestAContainerThatIsScrapedTwiceCountsOnce(t *testing.T) {
	w := newWorld(t)
	s := newScene(w, "r", true)
	s.run(load{app: "a", median: 0.01, rate: 10}, t0, 20)
	s.sample(cage{id: "/docker/1", naming: []string{"name", "a"}, cores: 0.3}, t0.Add(-2500*time.Millisecond), time.Second, 30)
	w.write(func(a writer) {
		for i := range 10 {
			a.float(t0.Add(time.Duration(i)*3*time.Second), 0.3*3*float64(i), "__name__", "container_cpu_usage_seconds_total",
				"id", "/docker/1", "name", "a", "instance", "kubelet", "job", "kubelet")
		}
	})
	_, totals, err := compare.Past(t.Context(), w, "r", day(t0), compare.Join{})
	require.NoError(t, err)
	within(t, 0.3, totals.Whole["a"].Measures["cpu_cores"], 1e-6, "cores")
}

func TestAnAppKeepsItsCPUWhenItsContainerIsReplaced(t *testing.T) {
	w := newWorld(t)
	s := newScene(w, "r", true)
	s.run(load{app: "a", median: 0.01, rate: 10}, t0, 40)
	naming := []string{"name", "a"}
	s.sample(cage{id: "/docker/old", naming: naming, cores: 0.3, already: 500}, t0.Add(-2500*time.Millisecond), time.Second, 22)
	s.sample(cage{id: "/docker/new", naming: naming, cores: 0.3, already: 0}, t0.Add(20*time.Second), time.Second, 25)
	r, totals, err := compare.Past(t.Context(), w, "r", day(t0), compare.Join{})
	require.NoError(t, err)
	within(t, 0.3, totals.Whole["a"].Measures["cpu_cores"], 0.01, "one after the other is not one beside the other")
	lines, err := compare.TimeSeries(t.Context(), w, compare.Request{Races: []compare.RaceInfo{r}, Measures: []string{"cpu_cores"}})
	require.NoError(t, err)
	for _, v := range lines.Series[0].Values {
		require.False(t, v > 0.31, "the counter jumped to %v", v)
	}
}
