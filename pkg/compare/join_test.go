package compare_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/compare"
	"github.com/photofinish/photofinish/pkg/promql"
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
		{"our own label, brought to all series of a pod by a relabelling", compare.Join{}, podOf("a", 0.3, "container_label_photofinish_app", "a"), 0.3},
		{"a label of one's own on all series of a pod", compare.Join{AppLabels: []string{"version"}}, podOf("a-1", 0.3, "version", "a"), 0.3},
		{"two pods of one label", compare.Join{AppLabels: []string{"version"}}, slices.Concat(podOf("a-1", 0.3, "version", "a"), podOf("a-2", 0.4, "version", "a")), 0.7},
		{"a cAdvisor of its own, all of whose series bear the name of the pod that it runs in", compare.Join{}, []cage{
			{id: "/docker/1", naming: []string{"name", "a", "pod", "cadvisor-x"}, cores: 0.3},
		}, 0.3},
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

// podOf are the series that a kubelet writes of a pod: a container's, those of the sandbox, which has the pod's network and is called POD or not at all,
// and the pod's own sum. All of them bear more labels.
func podOf(name string, cores float64, more ...string) []cage {
	naming := func(container string) []string { return append([]string{"container", container, "pod", name}, more...) }
	return []cage{
		{id: "/" + name + "/main", naming: naming("main"), cores: cores, memory: 1e7},
		{id: "/" + name + "/sandbox", naming: naming(""), cores: 0.01, memory: 1e5, network: true},
		{id: "/" + name + "/pause", naming: naming("POD"), cores: 0.02, memory: 1e5},
		{id: "/" + name, naming: naming(""), cores: cores + 0.03, memory: 1e7 + 2e5},
	}
}

func TestTheNetworkOfAPodIsThatOfTheAppInIt(t *testing.T) {
	for name, join := range map[string]compare.Join{
		"by the name of its container": {AppMap: map[string]string{"a": "main"}},
		"by the name of its pod":       {AppMap: map[string]string{"a": "a-1"}},
		"by a label of all its series": {AppLabels: []string{"version"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			s := newScene(w, "r", true)
			s.run(load{app: "a", median: 0.01, rate: 10}, t0, 20)
			for _, c := range podOf("a-1", 0.3, "version", "a") {
				s.sample(c, t0.Add(-2500*time.Millisecond), time.Second, 30)
			}
			r, totals, err := compare.Past(t.Context(), w, "r", day(t0), join)
			require.NoError(t, err)
			whole := totals.Whole["a"].Measures
			within(t, 1000, whole["network_receive_rate"], 1e-6, "received")
			within(t, 500, whole["network_transmit_rate"], 1e-6, "sent")
			within(t, 150, whole["network_bytes_per_request"], 0.03, "per request")
			within(t, 0.3, whole["cpu_cores"], 1e-6, "cores")
			within(t, 1e7, whole["memory_working_set"], 1e-6, "memory")
			lines, err := compare.TimeSeries(t.Context(), w, compare.Request{
				Races: []compare.RaceInfo{r}, Measures: []string{"network_receive_rate", "cpu_cores"}, Join: join,
			})
			require.NoError(t, err)
			within(t, 1000, &series(t, lines, "a", "network_receive_rate", "").Values[10], 1e-6, "received")
			within(t, 0.3, &series(t, lines, "a", "cpu_cores", "").Values[10], 1e-6, "cores")
			for _, notice := range slices.Concat(totals.Notices, lines.Notices) {
				require.NotContains(t, notice, "network")
			}
		})
	}
}

func TestTheNetworkOfAPodInWhichTwoAppsRaceIsNobodys(t *testing.T) {
	w := newWorld(t)
	s := newScene(w, "r", true)
	for _, app := range []string{"a", "b"} {
		s.run(load{app: app, median: 0.01, rate: 10}, t0, 20)
		s.sample(cage{id: "/pod/" + app, naming: []string{"container", app, "pod", "both"}, cores: 0.3}, t0.Add(-2500*time.Millisecond), time.Second, 30)
	}
	s.sample(cage{id: "/pod/sandbox", naming: []string{"pod", "both"}, cores: 0.01, network: true}, t0.Add(-2500*time.Millisecond), time.Second, 30)
	_, totals, err := compare.Past(t.Context(), w, "r", day(t0), compare.Join{})
	require.NoError(t, err)
	require.Nil(t, totals.Whole["a"].Measures["network_receive_rate"])
	within(t, 0.3, totals.Whole["a"].Measures["cpu_cores"], 1e-6, "cores")
	mentions(t, totals.Notices, "a, b race in one pod")
}

func TestWhatAsksForNoNetworkAsksNothingOfPods(t *testing.T) {
	w := newWorld(t)
	s := newScene(w, "r", true)
	s.run(load{app: "main", median: 0.01, rate: 10}, t0, 20)
	for _, c := range podOf("a-1", 0.3) {
		s.sample(c, t0.Add(-2500*time.Millisecond), time.Second, 30)
	}
	r := lookup(t, w, "r")
	for measure, asks := range map[string]bool{"cpu_cores": false, "network_receive_rate": true} {
		e := &ear{Querier: w}
		_, err := compare.TimeSeries(t.Context(), e, compare.Request{Races: []compare.RaceInfo{r}, Measures: []string{measure}})
		require.NoError(t, err)
		require.Equal(t, asks, slices.ContainsFunc(e.exprs, func(expr string) bool { return strings.Contains(expr, `pod="a-1"`) }), measure)
	}
}

// ear hears what is asked.
type ear struct {
	promql.Querier
	mu    sync.Mutex
	exprs []string
}

func (e *ear) Query(ctx context.Context, q promql.Query) (promql.Result, error) {
	e.mu.Lock()
	e.exprs = append(e.exprs, q.Expr)
	e.mu.Unlock()
	return e.Querier.Query(ctx, q)
}

func TestContainersWithoutAnIdAreToldApartByTheirPods(t *testing.T) {
	w := newWorld(t)
	s := newScene(w, "r", true)
	s.run(load{app: "a", median: 0.01, rate: 10}, t0, 20)
	for _, pod := range []string{"x", "y"} {
		for _, scraped := range []string{"a", "b"} { // twice
			w.write(func(out writer) {
				for i := range 30 {
					out.float(t0.Add(time.Duration(i)*time.Second-2500*time.Millisecond), 0.3*float64(i),
						"__name__", "container_cpu_usage_seconds_total", "container", "a", "pod", pod, "job", scraped)
				}
			})
		}
	}
	_, totals, err := compare.Past(t.Context(), w, "r", day(t0), compare.Join{})
	require.NoError(t, err)
	within(t, 0.6, totals.Whole["a"].Measures["cpu_cores"], 1e-6, "cores")
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
