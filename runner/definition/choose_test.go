package definition_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/definition"
)

const threeLanes = `{"ext": {"photofinish": {"baseline": "a", "lanes": {
	"a": {"command": ["a"], "port": 4000, "cpus": 1, "health": "/up"},
	"b": {"command": ["b"], "port": 4001},
	"c": {"url": "http://127.0.0.1:4002/c"}
}}}, "scenarios": {
	"all": {"executor": "constant-vus", "vus": 1, "duration": "1s"},
	"only-b": {"executor": "constant-vus", "vus": 1, "duration": "1s", "tags": {"app": "b"}}
}}`

func choose(t *testing.T, chosen ...definition.Choice) (race.Definition, error) {
	t.Helper()
	return definition.Parse(definition.Script{Options: json.RawMessage(threeLanes), HasDefault: true, LaneOrder: []string{"a", "b", "c"}},
		"s.js", definition.Overrides{Chosen: chosen})
}

func TestOnlyChosenLanesRaceInTheirOrderAndKeyByKeyChanged(t *testing.T) {
	d, err := choose(t,
		definition.Choice{App: "c", Keys: json.RawMessage(`{"command": "./c --fast", "port": 9}`)},
		definition.Choice{App: "a", Keys: json.RawMessage(`{"cpus": 0.5}`)},
		definition.Choice{App: "new", Keys: json.RawMessage(`{"url": "http://127.0.0.1:1/"}`)})
	require.NoError(t, err)
	require.Len(t, d.Lanes, 3)
	require.Equal(t, []string{"./c", "--fast"}, d.Lanes[0].Command)
	require.Empty(t, d.Lanes[0].URL)
	require.Equal(t, []string{"a"}, d.Lanes[1].Command)
	require.Equal(t, .5, *d.Lanes[1].CPUs)
	require.Equal(t, "http://127.0.0.1:1/", d.Lanes[2].URL)
	require.Len(t, d.Scenarios, 1, "the scenario of a lane that does not race is left out")
}

func TestALaneThatGetsAURLKeepsNothingButItsHealth(t *testing.T) {
	d, err := choose(t, definition.Choice{App: "a", Keys: json.RawMessage(`{"url": "http://127.0.0.1:1/x"}`)}, definition.Choice{App: "b"})
	require.NoError(t, err)
	require.Equal(t, race.LaneSpec{App: "a", URL: "http://127.0.0.1:1/x", Health: race.Health{Path: "/up"}}, d.Lanes[0])
}

func TestAChoiceThatCannotBeIsAnErrorThatNamesIt(t *testing.T) {
	for name, tt := range map[string]struct {
		chosen []definition.Choice
		says   string
	}{
		"a name the script does not know": {[]definition.Choice{{App: "a"}, {App: "bb"}}, "lanes.bb: the script has no such lane"},
		"one twice":                       {[]definition.Choice{{App: "a"}, {App: "a"}}, "lane a is given twice"},
		"an unknown key":                  {[]definition.Choice{{App: "a", Keys: json.RawMessage(`{"cpu": 1}`)}, {App: "b"}}, `lanes.a: unknown key "cpu"`},
		"a name that cannot be":           {[]definition.Choice{{App: "a"}, {App: `"}; DROP`, Keys: json.RawMessage(`{"url": "http://x/"}`)}}, "is not possible"},
		"a baseline that does not race":   {[]definition.Choice{{App: "b"}, {App: "c"}}, `baseline "a" is no lane`},
		"none":                            {[]definition.Choice{}, "has no lanes"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := choose(t, tt.chosen...)
			require.ErrorContains(t, err, tt.says)
			require.Equal(t, race.Invalid, race.CodeOf(err))
		})
	}
}
