package plugin

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/promql"
	"github.com/photofinish/photofinish/pkg/race"
)

func heap() int {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

func TestWhatIsRememberedTakesAboutWhatItIsCountedFor(t *testing.T) {
	for _, points := range []int{1, 600} { // many labels and few points, and the other way round
		const limit = 16 << 20
		m := newMemory(limit)
		before := heap()
		for i := range 40_000_000 / (1000 + 16*points) / 4 { // more than there is room for
			var result promql.Result
			for app := range 4 {
				name := strings.Clone(fmt.Sprint("container ", i, app))
				result.Series = append(result.Series, promql.Series{
					Labels: map[string]string{"__name__": "container_cpu_usage_seconds_total", "id": name, "instance": "here", "job": "cadvisor", "app": name},
					Points: make([]promql.Point, points),
				})
			}
			m.put(fmt.Sprint(i), result, sizeOf(result), time.Now().Add(time.Hour))
		}
		took := heap() - before
		require.LessOrEqual(t, m.used, limit)
		require.Less(t, took, limit*3/2, "%d points: %d entries", points, len(m.byKey))
		require.Greater(t, took, limit/3, "%d points: %d entries", points, len(m.byKey))
		runtime.KeepAlive(m)
	}
}

func TestAPartialAnswerIsToldAndNotRemembered(t *testing.T) {
	var down atomic.Bool
	down.Store(true)
	d := open(t, serve(t, func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		answer := httptest.NewRecorder()
		busy(answer, r)
		body := answer.Body.String()
		if down.Load() && strings.Contains(r.Form.Get("query"), "container_") { // the race itself is found whole
			body = strings.Replace(body, `{"status"`, `{"isPartial":true,"status"`, 1)
		}
		fmt.Fprint(w, body)
	}), "")
	all := []string{
		`{"queryType":"standings","races":["ours"],"baseline":"a"}`, `{"queryType":"standings","races":["ours"],"field":"history"}`,
		`{"queryType":"verdict","races":["ours"],"baseline":"a"}`, `{"queryType":"events","races":["ours"]}`,
	}
	for _, query := range all {
		response := ask(t, d, query)
		require.NoError(t, response.Error, query)
		require.Contains(t, noticesOf(response.Frames), "Prometheus: the answer is partial", query)
	}
	down.Store(false)
	for _, query := range all {
		require.NotContains(t, noticesOf(ask(t, d, query).Frames), "partial", query)
	}
}

func TestRecordsTakeAboutWhatTheyAreCountedFor(t *testing.T) {
	text, err := json.Marshal(fourApps())
	require.NoError(t, err)
	before := heap()
	var all []race.Race
	counted := 0
	for range 200 {
		var r race.Race
		require.NoError(t, json.Unmarshal(text, &r))
		all = append(all, r)
		counted += recordSize(r)
	}
	took := heap() - before
	t.Logf("%d bytes a record, %d of JSON, counted for %d", took/len(all), len(text), counted/len(all))
	require.Less(t, took, counted*3/2)
	require.Greater(t, took, counted/2)
	runtime.KeepAlive(all)
}
