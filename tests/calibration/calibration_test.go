package main

import (
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTheBarsHold(t *testing.T) {
	c, err := load("../../docs/calibration.json")
	require.NoError(t, err)
	require.Len(t, c.Synthetic, len(worlds())*len(ratios)*len(minimums))
	for _, cell := range c.Synthetic {
		require.GreaterOrEqual(t, cell.Races, 4000)
		for name, tally := range map[string]Tally{"p50": cell.P50, "p95": cell.P95} {
			require.InDelta(t, 95, cell.share(tally.Covered), 2, "%s: coverage of %s", cell, name)
			if cell.MinimumEffect > 0 && cell.Ratio == 1+cell.MinimumEffect {
				require.LessOrEqual(t, cell.share(tally.Slower), 3.2, "%s: 2.5%% and what chance adds to it (99.9%%)", cell)
				require.LessOrEqual(t, cell.share(tally.Same), 3.2, "%s", cell)
			}
		}
		if cell.Ratio == 1 {
			require.LessOrEqual(t, cell.share(cell.Wrong), 5.8, "%s: 5%% and what chance adds to it (99%%)", cell)
		}
	}
}

func TestThePageShowsTheNumbers(t *testing.T) {
	c, err := load("../../docs/calibration.json")
	require.NoError(t, err)
	page, err := os.ReadFile("../../docs/verdict.md")
	require.NoError(t, err)
	require.Contains(t, string(page), pageStart+c.tables()+pageEnd, "go tool mage calibrate writes it anew")
}

func TestThePlotsShowTheNumbers(t *testing.T) {
	c, err := load("../../docs/calibration.json")
	require.NoError(t, err)
	dir := t.TempDir()
	require.NoError(t, c.draw(dir))
	drawn, err := filepath.Glob(filepath.Join(dir, "*.svg"))
	require.NoError(t, err)
	require.Len(t, drawn, 3)
	page, err := os.ReadFile("../../docs/verdict.md")
	require.NoError(t, err)
	for _, path := range drawn {
		fresh, err := os.ReadFile(path)
		require.NoError(t, err)
		kept, err := os.ReadFile(filepath.Join("../../docs/img", filepath.Base(path)))
		require.NoError(t, err)
		require.Equal(t, string(kept), string(fresh), "go tool mage calibrate draws it anew")
		require.Contains(t, string(page), "](img/"+filepath.Base(path)+")")
	}
}

func TestWilsonsInterval(t *testing.T) {
	low, high := wilson(3805, 4000)
	require.InDelta(t, .9441, low, 1e-4)
	require.InDelta(t, .9575, high, 1e-4)
	low, high = wilson(0, 10)
	require.InDelta(t, 0, low, 1e-9)
	require.InDelta(t, .2775, high, 1e-4)
}

func TestWhatIsMeasuredIsNotMeasuredAgain(t *testing.T) {
	dir := t.TempDir()
	numbers, page := filepath.Join(dir, "calibration.json"), filepath.Join(dir, "verdict.md")
	require.NoError(t, os.WriteFile(page, []byte("before\n"+pageStart+"old\n"+pageEnd+"after\n"), 0o600))
	require.NoError(t, calibrate(io.Discard, numbers, page, 8))
	c, err := load(numbers)
	require.NoError(t, err)
	again := measure("light", 8, ratios, minimums)
	for _, cell := range again {
		require.True(t, slices.Contains(c.Synthetic, cell), "the same seed, the same races: %s", cell)
	}
	c.Synthetic[0].Wrong = 7 // to be told from what would be measured
	require.NoError(t, save(numbers, c))
	require.NoError(t, calibrate(io.Discard, numbers, page, 8))
	kept, err := load(numbers)
	require.NoError(t, err)
	require.Equal(t, c, kept)
	text, err := os.ReadFile(page)
	require.NoError(t, err)
	require.Equal(t, "before\n"+pageStart+c.tables()+pageEnd+"after\n", string(text))
}

func TestTheRankTestAndTheNaiveRuleSeeWhatIsThere(t *testing.T) {
	r := draw(random("light", 1), worlds()["light"]())
	for ratio, side := range map[float64]int{0.5: -1, 2: 1} {
		require.Equal(t, side, r.naive(ratio))
		require.Equal(t, side, r.ranks().test(ratio))
	}
	require.Zero(t, ranks{[]float64{1, 2, 3, 4}, []float64{1.5, 2.5, 2.6, 3.5}}.test(1))
}
