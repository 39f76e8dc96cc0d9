package cmd_test

import (
	"encoding/xml"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/pkg/race/racetest"
	"github.com/photofinish/photofinish/pkg/verdict"
	"github.com/photofinish/photofinish/runner/store"
)

// saved saves a race and gives its folder.
func saved(t *testing.T, r race.Race) string {
	t.Helper()
	folder, err := store.Create(filepath.Join(t.TempDir(), r.ID))
	require.NoError(t, err)
	require.NoError(t, folder.Save(r))
	return folder.Path
}

// twoNights are the folders of a race of four apps and of the same a night earlier, when high-cpu took half as long.
func twoNights(t *testing.T) (now, then string) {
	t.Helper()
	tonight, earlier := racetest.FourApps().Race, racetest.FourApps().Race
	earlier.ID = "ab-test-20260313-092650"
	for _, h := range earlier.Heats {
		v := *h.Lanes["high-cpu"].Measures["latency_p95"] / 2
		h.Lanes["high-cpu"].Measures["latency_p95"] = &v
	}
	return saved(t, tonight), saved(t, earlier)
}

func verdictOf(t *testing.T, r race.Race, app, measure string) race.Verdict {
	t.Helper()
	i := slices.IndexFunc(r.Verdicts, func(v race.Verdict) bool { return v.App == app && v.Measure == measure })
	require.GreaterOrEqual(t, i, 0, "%s has no verdict on %s", app, measure)
	return r.Verdicts[i]
}

func TestARaceIsComparedWithAnEarlierOne(t *testing.T) {
	now, then := twoNights(t)
	dir := t.TempDir()
	markdown, junit := filepath.Join(dir, "race.md"), filepath.Join(dir, "race.xml")
	f := run(t.Context(), t, "", "compare", now, "--baseline-race", then, "--fail-on", "regression", "--markdown", markdown, "--junit", junit)
	require.Equal(t, 4, f.code, f.stderr)
	const sentence = "high-cpu is slower than itself in race ab-test-20260313-092650: p95 × 2.0"
	require.Contains(t, f.stdout, sentence)
	require.Contains(t, f.stdout, "memory-leak against itself in race ab-test-20260313-092650 is inconclusive: p95 × 1.00 [0.98, 1.02]")
	require.Contains(t, f.stdout, "Verdicts against race ab-test-20260313-092650")
	require.Regexp(t, `(?m)^ +control +`, f.stdout, "the control stands in the table as such")
	require.Contains(t, f.stdout, "what moved in between and touched control and the others alike is taken")

	text, err := os.ReadFile(markdown)
	require.NoError(t, err)
	require.Contains(t, string(text), `high-cpu is slower than itself in race ab-test-20260313-092650: p95 × 2.0`)
	require.Contains(t, string(text), "control<br>control")
	var suites struct {
		Cases []struct {
			Class   string    `xml:"classname,attr"`
			Name    string    `xml:"name,attr"`
			Failure *struct{} `xml:"failure"`
		} `xml:"testsuite>testcase"`
	}
	text, err = os.ReadFile(junit)
	require.NoError(t, err)
	require.NoError(t, xml.Unmarshal(text, &suites))
	failed := []string{}
	for _, c := range suites.Cases {
		if c.Failure != nil {
			failed = append(failed, c.Class+": "+c.Name)
		}
	}
	require.Equal(t, []string{"ab-test.high-cpu: p95 latency against race ab-test-20260313-092650"}, failed)

	f = run(t.Context(), t, "", "compare", now, "--baseline-race", then, "--json", "--minimum-effect", "latency_p95=0.9", "--fail-on", "regression")
	require.Equal(t, 4, f.code)
	r := onlyRecord(t, f.stdout)
	require.Equal(t, "ab-test-20260313-092650", r.BaselineRace.ID)
	require.Equal(t, "control", r.BaselineRace.Control)
	v := verdictOf(t, r, "high-cpu", "latency_p95")
	require.InDelta(t, 2, *v.Ratio, .01)
	require.InDelta(t, .9, v.MinimumEffect, 0)
	require.Equal(t, race.Same, verdictOf(t, r, "high-latency", "latency_p95").Outcome)

	again := onlyRecord(t, run(t.Context(), t, "", "compare", then, "--baseline-race", now, "--json").stdout)
	require.Equal(t, race.Faster, verdictOf(t, again, "high-cpu", "latency_p95").Outcome, "the other way round")
}

func TestWithoutALaneThatRanInBothNothingIsFasterOrSlower(t *testing.T) {
	now, then := twoNights(t)
	r, err := store.Load(then)
	require.NoError(t, err)
	r.ID, r.Baseline = "ab-test-20260312-092650", "memory-leak" // nobody says that control was the same
	f := run(t.Context(), t, "", "compare", now, "--baseline-race", saved(t, r), "--fail-on", "regression", "--json")
	require.Equal(t, 0, f.code)
	got := onlyRecord(t, f.stdout)
	require.False(t, got.Audit.Fair)
	require.NotEmpty(t, got.Verdicts)
	for _, v := range got.Verdicts {
		require.Equal(t, race.Inconclusive, v.Outcome)
	}
	require.Contains(t, f.stderr, "no lane is known to have run unchanged in both races")
	f = run(t.Context(), t, "", "compare", now, "--baseline-race", saved(t, r), "--baseline", "control", "--fail-on", "regression")
	require.Equal(t, 4, f.code, "somebody says so")
	f = run(t.Context(), t, "", "compare", now, "--baseline-race", then, "--baseline", "contorl")
	require.Equal(t, 2, f.code)
	require.Contains(t, f.stderr, `the control "contorl" did not run in both races`)
	f = run(t.Context(), t, "", "compare", "--trend", now, "--baseline-race", then)
	require.Equal(t, 2, f.code)
}

func TestARecordedRaceIsJudgedAnewByOtherMinimumEffects(t *testing.T) {
	now, _ := twoNights(t)
	f := run(t.Context(), t, "", "compare", now, "--json", "--minimum-effect", "latency_p95=0.9", "--minimum-effect", "error_rate=0.5")
	require.Equal(t, 0, f.code, f.stderr)
	require.Contains(t, f.stderr, "judged anew with minimum effects that it was not raced with")
	require.Contains(t, strings.Join(strings.Fields(f.stderr), " "), "A difference counts from 90% on (p95 latency), from 50.0 pp on (Errors).")
	r := onlyRecord(t, f.stdout)
	require.Equal(t, race.Same, verdictOf(t, r, "memory-leak", "latency_p95").Outcome)
	require.InDelta(t, .5, verdictOf(t, r, "memory-leak", "error_rate").MinimumEffect, 0)
	require.InDelta(t, verdict.DefaultMinimumEffect, verdictOf(t, r, "memory-leak", "cpu_ms_per_request").MinimumEffect, 0)

	r, err := store.Load(now)
	require.NoError(t, err)
	r.CustomMeasures = []race.CustomMeasure{{ID: "queue_length", Name: "Queue length", Better: "lower", Type: race.Expression, Expr: "queue_length"}}
	for i, h := range r.Heats {
		for app, l := range h.Lanes {
			l.Measures["queue_length"] = l.Measures["latency_p95"]
			r.Heats[i].Lanes[app] = l
		}
	}
	own := verdictOf(t, r, "memory-leak", "latency_p95")
	own.Measure, own.Primary = "queue_length", false
	r.Verdicts = append(r.Verdicts, own)
	f = run(t.Context(), t, "", "compare", saved(t, r), "--json", "--minimum-effect", "queue_length=0.4")
	require.Equal(t, 0, f.code, f.stderr)
	require.InDelta(t, .4, verdictOf(t, onlyRecord(t, f.stdout), "memory-leak", "queue_length").MinimumEffect, 0, "a measure of the race's own")
	f = run(t.Context(), t, "", "compare", now, "--minimum-effect", "queue_length=0.4")
	require.Equal(t, 2, f.code, "which another race has not")
	require.Contains(t, f.stderr, now+": ")

	f = run(t.Context(), t, "", "compare", now, "--minimum-effect", "latency_p96=0.1")
	require.Equal(t, 2, f.code)
	require.Contains(t, f.stderr, `there is no measure "latency_p96"`)
}

func TestARecordedRaceIsJudgedAnewAgainstAnotherBaseline(t *testing.T) {
	now, then := twoNights(t)
	dir := t.TempDir()
	markdown, junit := filepath.Join(dir, "race.md"), filepath.Join(dir, "race.xml")
	f := run(t.Context(), t, "", "compare", now, then, "--baseline", "high-latency", "--markdown", markdown, "--junit", junit)
	require.Equal(t, 0, f.code, f.stderr)
	for _, id := range []string{filepath.Base(now), filepath.Base(then)} {
		require.Contains(t, f.stdout, "race "+id+" was recorded with the baseline control; its heats were judged anew against high-latency")
	}
	require.Equal(t, 2, strings.Count(f.stdout, "Verdicts against high-latency"))
	require.NotContains(t, f.stdout, "Verdicts against control")
	for _, file := range []string{markdown, junit} {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		require.Contains(t, string(text), "against high-latency")
		require.NotContains(t, string(text), "against control")
	}

	f = run(t.Context(), t, "", "compare", now, "--baseline", "high-latency", "--json", "--minimum-effect", "latency_p95=0.9", "--fail-on", "regression")
	require.Equal(t, 4, f.code, "high-cpu spends more")
	r := onlyRecord(t, f.stdout)
	require.Equal(t, "high-latency", r.Baseline)
	v := verdictOf(t, r, "control", "latency_p95")
	require.Equal(t, race.Faster, v.Outcome)
	require.Less(t, *v.Ratio, .05)
	require.InDelta(t, .9, v.MinimumEffect, 0)
	require.NotContains(t, f.stderr, "Verdicts against control")

	own := run(t.Context(), t, "", "compare", now, "--baseline", "control")
	require.Equal(t, run(t.Context(), t, "", "compare", now).stdout, own.stdout, "the race's own")
	f = run(t.Context(), t, "", "compare", now, "--baseline", "contorl")
	require.Equal(t, 2, f.code)
	require.Contains(t, f.stderr, `the baseline "contorl" is no app of race `+filepath.Base(now))
	require.Contains(t, f.stderr, "choose one of control, high-latency, high-cpu, memory-leak")
}
