package promql

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/race"
)

// FuzzAnswersAreReadAsClientGolangReadsThem: what reads as a whole answer has the series and points that client_golang's model sees in it.
func FuzzAnswersAreReadAsClientGolangReadsThem(f *testing.F) {
	for _, result := range []string{
		`{"resultType":"matrix","result":[{"metric":{"__name__":"up","a":"é\"\n😀"},"values":[[1790000000.5,"1"],[1790000001,"NaN"],[1790000002.001,"-Inf"]]},{"metric":{},"values":[[0,"1e-320"]]}]}`,
		`{"resultType":"vector","result":[{"metric":{"a":""},"value":[1790000000.123,"2.5"]}]}`,
		`{"resultType":"vector","result":[]}`,
		`{"resultType":"scalar","result":[1790000000.1,"1"]}`,
		`{"resultType":"string","result":[1790000000.1,"text"]}`,
	} {
		f.Add([]byte(`{"status":"success","data":` + result + `,"warnings":["w"],"infos":["i"]}`))
	}
	f.Add([]byte(`{"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"histograms":[[1,{"count":"1","sum":"1"}]]}]}}`))
	f.Add([]byte(`{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"a":"\",\"values\":[["},"values":[[1.5,"1"],[02,"2"],[0.125,"-0"]]},{"metric":{"b":"c"},"values":[[3,"0x1p-2"]]}]}}`))
	f.Add([]byte(`{"status":"error","errorType":"bad_data","error":"no"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		var a answer
		if !a.parse(body) || a.err != nil {
			return
		}
		var want struct {
			Data struct {
				ResultType string          `json:"resultType"`
				Result     json.RawMessage `json:"result"`
			} `json:"data"`
		}
		if !utf8.Valid(body) || !json.Valid(body) || json.Unmarshal(body, &want) != nil {
			return // a server that sends no proper JSON gets no promise
		}
		var elements []map[string]json.RawMessage
		_ = json.Unmarshal(want.Data.Result, &elements)
		for _, e := range elements {
			if e["metric"] == nil || e["value"] == nil && e["values"] == nil || e["value"] != nil && e["values"] != nil {
				return // the model makes up what is missing
			}
		}
		var matrix model.Matrix
		switch want.Data.ResultType {
		case "matrix":
			if json.Unmarshal(want.Data.Result, &matrix) != nil {
				return
			}
		case "vector":
			var vector model.Vector
			if json.Unmarshal(want.Data.Result, &vector) != nil {
				return
			}
			for _, s := range vector {
				matrix = append(matrix, &model.SampleStream{Metric: s.Metric, Values: []model.SamplePair{{Timestamp: s.Timestamp, Value: s.Value}}})
			}
		default:
			return
		}
		require.Len(t, a.series, len(matrix))
		for i, s := range matrix {
			require.Len(t, a.series[i].Labels, len(s.Metric))
			for name, value := range s.Metric {
				require.Equal(t, string(value), a.series[i].Labels[string(name)])
			}
			require.Len(t, a.series[i].Points, len(s.Values))
			for j, p := range s.Values {
				require.Equal(t, int64(p.Timestamp), a.series[i].Points[j].At)
				require.Equal(t, math.Float64bits(float64(p.Value)), math.Float64bits(a.series[i].Points[j].Value))
			}
		}
	})
}

func TestAnAnswerIsReadUpToTheLimit(t *testing.T) {
	const body = `{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1790000000,"2.5"]}]}}`
	const limit = 1 << 20
	for more, says := range map[int]string{0: "", 1: "answered more than 1 MB"} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, body+strings.Repeat(" ", limit-len(body)+more))
		}))
		defer server.Close()
		c, err := limited(Config{URL: server.URL}, limit)
		require.NoError(t, err)
		result, err := c.Query(t.Context(), At("up", time.Now()))
		if says == "" {
			require.NoError(t, err)
			require.Len(t, result.Series, 1)
			continue
		}
		require.ErrorContains(t, err, says)
		require.Equal(t, race.Unavailable, race.CodeOf(err))
		require.Equal(t, "ask for a shorter time or fewer apps", race.HintOf(err))
	}
}

// BenchmarkAnswer reads a matrix of 100 series of 600 points, as a rate has them.
func BenchmarkAnswer(b *testing.B) {
	body := []byte(`{"status":"success","data":{"resultType":"matrix","result":[`)
	for series := range 100 {
		body = fmt.Appendf(body, `{"metric":{"__name__":"x","app":"app-%d"},"values":[`, series)
		for i := range 600 {
			body = fmt.Appendf(body, `[%d,"%v"],`, 1_790_000_000+i, float64(series+i)/7)
		}
		body = append(body[:len(body)-1], `]},`...)
	}
	body = append(body[:len(body)-1], `]}}`...)
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		if a := (answer{}); !a.parse(body) || len(a.series) != 100 {
			b.Fatal("it was not read")
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/60_000, "ns/point")
}
