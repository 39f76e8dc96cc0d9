package plugin

import (
	"testing"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/race"
)

// mixed are nights of which some cannot be compared with the newest.
func mixed() []race.Race {
	races := nightlies(10)
	races[1].Status = race.Interrupted
	races[2].Audit.Fair = false
	races[3].Machine.CPUs++
	races[4].Load.Rate = ptr(999.0)
	races[5].Lanes[0].Resources.CPUs = ptr(.25)
	races[6].Audit.Fair, races[6].Audit.OverriddenBy = false, ptr("anna")
	return races
}

// overNights asks about all of some races.
func overNights(t *testing.T, races []race.Race, query string) backend.DataResponse {
	t.Helper()
	d := open(t, serve(t, emptyPrometheus), fakeRunner(t, races...))
	response := askAt(t, d, query, races[0].StartedAt.Add(-time.Hour), races[len(races)-1].FinishedAt.Add(time.Hour))
	require.NoError(t, response.Error)
	return response
}

func TestWhatCannotBeComparedIsNoPartOfAHistoryAndIsNamed(t *testing.T) {
	response := overNights(t, mixed(), `{"queryType":"standings","races":[],"measures":["latency_p95"],"field":"history"}`)
	f := response.Frames[0]
	require.Equal(t, 6, f.Rows())
	require.Equal(t, "control", f.Fields[1].Labels["app"])
	require.Equal(t, *mixed()[5].StartedAt, f.At(0, 1))
	require.Nil(t, f.At(1, 1), "the app whose limits were others")
	require.NotNil(t, f.At(2, 1), "the apps beside it")
	for _, query := range []string{
		`{"queryType":"standings","races":[],"measures":["latency_p95"],"field":"history"}`, `{"queryType":"events","races":[],"measures":["latency_p95"],"field":"changes"}`,
	} {
		said := noticesOf(overNights(t, mixed(), query).Frames)
		for _, notice := range []string{
			"left out of the history, not finished: nightly-1; their standings show them\n",
			"left out of the history, not fair: nightly-2; ",
			"left out of the history, another machine: nightly-3; ",
			"left out of the history, another load: nightly-4; ",
			"left out of the history, other limits: control of nightly-5; ",
			"race nightly-6: the race was not fair; anna let the verdicts stand",
		} {
			require.Contains(t, said, notice, query)
		}
	}
	said := noticesOf(overNights(t, mixed(), `{"queryType":"standings","races":[],"measures":["latency_p95"],"apps":["high-cpu"],"field":"history"}`).Frames)
	require.NotContains(t, said, "other limits", "it is not shown")
}

func TestWhatIsLeftOutOfAHistoryIsNamedBriefly(t *testing.T) {
	races := nightlies(30)
	for i := range 12 {
		races[i].Audit.Fair = false
	}
	said := noticesOf(overNights(t, races, `{"queryType":"standings","measures":["latency_p95"],"field":"history"}`).Frames)
	require.Contains(t, said, "not fair: nightly-11, nightly-10, nightly-9, nightly-8, nightly-7, 7 more; ")
}

func TestAHistoryWithoutAFairRaceSaysSo(t *testing.T) {
	races := nightlies(1)
	races[0].Audit.Fair = false
	response := overNights(t, races, `{"queryType":"standings","races":["nightly-0"],"measures":["latency_p95"],"field":"history"}`)
	require.Equal(t, "timeseries-wide", string(response.Frames[0].Meta.Type))
	require.Empty(t, response.Frames[0].Fields)
	require.Contains(t, noticesOf(response.Frames), "left out of the history, not fair: nightly-0")
}

func TestARunWithoutAppsHasNoHistoryAndIsToldHowToHaveOne(t *testing.T) {
	d := open(t, serve(t, busy), "")
	for _, query := range []string{
		`{"queryType":"standings","races":["bare"],"field":"history"}`, `{"queryType":"events","races":["bare"],"field":"changes"}`,
	} {
		response := ask(t, d, query)
		require.ErrorContains(t, response.Error, "race bare carry no label app", query)
		require.Equal(t, backend.ErrorSourceDownstream, response.ErrorSource, query)
	}
	all := ask(t, d, `{"queryType":"standings","measures":["request_rate"],"field":"history"}`)
	require.NoError(t, all.Error)
	require.Contains(t, noticesOf(all.Frames), "no audit: race theirs", "what is said of a race is passed on")
}

func TestWhatMayHaveChangedTheValuesIsNamedAndStaysInTheHistory(t *testing.T) {
	races := nightlies(30)
	for i := range races {
		races[i].ScriptSHA256 = "one"
		p95 := 5 + .01*float64(i%5) // with a little noise, without which nothing is chance
		if i >= 15 {
			races[i].ScriptSHA256 = "two"
			p95 *= 1.5
		}
		for j := range races[i].Lanes {
			races[i].Lanes[j].Measures = map[string]*float64{"latency_p95": &p95}
		}
	}
	other := fourApps() // of another name: no race before it is compared with it
	other.ScriptSHA256 = "three"
	races = append(races, other)
	for _, query := range []string{
		`{"queryType":"standings","races":[],"measures":["latency_p95"],"field":"history"}`, `{"queryType":"events","races":[],"measures":["latency_p95"],"field":"changes"}`,
	} {
		response := overNights(t, races, query)
		require.Equal(t, "in the history all the same, the first with an edited script: nightly-15\n", noticesOf(response.Frames), query)
	}
	changes := overNights(t, races, `{"queryType":"events","races":[],"apps":["control"],"measures":["latency_p95"],"field":"changes"}`).Frames[0]
	require.Contains(t, changes.At(2, 0), "since race nightly (nightly-15)")
	require.Contains(t, changes.At(3, 0), "in 15 since; the first with an edited script")
}
