package plugin

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/data"
	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/pkg/scoreboard"
	"github.com/photofinish/photofinish/pkg/verdict"
)

func TestTheTableOfVerdictsTellsTheResultInWordsAndTheAudit(t *testing.T) {
	r := fourApps()
	r.Audit = race.Audit{Fair: true, Findings: []race.Finding{
		{Kind: race.Throttled, Severity: race.Note, Lane: "high-cpu", Detail: "a little"}, {Kind: race.OtherLoad, Severity: race.Warning, Detail: "somebody compiled"},
	}}
	r.Lanes[3].Exit = &race.Exit{Reason: race.OOM}
	d := open(t, serve(t, emptyPrometheus), fakeRunner(t, r))
	response := ask(t, d, `{"queryType":"verdict","races":["`+r.ID+`"],"field":"all","apps":["high-latency","memory-leak"]}`)
	require.NoError(t, response.Error)
	told := response.Frames[0].Meta.Custom.(finish).Races
	require.Len(t, told, 1)
	for i, l := range r.Lanes {
		require.Equal(t, &l.Client.Requests, told[0].Apps[i].Requests, "of the whole race")
		require.Equal(t, l.Measures, told[0].Apps[i].Measures, "of the whole race")
		told[0].Apps[i].Requests, told[0].Apps[i].Measures = nil, nil
	}
	require.Equal(t, []entrant{
		{App: "control"},
		{App: "high-latency", Sentence: verdict.Sentence(r.Verdicts, "high-latency", "control")},
		{App: "high-cpu"},
		{App: "memory-leak", Sentence: verdict.Sentence(r.Verdicts, "memory-leak", "control"), Out: "out of memory"},
	}, told[0].Apps)
	require.Equal(t, scoreboard.Fairness(r.Audit), told[0].Fairness)
	require.Equal(t, race.Warning, told[0].Audit.Findings[0].Severity, "the gravest first")
	_, err := json.Marshal(response.Frames[0])
	require.NoError(t, err)
}

func TestAnAppHasItsColourInEveryFrame(t *testing.T) {
	d := open(t, serve(t, recordedPrometheus(t)), "")
	all := queries(t)
	for name, baseline := range map[string]string{"distribution": "control", "timeseries-one": ""} {
		for _, f := range ask(t, d, string(all[name])).Frames[0].Fields {
			if app := f.Labels["app"]; app != "" {
				l := scoreboard.Livery{Apps: []string{"control", "slow"}, Baseline: baseline}
				require.Equal(t, map[string]any{"mode": "fixed", "fixedColor": l.Colour(app).Hex()}, f.Config.Color, "%s of %s", app, name)
			}
		}
	}
}

func TestADifferenceOfManyTimesIsReadAsSuch(t *testing.T) {
	r := fourApps()
	r.Lanes[0].Measures, r.Lanes[1].Measures = map[string]*float64{"latency_p95": ptr(.52)}, map[string]*float64{"latency_p95": ptr(100.67)}
	r.Lanes[2].Measures = map[string]*float64{"latency_p95": ptr(.6)}
	d := open(t, serve(t, emptyPrometheus), fakeRunner(t, r))
	response := ask(t, d, `{"queryType":"standings","races":["`+r.ID+`"],"measures":["latency_p95"]}`)
	require.NoError(t, response.Error)
	f, _ := response.Frames[0].FieldByName("latency_p95_diff")
	words := f.Config.Mappings[0].(data.ValueMapper)
	require.Len(t, words, 1)
	sent, err := json.Marshal(response.Frames[0])
	require.NoError(t, err)
	for value, shown := range words {
		require.Equal(t, "× 194", shown.Text)
		require.Contains(t, string(sent), ","+value+"]", "the number as it is sent, and as a browser writes it")
	}
}

// nightlies are races of one name, a day apart, the newest last.
func nightlies(n int) []race.Race {
	races := make([]race.Race, n)
	for i := range races {
		r := fourApps()
		start := r.StartedAt.Add(-time.Duration(n-i) * 24 * time.Hour)
		end := start.Add(time.Minute)
		r.ID, r.Name, r.StartedAt, r.FinishedAt = fmt.Sprintf("nightly-%d", i), "nightly", &start, &end
		races[i] = r
	}
	return races
}

func TestTheHistoryHasAPointForEveryFinishedRace(t *testing.T) {
	races := nightlies(30)
	races[3].Status = race.Failed
	for i := range races[4].Lanes {
		races[4].Lanes[i].Measures = nil
	}
	other := fourApps()
	d := open(t, serve(t, emptyPrometheus), fakeRunner(t, append(races, other)...))
	from, to := races[0].StartedAt.Add(-time.Hour), other.FinishedAt.Add(time.Hour)
	response := askAt(t, d, `{"queryType":"standings","races":[],"name":"nightly","measures":["latency_p95"],"field":"history"}`, from, to)
	require.NoError(t, response.Error)
	f := response.Frames[0]
	require.Equal(t, "timeseries-wide", string(f.Meta.Type))
	require.Equal(t, 29, f.Rows())
	require.Len(t, f.Fields, 5)
	require.Equal(t, *races[0].StartedAt, f.At(0, 0))
	require.Equal(t, races[0].Lanes[0].Measures["latency_p95"], f.At(1, 0))
	require.Nil(t, f.At(1, 3), "a race without the number is a gap")
	require.Equal(t, "control", f.Fields[1].Config.DisplayNameFromDS)
	require.NotContains(t, f.Fields[1].Labels, "race")

	response = askAt(t, d, `{"queryType":"standings","measures":["latency_p95","error_rate"],"apps":["control"],"field":"history"}`, from, to)
	require.NoError(t, response.Error)
	require.Len(t, response.Frames, 4, "two measures of one app in races of two names")
	require.Equal(t, "control, Errors, ab-test", response.Frames[3].Fields[1].Config.DisplayNameFromDS)
	require.Equal(t, "timeseries-multi", string(response.Frames[0].Meta.Type))
}

func TestTheHistoryNeedsNoBaseline(t *testing.T) {
	d := open(t, serve(t, recordedPrometheus(t)), "")
	response := ask(t, d, `{"queryType":"standings","races":["golden"],"measures":["latency_p95"],"field":"history"}`)
	require.NoError(t, response.Error)
	require.Equal(t, 1, response.Frames[0].Rows())
	response = ask(t, open(t, serve(t, emptyPrometheus), ""), `{"queryType":"standings","races":["$latest"],"measures":["latency_p95"],"field":"history"}`)
	require.NoError(t, response.Error)
	require.Equal(t, "timeseries-wide", string(response.Frames[0].Meta.Type))
}

func TestManyRecordsMakeATableAndNoPileOfLines(t *testing.T) {
	races := nightlies(30)
	d := open(t, serve(t, emptyPrometheus), fakeRunner(t, races...))
	from, to := races[0].StartedAt.Add(-time.Hour), races[29].FinishedAt.Add(time.Hour)
	rows := askAt(t, d, `{"queryType":"standings","measures":["latency_p95"]}`, from, to)
	require.NoError(t, rows.Error)
	require.Equal(t, 30*4, rows.Frames[0].Rows())
	require.Contains(t, noticesOf(askAt(t, d, `{"queryType":"events"}`, from, to).Frames), "there are 30 races in this time: the newest 20 are shown")
}

func TestARuleAboutEveryRaceIsQuietWhereNoneNamesABaseline(t *testing.T) {
	d := open(t, serve(t, recordedPrometheus(t)), "")
	response := ask(t, d, `{"queryType":"verdict","measures":["latency_p95"]}`)
	require.NoError(t, response.Error)
	require.Empty(t, response.Frames[0].Fields)
	require.Contains(t, noticesOf(response.Frames), "has no baseline")
	require.Error(t, ask(t, d, `{"queryType":"verdict","baseline":"nobody"}`).Error, "a name that is mistyped is no silence")
	require.Error(t, ask(t, d, `{"queryType":"verdict","races":["golden"]}`).Error, "nor is a race that was asked for")
}

func TestAnAppThatChangedOverManyRacesIsAnEvent(t *testing.T) {
	races := nightlies(24)
	for i := range races {
		// A little noise, without which nothing is chance; and from the 13th race on a fifth more CPU.
		cost := .2 + .001*float64(i%5)
		if i >= 12 {
			cost *= 1.2
		}
		for l := range races[i].Lanes {
			races[i].Lanes[l].Measures = map[string]*float64{"cpu_ms_per_request": ptr(.3 + .001*float64((i*7+l)%5)), "latency_p95": ptr(5 + .01*float64((i*3+l)%7))}
		}
		races[i].Lanes[2].Measures["cpu_ms_per_request"] = &cost
	}
	d := open(t, serve(t, emptyPrometheus), fakeRunner(t, races...))
	response := askAt(t, d, `{"queryType":"events","field":"changes","name":"nightly"}`, races[0].StartedAt.Add(-time.Hour), races[23].FinishedAt.Add(time.Hour))
	require.NoError(t, response.Error)
	f := response.Frames[0]
	require.Equal(t, 1, f.Rows(), "all 24 races are looked at, and only one app changed, in one measure")
	require.Equal(t, *races[12].StartedAt, f.At(0, 0))
	require.Equal(t, "CPU per request of high-cpu: more since race nightly (nightly-12)", f.At(2, 0))
	require.Equal(t, "0.202 ms/req in 12 races before, 0.243 ms/req in 12 since", f.At(3, 0))
	require.Equal(t, "photofinish,change,high-cpu,cpu_ms_per_request", f.At(4, 0))
}

func TestTheVerdictAmongTheEventsIsAgainstTheBaselineThatIsAskedFor(t *testing.T) {
	r := fourApps()
	d := open(t, serve(t, emptyPrometheus), fakeRunner(t, r))
	verdict := func(baseline string) (text, said string) {
		response := ask(t, d, `{"queryType":"events","races":["`+r.ID+`"],"baseline":"`+baseline+`"}`)
		require.NoError(t, response.Error)
		f := response.Frames[0]
		for i := range f.Rows() {
			if f.At(4, i) == "photofinish,verdict" {
				text = f.At(3, i).(string)
			}
		}
		return text, noticesOf(response.Frames)
	}
	own, said := verdict("")
	require.Contains(t, own, "than control")
	require.Empty(t, said)
	same, said := verdict("control")
	require.Equal(t, own, same)
	require.Empty(t, said)
	other, said := verdict("high-latency")
	require.Contains(t, other, "than high-latency")
	require.NotContains(t, other, "than control")
	require.Contains(t, said, "judged anew against high-latency")
	r.Status, r.Verdicts = race.Racing, nil
	d = open(t, serve(t, emptyPrometheus), fakeRunner(t, r))
	for _, baseline := range []string{"high-latency", "nobody"} {
		_, said = verdict(baseline)
		require.Empty(t, said, "there is nothing to judge yet")
	}
	d = open(t, serve(t, emptyPrometheus), fakeRunner(t, fourApps()))
	none, said := verdict("nobody")
	require.Empty(t, none)
	require.Contains(t, said, `without a verdict, because the baseline "nobody" did not race: `+r.ID)
}
