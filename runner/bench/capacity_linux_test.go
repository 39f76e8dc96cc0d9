package bench

import (
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/race"
)

// BenchmarkCapacity races tests/capacity-test.js, whose apps hold 200 and 300 requests a second by theory, and reports by how many percent what was found is off, the
// half-width of its interval in percent, and how many tries that took; the worst of the races.
func BenchmarkCapacity(b *testing.B) {
	p := build(b)
	script, err := os.ReadFile(filepath.Join(module, "tests", "capacity-test.js"))
	require.NoError(b, err)
	for b.Loop() {
		var off, half, tries []float64
		for range rounds(b) {
			u := watchScript(b, p, string(script))
			require.NotNil(b, u.record.Capacity)
			for i, want := range []float64{200, 300} {
				l := u.record.Capacity.Lanes[i]
				require.Equal(b, race.LimitApp, l.Limit, l.App)
				b.Logf("%s: %.1f [%.1f, %.1f] in %d tries, theory says %.0f", l.App, *l.Rate, *l.Low, *l.High, len(l.Tries), want)
				off = append(off, 100*math.Abs(*l.Rate/want-1))
				half = append(half, 100*math.Log(*l.High / *l.Low)/2)
				tries = append(tries, float64(len(l.Tries)))
			}
		}
		sayLoad(b)
		for name, values := range map[string][]float64{"%off-at-most": off, "%half-width-at-most": half, "tries-at-most": tries} {
			worst := 0.0
			for _, v := range values {
				worst = max(worst, v)
			}
			b.ReportMetric(worst, name)
		}
	}
	b.ReportMetric(0, "ns/op")
}
