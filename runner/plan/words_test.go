package plan_test

import (
	"encoding/json"
	"flag"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/plan"
)

var update = flag.Bool("update", false, "write the golden files anew")

// said is a plan as the API tells it, and the runner's words for it.
type said struct {
	Plan struct {
		Lanes         []struct{}   `json:"lanes"`
		Load          race.Load    `json:"load"`
		Heats         int          `json:"heats"`
		ProfileHeats  int          `json:"profile_heats"`
		CapacityTries int          `json:"capacity_tries"`
		WarmupMS      float64      `json:"warmup_ms"`
		RacedAs       race.Mode    `json:"raced_as"`
		RacedWhy      string       `json:"raced_why"`
		UntilDecided  bool         `json:"until_decided"`
		EstimateMS    float64      `json:"estimate_ms"`
		Series        *plan.Series `json:"series,omitempty"`
	} `json:"plan"`
	Words string `json:"words"`
}

// TestThePanelSaysWhatTheTerminalSays keeps plans with their words in a file, which the control panel's own words are held against
// (src/panels/control/words.test.ts).
func TestThePanelSaysWhatTheTerminalSays(t *testing.T) {
	var all []said
	for _, c := range []struct {
		mode     race.Mode
		heats    int
		profiled int
		duration time.Duration
		warmup   time.Duration
		decided  bool
		limits   []float64
		cpus     int
		capacity bool
	}{
		{race.Auto, 8, 0, 4 * time.Second, time.Second, false, []float64{.5, .5, .5, .5}, 2, false},
		{race.Auto, 4, 0, 30 * time.Second, 3 * time.Second, false, []float64{.5, .5, .5, .5}, 8, false},
		{race.Together, 1, 0, time.Second, 0, false, []float64{.5, .5}, 2, false},
		{race.Turns, 12, 0, 1500 * time.Millisecond, 200 * time.Millisecond, true, []float64{0, 0, 0}, 2, false},
		{race.Together, 100, 0, 10 * time.Minute, time.Minute, false, []float64{.5, .5}, 4, false},
		{race.Together, 6, 0, 90 * time.Second, 0, true, []float64{.5}, 4, false},
		{race.Turns, 2, 1, 3661 * time.Second, 0, false, []float64{1, 1}, 1, false},
		{race.Turns, 1, 0, 10 * time.Second, 3 * time.Second, false, []float64{.5, .5}, 2, true},
		{race.Together, 12, 1, 10 * time.Second, 0, false, []float64{.5, .5}, 4, true},
	} {
		def := define(c.mode, c.heats, c.duration, c.limits...)
		def.Scenarios = []race.Scenario{{Name: "load"}}
		if c.capacity {
			def.Capacity = []race.Condition{{Measure: "latency_p95", Op: "<", Value: 200}}
		}
		def.Warmup, def.UntilDecided, def.ProfileHeats = c.warmup, c.decided, c.profiled
		p := made(t, def, c.cpus)
		var s said
		s.Plan.Lanes = make([]struct{}, len(p.Lanes))
		s.Plan.Load.DurationMS, s.Plan.Heats, s.Plan.WarmupMS = float64(p.Duration.Milliseconds()), len(p.Heats), float64(p.Warmup.Milliseconds())
		s.Plan.ProfileHeats, s.Plan.CapacityTries = len(p.ProfileHeats), p.CapacityTries
		s.Plan.RacedAs, s.Plan.RacedWhy, s.Plan.UntilDecided, s.Plan.EstimateMS = p.Mode, p.Reason, p.UntilDecided, float64(p.Estimate.Milliseconds())
		if c.heats > 1 { // a runner that is older tells of no series
			p.Series = plan.SeriesOf(def, p, false)
			s.Plan.Series = &p.Series
		}
		s.Words = p.Describe()
		all = append(all, s)
	}
	text, err := json.MarshalIndent(all, "", "  ")
	require.NoError(t, err)
	const file = "testdata/words.json"
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(file, append(text, '\n'), 0o644))
	}
	golden, err := os.ReadFile(file)
	require.NoError(t, err)
	require.JSONEq(t, string(golden), string(text))
}
