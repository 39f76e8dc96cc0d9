package definition_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/definition"
)

func TestMinimumEffects(t *testing.T) {
	const p95, slope = "latency_p95", "memory_slope"
	tests := map[string]struct {
		script string
		flags  []string
		want   race.Effects
	}{
		"nothing is said":                                      {"null", nil, race.Effects{}},
		"a number holds for all":                               {"0.03", nil, race.Effects{All: 0.03}},
		"an object holds for single measures":                  {`{"latency_p95": 0.05, "memory_slope": 1e6}`, nil, race.Effects{Of: map[string]float64{p95: 0.05, slope: 1e6}}},
		"a flag for a measure leaves the script's number":      {"0.03", []string{"latency_p95=0.05"}, race.Effects{All: 0.03, Of: map[string]float64{p95: 0.05}}},
		"a flag for a measure takes the place of the script's": {`{"latency_p95": 0.05, "memory_slope": 1e6}`, []string{"latency_p95=0.1"}, race.Effects{Of: map[string]float64{p95: 0.1, slope: 1e6}}},
		"a number takes the place of all that the script says": {`{"latency_p95": 0.05}`, []string{"0.01"}, race.Effects{All: 0.01}},
		"flags add up, in any order":                           {"null", []string{"latency_p95=0.05", "0.01"}, race.Effects{All: 0.01, Of: map[string]float64{p95: 0.05}}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			d := parse(t, twoLanes+`, "minimum_effect": `+tt.script, "", definition.Overrides{MinimumEffect: tt.flags})
			require.Equal(t, tt.want, d.MinimumEffect)
		})
	}
}
