package cmd_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/compare"
	"github.com/photofinish/photofinish/pkg/measure"
	"github.com/photofinish/photofinish/pkg/race"
)

// emitted are the values of a script's own metrics in the race part, ascending, by metric and app, as k6's raw output has them.
func emitted(t *testing.T, dir string) map[string]map[string][]float64 {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	require.NoError(t, err)
	values := map[string]map[string][]float64{}
	eachPoint(t, files, func(metric string, value float64, tags map[string]string) {
		if tags["phase"] != "race" || measure.OwnOfK6(metric) {
			return
		}
		if values[metric] == nil {
			values[metric] = map[string][]float64{}
		}
		app := tags["app"]
		values[metric][app] = append(values[metric][app], value)
	})
	for _, byApp := range values {
		for _, v := range byApp {
			slices.Sort(v)
		}
	}
	return values
}

var trendQuantiles = map[string]float64{"checkout_time_p50": .50, "checkout_time_p90": .90, "checkout_time_p95": .95, "checkout_time_p99": .99}

func total(values []float64) (sum float64) {
	for _, v := range values {
		sum += v
	}
	return sum
}

// The example's metrics and expression are measures of the record, of the series and of every view, with the values that k6's raw output has.
func TestAScriptsOwnMetricsAreMeasures(t *testing.T) {
	fast, _ := elsewhere(t, "/", 0)
	slow, _ := elsewhere(t, "/", 60*time.Millisecond)
	k := keep(t, "../../tests/measures-test.js", "--lane", "control="+fast, "--lane", "high-latency="+slow,
		"--mode", "together", "--heats", "2", "--duration", "4s", "--warmup", "500ms")
	raw := emitted(t, os.Getenv(rawOutput))
	require.Len(t, raw, 3)
	ids := []string{
		"first_byte_p95", "checkout_fast", "checkout_time_mean", "checkout_time_p50", "checkout_time_p90", "checkout_time_p95", "checkout_time_p99", "checkout_time_max",
		"items_sold_per_second",
	}
	require.Equal(t, ids, measure.Of(k.record.CustomMeasures...).IDs()[len(measure.IDs()):])

	t.Run("the record has what k6's raw output has", func(t *testing.T) {
		for _, l := range k.record.Lanes {
			times := raw["checkout_time"][l.App]
			require.Positive(t, len(times), "%s: the scenario's tag app is on every metric", l.App)
			m := l.Measures
			require.InEpsilon(t, total(times)/float64(len(times)), *m["checkout_time_mean"], 1e-9)
			require.InEpsilon(t, times[len(times)-1], *m["checkout_time_max"], 1e-9)
			for id, q := range trendQuantiles {
				between(t, times, q, *m[id], bucket, id)
			}
			require.InDelta(t, total(raw["checkout_fast"][l.App])/float64(len(raw["checkout_fast"][l.App])), *m["checkout_fast"], 1e-9)
			active := 0.0
			for _, h := range k.record.Heats {
				active += h.Lanes[l.App].ActiveMS / 1000
			}
			require.InEpsilon(t, total(raw["items_sold"][l.App])/active, *m["items_sold_per_second"], 1e-9)
			require.NotNil(t, m["first_byte_p95"], "the expression was answered")
			for _, h := range k.record.Heats {
				waited := *h.Lanes[l.App].Measures["first_byte_p95"]
				require.Less(t, waited, 1.1**h.Lanes[l.App].Measures["latency_max"], "waiting is a part of an answer's time, told to a bucket of 9%")
				require.Greater(t, waited, map[string]float64{"high-latency": 55}[l.App], "this app answers after 60 ms")
			}
		}
		require.NotContains(t, kinds(k.record), race.MeasureMissing)
	})
	t.Run("they are judged where they have a direction", func(t *testing.T) {
		var judged []string
		for _, v := range k.record.Verdicts {
			if slices.Contains(ids, v.Measure) {
				require.False(t, v.Primary)
				require.NotNil(t, v.Ratio, v.Measure)
				judged = append(judged, v.Measure)
			}
		}
		require.Equal(t, ids, judged)
	})
	t.Run("from the series alone, by compare", func(t *testing.T) {
		f := run(t.Context(), t, "", "compare", k.record.ID, "--baseline", "control", "--prometheus-url", k.url, "--json")
		require.Equal(t, 0, f.code)
		var past race.Race
		require.NoError(t, json.Unmarshal([]byte(f.stdout), &past))
		require.Equal(t, ids[1:], measure.Of(past.CustomMeasures...).IDs()[len(measure.IDs()):], "all but the expression, which no series tells of")
		for i, l := range past.Lanes {
			for _, id := range ids[1:] {
				near := 1e-9
				if id == "items_sold_per_second" {
					near = .15
				}
				if q, percentile := trendQuantiles[id]; percentile {
					between(t, raw["checkout_time"][l.App], q, *l.Measures[id], bucket, id)
					continue
				}
				want := *k.record.Lanes[i].Measures[id]
				require.InDelta(t, want, *l.Measures[id], near*want, "%s %s", l.App, id)
			}
		}
	})
	t.Run("step by step", func(t *testing.T) {
		info, ok := compare.FromRecord(k.record)
		require.True(t, ok)
		got, err := compare.TimeSeries(t.Context(), querier(t, k.url), compare.Request{Races: []compare.RaceInfo{info}, Measures: ids, Step: time.Second, Elapsed: true})
		require.NoError(t, err)
		require.Len(t, got.Series, 2*len(ids))
		for _, s := range got.Series {
			require.Greater(t, s.Coverage, .4, "%s %s: %v", s.App, s.Measure.ID, got.Notices)
		}
	})
	t.Run("the table of the terminal shows them", func(t *testing.T) {
		f := run(t.Context(), t, "", "compare", k.record.ID, "--baseline", "control", "--prometheus-url", k.url)
		require.Contains(t, f.stdout, "checkout_time p95")
		require.Contains(t, f.stdout, "checkout_fast")
		require.Contains(t, f.stdout, "items_sold per second")
	})
}

func TestADeclaredMeasureThatNobodyMeasuredIsAFinding(t *testing.T) {
	old, _ := elsewhere(t, "/", 0)
	fresh, _ := elsewhere(t, "/", 0)
	script := filepath.Join(t.TempDir(), "script.js")
	require.NoError(t, os.WriteFile(script, []byte(`import http from 'k6/http';
import { Counter } from 'k6/metrics';
const sold = new Counter('sold');
export const options = {
  scenarios: { load: { executor: 'constant-arrival-rate', rate: 20, timeUnit: '1s', duration: '3s', preAllocatedVUs: 5 } },
  ext: { photofinish: { heats: 1, warmup: '200ms', lanes: { old: { url: '`+old+`' }, new: { url: '`+fresh+`' } }, measures: {
    sodl: { better: 'higher' },
    pods: { expr: 'kube_pods{race="$race"}' },
    requests: { expr: 'last_over_time(photofinish_http_reqs_total{testid="$race", phase="race"}[$window])' },
  } } },
};
export default function () { http.get(__ENV.APP_URL); sold.add(1); }
`), 0o600))
	f := runRace(t.Context(), t, script)
	require.Equal(t, 0, f.code)
	var says []string
	for _, one := range f.record.Audit.Findings {
		if one.Kind == race.MeasureMissing {
			require.Equal(t, race.Warning, one.Severity)
			says = append(says, one.Detail)
		}
	}
	require.Len(t, says, 3)
	require.Contains(t, says[0], "pods, of which nothing was measured: its expression gave no value")
	require.Contains(t, says[1], `several series of app`)
	require.Contains(t, says[1], "sum by (app)")
	require.Contains(t, says[2], "sodl, of which nothing was measured: no lane emitted")
	require.NotNil(t, f.lane(t, "old").Measures["sold_per_second"])
	require.Nil(t, f.lane(t, "old").Measures["pods"])
	nothingLeft(t)
}
