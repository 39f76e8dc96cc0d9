package cmd_test

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/pkg/race/racetest"
	"github.com/photofinish/photofinish/pkg/trend"
	"github.com/photofinish/photofinish/runner/store"
)

// nightly saves races of one name, a night each, of which high-cpu takes 6% more CPU from the 25th on, and gives their folders.
func nightly(t *testing.T, edit func(i int, r *race.Race)) (folders []string) {
	t.Helper()
	const cost = "cpu_ms_per_request"
	dir := t.TempDir()
	for _, r := range racetest.Nights(40, cost, func(i int, r *race.Race) {
		if i >= 25 {
			racetest.Multiply(r, "high-cpu", cost, 1.06)
		}
		edit(i, r)
	}) {
		folder, err := store.Create(filepath.Join(dir, r.ID))
		require.NoError(t, err)
		require.NoError(t, folder.Save(r))
		folders = append(folders, folder.Path)
	}
	return folders
}

func TestATrendTellsSinceWhichRaceAnAppIsDearer(t *testing.T) {
	folders := nightly(t, func(i int, r *race.Race) {
		if i == 7 {
			r.Status = race.Interrupted
		}
		r.ScriptSHA256 = strings.Repeat("a", 64)
		if i >= 25 {
			r.ScriptSHA256 = strings.Repeat("b", 64)
		}
	})
	f := run(t.Context(), t, "", append([]string{"compare", "--trend"}, folders...)...)
	require.Equal(t, 0, f.code, f.stderr)
	require.Regexp(t, `(?m)^    2026-04-08 09:26  nightly-25: 3\.\d+ ms → 4\.\d+ ms \(▲ \+[56]\.\d%\), mean of 24 races before and 15 after\n      the first with an edited script$`, f.stdout)
	require.Contains(t, f.stdout, "compared all the same, the first with an edited script: nightly-25\n")
	require.Contains(t, f.stdout, "left out, not finished: nightly-07")
	require.Contains(t, f.stdout, "no change in 39 races")

	f = run(t.Context(), t, "", append([]string{"compare", "--trend", "--json"}, folders...)...)
	require.Equal(t, 0, f.code, f.stderr)
	var histories []trend.History
	require.NoError(t, json.Unmarshal([]byte(f.stdout), &histories))
	changed := slices.DeleteFunc(histories, func(h trend.History) bool { return len(h.Changes) == 0 })
	require.Len(t, changed, 1)
	require.Equal(t, "high-cpu", changed[0].App)
	require.InDelta(t, 1.06, changed[0].Changes[0].Ratio(), .01)
}

func TestATrendIsThatOfOneName(t *testing.T) {
	folders := nightly(t, func(i int, r *race.Race) {
		if i == 39 {
			r.Name = "weekly"
		}
	})
	f := run(t.Context(), t, "", append([]string{"compare", "--trend"}, folders...)...)
	require.Equal(t, 2, f.code)
	require.Contains(t, f.stderr, "these are of nightly and weekly")
	f = run(t.Context(), t, "", "compare", "--trend", "--fail-on", "regression", folders[0])
	require.Equal(t, 2, f.code)
	require.Contains(t, f.stderr, "--trend is not")
}
