package cadvisor_test

import (
	"fmt"
	"net/http/httptest"
	"path"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/runner/metrics/cadvisor"
)

// BenchmarkScrapeOfFiveCgroups is one reading of four lanes and k6, and its text: what it takes each second of a race.
func BenchmarkScrapeOfFiveCgroups(b *testing.B) {
	needCgroups(b)
	for i := range 5 {
		newGroup(b, fmt.Sprintf("%s/bench/lane-%d", parent, i)).burn(b)()
	}
	s, err := cadvisor.Start(b.Context(), cadvisor.Options{
		Prefix:   parent + "/bench",
		Interval: 100 * time.Millisecond,
		Labels:   func(name string) map[string]string { return map[string]string{"photofinish_app": path.Base(name)} },
	})
	require.NoError(b, err)
	defer func() { require.NoError(b, s.Close()) }()
	h := s.Handler()
	var series int
	for b.Loop() {
		b.StopTimer()
		time.Sleep(11 * time.Millisecond) // or else the last reading would do
		b.StartTimer()
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequestWithContext(b.Context(), "GET", "/metrics", nil))
		series = strings.Count(w.Body.String(), "\ncontainer_")
	}
	b.ReportMetric(float64(series), "series")
}
