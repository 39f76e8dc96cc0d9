package race_test

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/pkg/race/racetest"
)

const schemaFile = "../../docs/race.schema.json"

func schema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	s, err := c.Compile(schemaFile)
	require.NoError(t, err)
	return s
}

// asJSON is a record as a reader of race.json gets it.
func asJSON(t *testing.T, r race.Race) map[string]any {
	t.Helper()
	text, err := json.Marshal(r)
	require.NoError(t, err)
	v, err := jsonschema.UnmarshalJSON(strings.NewReader(string(text)))
	require.NoError(t, err)
	return v.(map[string]any)
}

func TestRecordsFitTheSchema(t *testing.T) {
	s := schema(t)
	require.NoError(t, s.Validate(asJSON(t, racetest.FourApps().Race)), "a whole race")
	custom := racetest.FourApps().Race
	custom.CustomMeasures = []race.CustomMeasure{
		{ID: "checkout_time_p95", Name: "checkout_time p95", Unit: "ms", Better: "lower", Type: race.Trend, Metric: "checkout_time", Stat: "p95"},
		{ID: "goroutines", Name: "Goroutines", Unit: "short", Type: race.Expression, Expr: `sum by (app) (go_goroutines)`},
	}
	require.NoError(t, s.Validate(asJSON(t, custom)), "a race with measures of its own")
	require.NoError(t, s.Validate(asJSON(t, racetest.Capacity())), "a race that searched capacities")
	require.NoError(t, s.Validate(asJSON(t, race.Race{
		Version: race.RecordVersion, ID: "r1", Baseline: "a", Status: race.Queued, Mode: race.Turns, Arrivals: race.Even, Lanes: []race.Lane{{App: "a"}},
	})), "a race of which nothing is known yet")
}

func TestFieldsMayBeAddedWithoutANewVersion(t *testing.T) {
	r := asJSON(t, racetest.FourApps().Race)
	r["later"] = "new"
	r["lanes"].([]any)[0].(map[string]any)["later"] = 1
	require.NoError(t, schema(t).Validate(r))
}

func TestTheSchemaRefuses(t *testing.T) {
	first := func(r map[string]any, list string) map[string]any { return r[list].([]any)[0].(map[string]any) }
	for name, spoil := range map[string]func(map[string]any){
		"another version":           func(r map[string]any) { r["version"] = 2 },
		"a status that is not one":  func(r map[string]any) { r["status"] = "done" },
		"auto as a recorded mode":   func(r map[string]any) { r["mode"] = "auto" },
		"an id with capitals":       func(r map[string]any) { r["id"] = "Race" },
		"a lane's name with a dot":  func(r map[string]any) { first(r, "lanes")["app"] = "a.b" },
		"a finding without a kind":  func(r map[string]any) { delete(first(r["audit"].(map[string]any), "findings"), "kind") },
		"an unknown kind":           func(r map[string]any) { first(r["audit"].(map[string]any), "findings")["kind"] = "odd" },
		"a confidence in percent":   func(r map[string]any) { first(r, "verdicts")["confidence"] = 95 },
		"a time without a zone":     func(r map[string]any) { r["started_at"] = "2026-03-14T09:26:53" },
		"a measure that is no text": func(r map[string]any) { first(r, "lanes")["measures"].(map[string]any)["latency_p95"] = "fast" },
		"a missing audit":           func(r map[string]any) { delete(r, "audit") },
	} {
		t.Run(name, func(t *testing.T) {
			r := asJSON(t, racetest.FourApps().Race)
			spoil(r)
			require.Error(t, schema(t).Validate(r))
		})
	}
}

// declared reads the string constants of a type from this package's source, so that a value added to the Go code alone is noticed.
func declared(t *testing.T, typeName string) []string {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), "enums.go", nil, 0)
	require.NoError(t, err)
	var out []string
	ast.Inspect(f, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if id, ok := spec.Type.(*ast.Ident); ok && id.Name == typeName {
			v, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
			require.NoError(t, err)
			out = append(out, v)
		}
		return true
	})
	return out
}

func TestSchemaAndGoListTheSameValues(t *testing.T) {
	text, err := os.ReadFile(schemaFile)
	require.NoError(t, err)
	var doc struct {
		Defs map[string]struct{ Enum []string } `json:"$defs"`
	}
	require.NoError(t, json.Unmarshal(text, &doc))
	for def, typeName := range map[string]string{
		"status": "Status", "arrivals": "Arrivals", "outcome": "Outcome", "exitReason": "ExitReason", "severity": "Severity", "findingKind": "FindingKind",
		"metricType": "MetricType", "profileKind": "ProfileKind", "capacityLimit": "CapacityLimit", "tryPhase": "TryPhase",
	} {
		require.Equal(t, declared(t, typeName), doc.Defs[def].Enum, def)
	}
	modes := slices.DeleteFunc(declared(t, "Mode"), func(m string) bool { return m == string(race.Auto) })
	require.Equal(t, modes, doc.Defs["mode"].Enum)
	var kinds []string
	for _, k := range race.FindingKinds() {
		kinds = append(kinds, string(k))
	}
	require.Equal(t, declared(t, "FindingKind"), kinds, "FindingKinds lists every kind")
}

func TestSchemaAndGoHaveTheSameFields(t *testing.T) {
	text, err := os.ReadFile(schemaFile)
	require.NoError(t, err)
	var doc struct {
		Properties map[string]any
		Defs       map[string]struct{ Properties map[string]any } `json:"$defs"`
	}
	require.NoError(t, json.Unmarshal(text, &doc))
	for def, v := range map[string]any{
		"": race.Race{}, "load": race.Load{}, "heat": race.Heat{}, "heatLane": race.HeatLane{}, "lane": race.Lane{}, "resources": race.Resources{}, "exit": race.Exit{},
		"client": race.Client{}, "latency": race.Latency{}, "container": race.Container{}, "joined": race.Joined{}, "verdict": race.Verdict{}, "audit": race.Audit{},
		"finding": race.Finding{}, "machine": race.Machine{}, "baselineRace": race.BaselineRace{}, "customMeasure": race.CustomMeasure{},
		"profiling": race.Profiling{}, "profile": race.Profile{},
		"capacity": race.Capacity{}, "condition": race.Condition{}, "laneCapacity": race.LaneCapacity{}, "try": race.Try{},
	} {
		var want []string
		for f := range reflect.TypeOf(v).Fields() {
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			want = append(want, name)
		}
		properties := doc.Properties
		if def != "" {
			properties = doc.Defs[def].Properties
		}
		var got []string
		for name := range properties {
			got = append(got, name)
		}
		require.ElementsMatch(t, want, got, "properties of %q", def)
	}
}
