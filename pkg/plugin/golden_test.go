package plugin

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/grafana/dataplane/sdata/numeric"
	"github.com/grafana/dataplane/sdata/timeseries"
	"github.com/grafana/grafana-plugin-sdk-go/experimental"
	"github.com/stretchr/testify/require"
)

func queries(tb testing.TB) map[string]json.RawMessage {
	tb.Helper()
	file, err := os.ReadFile("testdata/queries.json")
	require.NoError(tb, err)
	var queries map[string]json.RawMessage
	require.NoError(tb, json.Unmarshal(file, &queries))
	return queries
}

// The files are written by go test ./tests/datasource -record, against a real Prometheus.
func TestRecordedAnswersBecomeTheGoldenFrames(t *testing.T) {
	for name, query := range queries(t) {
		t.Run(name, func(t *testing.T) {
			response := ask(t, open(t, serve(t, recordedPrometheus(t)), ""), string(query))
			require.NoError(t, response.Error)
			experimental.CheckGoldenJSONResponse(t, "testdata", name, &response, false)
			for _, f := range response.Frames {
				require.NotEmpty(t, f.Meta.ExecutedQueryString+noticesOf(response.Frames), "where its numbers come from")
				require.Equal(t, "A", f.RefID)
			}
		})
	}
}

func TestFramesForAlertRulesAreReadBackByTheDataPlane(t *testing.T) {
	d := open(t, serve(t, recordedPrometheus(t)), "")
	tests := []struct {
		name string
		refs int
	}{
		{"timeseries-one", 2}, {"timeseries-several", 2}, {"timeseries-without-containers", 6}, {"timeseries-heats", 12}, {"timeseries-races", 8},
	}
	all := queries(t)
	for _, tt := range tests {
		reader, err := timeseries.CollectionReaderFromFrames(ask(t, d, string(all[tt.name])).Frames)
		require.NoError(t, err, tt.name)
		c, err := reader.GetCollection(true)
		require.NoError(t, err, tt.name)
		require.NoError(t, c.Warning, tt.name)
		require.Len(t, c.Refs, tt.refs, tt.name)
		require.Empty(t, c.RemainderIndices, tt.name)
		require.NotEmpty(t, c.Refs[0].GetLabels()["app"])
		labels := map[string]bool{}
		for _, ref := range c.Refs {
			labels[ref.GetLabels().String()] = true
			size, err := ref.Len()
			require.NoError(t, err)
			require.Positive(t, size, tt.name)
		}
		require.Len(t, labels, tt.refs, "%s: server-side expressions keep labels only, and the same labels twice are an error to them", tt.name)
	}
	for name, refs := range map[string]int{"verdict": 3, "verdict-ratio": 1, "verdict-latest": 1, "verdict-none": 0} {
		reader, err := numeric.CollectionReaderFromFrames(ask(t, d, string(all[name])).Frames)
		require.NoError(t, err, name)
		c, err := reader.GetCollection(false)
		require.NoError(t, err, name)
		require.NoError(t, c.Warning, name)
		require.Len(t, c.Refs, refs, name)
		labels := map[string]bool{}
		for _, ref := range c.Refs {
			labels[ref.GetLabels().String()] = true
			require.NotContains(t, ref.GetLabels(), "race", "a new id each night would be a new alert each night")
		}
		require.Len(t, labels, refs, "%s: alert instances are told apart by labels alone", name)
	}
}

func TestWithoutDataAlertRulesReadNoData(t *testing.T) {
	d := open(t, serve(t, emptyPrometheus), "")
	for _, query := range []string{
		`{"queryType":"timeseries","races":["$latest"],"measures":["vus"]}`, `{"queryType":"timeseries","races":["$latest"]}`,
		`{"queryType":"timeseries","races":[]}`,
	} {
		reader, err := timeseries.CollectionReaderFromFrames(ask(t, d, query).Frames)
		require.NoError(t, err, query)
		c, err := reader.GetCollection(true)
		require.NoError(t, err, query)
		require.True(t, c.NoData(), query)
	}
	for _, field := range []string{fieldRegressed, fieldRatio, fieldLow, fieldHigh} {
		reader, err := numeric.CollectionReaderFromFrames(ask(t, d, `{"queryType":"verdict","races":["$latest"],"field":"`+field+`"}`).Frames)
		require.NoError(t, err, field)
		c, err := reader.GetCollection(false)
		require.NoError(t, err, field)
		require.True(t, c.NoData(), field)
	}
}

func TestWithoutDataTheFramesKeepTheirTypes(t *testing.T) {
	d := open(t, serve(t, emptyPrometheus), "")
	for query, kind := range map[string]string{
		`{"queryType":"timeseries","races":["$latest"],"measures":["vus"]}`:  "timeseries-wide",
		`{"queryType":"timeseries","races":["$latest"]}`:                     "timeseries-multi",
		`{"queryType":"verdict","races":["$latest"],"baseline":"a"}`:         "numeric-wide",
		`{"queryType":"standings","races":["$latest"]}`:                      "",
		`{"queryType":"distribution","races":["$latest"]}`:                   "",
		`{"queryType":"races"}`:                                              "",
		`{"queryType":"events"}`:                                             "",
		`{"queryType":"timeseries","races":["$latest"],"align":"elapsed"}`:   "",
		`{"queryType":"verdict","races":["$latest"],"field":"all"}`:          "",
		`{"queryType":"timeseries","races":["$__all"],"measures":["vus"]}`:   "timeseries-wide",
		`{"queryType":"timeseries","races":[" ",""],"measures":["vus"]}`:     "timeseries-wide",
		`{"queryType":"verdict","races":["$latest"],"field":"high"}`:         "numeric-wide",
		`{"queryType":"timeseries","heats":"each","measures":["cpu_cores"]}`: "timeseries-wide",
	} {
		response := ask(t, d, query)
		require.NoError(t, response.Error, query)
		require.NotEmpty(t, response.Frames, query)
		require.Equal(t, kind, string(response.Frames[0].Meta.Type), query)
		rows, err := response.Frames[0].RowLen()
		require.NoError(t, err, query)
		if response.Frames[0].Name != "percentiles" {
			require.Zero(t, rows, query)
		}
	}
}
