package verdict_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/pkg/race/racetest"
	"github.com/photofinish/photofinish/pkg/verdict"
)

// failedAudit is an unfair race with a minimum effect of its own.
func failedAudit() race.Race {
	r := racetest.Unfair()
	for i := range r.Verdicts {
		if r.Verdicts[i].Measure == "latency_p95" {
			r.Verdicts[i].MinimumEffect = .05 // as its script wanted
		}
	}
	r.Verdicts = verdict.Again(r, race.Effects{})
	return r
}

func TestAnOverrideLetsTheVerdictsStandAndSaysSo(t *testing.T) {
	before := failedAudit()
	for _, v := range before.Verdicts {
		require.Equal(t, race.Inconclusive, v.Outcome)
	}
	at := time.Date(2026, 3, 15, 8, 0, 0, 0, time.FixedZone("CET", 3600))
	after, err := verdict.Override(before, "anna", " the compiler ran\n in another cgroup ", at)
	require.NoError(t, err)
	require.False(t, after.Audit.Fair, "no word makes a race fair")
	require.Equal(t, "anna", *after.Audit.OverriddenBy)
	require.Equal(t, at.UTC(), *after.Audit.OverriddenAt)
	require.Equal(t, "the compiler ran in another cgroup", after.Audit.OverrideReason)
	fair := before
	fair.Audit.Fair = true
	want := verdict.Again(fair, race.Effects{})
	require.Len(t, after.Verdicts, len(want))
	for i, v := range after.Verdicts {
		require.Equal(t, want[i].Outcome, v.Outcome, "%s %s", v.App, v.Measure)
		require.Equal(t, want[i].MinimumEffect, v.MinimumEffect)
		require.Contains(t, v.Warnings, "the race failed its audit; the verdict stands because it was overridden")
	}
	require.Nil(t, before.Audit.OverriddenBy, "what was given stays as it was")
	require.Equal(t, race.Inconclusive, before.Verdicts[0].Outcome)
}

func TestAReasonMayHaveAThousandCharactersOfAnyAlphabet(t *testing.T) {
	_, err := verdict.Override(failedAudit(), strings.Repeat("ж", 200), strings.Repeat("ж", 1000), time.Now())
	require.NoError(t, err)
}

func TestWhatCannotBeOverridden(t *testing.T) {
	by := "bob"
	for name, c := range map[string]struct {
		change  func(*race.Race)
		by, why string
		code    race.Code
		says    string
	}{
		"a fair race":          {func(r *race.Race) { r.Audit.Fair = true }, "anna", "why not", race.Conflict, "passed its audit"},
		"a race under way":     {func(r *race.Race) { r.Status = race.Racing }, "anna", "why not", race.Conflict, "has not ended"},
		"one that was already": {func(r *race.Race) { r.Audit.OverriddenBy = &by }, "anna", "why not", race.Conflict, "overridden already, by bob"},
		"one without verdicts": {func(r *race.Race) { r.Verdicts = nil }, "anna", "why not", race.Conflict, "no verdicts that could stand"},
		"by nobody":            {func(*race.Race) {}, " ", "why not", race.Invalid, "must be known"},
		"for no reason":        {func(*race.Race) {}, "anna", " \n", race.Invalid, "reason: must be 1 to 1000 characters long"},
		"for too many of them": {func(*race.Race) {}, "anna", strings.Repeat("x", 1001), race.Invalid, "reason: must be"},
	} {
		t.Run(name, func(t *testing.T) {
			r := failedAudit()
			c.change(&r)
			got, err := verdict.Override(r, c.by, c.why, time.Now())
			require.ErrorContains(t, err, c.says)
			require.Equal(t, c.code, race.CodeOf(err))
			require.Equal(t, r, got)
		})
	}
}
