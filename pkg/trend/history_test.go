package trend_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/pkg/race/racetest"
	"github.com/photofinish/photofinish/pkg/trend"
)

const p95 = "latency_p95"

func nights(n int, edit func(i int, r *race.Race)) []race.Race { return racetest.Nights(n, p95, edit) }

func slower(r *race.Race, app string, ratio float64) { racetest.Multiply(r, app, p95, ratio) }

func TestAHistoryTellsWhatChangedAndFromWhichRaceOn(t *testing.T) {
	races := nights(40, func(i int, r *race.Race) {
		if i >= 25 {
			slower(r, "high-cpu", 1.06)
		}
	})
	slices.Reverse(races) // in whatever order they come
	all := trend.Of(races, []string{p95}, trend.Options{MinMagnitude: .02})
	require.Len(t, all, 4)
	for _, h := range all {
		require.Len(t, h.Points, 40)
		if h.App != "high-cpu" {
			require.Empty(t, h.Changes, h.App)
			continue
		}
		require.Len(t, h.Changes, 1)
		require.Equal(t, "nightly-25", h.Compared()[h.Changes[0].Index].Race)
		require.InDelta(t, 1.06, h.Changes[0].Ratio(), .01)
	}
}

func TestWhatCannotBeComparedIsMarkedAndNotMixed(t *testing.T) {
	half := .25
	reasons := map[int]string{
		1: "not finished", 3: "not fair", 5: "another machine", 7: "another load", 9: "another way of racing", 11: "another engine", 13: "other limits",
		15: "heats of another length", 17: "another warm-up", 19: "another kind of k6",
	}
	races := nights(30, func(i int, r *race.Race) {
		switch i {
		case 1:
			r.Status = race.Interrupted
		case 3:
			r.Audit.Fair = false
		case 5:
			r.Machine.CPUs++
		case 7:
			rate := 999.0
			r.Load.Rate = &rate
		case 9:
			r.Mode = race.Turns
		case 11:
			r.Engine = "docker"
		case 13:
			for j := range r.Lanes {
				r.Lanes[j].Resources.CPUs = &half
			}
		case 15:
			r.Load.DurationMS *= 2
		case 17:
			r.WarmupMS = 0
		case 19:
			r.K6 = &race.K6{Version: "v1.8.0"}
		}
		if reasons[i] != "" {
			slower(r, "control", 10)
		}
	})
	h := trend.Of(races, []string{p95}, trend.Options{MinMagnitude: .02})[0]
	require.Equal(t, "control", h.App)
	for i, p := range h.Points {
		require.Equal(t, reasons[i], p.LeftOut, p.Race)
	}
	require.Empty(t, h.Changes)
	require.Len(t, h.Compared(), 20)
}

func TestWhatMayHaveChangedTheValuesIsNotedAndStaysInTheHistory(t *testing.T) {
	notes := map[int]string{11: "an edited script", 20: "an edited script, k6 v1.9.0 after v1.8.0"}
	races := nights(30, func(i int, r *race.Race) {
		switch {
		case i < 5: // nobody recorded it then
		case i < 10:
			r.ScriptSHA256 = "aa"
		case i == 10: // between the two, and left out: what is after it is compared with what was before
			r.ScriptSHA256, r.Status = "bb", race.Failed
		case i < 20:
			r.ScriptSHA256 = "bb"
		default:
			r.ScriptSHA256, r.Versions = "aa", map[string]string{"k6": "v1.9.0"}
		}
	})
	h := trend.Of(races, []string{p95}, trend.Options{MinMagnitude: .02})[0]
	for i, p := range h.Points {
		require.Equal(t, notes[i], p.Note, p.Race)
	}
	require.Len(t, h.Compared(), 29)
	stock := race.Race{K6: &race.K6{Version: "v1.7.0"}, Versions: map[string]string{"k6": "v1.9.0"}}
	newer := race.Race{K6: &race.K6{Version: "v1.8.0"}, Versions: map[string]string{"k6": "v1.9.0"}}
	require.Equal(t, "k6 v1.8.0 after v1.7.0", trend.Changed(newer, stock), "the k6 of an image is the one that raced")
}

func TestWithoutARaceThatCountsThereIsNoHistory(t *testing.T) {
	require.Empty(t, trend.Of(nil, []string{p95}, trend.Options{}))
	require.Empty(t, trend.Of(nights(3, func(_ int, r *race.Race) { r.Status = race.Failed }), []string{p95}, trend.Options{}))
}

func TestARaceThatNobodyWatchedIsNotComparedWithOnesThatWere(t *testing.T) {
	unwatched := func(i, at int, r *race.Race) {
		if i == at {
			r.Audit.Findings = []race.Finding{{Kind: race.NoAudit, Severity: race.Warning}}
			r.Machine, r.Engine, r.Mode, r.Load = nil, "", "", race.Load{}
		}
	}
	points := func(at int) []trend.Point {
		return trend.Of(nights(3, func(i int, r *race.Race) { unwatched(i, at, r) }), []string{p95}, trend.Options{})[0].Points
	}
	require.Equal(t, "no audit", points(1)[1].LeftOut)
	require.Empty(t, points(1)[0].LeftOut)
	require.Equal(t, "an audit, which the newest has not", points(2)[1].LeftOut)
	require.Empty(t, points(2)[2].LeftOut)
}

func TestAnAppThatTheNewestRaceHasNotIsComparedWithTheNewestThatHasIt(t *testing.T) {
	half := .25
	races := nights(4, func(i int, r *race.Race) {
		if i == 0 {
			r.Lanes[3].Resources.CPUs = &half
		}
		if i == 3 {
			r.Lanes = r.Lanes[:3]
		}
	})
	leftOut := trend.Against(races)
	require.Equal(t, "other limits", leftOut(races[0], "memory-leak"))
	require.Empty(t, leftOut(races[1], "memory-leak"))
	require.Empty(t, leftOut(races[0], "control"))
}
