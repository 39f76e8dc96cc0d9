package plugin

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/race"
)

func TestEveryMistakeInAQueryIsOneSentenceThatSaysWhatToDo(t *testing.T) {
	d := open(t, serve(t, recordedPrometheus(t)), "")
	tests := []struct {
		name, query string
		says        []string
	}{
		{"no type", `{}`, []string{`no query type ""`, "timeseries, standings"}},
		{"an unknown type", `{"queryType":"metrics"}`, []string{"metrics", "verdict"}},
		{"text where a list belongs", `{"queryType":"races","races":"ab2"}`, []string{"races of the query is a string", "lists"}},
		{"no JSON", `{"queryType":`, []string{"cannot be read"}},
		{"an unknown measure", `{"queryType":"timeseries","races":["golden"],"measures":["latency_95"]}`, []string{"latency_95", "latency_p95"}},
		{"an unknown measure, and no baseline", `{"queryType":"standings","races":["golden"],"measures":["latency_95"]}`, []string{"latency_95", "latency_p95"}},
		{"an unknown alignment", `{"queryType":"timeseries","align":"middle"}`, []string{"middle", "absolute, elapsed"}},
		{"an unknown field", `{"queryType":"verdict","field":"mean"}`, []string{"mean", "regressed, ratio"}},
		{"a variable that nobody replaced", `{"queryType":"verdict","races":["$race"]}`, []string{"$race", "races", "$latest"}},
		{"one in braces", `{"queryType":"timeseries","apps":["${app:csv}"]}`, []string{"${app:csv}", "apps"}},
		{"one in the baseline", `{"queryType":"standings","baseline":"[[base]]"}`, []string{"[[base]]", "baseline"}},
		{"one in the field of a type that has none", `{"queryType":"timeseries","field":"$f"}`, []string{"$f", "field"}},
		{"one in the field of a type that has some", `{"queryType":"verdict","field":"${f}"}`, []string{"${f}", "was not replaced"}},
		{"one within a text", `{"queryType":"standings","name":"nightly-$branch"}`, []string{"$branch", "name"}},
		{"an unknown app", `{"queryType":"timeseries","races":["golden"],"apps":["nope"],"measures":["latency_p95"]}`, []string{"nope", "control, slow"}},
		{"no baseline", `{"queryType":"verdict","races":["golden"]}`, []string{"no baseline", "control, slow"}},
		{"a baseline that did not race", `{"queryType":"standings","races":["golden"],"baseline":"x"}`, []string{`"x"`, "control, slow"}},
		{"too many races", `{"queryType":"timeseries","races":["` + strings.Join(numbered(21), `","`) + `"]}`, []string{"21 races", "20"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			response := ask(t, d, tt.query)
			require.Error(t, response.Error)
			require.NotContains(t, response.Error.Error(), "\n")
			for _, word := range tt.says {
				require.Contains(t, response.Error.Error(), word)
			}
			require.Equal(t, backend.ErrorSourceDownstream, response.ErrorSource, "it is not the plugin's fault")
		})
	}
}

func numbered(n int) []string {
	var ids []string
	for i := range n {
		ids = append(ids, fmt.Sprint("r", i))
	}
	return ids
}

func TestAnUnknownRaceIsSearchedForAndNamed(t *testing.T) {
	response := ask(t, open(t, serve(t, emptyPrometheus), fakeRunner(t)), `{"queryType":"standings","races":["nope"]}`)
	require.ErrorContains(t, response.Error, "nope")
	require.ErrorContains(t, response.Error, "--tag testid=nope")
	require.Equal(t, backend.StatusNotFound, response.Status)
}

func TestAPrometheusThatMisbehavesIsExplained(t *testing.T) {
	text := func(status int, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			fmt.Fprint(w, body)
		}
	}
	tests := []struct {
		name    string
		handler http.HandlerFunc
		says    string
	}{
		{"a login page", text(200, "<html>Sign in</html>"), "login page"},
		{"no right", text(401, "no"), "does not let us in"},
		{"a refusal", text(400, `{"status":"error","errorType":"bad_data","error":"unknown function"}`), "refused a query"},
		{"too many queries", text(429, "slow down"), "429"},
		{"a proxy's error page", text(502, "<html>Bad gateway</html>"), "failed (502)"},
		{"a server error", text(500, `{"status":"error","errorType":"internal","error":"disk full"}`), "disk full"},
		{"half an answer", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "999")
			fmt.Fprint(w, `{"status":"succ`)
		}, "broke off"},
		{"a wrong path", text(404, "404 page not found"), "no Prometheus API"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, kind := range queryTypes() {
				response := ask(t, open(t, serve(t, tt.handler), ""), `{"queryType":"`+kind+`"}`)
				require.ErrorContains(t, response.Error, tt.says, kind)
				require.Equal(t, backend.StatusBadGateway, response.Status, kind)
				require.Equal(t, backend.ErrorSourceDownstream, response.ErrorSource, kind)
				require.NotContains(t, response.Error.Error(), "\n", kind)
			}
		})
	}
	gone := httptest.NewServer(nil)
	gone.Close()
	require.ErrorContains(t, ask(t, open(t, gone.URL, ""), `{"queryType":"races"}`).Error, "cannot be reached")
}

func TestWhatFailedIsToldWithoutTheStepsOnTheWayToIt(t *testing.T) {
	gone := httptest.NewServer(nil)
	gone.Close()
	d := open(t, gone.URL, "")
	for _, query := range []string{`{"queryType":"races"}`, `{"queryType":"timeseries","races":["r1"]}`, `{"queryType":"standings","races":["$latest"]}`} {
		require.Regexp(t, "^Prometheus at .* cannot be reached: ", ask(t, d, query).Error, query)
	}
	r := fourApps()
	r.Status, r.FinishedAt = race.Racing, nil // so Prometheus is asked where its series are
	require.Regexp(t, "^Prometheus at ", ask(t, open(t, gone.URL, fakeRunner(t, r)), `{"queryType":"timeseries","races":["`+r.ID+`"]}`).Error)

	down := open(t, serve(t, emptyPrometheus), gone.URL)
	for _, query := range []string{`{"queryType":"verdict","races":["$latest"]}`, `{"queryType":"verdict","races":["r1"]}`} {
		require.Regexp(t, "^the runner at .* cannot be reached: ", ask(t, down, query).Error, query)
	}
	require.Regexp(t, "^the runner at ", noticesOf(ask(t, down, `{"queryType":"races"}`).Frames))
	require.Regexp(t, `^"localhost:9090" is not the address`, ask(t, open(t, "localhost:9090", ""), `{"queryType":"races"}`).Error)
	require.Regexp(t, "^this Prometheus holds no race ", ask(t, open(t, serve(t, emptyPrometheus), ""), `{"queryType":"standings","races":["r1"]}`).Error)
}

func TestWhatIsVeryLongInAQueryIsNotRepeatedAtLength(t *testing.T) {
	d := open(t, serve(t, emptyPrometheus), "")
	for _, long := range []string{strings.Repeat("ü", 5000), strings.Repeat("many words ", 500), "${" + strings.Repeat("v", 5000) + "}"} {
		for field, query := range map[string]string{
			"queryType": `{"queryType":"` + long + `"}`,
			"races":     `{"queryType":"standings","races":["` + long + `"]}`,
			"apps":      `{"queryType":"timeseries","races":["golden"],"apps":["` + long + `"]}`,
			"measures":  `{"queryType":"timeseries","races":["golden"],"measures":["` + long + `"]}`,
			"baseline":  `{"queryType":"standings","races":["golden"],"baseline":"` + long + `"}`,
			"field":     `{"queryType":"verdict","field":"` + long + `"}`,
			"align":     `{"queryType":"timeseries","align":"` + long + `"}`,
			"heats":     `{"queryType":"timeseries","heats":"` + long + `"}`,
		} {
			response := ask(t, d, query)
			require.ErrorContains(t, response.Error, field+" ", field)
			require.ErrorContains(t, response.Error, "characters long", field)
			require.Equal(t, backend.StatusBadRequest, response.Status, field)
			require.Less(t, len(response.Error.Error()), 300, field)
		}
		said := noticesOf(ask(t, d, `{"queryType":"standings","races":["$latest"],"name":"`+strings.Trim(long, "${}")+`"}`).Frames)
		require.Contains(t, said, "finished in this time range")
		require.Less(t, len(said), 300)
	}
	status, body := callRaw(t, d, nil, http.MethodGet, "apps?race="+strings.Repeat("x", 5000))
	require.Equal(t, http.StatusBadRequest, status)
	require.Less(t, len(body), 400)
	require.NotContains(t, ask(t, d, `{"queryType":"standings","races":["`+strings.Repeat("x", 256)+`"]}`).Error.Error(), "characters long")
}

func TestASlowPrometheusIsGivenUpAfterTheTimeOutOfTheSettings(t *testing.T) {
	url := stuck(t)
	instance, err := New(t.Context(), backend.DataSourceInstanceSettings{URL: url, JSONData: json.RawMessage(`{"timeout":0.2}`)})
	require.NoError(t, err)
	began := time.Now()
	response := ask(t, instance.(*Datasource), `{"queryType":"races"}`)
	require.ErrorContains(t, response.Error, "did not answer in time")
	require.ErrorContains(t, response.Error, "time-out")
	require.Equal(t, backend.StatusTimeout, response.Status)
	require.Equal(t, backend.ErrorSourceDownstream, response.ErrorSource)
	require.Less(t, time.Since(began), 3*time.Second)
}

func TestSettingsThatCannotBeUsedAreToldAtEachQuery(t *testing.T) {
	for name, settings := range map[string]backend.DataSourceInstanceSettings{
		"no address":              {},
		"no address of that kind": {URL: "localhost:9090"},
		"a method":                {URL: "http://127.0.0.1:1", JSONData: json.RawMessage(`{"httpMethod":"BREW"}`)},
		"no time-out":             {URL: "http://127.0.0.1:1", JSONData: json.RawMessage(`{"timeout":"soon"}`)},
		"no JSON":                 {URL: "http://127.0.0.1:1", JSONData: json.RawMessage(`{"appLabels":"pod"}`)},
	} {
		instance, err := New(t.Context(), settings)
		require.NoError(t, err, name)
		d := instance.(*Datasource)
		require.Error(t, ask(t, d, `{"queryType":"races"}`).Error, name)
		health, err := d.CheckHealth(t.Context(), nil)
		require.NoError(t, err)
		require.Equal(t, backend.HealthStatusError, health.Status, name)
		require.NotEmpty(t, health.Message, name)
	}
}

func TestOneQuerysErrorDoesNotSpoilTheOthers(t *testing.T) {
	d := open(t, serve(t, recordedPrometheus(t)), "")
	span := backend.TimeRange{From: scene().Add(-5 * time.Minute), To: scene().Add(10 * time.Minute)}
	response, err := d.QueryData(t.Context(), &backend.QueryDataRequest{Queries: []backend.DataQuery{
		{RefID: "A", JSON: json.RawMessage(`{"queryType":"nonsense"}`), TimeRange: span},
		{RefID: "B", JSON: queries(t)["races"], TimeRange: span},
		{RefID: "C", JSON: json.RawMessage(`{"queryType":"races"}`)},
	}})
	require.NoError(t, err)
	require.Error(t, response.Responses["A"].Error)
	require.NoError(t, response.Responses["B"].Error)
	require.Equal(t, 2, response.Responses["B"].Frames[0].Rows())
	require.ErrorContains(t, response.Responses["C"].Error, "time range is empty")
}

// awkward answers every expression with one series whose values are no plain numbers.
func awkward(value string) http.HandlerFunc {
	labels := `{"__name__":"photofinish_http_reqs_total","testid":"r","app":"a","heat":"1","phase":"race","photofinish_tagged":"yes","expected_response":"true"}`
	return func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		at := scene().Unix()
		if r.URL.Path == "/api/v1/query_range" {
			fmt.Fprintf(w, `{"status":"success","data":{"resultType":"matrix","result":[{"metric":%s,"values":[[%d,%q],[%d,%q]]}]}}`, labels, at, value, at+1, value)
			return
		}
		fmt.Fprintf(w, `{"status":"success","data":{"resultType":"vector","result":[{"metric":%s,"value":[%d,%q]}]}}`, labels, at, value)
	}
}

func TestNoFrameHoldsNaNOrInfinity(t *testing.T) {
	for _, value := range []string{"NaN", "+Inf", "-Inf"} {
		d := open(t, serve(t, awkward(value)), "")
		for _, kind := range []string{typeTimeSeries, typeStandings, typeDistribution, typeVerdict} {
			response := ask(t, d, `{"queryType":"`+kind+`","races":["r"],"baseline":"a"}`)
			require.NoError(t, response.Error, "%s %s", kind, value)
			for _, f := range response.Frames {
				for _, field := range f.Fields {
					for i := range field.Len() {
						if v, ok := field.At(i).(*float64); ok && v != nil {
							require.False(t, *v != *v || *v > 1e300 || *v < -1e300, "%s: %s holds %v", kind, field.Name, *v)
						}
					}
				}
			}
		}
	}
}

func TestARangeOfThirtyDaysStaysWithinThePointsThatPrometheusAllows(t *testing.T) {
	var mu sync.Mutex
	var most int64
	d := open(t, serve(t, func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		if r.URL.Path == "/api/v1/query_range" {
			var start, end, step float64
			fmt.Sscan(r.Form.Get("start"), &start)
			fmt.Sscan(r.Form.Get("end"), &end)
			fmt.Sscan(r.Form.Get("step"), &step)
			mu.Lock()
			most = max(most, int64((end-start)/step)+1)
			mu.Unlock()
		}
		emptyPrometheus(w, r)
	}), "")
	response := askAt(t, d, `{"queryType":"races"}`, scene().Add(-30*24*time.Hour), scene())
	require.NoError(t, response.Error)
	require.NotZero(t, most)
	require.LessOrEqual(t, most, int64(11_000))
}

func TestAnAnswerThatWouldBeTooLargeIsRefused(t *testing.T) {
	r := fourApps()
	for i := range 400 {
		lane := r.Lanes[0]
		lane.App = fmt.Sprint("app", i)
		r.Lanes = append(r.Lanes, lane)
	}
	d := open(t, serve(t, emptyPrometheus), fakeRunner(t, r))
	response := ask(t, d, `{"queryType":"timeseries","races":["`+r.ID+`"],"heats":"each","align":"elapsed"}`)
	require.ErrorContains(t, response.Error, "5000")
	require.ErrorContains(t, response.Error, "choose fewer apps")
}
