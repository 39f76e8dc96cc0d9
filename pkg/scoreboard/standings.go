package scoreboard

import (
	"cmp"
	"slices"

	"github.com/photofinish/photofinish/pkg/measure"
	"github.com/photofinish/photofinish/pkg/race"
)

// Table is the standings: a row per app, a column per measure.
type Table struct {
	Columns []Column
	Rows    []Row
}

// Row is one app's standing.
type Row struct {
	App      string
	Baseline bool
	Place    int    // from 1; 0 for a lane that left the race or had no request
	Role     string // "baseline", or "control" where the race is compared with an earlier one; "" for the others
	Out      string // how it left the race, "" if it stayed
	Cells    []Cell // one per column
}

// Cell is one value and how it compares with the baseline's.
type Cell struct {
	Value string // with its unit, or Absent
	Diff  string // "" in the baseline's row and where it cannot be said
	// Word and Mark tell the verdict; both are "" where none was given.
	Word    string
	Mark    string
	Outcome race.Outcome
}

// standingsMeasures are the measures of the standings; the others are told elsewhere.
func standingsMeasures() []string {
	return []string{
		"latency_p50", "latency_p95", "latency_p99", "request_rate", "error_rate", "cpu_ms_per_request",
		"throttled_ms_per_request", "memory_working_set", "memory_slope",
	}
}

// Standings makes the table of the main measures, before them the capacity and behind them the race's own, of its Trends the p95; best p95 first, lanes that left the race last. A measure that nobody has is left out.
func Standings(r race.Race) Table {
	ids := standingsMeasures()
	for _, c := range r.CustomMeasures {
		if c.Type == race.Searched { // what the race was run for
			ids = slices.Insert(ids, 0, c.ID)
			continue
		}
		if c.Stat == "" || c.Stat == "p95" {
			ids = append(ids, c.ID)
		}
	}
	return NewTable(r, ids)
}

// Everything makes the table of all measures, in the order of the contract, the race's own behind them.
func Everything(r race.Race) Table { return NewTable(r, measure.Of(r.CustomMeasures...).IDs()) }

// NewTable makes the table of the measures asked for.
func NewTable(r race.Race, measures []string) Table {
	var t Table
	for _, id := range measures {
		if slices.ContainsFunc(r.Lanes, func(l race.Lane) bool { return l.Measures[id] != nil }) {
			t.Columns = append(t.Columns, ColumnOf(id, r.CustomMeasures...))
		}
	}
	bases := basesOf(r)
	verdicts := map[[2]string]race.Verdict{}
	for _, v := range r.Verdicts {
		verdicts[[2]string{v.App, v.Measure}] = v
	}
	for _, l := range ranked(r.Lanes) {
		row := Row{App: l.App, Baseline: r.BaselineRace == nil && l.App == r.Baseline, Role: role(r, l.App), Out: ExitWords(l.Exit)}
		if row.Out == "" && l.Measures["latency_p95"] != nil {
			row.Place = len(t.Rows) + 1
		}
		for _, c := range t.Columns {
			cell := Cell{Value: c.Value(l.Measures[c.ID])}
			if !row.Baseline {
				cell.Diff = c.Diff(l.Measures[c.ID], bases(l.App)[c.ID])
				if v, ok := verdicts[[2]string{l.App, c.ID}]; ok {
					cell.Outcome, cell.Word, cell.Mark = v.Outcome, Word(c.ID, v.Outcome)+Asterisk(r.Audit), Mark(v.Outcome)
				}
			}
			row.Cells = append(row.Cells, cell)
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// basesOf tells what the measures of an app are compared with: the baseline's, or its own in an earlier race.
func basesOf(r race.Race) func(app string) map[string]*float64 {
	if b := r.BaselineRace; b != nil {
		return func(app string) map[string]*float64 { return b.Lanes[app] }
	}
	var base race.Lane
	for _, l := range r.Lanes {
		if l.App == r.Baseline {
			base = l
		}
	}
	return func(string) map[string]*float64 { return base.Measures }
}

func role(r race.Race, app string) string {
	switch {
	case r.BaselineRace != nil && app == r.BaselineRace.Control:
		return "control"
	case r.BaselineRace == nil && app == r.Baseline:
		return "baseline"
	}
	return ""
}

// ranked orders the lanes by p95; a lane without one, or that left the race, comes after the others.
func ranked(lanes []race.Lane) []race.Lane {
	lanes = slices.Clone(lanes)
	behind := func(l race.Lane) int {
		if ExitWords(l.Exit) != "" || l.Measures["latency_p95"] == nil {
			return 1
		}
		return 0
	}
	slices.SortStableFunc(lanes, func(a, b race.Lane) int {
		if c := cmp.Compare(behind(a), behind(b)); c != 0 || behind(a) == 1 {
			return c
		}
		return cmp.Compare(*a.Measures["latency_p95"], *b.Measures["latency_p95"])
	})
	return lanes
}
