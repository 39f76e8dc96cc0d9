package plugin

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/compare"
	"github.com/photofinish/photofinish/pkg/measure"
	"github.com/photofinish/photofinish/pkg/race"
)

func TestAMonthOfThousandsOfSeriesKeepsToTheLimitOfValues(t *testing.T) {
	const month = 30 * 24 * time.Hour
	for apps, raised := range map[int]bool{1: false, 100: true, 3558: true, 3559: true, maxSeries: true} { // a month times 3,559 is more ns than an int64 holds
		q := query{From: scene(), To: scene().Add(month), Interval: time.Second, measures: measure.All()[:1]}
		req := compare.Request{Races: []compare.RaceInfo{{Start: q.From, End: q.To, Apps: numbered(apps)}}}
		var said notices
		require.NoError(t, q.fit(&req, &said))
		require.LessOrEqual(t, int(month/req.Step)*apps, maxValues, "%d series", apps)
		require.Equal(t, raised, len(said) > 0, "%d series: %v", apps, said)
	}
}

// heats is a Prometheus in which race r1 has heats of eight seconds that begin at some seconds of the scene.
func heats(begins *[]int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		kind, series := "vector", []string{}
		if r.URL.Path == "/api/v1/query_range" {
			kind = "matrix"
			for i, begin := range *begins {
				if strings.Contains(r.Form.Get("query"), "container_") {
					break
				}
				var points []string
				for second := range 8 {
					at := scene().Unix() + int64(begin+second)
					value := int64(second + 1)
					if strings.Contains(r.Form.Get("query"), "timestamp(") {
						value = at
					}
					points = append(points, fmt.Sprintf(`[%d,"%d"]`, at, value))
				}
				series = append(series, fmt.Sprintf(`{"metric":{"__name__":"photofinish_http_reqs_total","testid":"r1","app":"a","heat":"%d","phase":"race","photofinish_tagged":"yes"},"values":[%s]}`,
					i+1, strings.Join(points, ",")))
			}
		}
		fmt.Fprintf(w, `{"status":"success","data":{"resultType":%q,"result":[%s]}}`, kind, strings.Join(series, ","))
	}
}

func TestARunningRaceKeepsItsHeatsWhateverThePauseBetweenThem(t *testing.T) {
	begins := []int{1}
	going := race.Race{ID: "r1", Status: race.Racing, StartedAt: ptr(scene()), Baseline: "a", Lanes: []race.Lane{{App: "a"}}, PlannedHeats: 2}
	d := open(t, serve(t, heats(&begins)), fakeRunner(t, going))
	for _, tt := range []struct {
		name   string
		begins []int
		now    int
		heats  int
	}{
		{"in the pause", []int{1}, 85, 1},
		{"in the second heat", []int{1, 90}, 98, 2},
	} {
		begins = tt.begins
		d.now = func() time.Time { return scene().Add(time.Duration(tt.now) * time.Second) }
		response := askAt(t, d, `{"queryType":"timeseries","races":["r1"],"measures":["request_rate"],"align":"elapsed"}`, scene().Add(-5*time.Minute), d.now())
		require.NoError(t, response.Error, tt.name)
		require.NotContains(t, noticesOf(response.Frames), "used again", tt.name)
		shown := response.Frames[0].Meta.Custom.(raceClocks).Races
		require.Len(t, shown[0].Heats, tt.heats, tt.name)
	}
}

func TestElapsedSeriesTellWhatTheirAppsWear(t *testing.T) {
	d := open(t, serve(t, recordedPrometheus(t)), "")
	response := ask(t, d, `{"queryType":"timeseries","races":["golden"],"measures":["request_rate"],"align":"elapsed","baseline":"slow"}`)
	require.NoError(t, response.Error)
	told := response.Frames[0].Meta.Custom.(raceClocks)
	require.Equal(t, []string{"control", "slow"}, told.Apps)
	require.Equal(t, "slow", told.Baseline)
	require.Equal(t, "golden", told.Races[0].Name)
	require.Equal(t, race.Finished, told.Races[0].Status)
}

func TestARaceThatEndedInItsFirstHeatIsWholeWhateverItsPauses(t *testing.T) {
	failed := race.Race{ID: "r1", Status: race.Failed, StartedAt: ptr(scene()), FinishedAt: ptr(scene().Add(2 * time.Minute)), Lanes: []race.Lane{{App: "a"}}}
	d := open(t, serve(t, heats(&[]int{1, 90})), fakeRunner(t, failed))
	d.now = func() time.Time { return scene().Add(time.Hour) }
	response := askAt(t, d, `{"queryType":"timeseries","races":["r1"],"measures":["request_rate"],"align":"elapsed"}`, scene().Add(-5*time.Minute), d.now())
	require.NoError(t, response.Error)
	require.NotContains(t, noticesOf(response.Frames), "used again")
	require.Len(t, response.Frames[0].Meta.Custom.(raceClocks).Races[0].Heats, 2)
}

func TestALaneOfARunningRaceMayHaveWrittenNothingYet(t *testing.T) {
	going := race.Race{ID: "r1", Status: race.Racing, StartedAt: ptr(scene()), Baseline: "b", Lanes: []race.Lane{{App: "a"}, {App: "b"}}, PlannedHeats: 2}
	d := open(t, serve(t, heats(&[]int{1})), fakeRunner(t, going))
	d.now = func() time.Time { return scene().Add(9 * time.Second) }
	for _, query := range []string{`"apps":["b"]`, `"apps":["a","b"]`, `"baseline":"b"`, `"apps":["a"]`, `"align":"elapsed"`} {
		for _, kind := range []string{typeTimeSeries, typeDistribution, typeStandings, typeEvents} {
			response := ask(t, d, `{"queryType":"`+kind+`","races":["r1"],"measures":["request_rate"],`+query+`}`)
			require.NoError(t, response.Error, "%s %s", kind, query)
		}
	}
	response := ask(t, d, `{"queryType":"timeseries","races":["r1"],"measures":["request_rate"]}`)
	require.Len(t, response.Frames[0].Fields, 3, "time, and both lanes")
	require.Contains(t, noticesOf(response.Frames), "race r1: k6 wrote no counts of requests of b in this time")
	for _, f := range response.Frames[0].Fields[1:] {
		values := 0
		for i := range f.Len() {
			if f.At(i).(*float64) != nil {
				values++
			}
		}
		require.Equal(t, f.Labels["app"] == "a", values > 0, "%v", f.Labels)
	}
	require.ErrorContains(t, ask(t, d, `{"queryType":"timeseries","races":["r1"],"measures":["request_rate"],"apps":["c"]}`).Error, "its apps are a, b")
}

func TestARaceThatHasOnlyWarmedUpHasNoValuesAndSaysSo(t *testing.T) {
	prometheus := heats(&[]int{1})
	d := open(t, serve(t, func(w http.ResponseWriter, r *http.Request) {
		answer := httptest.NewRecorder()
		prometheus(answer, r)
		fmt.Fprint(w, strings.Replace(answer.Body.String(), `"phase":"race"`, `"phase":"warmup"`, 1))
	}), "")
	for _, kind := range []string{typeTimeSeries, typeStandings, typeVerdict, typeDistribution} {
		response := ask(t, d, `{"queryType":"`+kind+`","races":["r1"],"measures":["latency_p95"],"baseline":"a"}`)
		require.NoError(t, response.Error, kind)
		require.Contains(t, noticesOf(response.Frames), "race r1 has only warmed up so far", kind)
	}
}

func TestFramesKeepTheirTypeWhileAMeasureIsYetToCome(t *testing.T) {
	going := race.Race{ID: "r1", Status: race.Racing, StartedAt: ptr(scene()), Baseline: "a", Lanes: []race.Lane{{App: "a"}}}
	d := open(t, serve(t, heats(&[]int{1})), fakeRunner(t, going))
	d.now = func() time.Time { return scene().Add(9 * time.Second) }
	for measures, kind := range map[string]string{
		`["request_rate"]`: "timeseries-wide", `["request_rate","checkout_fast"]`: "timeseries-multi", `["checkout_fast"]`: "timeseries-wide", `[]`: "timeseries-multi",
	} {
		response := ask(t, d, `{"queryType":"timeseries","races":["r1"],"measures":`+measures+`}`)
		require.NoError(t, response.Error, measures)
		require.Equal(t, kind, string(response.Frames[0].Meta.Type), measures)
	}
}
