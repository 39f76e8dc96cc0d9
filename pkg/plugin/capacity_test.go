package plugin

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/backend"
	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/pkg/race/racetest"
)

func TestACapacityIsAMeasureOfItsRaceInEveryQuery(t *testing.T) {
	r := racetest.Capacity()
	d := open(t, serve(t, emptyPrometheus), fakeRunner(t, r))
	ask := func(t *testing.T, d *Datasource, query string) backend.DataResponse {
		t.Helper()
		return askAt(t, d, query, r.StartedAt.Add(-time.Minute), r.FinishedAt.Add(time.Minute))
	}
	query := func(rest string) string { return `{"races":["` + r.ID + `"],` + rest + `}` }

	t.Run("alert rules are told whether it got worse", func(t *testing.T) {
		response := ask(t, d, query(`"queryType":"verdict","measures":["capacity"]`))
		require.NoError(t, response.Error)
		f := response.Frames[0]
		require.Len(t, f.Fields, 1)
		require.Equal(t, "high-cpu", f.Fields[0].Labels["app"])
		require.Equal(t, race.CapacityMeasure, f.Fields[0].Labels["measure"])
		regressed, ok := f.Fields[0].ConcreteAt(0)
		require.True(t, ok)
		require.InDelta(t, 1, regressed, 0)
	})
	t.Run("it is among the primary measures", func(t *testing.T) {
		response := ask(t, d, query(`"queryType":"verdict"`))
		require.NoError(t, response.Error)
		var measures []string
		for _, f := range response.Frames[0].Fields {
			measures = append(measures, f.Labels["measure"])
		}
		require.Contains(t, measures, race.CapacityMeasure)
	})
	t.Run("standings have its column", func(t *testing.T) {
		response := ask(t, d, query(`"queryType":"standings","measures":["capacity"]`))
		require.NoError(t, response.Error)
		f := response.Frames[0]
		column, at := f.FieldByName("capacity")
		require.GreaterOrEqual(t, at, 0)
		require.Equal(t, "reqps", column.Config.Unit)
		value, ok := column.ConcreteAt(0)
		require.True(t, ok)
		require.InDelta(t, 480, value, 0, "the best is on top")
		word, _ := f.FieldByName("capacity_verdict")
		require.Equal(t, "slower", *word.At(1).(*string))
	})
	t.Run("over time there is none, and that is no error", func(t *testing.T) {
		response := ask(t, d, query(`"queryType":"timeseries","measures":["capacity"],"align":"elapsed"`))
		require.NoError(t, response.Error)
	})
	t.Run("the panel is told how it was found", func(t *testing.T) {
		response := ask(t, d, query(`"queryType":"verdict","field":"all"`))
		require.NoError(t, response.Error)
		told := response.Frames[0].Meta.Custom.(finish).Races[0]
		require.Equal(t, *r.Capacity, told.Capacity.Capacity)
		require.Equal(t, "high-cpu holds 121 req/s [119, 123], found in 10 tries; beyond it latency_p95<60: 111 ms", told.Capacity.Sentences["high-cpu"])
		require.Contains(t, told.Capacity.Terms, "keeps latency_p95<60 and error_rate<0.01")
		require.Contains(t, told.Apps[1].Sentence, "high-cpu holds less load than control: capacity × 0.252")
		text, err := json.Marshal(told)
		require.NoError(t, err)
		require.Contains(t, string(text), `"capacity":{"conditions":[{"measure":"latency_p95","op":"\u003c","value":60}`)
	})
	t.Run("another race has none", func(t *testing.T) {
		other := fourApps()
		response := ask(t, open(t, serve(t, emptyPrometheus), fakeRunner(t, other)), `{"queryType":"verdict","field":"all","races":["`+other.ID+`"]}`)
		require.NoError(t, response.Error)
		require.Nil(t, response.Frames[0].Meta.Custom.(finish).Races[0].Capacity)
	})
	t.Run("another baseline turns it round", func(t *testing.T) {
		response := ask(t, d, query(`"queryType":"verdict","measures":["capacity"],"field":"ratio","baseline":"high-cpu"`))
		require.NoError(t, response.Error)
		ratio, _ := response.Frames[0].Fields[0].ConcreteAt(0)
		require.InDelta(t, 480./121, ratio, 1e-9)
	})
}
