package measure

import (
	"fmt"
	"slices"
	"strings"

	"github.com/photofinish/photofinish/pkg/race"
)

// Better says in which direction a measure is better.
type Better string

// The directions. A measure of direction None is shown and never judged.
const (
	Lower  Better = "lower"
	Higher Better = "higher"
	None   Better = ""
)

// Source says which side a measure comes from.
type Source string

// Client is what k6 saw, Container what the app spent, Joined what only both together tell.
const (
	Client    Source = "client"
	Container Source = "container"
	Joined    Source = "joined"
)

// Unit is a unit by Grafana's id, where Grafana has one.
type Unit string

// The units.
const (
	Milliseconds    Unit = "ms"
	PerSecond       Unit = "reqps"
	Ratio           Unit = "percentunit" // 0-1, shown as percent
	BytesPerSecond  Unit = "Bps"
	Bytes           Unit = "decbytes"
	Cores           Unit = "cores"
	Count           Unit = "short"
	MSPerRequest    Unit = "ms/req"
	BytesPerRequest Unit = "bytes/req"
)

// Measure is one comparable quantity.
type Measure struct {
	ID     string
	Name   string // for people, e.g. "p95 latency"
	Unit   Unit
	Better Better
	// Decimals are the digits after the point that a column of this measure shows by default.
	Decimals int
	// Sentence says what the measure is and which series it comes from.
	Sentence string
	Source   Source
	// Primary measures are the declared family that verdicts are corrected over.
	Primary bool
}

// All lists every measure in the order of the contract.
func All() []Measure { return catalogue() }

// IDs lists the ids of every measure in the order of the contract.
func IDs() []string {
	all := catalogue()
	ids := make([]string, len(all))
	for i, m := range all {
		ids[i] = m.ID
	}
	return ids
}

// ByID finds a measure. The error of an unknown id names the ids that are near it.
func ByID(id string) (Measure, error) {
	all := catalogue()
	if i := slices.IndexFunc(all, func(m Measure) bool { return m.ID == id }); i >= 0 {
		return all[i], nil
	}
	hint := "the measures are " + strings.Join(IDs(), ", ")
	if near := near(id); len(near) > 0 {
		hint = "did you mean " + strings.Join(near, " or ") + "?"
	}
	return Measure{}, race.Errorf(race.NotFound, hint, "there is no measure %q", id)
}

// ByIDs finds several measures, in the order asked for. Without ids it is every measure.
func ByIDs(ids []string) ([]Measure, error) {
	if len(ids) == 0 {
		return catalogue(), nil
	}
	found := make([]Measure, 0, len(ids))
	for _, id := range ids {
		m, err := ByID(id)
		if err != nil {
			return nil, fmt.Errorf("measures: %w", err)
		}
		found = append(found, m)
	}
	return found, nil
}
