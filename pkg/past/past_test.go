package past_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/compare"
	"github.com/photofinish/photofinish/pkg/past"
	"github.com/photofinish/photofinish/pkg/race"
)

// seven heats in which b takes twice as long as a.
func seven() (compare.RaceInfo, compare.Totals) {
	start := time.Unix(1_790_000_000, 0)
	info := compare.RaceInfo{ID: "r@1790000000", TestID: "r", Start: start, End: start.Add(7 * time.Minute), Apps: []string{"a", "b"}}
	totals := compare.Totals{Whole: map[string]compare.AppTotals{"a": app(10), "b": app(20)}}
	for i := range 7 {
		h := compare.Heat{Start: start.Add(time.Duration(i) * time.Minute), End: start.Add(time.Duration(i+1) * time.Minute)}
		info.Heats = append(info.Heats, h)
		totals.Heats = append(totals.Heats, compare.HeatTotals{Heat: h, Apps: map[string]compare.AppTotals{"a": app(10), "b": app(20 + float64(i)/100)}})
	}
	return info, totals
}

func app(p95 float64) compare.AppTotals {
	failed := 3.0
	return compare.AppTotals{Requests: 100, Failed: &failed, Measures: map[string]*float64{"latency_p95": &p95}}
}

func TestAPastRaceIsJudgedFromItsHeats(t *testing.T) {
	info, totals := seven()
	r, err := past.Judge(info, totals, past.Options{Baseline: "a", Now: info.End.Add(time.Hour)})
	require.NoError(t, err)
	require.Equal(t, race.Finished, r.Status)
	require.Equal(t, "r", r.Name)
	require.Len(t, r.Verdicts, 1)
	require.Equal(t, race.Slower, r.Verdicts[0].Outcome)
	require.Equal(t, "b", r.Verdicts[0].App)
	require.True(t, r.Audit.Fair, "an audit that nobody made finds nothing unfair")
	require.Equal(t, race.NoAudit, r.Audit.Findings[0].Kind)
	require.Equal(t, int64(3), r.Lanes[0].Client.Failed)
}

func TestWhatThePastCountedIsNoZero(t *testing.T) {
	info, totals := seven()
	measured, counted := 5.0, totals.Whole["a"]
	counted.Checks, counted.Measures["request_rate"] = &race.Checks{Passed: 90, Failed: 10}, &measured
	totals.Whole["a"] = counted
	r, err := past.Judge(info, totals, past.Options{Baseline: "a", Now: info.End})
	require.NoError(t, err)
	require.Equal(t, race.Checks{Passed: 90, Failed: 10}, r.Lanes[0].Client.Checks)
	require.InDelta(t, measured, r.Lanes[0].Client.Rate, 0)
	require.InDelta(t, 100.0/(7*60), r.Lanes[1].Client.Rate, 1e-12, "nobody measured it")
	require.Nil(t, r.Lanes[1].Measures["request_rate"])

	info.Heats = nil
	r, err = past.Judge(info, totals, past.Options{Baseline: "a", Now: info.End})
	require.NoError(t, err)
	require.Zero(t, r.Lanes[1].Client.Rate, "of no time there is no rate")
}

func TestAPastRaceFitsTheSchema(t *testing.T) {
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	schema, err := c.Compile("../../docs/race.schema.json")
	require.NoError(t, err)
	info, totals := seven()
	info.ID = info.TestID // as that of the only race of a testid
	for name, now := range map[string]time.Time{"finished": info.End.Add(time.Hour), "still racing": info.End} {
		r, err := past.Judge(info, totals, past.Options{Baseline: "a", Now: now})
		require.NoError(t, err)
		text, err := json.Marshal(r)
		require.NoError(t, err)
		document, err := jsonschema.UnmarshalJSON(strings.NewReader(string(text)))
		require.NoError(t, err)
		require.NoError(t, schema.Validate(document), name)
	}
}

func TestARaceThatMayStillGoOnHasNoVerdict(t *testing.T) {
	info, totals := seven()
	r, err := past.Judge(info, totals, past.Options{Baseline: "a", Now: info.End.Add(59 * time.Second)})
	require.NoError(t, err)
	require.Equal(t, race.Racing, r.Status)
	require.Nil(t, r.FinishedAt)
	require.Empty(t, r.Verdicts)
}

func TestTheBaselineIsNeverGuessed(t *testing.T) {
	info, totals := seven()
	_, err := past.Judge(info, totals, past.Options{Baseline: "", Now: info.End})
	require.ErrorContains(t, err, "its apps are a, b")
	_, err = past.Judge(info, totals, past.Options{Baseline: "c", Now: info.End})
	require.ErrorContains(t, err, `"c" is no app`)
	require.Contains(t, race.HintOf(err), "a, b")
}
