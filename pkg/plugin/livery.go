package plugin

import (
	"slices"

	"github.com/grafana/grafana-plugin-sdk-go/data"

	"github.com/photofinish/photofinish/pkg/scoreboard"
)

// liveryOf dresses the apps of some races, in the order of the lanes: an app keeps its colour in all races of an answer. Neutral is the query's
// baseline, or else the recorded one.
func liveryOf(q query, races []listed) scoreboard.Livery {
	l := scoreboard.Livery{Baseline: q.Baseline}
	for _, r := range races {
		if r.record == nil && r.info == nil {
			continue
		}
		if l.Baseline == "" {
			l.Baseline = r.baseline()
		}
		for _, app := range r.apps() {
			if !slices.Contains(l.Apps, app) {
				l.Apps = append(l.Apps, app)
			}
		}
	}
	return l
}

// dye fixes the colour of a field, so that Grafana's own panels show an app as ours do.
func dye(c *data.FieldConfig, colour string) {
	c.Color = map[string]any{"mode": "fixed", "fixedColor": colour}
}
