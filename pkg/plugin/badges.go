package plugin

import (
	"github.com/grafana/grafana-plugin-sdk-go/data"

	"github.com/photofinish/photofinish/pkg/measure"
	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/pkg/scoreboard"
)

// badges shows apps in tables on their colour; Grafana chooses black or white letters for it.
func badges(l scoreboard.Livery) *data.FieldConfig {
	apps := data.ValueMapper{}
	for i, app := range l.Apps {
		apps[app] = data.ValueMappingResult{Color: l.Colour(app).Hex(), Index: i}
	}
	return &data.FieldConfig{Mappings: data.ValueMappings{apps}, Custom: map[string]any{"cellOptions": map[string]any{"type": "color-background", "mode": "basic"}}}
}

// wordsOf shows verdicts in tables in the words of the measure, with a mark and a colour. What is no decision is written as everything else is.
func wordsOf(m measure.Measure) *data.FieldConfig {
	words := data.ValueMapper{}
	colours := map[race.Outcome]string{race.Faster: "semi-dark-green", race.Slower: "semi-dark-red", race.Same: "text", race.Inconclusive: "text"}
	for i, o := range []race.Outcome{race.Faster, race.Slower, race.Same, race.Inconclusive} {
		words[string(o)] = data.ValueMappingResult{Text: scoreboard.Mark(o) + " " + scoreboard.Word(m.ID, o), Color: colours[o], Index: i}
	}
	words["baseline"] = data.ValueMappingResult{Color: "text", Index: len(words)}
	return &data.FieldConfig{
		DisplayNameFromDS: m.Name + ", verdict", Description: "How the app stands to the baseline, as far as the heats can tell.",
		Mappings: data.ValueMappings{words}, Custom: map[string]any{"cellOptions": map[string]any{"type": "color-text"}},
	}
}
