package report

import (
	"strings"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/pkg/scoreboard"
)

// capacities are the highest rates that the apps hold, and the tries that they were found by.
type capacities struct {
	Sentences []sentence
	Terms     string
	Columns   []scoreboard.Column // of what was measured in the tries
	Apps      []triedApp
}

type triedApp struct {
	App, Class string
	Tries      []triedRate
}

type triedRate struct {
	race.Try
	Asked  string
	Values []string // one per column
	Broke  string
}

func newCapacities(r race.Race, class func(string) string) capacities {
	c := capacities{Terms: scoreboard.CapacityTerms(r)}
	if r.Capacity == nil {
		return c
	}
	for _, s := range scoreboard.Capacity(r) {
		c.Sentences = append(c.Sentences, sentence{class(s.App), s.Text})
	}
	for _, m := range scoreboard.Everything(r).Columns {
		if tried(r, m.ID) {
			c.Columns = append(c.Columns, m)
		}
	}
	for _, l := range r.Capacity.Lanes {
		one := triedApp{App: l.App, Class: class(l.App)}
		for _, t := range l.Tries {
			row := triedRate{Try: t, Asked: scoreboard.Rate(t.Rate), Broke: strings.Join(t.Broke, "; ")}
			for _, m := range c.Columns {
				row.Values = append(row.Values, m.Value(t.Measures[m.ID]))
			}
			one.Tries = append(one.Tries, row)
		}
		c.Apps = append(c.Apps, one)
	}
	return c
}

// tried says whether a measure has a value in any try.
func tried(r race.Race, id string) bool {
	for _, l := range r.Capacity.Lanes {
		for _, t := range l.Tries {
			if t.Measures[id] != nil {
				return true
			}
		}
	}
	return false
}
