package plugin

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/race"
)

// busy is a Prometheus that other people use too: it holds the runs "ours" (apps a and b), "theirs" (apps c and d) and the newest, "bare" without
// the tag app, one a minute from the scene's time on.
func busy(w http.ResponseWriter, r *http.Request) {
	_ = r.ParseForm()
	expr := r.Form.Get("query")
	var series []string
	for i, run := range []string{"ours/a", "ours/b", "theirs/c", "theirs/d", "bare/"} {
		id, app, _ := strings.Cut(run, "/")
		if strings.Contains(expr, `testid="`) && !strings.Contains(expr, `testid="`+id+`"`) || strings.Contains(expr, "container_") {
			continue
		}
		labels := map[string]string{"__name__": "photofinish_http_reqs_total", "testid": id, "phase": "race", "expected_response": "true"}
		if app != "" {
			labels["app"], labels["photofinish_tagged"] = app, "yes"
		}
		metric, _ := json.Marshal(labels)
		at := scene().Add(time.Duration(i/2) * time.Minute).Unix()
		if r.URL.Path == "/api/v1/query" {
			series = append(series, fmt.Sprintf(`{"metric":%s,"value":[%d,"8"]}`, metric, at))
			continue
		}
		var points []string
		for second := range 8 {
			points = append(points, fmt.Sprintf(`[%d,"%d"]`, at+int64(second), second+1))
		}
		series = append(series, fmt.Sprintf(`{"metric":%s,"values":[%s]}`, metric, strings.Join(points, ",")))
	}
	kind := map[string]string{"/api/v1/query": "vector", "/api/v1/query_range": "matrix"}[r.URL.Path]
	fmt.Fprintf(w, `{"status":"success","data":{"resultType":%q,"result":[%s]}}`, kind, strings.Join(series, ","))
}

func TestOtherPeoplesRunsDoNotSpoilAQueryAboutAllRaces(t *testing.T) {
	d := open(t, serve(t, busy), "")
	all := ask(t, d, `{"queryType":"races"}`)
	require.NoError(t, all.Error)
	require.Equal(t, 3, all.Frames[0].Rows(), "they are runs all the same")

	for _, query := range []string{
		`{"queryType":"timeseries","measures":["request_rate"]}`,
		`{"queryType":"standings","measures":["request_rate"],"baseline":"a"}`,
		`{"queryType":"verdict","measures":["request_rate"],"baseline":"a","field":"all"}`,
		`{"queryType":"distribution","baseline":"a"}`,
	} {
		response := ask(t, d, query)
		require.NoError(t, response.Error, query)
		require.Contains(t, noticesOf(response.Frames), "nothing to compare: bare", query)
	}
	standings := ask(t, d, `{"queryType":"standings","measures":["request_rate"],"baseline":"a"}`)
	require.Equal(t, 2, standings.Frames[0].Rows())
	require.Contains(t, noticesOf(standings.Frames), `"a" is no app of race theirs`)

	require.ErrorContains(t, ask(t, d, `{"queryType":"standings","baseline":"z"}`).Error, `"z" is no app`, "left out everywhere is a mistake")
	require.ErrorContains(t, ask(t, d, `{"queryType":"standings","races":["theirs"],"baseline":"a"}`).Error, `"a" is no app of race theirs`)
	for _, kind := range []string{typeTimeSeries, typeStandings, typeVerdict, typeDistribution} {
		bare := ask(t, d, `{"queryType":"`+kind+`","races":["bare"],"baseline":"a"}`)
		require.Error(t, bare.Error, kind)
	}
	require.ErrorContains(t, ask(t, d, `{"queryType":"timeseries","races":["bare"]}`).Error, "no label app")
	require.NoError(t, ask(t, d, `{"queryType":"events","races":["bare"]}`).Error)

	latest := ask(t, d, `{"queryType":"timeseries","races":["$latest"],"measures":["request_rate"]}`)
	require.NoError(t, latest.Error)
	require.Equal(t, "c", latest.Frames[0].Fields[1].Labels["app"], "the newest that can be compared")
}

func TestEventsSayWhichRacesHaveNoVerdictAgainstTheBaseline(t *testing.T) {
	d := open(t, serve(t, busy), "")
	said := noticesOf(ask(t, d, `{"queryType":"events","baseline":"a"}`).Frames)
	require.Contains(t, said, "without a verdict, because the baseline \"a\" did not race: bare, theirs; choose one that did, or other races\n")
	require.Contains(t, said, "no audit: race ours", "what its verdict lacks")
	require.NotContains(t, noticesOf(ask(t, d, `{"queryType":"events"}`).Frames), "verdict", "nobody asked for one")
}

func TestAnAppMayBeInSomeOfTheRacesOnly(t *testing.T) {
	d := open(t, serve(t, busy), "")
	for _, kind := range []string{typeTimeSeries, typeDistribution} {
		response := ask(t, d, `{"queryType":"`+kind+`","races":["ours","theirs"],"apps":["d"],"measures":["request_rate"]}`)
		require.NoError(t, response.Error, kind)
		response = ask(t, d, `{"queryType":"`+kind+`","races":["ours","theirs"],"apps":["nobody"]}`)
		require.ErrorContains(t, response.Error, `"nobody"`, kind)
	}
	r, other := fourApps(), fourApps()
	other.ID, other.Lanes = "other", other.Lanes[:2]
	recorded := open(t, serve(t, emptyPrometheus), fakeRunner(t, r, other))
	response := ask(t, recorded, `{"queryType":"standings","races":["`+r.ID+`","other"],"apps":["memory-leak"],"measures":["latency_p95"]}`)
	require.NoError(t, response.Error)
	require.Equal(t, 1, response.Frames[0].Rows())
	response = ask(t, recorded, `{"queryType":"standings","races":["`+r.ID+`","other"],"apps":["nobody"]}`)
	require.ErrorContains(t, response.Error, `none of the 2 races has an app "nobody"`)
}

func TestARaceThatWaitsForItsTurnIsNoError(t *testing.T) {
	waiting := race.Race{Version: 1, ID: "waiting", Name: "nightly", Status: race.Queued}
	d := open(t, serve(t, emptyPrometheus), fakeRunner(t, waiting))
	for _, kind := range queryTypes() {
		response := ask(t, d, `{"queryType":"`+kind+`","races":["waiting"],"apps":["a"]}`)
		require.NoError(t, response.Error, kind)
		if kind != typeRaces && kind != typeEvents {
			require.Contains(t, noticesOf(response.Frames), "queued", kind)
		}
	}
}

func TestNoQueryStartsAnythingWhoeverAsks(t *testing.T) {
	var mu sync.Mutex
	methods := map[string]int{}
	r := fourApps()
	behind := fakeRunner(t, r)
	runner := serve(t, func(w http.ResponseWriter, req *http.Request) {
		mu.Lock()
		methods[req.Method]++
		mu.Unlock()
		http.Redirect(w, req, behind+req.URL.RequestURI(), http.StatusTemporaryRedirect)
	})
	d := open(t, serve(t, emptyPrometheus), runner)
	scheduler := backend.PluginContext{User: &backend.User{Login: "grafana_scheduler", Role: "Admin"}}
	for _, kind := range append(queryTypes(), typeLive) {
		for _, races := range []string{`["$latest"]`, `["` + r.ID + `"]`, `[]`} {
			_, err := d.QueryData(t.Context(), &backend.QueryDataRequest{PluginContext: scheduler, Queries: []backend.DataQuery{{
				RefID: "A", JSON: json.RawMessage(`{"queryType":"` + kind + `","races":` + races + `}`), TimeRange: backend.TimeRange{From: scene(), To: scene().Add(time.Hour)},
			}}})
			require.NoError(t, err)
		}
	}
	require.NotZero(t, methods[http.MethodGet])
	require.Len(t, methods, 1, "queries read only: %v", methods)
}

func TestWhoStopsWaitingReadsThat(t *testing.T) {
	d := open(t, serve(t, emptyPrometheus), "")
	d.prom = newShared(&querier{answer: sleepy}, d.memory, false)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	response := d.answer(ctx, backend.DataQuery{JSON: json.RawMessage(`{"queryType":"races"}`), TimeRange: backend.TimeRange{From: scene(), To: scene().Add(time.Hour)}})
	require.ErrorContains(t, response.Error, "Grafana stopped waiting")
	require.Equal(t, backend.StatusTimeout, response.Status)
	require.Equal(t, backend.ErrorSourceDownstream, response.ErrorSource)
}

func TestAPanicIsOneQuerysErrorAndThePlugins(t *testing.T) {
	d := open(t, serve(t, busy), "")
	d.now = nil // what no test would let pass
	response := ask(t, d, `{"queryType":"races"}`)
	require.Error(t, response.Error)
	require.Equal(t, backend.StatusInternal, response.Status)
	require.Equal(t, backend.ErrorSourcePlugin, response.ErrorSource)
	require.Contains(t, response.Error.Error(), "report this")
}

func TestRemarksAndWarningsOfPrometheusAreNotices(t *testing.T) {
	d := open(t, serve(t, func(w http.ResponseWriter, r *http.Request) {
		kind := map[string]string{"/api/v1/query": "vector", "/api/v1/query_range": "matrix"}[r.URL.Path]
		fmt.Fprintf(w, `{"status":"success","warnings":["a store is down"],"infos":["not a counter"],"data":{"resultType":%q,"result":[]}}`, kind)
	}), "")
	response := ask(t, d, `{"queryType":"races"}`)
	require.NoError(t, response.Error)
	require.Contains(t, noticesOf(response.Frames), "Prometheus: a store is down")
	require.Contains(t, noticesOf(response.Frames), "Prometheus: not a counter")
}

func TestAnExplicitRaceIsFoundWhereverTheRangeLies(t *testing.T) {
	within := func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		var start, end, step float64
		_, _ = fmt.Sscan(r.Form.Get("start"), &start)
		_, _ = fmt.Sscan(r.Form.Get("end"), &end)
		_, _ = fmt.Sscan(r.Form.Get("step"), &step) // the first point looks back over one
		if at := float64(scene().Unix()); r.URL.Path == "/api/v1/query_range" && (at+8 < start-step || at > end) {
			emptyPrometheus(w, r)
			return
		}
		busy(w, r)
	}
	d := open(t, serve(t, within), "")
	for _, from := range []time.Duration{-time.Minute, 20 * 24 * time.Hour, -20 * 24 * time.Hour} {
		standings := askAt(t, d, `{"queryType":"standings","races":["ours"],"baseline":"a","measures":["request_rate"]}`, scene().Add(from), scene().Add(from+2*time.Minute))
		require.NoError(t, standings.Error, "%s", from)
		require.Equal(t, 2, standings.Frames[0].Rows(), "%s", from)
		verdict := askAt(t, d, `{"queryType":"verdict","races":["ours"],"baseline":"a","measures":["request_rate"]}`, scene().Add(from), scene().Add(from+2*time.Minute))
		require.NoError(t, verdict.Error, "%s", from)
		require.Equal(t, from < 0 && from > -time.Hour, len(verdict.Frames[0].Fields) > 0, "an alert is about races that ended within the range: %s", from)
	}
}

func TestNoQueryAsksForMorePointsThanPrometheusAllows(t *testing.T) {
	var mu sync.Mutex
	var most int
	d := open(t, serve(t, func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		if r.URL.Path == "/api/v1/query_range" {
			var start, end, step float64
			_, _ = fmt.Sscan(r.Form.Get("start")+" "+r.Form.Get("end")+" "+r.Form.Get("step"), &start, &end, &step)
			mu.Lock()
			most = max(most, int((end-start)/step)+1)
			mu.Unlock()
		}
		busy(w, r)
	}), "")
	for _, kind := range queryTypes() {
		response := askAt(t, d, `{"queryType":"`+kind+`","baseline":"a"}`, scene().Add(-15*24*time.Hour), scene().Add(15*24*time.Hour))
		require.NoError(t, response.Error, kind)
	}
	require.Positive(t, most)
	require.LessOrEqual(t, most, 11_000)
}
