package promql_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/promql"
	"github.com/photofinish/photofinish/pkg/race"
)

func serve(t *testing.T, answer http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(answer)
	t.Cleanup(server.Close)
	return server.URL
}

func client(t *testing.T, cfg promql.Config) *promql.Client {
	t.Helper()
	c, err := promql.New(cfg)
	require.NoError(t, err)
	return c
}

func text(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		fmt.Fprint(w, body)
	}
}

func TestAnswersAreDecoded(t *testing.T) {
	const matrix = `{"status":"success","warnings":["partial"],"infos":["odd"],"data":{"resultType":"matrix","result":[
		{"metric":{"__name__":"up","app":"a\"b"},"values":[[1790000000.5,"1"],[1790000001.5,"NaN"],[1790000002.5,"+Inf"]]}]}}`
	const vector = `{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1790000000,"2.5"]}]}}`
	var form map[string][]string
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		form = r.Form
		if strings.HasSuffix(r.URL.Path, "/query_range") {
			fmt.Fprint(w, matrix)
		} else {
			fmt.Fprint(w, vector)
		}
	})
	start := time.Unix(1_790_000_000, 5e8)
	q := promql.Query{Expr: "up", Start: start, End: start.Add(2 * time.Second), Step: time.Second}
	result, err := client(t, promql.Config{URL: url + "/"}).Query(t.Context(), q)
	require.NoError(t, err)
	require.Equal(t, []string{"partial"}, result.Warnings)
	require.Equal(t, []string{"odd"}, result.Infos)
	require.Equal(t, map[string]string{"__name__": "up", "app": `a"b`}, result.Series[0].Labels)
	require.Len(t, result.Series[0].Points, 3)
	require.Equal(t, promql.Point{At: 1_790_000_000_500, Value: 1}, result.Series[0].Points[0])
	require.Equal(t, []string{"1790000000.5"}, form["start"])
	require.Equal(t, []string{"1"}, form["step"])

	result, err = client(t, promql.Config{URL: url}).Query(t.Context(), promql.At("up", start))
	require.NoError(t, err)
	require.Equal(t, 2.5, result.Series[0].Last())
}

func TestAnAnswerOfWhichAPartIsMissingComesWithAWarning(t *testing.T) {
	for field, warnings := range map[string]int{`"isPartial":true,`: 1, `"isPartial":false,`: 0, `"isPartial":null,`: 0, ``: 0} {
		url := serve(t, text(200, `{"status":"success",`+field+`"data":{"resultType":"vector","result":[{"metric":{},"value":[1790000000,"2.5"]}]},"stats":{"seriesFetched":"1"}}`))
		result, err := client(t, promql.Config{URL: url}).Query(t.Context(), promql.At("up", time.Now()))
		require.NoError(t, err, field)
		require.Equal(t, 2.5, result.Series[0].Last(), field)
		require.Len(t, result.Warnings, warnings, field)
	}
}

func TestAGatewayThatRefusesPOSTIsAskedByGET(t *testing.T) {
	const empty = `{"status":"success","data":{"resultType":"vector","result":[]}}`
	var methods []string
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		methods = append(methods, r.Method+" "+r.FormValue("query"))
		if r.Method == http.MethodPost {
			w.WriteHeader(http.StatusMethodNotAllowed)
			return
		}
		fmt.Fprint(w, empty)
	})
	_, err := client(t, promql.Config{URL: url}).Query(t.Context(), promql.At("up + down", time.Now()))
	require.NoError(t, err)
	_, err = client(t, promql.Config{URL: url, Method: http.MethodGet}).Query(t.Context(), promql.At("up + down", time.Now()))
	require.NoError(t, err)
	require.Equal(t, []string{"POST up + down", "GET up + down", "GET up + down"}, methods)
}

func TestEveryFailureIsOneSentenceAndANextStep(t *testing.T) {
	api := func(kind, message string) string {
		return fmt.Sprintf(`{"status":"error","errorType":%q,"error":%q}`, kind, message)
	}
	slow := func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // only then does the server notice that the client has gone
		select {
		case <-r.Context().Done():
		case <-time.After(5 * time.Second):
		}
	}
	half := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "1000")
		fmt.Fprint(w, `{"status":"success","data":{"resultType":"vector","res`)
	}
	tests := []struct {
		name       string
		answer     http.HandlerFunc
		says, hint string
	}{
		{"a login page", text(200, "<html><body>Sign in</body></html>"), "is not Prometheus's JSON", "login page"},
		{"a proxy's error page", text(502, "<html>Bad gateway</html>"), "failed (502): server error: 502", "logs"},
		{"half an answer", half, "broke off in the middle", "try again"},
		{"half a document", text(200, `{"status":"success","data":{"resultType":"vector","res`), "is not Prometheus's JSON", "try again"},
		{"a wrong path", text(404, "404 page not found"), "no Prometheus API", "/prometheus"},
		{"no password", text(401, "Unauthorized"), "does not let us in (401)", "password"},
		{"no right", text(403, "forbidden"), "does not let us in (403)", "token"},
		{"too many queries", text(429, "slow down"), "429", "wait"},
		{"a query that is too large", text(422, api("execution", "query processing would load too many samples into memory")), "too large", "max-samples"},
		{"a query that Prometheus gave up", text(503, api("timeout", "query timed out in expression evaluation")), "gave up on a query: query timed out", "query.timeout"},
		{"a Prometheus that fails", text(500, api("internal", "disk full")), "failed (500): disk full", "logs"},
		{"a query that an old Prometheus does not know", text(400, api("bad_data", `unknown function with name "histogram_avg"`)), "refused a query", "old"},
		{"a histogram where a number was expected", text(200, `{"status":"success","data":{"resultType":"vector","result":[{"metric":{},`+
			`"histogram":[1790000000,{"count":"1","sum":"1","buckets":[[0,"0.5","1","1"]]}]}]}}`), "holds a histogram", "report"},
		{"no answer in time", slow, "did not answer in time", "time-out"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := client(t, promql.Config{URL: serve(t, tt.answer), Timeout: 200 * time.Millisecond}).Query(t.Context(), promql.At("up", time.Now()))
			require.ErrorContains(t, err, tt.says)
			require.Contains(t, race.HintOf(err), tt.hint)
			require.NotContains(t, err.Error(), "<html")
			require.NotContains(t, err.Error(), "\n")
		})
	}
}

func TestAPrometheusThatIsDownIsNamed(t *testing.T) {
	server := httptest.NewServer(text(200, ""))
	server.Close()
	_, err := client(t, promql.Config{URL: server.URL}).Query(t.Context(), promql.At("up", time.Now()))
	require.ErrorContains(t, err, "Prometheus at "+server.URL)
	require.ErrorContains(t, err, "cannot be reached")
	require.NotContains(t, err.Error(), "Post", "the address is told once")
	require.Equal(t, race.Unavailable, race.CodeOf(err))

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = client(t, promql.Config{URL: serve(t, text(200, ""))}).Query(ctx, promql.At("up", time.Now()))
	require.ErrorIs(t, err, context.Canceled)
}

func TestAnAddressThatIsNoneIsRefused(t *testing.T) {
	for _, url := range []string{"", "localhost:9090", "ftp://x", "http://[::1"} {
		_, err := promql.New(promql.Config{URL: url})
		require.Equal(t, race.Invalid, race.CodeOf(err), url)
	}
}

func TestAPasswordInTheAddressIsNotRepeated(t *testing.T) {
	_, err := client(t, promql.Config{URL: "http://me:secret@127.0.0.1:1"}).Query(t.Context(), promql.At("up", time.Now()))
	require.Error(t, err)
	require.NotContains(t, err.Error(), "secret")
}
