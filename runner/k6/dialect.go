package k6

import (
	_ "embed" // for stock.js
	"encoding/json"
	"fmt"

	"github.com/photofinish/photofinish/pkg/race"
)

// dialect is how a wrapper speaks to the k6 that runs it: ours has a module for races, a stock one only what k6 itself has.
type dialect struct {
	imports string
	arrive  string // what makes arrive()
	call    string // of arrive and a user's function, whose name is its one argument
	parts   string // setup, teardown and handleSummary
}

//go:embed stock.js
var stockJS string

const plainCall = "arrive() ? user_%[1]s(data) : undefined"

// A constant, since k6 makes a JavaScript function of a Go one anew each time that an imported name is read.
const ownArrive = `
// arrive() tags the iteration with its phase; it is false when the lane's load is over.
const arrive = photofinish.arrive;
`

func own(probe bool) dialect {
	d := dialect{imports: "import * as photofinish from 'k6/x/photofinish';\n", arrive: ownArrive, call: plainCall, parts: heatParts}
	if probe {
		d.parts = fmt.Sprintf(probeParts, readMarker)
	}
	return d
}

func stockProbe() dialect {
	return dialect{arrive: "\nconst arrive = () => true;\n", call: plainCall, parts: fmt.Sprintf(probeParts, readMarker)}
}

const stockParts = `
// The last that happens before the load: the runner says when the race begins.
export async function setup() {
  const prepare = %[1]s;
  const data = typeof prepare === 'function' ? await prepare() : undefined;
  return { user: data, start: raceStart(%[2]q) };
}
export async function teardown(data) {
  if (typeof user.teardown === 'function') await user.teardown(data.user);
}
export function handleSummary(data) { return report(%[3]q, data, user.handleSummary); }
`

// stockHeat is for a k6 that asks the runner at starter when the race begins.
func stockHeat(plans map[string]stockPlan, starter string, noSetup bool) (dialect, error) {
	text, err := json.Marshal(plans)
	if err != nil {
		return dialect{}, race.Errorf(race.Internal, "", "the heat's plan: %w", err)
	}
	prepare := "user.setup"
	if noSetup {
		prepare = "undefined"
	}
	return dialect{
		imports: "import { arrive, raceStart, report } from './stock.js';\n",
		arrive:  fmt.Sprintf("\n// When which scenario gives its lane load.\nconst plans = %s;\n", text),
		call:    "arrive(plans, data.start) ? user_%[1]s(data.user) : undefined",
		parts:   fmt.Sprintf(stockParts, prepare, starter, summaryMarker),
	}, nil
}
