package cmd_test

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/pkg/verdict"
)

// onlyRecord reads standard output as exactly one race.json that fits the schema.
func onlyRecord(t *testing.T, stdout string) race.Race {
	t.Helper()
	text := json.NewDecoder(strings.NewReader(stdout))
	var r race.Race
	require.NoError(t, text.Decode(&r))
	require.False(t, text.More(), "nothing but the record is on standard output")
	schema, err := jsonschema.NewCompiler().Compile("../../docs/race.schema.json")
	require.NoError(t, err)
	document, err := jsonschema.UnmarshalJSON(strings.NewReader(stdout))
	require.NoError(t, err)
	require.NoError(t, schema.Validate(document))
	return r
}

// The apps wait, so that what the machine does beside the race is small against their answers.
// TestFailOnRegressionTellsASlowerLaneByTheExitCode races twice, and then compares one race with the other: in the second the same lane is slower.
func TestFailOnRegressionTellsASlowerLaneByTheExitCode(t *testing.T) {
	races, dir := map[string]finished{}, t.TempDir()
	for _, c := range []struct {
		name, fault string
		code        int
	}{{"the same twice", "slow=10ms", 0}, {"a slower lane", "slow=100ms", 4}} {
		t.Run(c.name, func(t *testing.T) {
			script := writeScript(t, "", "a: "+lane(portA, "", "slow=10ms"), "b: "+lane(portB, "", c.fault))
			var f finished
			for try := range 3 { // beside a busy neighbour the audit rightly lets nothing be decided
				out := filepath.Join(dir, fmt.Sprint(c.code, try))
				f = run(t.Context(), t, out, "race", script, "--mode", "turns", "--heats", "6", "--minimum-effect", "latency_p95=0.1", "--fail-on", "regression", "--json")
				if f.record.Audit.Fair {
					break
				}
			}
			if f.record.Audit.Fair {
				require.Equal(t, c.code, f.code)
			} else { // this machine is too busy to decide anything, and nothing may have been decided
				t.Logf("not fair: %+v", f.record.Audit.Findings)
				require.Zero(t, f.code)
				for _, v := range f.record.Verdicts {
					require.Equal(t, race.Inconclusive, v.Outcome)
				}
			}
			r := onlyRecord(t, f.stdout)
			require.Equal(t, f.record, r)
			require.InDelta(t, .1, verdictOf(t, r, "b", "latency_p95").MinimumEffect, 0)
			require.InDelta(t, verdict.DefaultMinimumEffect, verdictOf(t, r, "b", "latency_p50").MinimumEffect, 0)
			require.Contains(t, f.stderr, "Verdicts against a", "people read standard error")
			nothingLeft(t)
			races[c.name] = f
		})
	}
	t.Run("a race against an earlier one", func(t *testing.T) {
		earlier, later := races["the same twice"], races["a slower lane"]
		f := run(t.Context(), t, "", "compare", later.dir, "--baseline-race", earlier.dir, "--json", "--fail-on", "regression")
		r := onlyRecord(t, f.stdout)
		v := verdictOf(t, r, "b", "latency_p50")
		require.InDelta(t, 10, *v.Ratio, 2)
		if !earlier.record.Audit.Fair || !later.record.Audit.Fair {
			require.Zero(t, f.code)
			require.Equal(t, race.Inconclusive, v.Outcome)
		} else {
			require.Equal(t, 4, f.code)
			require.Equal(t, race.Slower, v.Outcome)
		}
	})
}

func TestARaceUntilDecidedEndsWhenItIs(t *testing.T) {
	script := writeScript(t, "", "a: "+lane(portA, "", "slow=10ms"), "b: "+lane(portB, "", "slow=60ms", "spin=5ms"))
	f := runRace(t.Context(), t, script, "--mode", "turns", "--heats", "12", "--until-decided")
	require.Zero(t, f.code)
	require.Contains(t, f.stdout, "until decided, at most about")
	require.Equal(t, 12, f.record.PlannedHeats)
	if !f.record.Audit.Fair { // a busy neighbour, who lets nothing be decided
		t.Logf("not fair: %+v", f.record.Audit.Findings)
		require.Len(t, f.record.Heats, 12)
		return
	}
	require.GreaterOrEqual(t, len(f.record.Heats), verdict.MinHeats)
	require.Less(t, len(f.record.Heats), 12)
	require.Contains(t, f.stdout, fmt.Sprintf("decided after %d of 12 heats", len(f.record.Heats)))
	require.True(t, verdict.Decided(f.record.Verdicts))
	for _, v := range f.record.Verdicts {
		if v.Measure == "latency_p95" {
			require.Equal(t, race.Slower, v.Outcome)
			require.Less(t, *v.DecisionLow, *v.Low, "a look before the last heat is a stricter one")
		}
	}
	nothingLeft(t)
}

func TestARaceThatFailedIsOneDocumentToo(t *testing.T) {
	script := writeScript(t, "", "a: "+lane(portA, ""), "b: "+lane(portB, "", "exit=0s"))
	f := runRace(t.Context(), t, script, "--json")
	require.Equal(t, 3, f.code)
	r := onlyRecord(t, f.stdout)
	require.Equal(t, race.Failed, r.Status)
	text, err := os.ReadFile(script)
	require.NoError(t, err)
	require.Equal(t, fmt.Sprintf("%x", sha256.Sum256(text)), r.ScriptSHA256)
}
