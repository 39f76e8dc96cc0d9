package plugin

import (
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/race"
)

// regressed asks an alert rule's query about one recorded race and answers how many numbers came, and what the notices say.
func regressed(t *testing.T, r race.Race, from, to time.Time) (int, string) {
	t.Helper()
	d := open(t, serve(t, emptyPrometheus), fakeRunner(t, r))
	response := askAt(t, d, `{"queryType":"verdict","races":["`+r.ID+`"]}`, from, to)
	require.NoError(t, response.Error)
	require.Equal(t, "numeric-wide", string(response.Frames[0].Meta.Type))
	return len(response.Frames[0].Fields), noticesOf(response.Frames)
}

func TestOnlyAFinishedFairRaceOfTheTimeRangeRaisesAnAlert(t *testing.T) {
	end := *fourApps().FinishedAt
	by := "anna"
	tests := []struct {
		name   string
		change func(*race.Race)
		fields int
		says   string
	}{
		{"a finished race: three apps, three measures", func(*race.Race) {}, 9, ""},
		{"a race that is still going on", func(r *race.Race) { r.Status, r.FinishedAt = race.Racing, nil }, 0, "no verdict yet"},
		{"a race that failed", func(r *race.Race) { r.Status = race.Failed }, 0, "its status is failed"},
		{"a race that was stopped", func(r *race.Race) { r.Status = race.Cancelled }, 0, "was stopped"},
		{"a race that failed its audit", func(r *race.Race) { r.Audit.Fair = false }, 0, "failed its audit"},
		{"an unfair race that somebody lets count", func(r *race.Race) { r.Audit.Fair, r.Audit.OverriddenBy = false, &by }, 9, "the race was not fair; anna let the verdicts stand"},
		{"a race that ended before the time range", func(r *race.Race) { r.FinishedAt = &time.Time{} }, 0, "outside of the time range"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := fourApps()
			tt.change(&r)
			fields, said := regressed(t, r, end.Add(-time.Hour), end.Add(time.Hour))
			require.Equal(t, tt.fields, fields)
			require.Contains(t, said, tt.says)
		})
	}
}

func TestRegressedIsOneForSlowerOnly(t *testing.T) {
	r := fourApps()
	d := open(t, serve(t, emptyPrometheus), fakeRunner(t, r))
	response := askAt(t, d, `{"queryType":"verdict","races":["$latest"],"name":"ab-test"}`, r.StartedAt.Add(-time.Hour), r.FinishedAt.Add(time.Hour))
	require.NoError(t, response.Error)
	require.Len(t, response.Frames[0].Fields, 9)
	for _, f := range response.Frames[0].Fields {
		var outcome race.Outcome
		for _, v := range r.Verdicts {
			if v.App == f.Labels["app"] && v.Measure == f.Labels["measure"] {
				outcome = v.Outcome
			}
		}
		want := 0.0
		if outcome == race.Slower {
			want = 1
		}
		require.Equal(t, want, *f.At(0).(*float64), "%v: %s", f.Labels, outcome)
		require.Equal(t, "ab-test", f.Labels["race_name"])
	}
}

func TestOfTheRacesOfOneNameOnlyTheNewestRaisesAnAlert(t *testing.T) {
	races := nightlies(3)
	for i := range races {
		outcome := race.Slower
		if i == 2 { // since then it is as it was
			outcome = race.Same
		}
		races[i].Verdicts = slices.Clone(races[i].Verdicts)
		for j := range races[i].Verdicts {
			races[i].Verdicts[j].Outcome = outcome
		}
	}
	other := fourApps()
	d := open(t, serve(t, emptyPrometheus), fakeRunner(t, append(slices.Clone(races), other)...))
	response := askAt(t, d, `{"queryType":"verdict","measures":["latency_p95"]}`, races[0].StartedAt.Add(-time.Hour), other.FinishedAt.Add(time.Hour))
	require.NoError(t, response.Error)
	instances := map[string]bool{}
	for _, f := range response.Frames[0].Fields {
		instances[f.Labels.String()] = true
		if f.Labels["race_name"] == "nightly" {
			require.Equal(t, 0.0, *f.At(0).(*float64), "%v", f.Labels)
		}
	}
	require.Len(t, response.Frames[0].Fields, 6, "three apps beside the baseline, in the races of two names")
	require.Len(t, instances, 6, "each is one instance")
	require.Equal(t, "of several races called \"nightly\" the newest counts\n", noticesOf(response.Frames))

	backwards := slices.Clone(races)
	slices.Reverse(backwards)
	for _, order := range [][]race.Race{races, backwards} {
		var said notices
		newest := newestByName(append(slices.Clone(order), other), &said)
		require.Equal(t, []string{"nightly-2", other.ID}, []string{newest[0].ID, newest[1].ID})
		require.Len(t, newest, 2)
		require.Len(t, said, 1)
	}
}

func TestAnotherBaselineIsJudgedAnew(t *testing.T) {
	r := fourApps()
	d := open(t, serve(t, emptyPrometheus), fakeRunner(t, r))
	response := ask(t, d, `{"queryType":"verdict","races":["`+r.ID+`"],"field":"all","baseline":"high-latency","measures":["latency_p95"],"apps":["control"]}`)
	require.NoError(t, response.Error)
	f := response.Frames[0]
	require.Equal(t, 1, f.Rows())
	outcome, _ := f.FieldByName("outcome")
	require.Equal(t, "faster", outcome.At(0))
	require.Contains(t, noticesOf(response.Frames), "judged anew against high-latency")
}

func TestARunnerThatIsDownIsAnErrorToAlertsAndANoticeToPeople(t *testing.T) {
	gone := httptest.NewServer(nil)
	gone.Close()
	d := open(t, serve(t, recordedPrometheus(t)), gone.URL)
	response := ask(t, d, string(queries(t)["verdict"]))
	require.ErrorContains(t, response.Error, "cannot be reached")
	response = ask(t, d, string(queries(t)["timeseries-one"]))
	require.NoError(t, response.Error)
	require.Contains(t, noticesOf(response.Frames), "what is shown is what Prometheus knows")
}

func TestTheRunnersRacesComeFirstAndHideTheirOwnSeries(t *testing.T) {
	r := fourApps()
	r.ID, r.StartedAt, r.FinishedAt = "golden", ptr(scene()), ptr(scene().Add(time.Minute))
	d := open(t, serve(t, recordedPrometheus(t)), fakeRunner(t, r))
	response := ask(t, d, `{"queryType":"races"}`)
	require.NoError(t, response.Error)
	f := response.Frames[0]
	require.Equal(t, 2, f.Rows())
	require.Equal(t, []any{"by-hand", "Prometheus"}, []any{f.At(0, 0), f.At(8, 0)})
	require.Equal(t, []any{"golden", "ab-test", "runner"}, []any{f.At(0, 1), f.At(1, 1), f.At(8, 1)})
}

func TestAnAppThatRanOutOfMemoryIsAnEvent(t *testing.T) {
	r := fourApps()
	at := r.StartedAt.Add(20 * time.Second)
	r.Lanes[3].Exit = &race.Exit{Reason: race.OOM, At: &at}
	d := open(t, serve(t, emptyPrometheus), fakeRunner(t, r))
	response := ask(t, d, `{"queryType":"events","races":["`+r.ID+`"]}`)
	require.NoError(t, response.Error)
	f := response.Frames[0]
	found := false
	for i := range f.Rows() {
		if f.At(4, i) == "photofinish,oom,memory-leak" {
			found = true
			require.Equal(t, at, f.At(0, i))
			require.Equal(t, "memory-leak out of memory", f.At(2, i))
		}
	}
	require.True(t, found)
}

func TestEventsOfATimeRangeLieInIt(t *testing.T) {
	r := fourApps()
	d := open(t, serve(t, emptyPrometheus), fakeRunner(t, r))
	from, to := r.Heats[0].StartedAt.Add(time.Second), r.Heats[0].FinishedAt.Add(-time.Second)
	titles := func(query string) (all []string) {
		response := askAt(t, d, query, from, to)
		require.NoError(t, response.Error)
		for i := range response.Frames[0].Rows() {
			all = append(all, response.Frames[0].At(2, i).(string))
		}
		return all
	}
	require.Equal(t, []string{title(r.Name, r.ID) + ", heat 1"}, titles(`{"queryType":"events"}`), "the heat began before and ended after the range")
	require.Greater(t, len(titles(`{"queryType":"events","races":["`+r.ID+`"]}`)), len(r.Heats), "a race that is named is told whole")
}

func ptr[T any](v T) *T { return &v }
