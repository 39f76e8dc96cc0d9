package k6

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/k6/stream"
)

func TestASmallPlannedLoadIsHeldToOneCPU(t *testing.T) {
	lanes := []stream.Lane{{App: "a"}, {App: "b"}}
	arrivals := func(app, rate string) race.Scenario {
		return race.Scenario{Name: "s", App: app, Executor: "constant-arrival-rate", Config: map[string]json.RawMessage{"rate": json.RawMessage(rate)}}
	}
	closed := race.Scenario{Name: "c", Executor: "constant-vus"}
	for name, c := range map[string]struct {
		scenarios []race.Scenario
		requests  float64
		own       string // GOMAXPROCS of the user
		want      int
	}{
		"both lanes together reach the limit":         {[]race.Scenario{arrivals("", "500")}, 0, "", 1},
		"both lanes together pass it":                 {[]race.Scenario{arrivals("", "501")}, 0, "", 0},
		"a scenario of one lane counts once":          {[]race.Scenario{arrivals("a", "900")}, 1, "", 1},
		"an iteration of several requests counts all": {[]race.Scenario{arrivals("", "200")}, 3, "", 0},
		"a closed model is left alone":                {[]race.Scenario{arrivals("", "10"), closed}, 1, "", 0},
		"the user's own setting is left alone":        {[]race.Scenario{arrivals("", "10")}, 1, "2", 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(goCPUs, c.own)
			got, err := cpus(c.scenarios, lanes, c.requests)
			require.NoError(t, err)
			require.Equal(t, c.want, got)
		})
	}
}
