package bench

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/race"

	"github.com/photofinish/photofinish/runner/engine/enginetest"
)

// profiledLanes races two sample apps in turns: so many heats that count, and as many for profiles.
const profiledLanes = `import http from 'k6/http';
const lane = (app, port) => ({ command: [app], port, path: '/' + app, cpus: 0.9, memory: '128m', profile: { pprof: '/debug/pprof' } });
export const options = {
  scenarios: { load: { executor: 'constant-arrival-rate', rate: 100, timeUnit: '1s', duration: '10s', preAllocatedVUs: 20 } },
  ext: { photofinish: { mode: 'turns', heats: %[1]d, profile_heats: %[1]d, warmup: '1s', lanes: {
    control: lane('control', %[2]d), 'high-cpu': lane('high-cpu', %[3]d),
  } } },
};
export default function () { http.get(__ENV.APP_URL); }
`

// BenchmarkProfiles reports what being profiled costs an app: its CPU for a request in the heats for profiles over that in the heats that count, and the
// same of its median latency, in percent; the medians over the heats. It also shows why profiled heats count for nothing.
func BenchmarkProfiles(b *testing.B) {
	p := build(b)
	heats := 10
	if testing.Short() {
		heats = 1
	}
	for b.Loop() {
		u := watchScript(b, p, fmt.Sprintf(profiledLanes, heats, enginetest.FreePort(b), enginetest.FreePort(b)))
		sayLoad(b)
		require.Len(b, u.record.Heats, heats)
		require.Len(b, u.record.Profiling.Heats, heats)
		for _, l := range u.record.Lanes {
			require.Len(b, l.Profiles, 2, l.App)
			for measure, name := range map[string]string{"cpu_ms_per_request": "CPU", "latency_p50": "p50"} {
				more := middle(b, u.record.Profiling.Heats, l.App, measure)/middle(b, u.record.Heats, l.App, measure) - 1
				b.ReportMetric(100*more, "%"+name+"-"+l.App)
			}
		}
	}
	b.ReportMetric(0, "ns/op")
}

// middle is the median over the heats.
func middle(b *testing.B, heats []race.Heat, app, measure string) float64 {
	b.Helper()
	var values []float64
	for _, h := range heats {
		require.NotNil(b, h.Lanes[app].Measures[measure])
		values = append(values, *h.Lanes[app].Measures[measure])
	}
	return median(values)
}
