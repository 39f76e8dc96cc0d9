package cmd_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/pkg/race/racetest"
	"github.com/photofinish/photofinish/runner/store"
)

func TestAnUnfairRaceIsOverriddenInItsFolder(t *testing.T) {
	folder := saved(t, racetest.Unfair())
	f := run(t.Context(), t, "", "compare", folder, "--fail-on", "regression")
	require.Equal(t, 0, f.code, "an unfair race fails nothing")
	require.Contains(t, f.stdout, "not fair, so nothing was decided")

	f = run(t.Context(), t, "", "races", "override", folder)
	require.Equal(t, 2, f.code)
	require.Contains(t, f.stderr, "--because")
	f = run(t.Context(), t, "", "races", "override", filepath.Join(folder, "other"), "--because", "x")
	require.Equal(t, 2, f.code)
	require.NoError(t, os.WriteFile(filepath.Join(folder, "report.html"), []byte("<html><main>\n</main>"), 0o600))
	f = run(t.Context(), t, "", "races", "override", folder, "--because", "it was the backup, on a CPU of its own")
	require.Equal(t, 0, f.code, f.stderr)
	require.Contains(t, f.stdout, "✗ slower*")
	require.Regexp(t, `\* the race was not fair; \S+ let the verdicts stand on`, f.stdout)

	r, err := store.Load(folder)
	require.NoError(t, err)
	require.False(t, r.Audit.Fair)
	require.NotEmpty(t, *r.Audit.OverriddenBy)
	require.NotNil(t, r.Audit.OverriddenAt)
	require.Equal(t, "it was the backup, on a CPU of its own", r.Audit.OverrideReason)
	require.Equal(t, race.Slower, verdictOf(t, r, "high-cpu", "latency_p95").Outcome)
	page, err := os.ReadFile(filepath.Join(folder, "report.html"))
	require.NoError(t, err)
	require.Contains(t, string(page), "it was the backup, on a CPU of its own")
	onlyRecord(t, run(t.Context(), t, "", "compare", folder, "--json").stdout)

	f = run(t.Context(), t, "", "compare", folder, "--fail-on", "regression")
	require.Equal(t, 4, f.code, "now it counts")
	f = run(t.Context(), t, "", "races", "override", folder, "--because", "again")
	require.Equal(t, 3, f.code)
	require.Contains(t, f.stderr, "was overridden already")
}

func TestOnlyRacesThatFinishedAreRegressions(t *testing.T) {
	for status, code := range map[race.Status]int{race.Finished: 4, race.Failed: 0, race.Cancelled: 0, race.Interrupted: 0} {
		r := racetest.FourApps().Race
		r.Status = status
		f := run(t.Context(), t, "", "compare", saved(t, r), "--fail-on", "regression")
		require.Equal(t, code, f.code, status)
		if code == 0 {
			require.Contains(t, f.stderr, "race "+r.ID+" is "+string(status)+", so it is left out of --fail-on")
		}
	}
}
