package cadvisor_test

import (
	"fmt"
	"net/http"
	"path"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/client_golang/api"
	promv1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/metrics/cadvisor"
	"github.com/photofinish/photofinish/runner/metrics/promserver"
)

// watch starts cAdvisor on a race's cgroups and a Prometheus that scrapes it each second.
func watch(t *testing.T, raceID string) promv1.API {
	t.Helper()
	s := startCadvisor(t, raceID)
	p, err := promserver.Start(t.Context(), promserver.Options{Dir: t.TempDir(), Targets: []promserver.ScrapeTarget{{Job: "cadvisor", Handler: s.Handler()}}})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, p.Close()) })
	c, err := api.NewClient(api.Config{Address: p.URL(), Client: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}})
	require.NoError(t, err)
	prom := promv1.NewAPI(c)
	require.Eventually(t, func() bool { return len(ask(t, prom, `up == 1`)) == 1 }, 5*time.Second, 20*time.Millisecond)
	return prom
}

func startCadvisor(t *testing.T, raceID string) *cadvisor.Server {
	t.Helper()
	s, err := cadvisor.Start(t.Context(), cadvisor.Options{
		Prefix: path.Join(parent, raceID),
		Labels: func(name string) map[string]string {
			return map[string]string{"photofinish_race": raceID, "photofinish_app": path.Base(name)}
		},
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

func ask(t *testing.T, prom promv1.API, format string, args ...any) model.Vector {
	t.Helper()
	v, _, _, err := prom.Query(t.Context(), fmt.Sprintf(format, args...), time.Now())
	require.NoError(t, err)
	vec, ok := v.(model.Vector)
	require.True(t, ok)
	return vec
}

func TestCPUAgreesWithTheKernelsOwnCountWithinOnePercent(t *testing.T) {
	needCgroups(t)
	prom := watch(t, "cpu")
	g := newGroup(t, parent+"/cpu/burner")
	g.quota(t)
	g.burn(t)

	// The kernel's count, read so often that there is one beside each sample.
	type reading struct {
		at  time.Time
		cpu time.Duration
	}
	var kernel []reading
	for end := time.Now().Add(6 * time.Second); time.Now().Before(end); time.Sleep(2 * time.Millisecond) {
		kernel = append(kernel, reading{time.Now(), g.cpu(t)})
	}
	beside := func(at time.Time) reading {
		best := kernel[0]
		for _, r := range kernel {
			if r.at.Sub(at).Abs() < best.at.Sub(at).Abs() {
				best = r
			}
		}
		return best
	}

	v, _, _, err := prom.Query(t.Context(), `container_cpu_usage_seconds_total{container_label_photofinish_app="burner",cpu="total"}[1m]`, time.Now())
	require.NoError(t, err)
	series, ok := v.(model.Matrix)
	require.True(t, ok)
	require.Len(t, series, 1)
	// On a busy machine this test itself may be kept waiting: only samples beside which it has read count.
	samples := slices.DeleteFunc(slices.Clone(series[0].Values), func(p model.SamplePair) bool {
		at := p.Timestamp.Time()
		return beside(at).at.Sub(at).Abs() > 5*time.Millisecond
	})
	require.GreaterOrEqual(t, len(samples), 3, "of a sample each second: %v", series[0].Values)
	first, last := samples[0], samples[len(samples)-1]
	span := last.Timestamp.Sub(first.Timestamp).Seconds()
	require.GreaterOrEqual(t, span, 2.9)
	spent := float64(last.Value - first.Value)
	assert.InEpsilon(t, (beside(last.Timestamp.Time()).cpu - beside(first.Timestamp.Time()).cpu).Seconds(), spent, 0.01)
	assert.InDelta(t, 0.5, spent/span, 0.1, "the quota is half a CPU")
	t.Logf("%.4f s of CPU in %.3f s by cAdvisor, %.4f s by the kernel, %d samples", spent, span,
		(beside(last.Timestamp.Time()).cpu - beside(first.Timestamp.Time()).cpu).Seconds(), len(series[0].Values))

	for _, metric := range []string{
		"container_cpu_cfs_periods_total", "container_cpu_cfs_throttled_periods_total", "container_cpu_cfs_throttled_seconds_total",
		"container_memory_working_set_bytes", "container_spec_cpu_quota", "container_start_time_seconds",
	} {
		got := ask(t, prom, `%s{id=%q,container_label_photofinish_app="burner",container_label_photofinish_race="cpu"}`, metric, g.name)
		if assert.Len(t, got, 1, metric) {
			assert.Positive(t, float64(got[0].Value), metric)
		}
	}
	require.Empty(t, ask(t, prom, `{id="/"}`), "the machine is no app")
}

func TestALaneIsSeenWithinASecondAndAFifthAndGoneSoonAfterItsEnd(t *testing.T) {
	needCgroups(t)
	prom := watch(t, "heats")
	const series = `container_cpu_usage_seconds_total{container_label_photofinish_app=%q}`
	// A new name for each heat, and the same one again; started at several distances from the scrape.
	for i, app := range []string{"control-h1", "control-h2", "control-h2", "control-h3"} {
		const tries = 3 // on a busy machine this test itself, or its program, may be kept waiting
		var seen time.Duration
		for range tries {
			time.Sleep(time.Duration(i) * 250 * time.Millisecond)
			g := newGroup(t, parent+"/heats/"+app)
			start := time.Now()
			stop := g.burn(t)
			require.Eventually(t, func() bool { return len(ask(t, prom, series, app)) == 1 }, 5*time.Second, 5*time.Millisecond)
			seen = time.Since(start)
			stop()
			g.remove(t)
			end := time.Now()
			require.Eventually(t, func() bool { return len(ask(t, prom, series, app)) == 0 }, 5*time.Second, 5*time.Millisecond, "a stale marker ends the series")
			t.Logf("%s: first sample after %v, ended %v after its removal", app, seen.Round(time.Millisecond), time.Since(end).Round(time.Millisecond))
			if seen < 1200*time.Millisecond {
				break
			}
		}
		assert.Less(t, seen, 1200*time.Millisecond, "first sample of %s", app)
	}
}

// shown lists the ids of the cgroups that have a sample of CPU time.
func shown(t *testing.T, s *cadvisor.Server) []string {
	t.Helper()
	families, err := s.Gatherer().Gather()
	require.NoError(t, err)
	var out []string
	for _, f := range families {
		if f.GetName() != "container_cpu_usage_seconds_total" {
			continue
		}
		for _, m := range f.GetMetric() {
			for _, l := range m.GetLabel() {
				if l.GetName() == "id" {
					out = append(out, l.GetValue())
				}
			}
		}
	}
	return out
}

func TestOneLanesEndDoesNotCostTheOthersTheirSamples(t *testing.T) {
	needCgroups(t)
	s := startCadvisor(t, "churn")
	stays := newGroup(t, parent+"/churn/stays")
	stays.burn(t)
	require.Eventually(t, func() bool { return slices.Contains(shown(t, s), stays.name) }, 2*time.Second, 5*time.Millisecond)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := range 100 {
			newGroup(t, fmt.Sprintf("%s/churn/comes-%d", parent, i%5)).remove(t)
		}
	}()
	for n := 0; ; n++ {
		select {
		case <-done:
			require.Greater(t, n, 5, "it was looked at while cgroups came and went")
			return
		default:
			require.Contains(t, shown(t, s), stays.name)
		}
	}
}

func TestACgroupIsFoundAgainHoweverSoonItIsMadeAnew(t *testing.T) {
	needCgroups(t)
	s := startCadvisor(t, "again")
	newGroup(t, parent+"/again/other").burn(t) // keeps the race's own cgroup
	for i := range 50 {
		g := newGroup(t, parent+"/again/lane")
		stop := g.burn(t)
		require.Eventually(t, func() bool { return slices.Contains(shown(t, s), g.name) }, 2*time.Second, time.Millisecond, "time %d", i)
		stop()
		g.remove(t)
	}
}

func TestRacesOfOneProcessAreShownApartAndLeaveNothingBehind(t *testing.T) {
	needCgroups(t)
	newGroup(t, parent+"/race-1/control").burn(t)
	newGroup(t, parent+"/race-10/control").burn(t)
	one, ten := startCadvisor(t, "race-1"), startCadvisor(t, "race-10")
	require.Eventually(t, func() bool { return len(shown(t, one)) == 1 && len(shown(t, ten)) == 1 }, 2*time.Second, 10*time.Millisecond)
	require.Equal(t, []string{parent + "/race-1/control"}, shown(t, one))
	require.Equal(t, []string{parent + "/race-10/control"}, shown(t, ten))

	require.NoError(t, one.Close())
	require.Empty(t, shown(t, one))
	goroutines := runtime.NumGoroutine()
	for range 20 {
		s := startCadvisor(t, "race-1")
		require.NotEmpty(t, shown(t, s))
		require.NoError(t, s.Close())
	}
	// One that is just ending may be among them; twenty would not be.
	require.Eventually(t, func() bool { return runtime.NumGoroutine() <= goroutines+1 }, 2*time.Second, 10*time.Millisecond,
		"every race beyond the first costs no goroutine")
}

func TestStartSaysWhatIsWrong(t *testing.T) {
	tests := map[string]struct {
		o    cadvisor.Options
		code race.Code
		say  string
	}{
		"no prefix":                  {cadvisor.Options{}, race.Invalid, `""`},
		"the root":                   {cadvisor.Options{Prefix: "/"}, race.Invalid, `"/"`},
		"a prefix with a way out":    {cadvisor.Options{Prefix: "/photofinish/../docker"}, race.Invalid, "/photofinish/../docker"},
		"an interval of nanoseconds": {cadvisor.Options{Prefix: parent + "/x", Interval: 1}, race.Invalid, "1ns"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := cadvisor.Start(t.Context(), tt.o)
			require.ErrorContains(t, err, tt.say)
			require.Equal(t, tt.code, race.CodeOf(err))
		})
	}
	t.Run("a second parent in one process", func(t *testing.T) {
		needCgroups(t)
		startCadvisor(t, "x")
		_, err := cadvisor.Start(t.Context(), cadvisor.Options{Prefix: "/photofinish-test-elsewhere/x"})
		require.ErrorContains(t, err, parent)
		require.Equal(t, race.Conflict, race.CodeOf(err))
	})
}
