package scoreboard_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/measure"
	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/pkg/race/racetest"
	"github.com/photofinish/photofinish/pkg/scoreboard"
	"github.com/photofinish/photofinish/pkg/verdict"
)

func TestEveryAppKeepsItsColourAndTheBaselineIsNeutral(t *testing.T) {
	l := scoreboard.Livery{Apps: []string{"a", "base", "b", "c"}, Baseline: "base"}
	require.Equal(t, scoreboard.Neutral(), l.Colour("base"))
	require.Equal(t, "#7eb26d", l.Colour("a").Hex())
	require.Equal(t, "#eab839", l.Colour("b").Hex())
	require.Equal(t, "#6ed0e0", l.Colour("c").Hex())
	require.Equal(t, scoreboard.Neutral(), l.Colour("stranger"))
	require.Empty(t, l.Dash("base"))
	require.NotEqual(t, l.Dash("a"), l.Dash("b"))

	many := scoreboard.Livery{Apps: make([]string, 40)}
	for i := range many.Apps {
		many.Apps[i] = string(rune('A' + i))
	}
	require.Equal(t, many.Colour("A"), many.Colour(many.Apps[16]), "the palette starts anew")
}

func TestNearestOf256Colours(t *testing.T) {
	for c, want := range map[scoreboard.Colour]int{{0, 0, 0}: 16, {255, 255, 255}: 231, {0xff, 0, 0}: 196, {0x7e, 0xb2, 0x6d}: 107, {0x5f, 0x87, 0xaf}: 67} {
		require.Equal(t, want, c.ANSI256(), c.Hex())
	}
}

func p(v float64) *float64 { return &v }

func TestDifferencesToTheBaseline(t *testing.T) {
	for _, c := range []struct {
		measure, want string
		v, base       *float64
	}{
		{"latency_p95", "▲ +4.2%", p(1.042), p(1)},
		{"latency_p95", "▼ −50.0%", p(.5), p(1)},
		{"latency_p95", "▲ +150%", p(2.5), p(1)},
		{"latency_p95", "▲ × 24.1", p(24.1), p(1)},
		{"latency_p95", "▲ × 194", p(194), p(1)},
		{"latency_p95", "= 0.0%", p(1.0001), p(1)},
		{"latency_p95", "", nil, p(1)},
		{"latency_p95", "", p(1), nil},
		{"latency_p95", "", p(1), p(0)},
		{"error_rate", "▲ +2.00 pp", p(.02), p(0)},
		{"error_rate", "= 0 pp", p(0), p(0)},
		{"check_rate", "▼ −1.00 pp", p(.99), p(1)},
		{"memory_slope", "▲ +10.2 MB/s", p(10.2e6), p(0)},
		{"memory_slope", "▼ −1.00 kB/s", p(-1000), p(0)},
	} {
		require.Equal(t, c.want, scoreboard.ColumnOf(c.measure).Diff(c.v, c.base), "%+v", c)
	}
}

func TestValuesDoNotRepeatWhatTheTitleSays(t *testing.T) {
	require.Equal(t, "0.210 ms", scoreboard.ColumnOf("cpu_ms_per_request").Value(p(.21)))
	require.Equal(t, "12,345", scoreboard.ColumnOf("request_rate").Value(p(12345)))
	require.Equal(t, "-1,234 MB/s", scoreboard.ColumnOf("unknown").Value(p(-1234))+" MB/s")
	require.Equal(t, scoreboard.Absent, scoreboard.ColumnOf("vus").Value(nil))
	for _, m := range measure.All() {
		require.NotEmpty(t, scoreboard.ColumnOf(m.ID).Title)
	}
}

func TestStandingsAreOrderedByP95AndThoseWhoLeftComeLast(t *testing.T) {
	r := racetest.FourApps().Race
	apps := func() (out []string) {
		for _, row := range scoreboard.Standings(r).Rows {
			out = append(out, row.App)
		}
		return out
	}
	require.Equal(t, []string{"control", "memory-leak", "high-cpu", "high-latency"}, apps())
	r.Lanes[0].Exit = &race.Exit{Reason: race.OOM}
	r.Lanes[2].Measures = nil
	require.Equal(t, []string{"memory-leak", "high-latency", "control", "high-cpu"}, apps())
	rows := scoreboard.Standings(r).Rows
	require.Equal(t, []int{1, 2, 0, 0}, []int{rows[0].Place, rows[1].Place, rows[2].Place, rows[3].Place})
	require.Equal(t, "out of memory", rows[2].Out)
}

func TestAMeasureThatNobodyHasIsLeftOut(t *testing.T) {
	for _, c := range scoreboard.Everything(racetest.FourApps().Race).Columns {
		require.NotContains(t, c.ID, "network")
	}
}

func TestWordsSuitTheMeasure(t *testing.T) {
	require.Equal(t, "slower", scoreboard.Word("latency_p95", race.Slower))
	require.Equal(t, "worse", scoreboard.Word("error_rate", race.Slower))
	require.Equal(t, "better", scoreboard.Word("request_rate", race.Faster))
	require.Equal(t, "same", scoreboard.Word("request_rate", race.Same))
	require.Equal(t, "inconclusive", scoreboard.Word("latency_p95", race.Inconclusive))
}

func TestFairnessInOneLine(t *testing.T) {
	by := "ana"
	unfair := []race.Finding{{Severity: race.Unfair}, {Severity: race.Note}, {Severity: race.Note}}
	require.Equal(t, "fair: nothing found", scoreboard.Fairness(race.Audit{Fair: true}))
	require.Equal(t, "nobody audited this race", scoreboard.Fairness(race.Audit{Fair: true, Findings: []race.Finding{{Kind: race.NoAudit, Severity: race.Warning}}}))
	require.Equal(t, "not fair, so nothing was decided: 1 unfair, 2 notes", scoreboard.Fairness(race.Audit{Findings: unfair}))
	overridden := race.Audit{Findings: unfair, OverriddenBy: &by}
	require.Equal(t, "not fair, but ana let the verdicts stand: 1 unfair, 2 notes", scoreboard.Fairness(overridden), "as records had it before when and why were kept")
	at := time.Date(2026, 3, 14, 9, 26, 0, 0, time.UTC)
	overridden.OverriddenAt, overridden.OverrideReason = &at, "the other load was the backup"
	require.Equal(t, "not fair, but ana let the verdicts stand on 14 Mar 2026 09:26 UTC (“the other load was the backup”): 1 unfair, 2 notes", scoreboard.Fairness(overridden))
	require.Equal(t, "* the race was not fair; ana let the verdicts stand on 14 Mar 2026 09:26 UTC (“the other load was the backup”)", scoreboard.Footnote(overridden))
	require.Empty(t, scoreboard.Footnote(race.Audit{Findings: unfair})+scoreboard.Footnote(race.Audit{Fair: true})+scoreboard.Asterisk(race.Audit{Findings: unfair}))
}

func TestDifferencesAreToldInTheMeasuresUnit(t *testing.T) {
	for _, c := range []struct {
		measure   string
		base, app float64
		want      string
	}{
		{"memory_slope", 0, 2_731_000, "judged by the difference to the baseline: +2.73 MB/s (baseline 0 B/s, margin 65.5 kB/s)"},
		{"memory_slope", 1000, 400, "judged by the difference to the baseline: −600 B/s (baseline 1.00 kB/s, margin 65.5 kB/s)"},
		{"error_rate", 0, .004, "judged by the difference to the baseline: +0.400 pp (baseline 0%, margin 0.100 pp)"},
		{"throttled_ms_per_request", .5, 12, "judged by the difference to the baseline: +11.5 ms/req (baseline 0.500 ms/req, margin 0.100 ms/req)"},
	} {
		in := verdict.Input{Baseline: "base", Apps: []string{"base", "app"}, Measures: []verdict.MeasureSpec{verdict.Spec(c.measure, verdict.Lower)}}
		for range 2 {
			in.Heats = append(in.Heats, verdict.Heat{Values: map[string]map[string]*float64{"base": {c.measure: &c.base}, "app": {c.measure: &c.app}}})
		}
		judged := verdict.Judge(in)
		require.Len(t, judged, 1)
		require.Contains(t, scoreboard.Warnings(judged[0], nil), c.want)
		require.Equal(t, judged[0].Warnings[1:], scoreboard.Warnings(judged[0], nil)[1:], "other warnings stay as they are")
	}
}

func TestWhatAllVerdictsShareIsToldOnce(t *testing.T) {
	few, own := "3 heats were paired; need at least 6", "left out 1 heats"
	all := []race.Verdict{{Warnings: []string{few}}, {Warnings: []string{own, few}}}
	require.Equal(t, []string{few}, scoreboard.SharedWarnings(all))
	require.Equal(t, []string{own}, scoreboard.Warnings(all[1], []string{few}))
	require.Empty(t, scoreboard.SharedWarnings(append(all, race.Verdict{})), "not all share it")
	require.Empty(t, scoreboard.SharedWarnings(all[:1]), "one alone keeps its own")
}

func TestCertaintyPromisesNoIntervalOfOneHeat(t *testing.T) {
	r := racetest.FourApps().Race
	require.Contains(t, scoreboard.Certainty(r), "over 8 heats; the intervals [low, high] hold with 95% confidence")
	for i, v := range r.Verdicts {
		switch v.Measure {
		case "latency_p95":
			r.Verdicts[i].MinimumEffect = .05
		case "error_rate":
			r.Verdicts[i].MinimumEffect = .002
		case "latency_p99":
			r.Verdicts[i].MinimumEffect = .3
		}
	}
	require.True(t, strings.HasSuffix(scoreboard.Certainty(r), "confidence. A difference counts from 5% on (p95 latency), from 0.200 pp on (Errors)."), scoreboard.Certainty(r))
	r.PlannedHeats = 12
	require.Contains(t, scoreboard.Certainty(r), "over 8 of 12 heats. An end that comes because of what was seen takes some of the 95% confidence of the intervals [low, high], so outcomes were read from wider ones. A difference counts")
	r.Heats = r.Heats[:1]
	require.Equal(t, "Each app was compared with control in one heat, which gives no interval.", scoreboard.Certainty(r))
}

func TestClock(t *testing.T) {
	for d, want := range map[time.Duration]string{0: "0:00", -time.Second: "0:00", 7400 * time.Millisecond: "0:07", 59700 * time.Millisecond: "1:00", 750 * time.Second: "12:30", 3723 * time.Second: "1:02:03"} {
		require.Equal(t, want, scoreboard.Clock(d))
	}
}

func TestHowALaneLeft(t *testing.T) {
	two := 2
	require.Empty(t, scoreboard.ExitWords(nil))
	require.Empty(t, scoreboard.ExitWords(&race.Exit{Reason: race.Stopped}))
	require.Equal(t, "exited with code 2", scoreboard.ExitWords(&race.Exit{Reason: race.Exited, Code: &two}))
	require.Equal(t, "killed", scoreboard.ExitWords(&race.Exit{Reason: race.Killed}))
}
