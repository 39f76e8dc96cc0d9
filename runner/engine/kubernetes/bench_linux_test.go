package kubernetes_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/engine"
	"github.com/photofinish/photofinish/runner/engine/enginetest"
	"github.com/photofinish/photofinish/runner/engine/kubernetes"
)

// BenchmarkHeat is what a heat costs beside the race itself, at the level of the Kubernetes API: a lane started until it is healthy, and stopped until
// its pod is gone. The control plane is real; its node is a stand-in that pulls no image and makes no container, and asks for the app's start every
// 50 ms, where a kubelet does so every second.
func BenchmarkHeat(b *testing.B) {
	f := newFixture(b)
	e, id, spec := f.engine(b, kubernetes.Options{}), newID(), named("a", lane(enginetest.Control))
	began := time.Now()
	require.NoError(b, e.Prepare(b.Context(), id, []race.LaneSpec{spec}, silent))
	prepared := time.Since(began)
	var started, stopped time.Duration
	heats := 0
	for b.Loop() {
		heats++
		began = time.Now()
		l, err := e.Start(b.Context(), id, heats, spec)
		require.NoError(b, err)
		require.NoError(b, engine.WaitHealthy(b.Context(), l, spec))
		healthy := time.Now()
		require.NoError(b, l.Stop(b.Context()))
		started, stopped = started+healthy.Sub(began), stopped+time.Since(healthy)
	}
	began = time.Now()
	require.NoError(b, e.Cleanup(b.Context(), id))
	b.ReportMetric(float64(prepared.Milliseconds()), "ms/prepare")
	b.ReportMetric(float64(started.Milliseconds())/float64(heats), "ms/start")
	b.ReportMetric(float64(stopped.Milliseconds())/float64(heats), "ms/stop")
	b.ReportMetric(float64(time.Since(began).Milliseconds()), "ms/cleanup")
}
