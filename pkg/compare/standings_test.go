package compare_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/compare"
	"github.com/photofinish/photofinish/pkg/measure"
	"github.com/photofinish/photofinish/pkg/race"
)

func of(v float64) *float64 { return &v }

func TestStandingsRankByTheFirstMeasure(t *testing.T) {
	measures := func(ids ...string) []measure.Measure {
		found, err := measure.ByIDs(ids)
		require.NoError(t, err)
		return found
	}
	values := map[string]map[string]*float64{
		"control": {"latency_p95": of(10), "request_rate": of(100), "error_rate": of(0)},
		"slow":    {"latency_p95": of(12), "request_rate": of(90), "error_rate": of(0.1)},
		"twin":    {"latency_p95": of(10), "request_rate": of(100)},
		"gone":    {},
	}
	tests := []struct {
		name  string
		ids   []string
		order []string
		ranks []int
	}{
		{"lower is better", []string{"latency_p95"}, []string{"control", "twin", "slow", "gone"}, []int{1, 1, 3, 0}},
		{"higher is better", []string{"request_rate", "latency_p95"}, []string{"control", "twin", "slow", "gone"}, []int{1, 1, 3, 0}},
		{"unknown comes last", []string{"error_rate"}, []string{"control", "slow", "gone", "twin"}, []int{1, 2, 0, 0}},
	}
	for _, tt := range tests {
		rows, err := compare.Standings(values, measures(tt.ids...), "control")
		require.NoError(t, err)
		for i, row := range rows {
			require.Equal(t, tt.order[i], row.App, tt.name)
			require.Equal(t, tt.ranks[i], row.Rank, tt.name)
		}
	}
	rows, err := compare.Standings(values, measures("latency_p95", "error_rate"), "control")
	require.NoError(t, err)
	require.InDelta(t, 20, *rows[2].Diff["latency_p95"], 1e-9)
	require.Zero(t, *rows[0].Diff["latency_p95"])
	require.Nil(t, rows[2].Diff["error_rate"], "there is no percentage of nothing")
	require.Nil(t, rows[3].Diff["latency_p95"])

	_, err = compare.Standings(values, measures("latency_p95"), "nobody")
	require.ErrorContains(t, err, `"nobody"`)
	require.Contains(t, race.HintOf(err), "control, gone, slow, twin")
	_, err = compare.Standings(values, nil, "control")
	require.Equal(t, race.Invalid, race.CodeOf(err))
}
