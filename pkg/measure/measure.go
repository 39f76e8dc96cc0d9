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

// Client is what k6 saw, Container what the app spent, Joined what only both together tell, Script what a race has of its own.
const (
	Client    Source = "client"
	Container Source = "container"
	Joined    Source = "joined"
	Script    Source = "script"
)

// Unit is a unit by Grafana's id, where Grafana has one.
type Unit string

// The units.
const (
	Milliseconds        Unit = "ms"
	PerSecond           Unit = "reqps"
	Ratio               Unit = "percentunit" // 0-1, shown as percent
	BytesPerSecond      Unit = "Bps"
	Bytes               Unit = "decbytes"
	Cores               Unit = "cores"
	Count               Unit = "short"
	CountsPerSecond     Unit = "cps"
	IterationsPerSecond Unit = "iterations/s"
	MSPerRequest        Unit = "ms/req"
	BytesPerRequest     Unit = "bytes/req"
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
	// Custom is where a measure of a race's own comes from; the zero value of those of the contract.
	Custom race.CustomMeasure
}

// Set is the measures that something knows, in order.
type Set []Measure

// Of are the measures of the contract, in its order, and behind them those that a race has of its own.
func Of(own ...race.CustomMeasure) Set {
	all := Set(catalogue())
	for _, c := range own {
		if !slices.ContainsFunc(all, func(m Measure) bool { return m.ID == c.ID }) {
			all = append(all, fromCustom(c))
		}
	}
	return all
}

// All lists every measure in the order of the contract.
func All() []Measure { return catalogue() }

// IDs lists the ids of every measure in the order of the contract.
func IDs() []string { return Of().IDs() }

// ByID finds a measure of the contract. The error of an unknown id names the ids that are near it.
func ByID(id string) (Measure, error) { return Of().ByID(id) }

// ByIDs finds several measures of the contract, in the order asked for. Without ids it is every measure.
func ByIDs(ids []string) ([]Measure, error) { return Of().ByIDs(ids) }

// Own are those that are not of the contract.
func (s Set) Own() []race.CustomMeasure {
	var own []race.CustomMeasure
	for _, m := range s {
		if m.Source == Script {
			own = append(own, m.Custom)
		}
	}
	return own
}

// IDs lists the ids of the set.
func (s Set) IDs() []string {
	ids := make([]string, len(s))
	for i, m := range s {
		ids[i] = m.ID
	}
	return ids
}

// ByID finds a measure of the set. The error of an unknown id names the ids that are near it.
func (s Set) ByID(id string) (Measure, error) {
	if i := slices.IndexFunc(s, func(m Measure) bool { return m.ID == id }); i >= 0 {
		return s[i], nil
	}
	hint := "the measures are " + strings.Join(s.IDs(), ", ")
	if near := near(id, s.IDs()); len(near) > 0 {
		hint = "did you mean " + strings.Join(near, " or ") + "?"
	}
	return Measure{}, race.Errorf(race.NotFound, hint, "there is no measure %q", id)
}

// ByIDs finds several measures of the set, in the order asked for. Without ids it is every measure.
func (s Set) ByIDs(ids []string) ([]Measure, error) {
	if len(ids) == 0 {
		return s, nil
	}
	found := make([]Measure, 0, len(ids))
	for _, id := range ids {
		m, err := s.ByID(id)
		if err != nil {
			return nil, fmt.Errorf("measures: %w", err)
		}
		found = append(found, m)
	}
	return found, nil
}
