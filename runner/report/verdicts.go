package report

import (
	"slices"
	"strconv"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/pkg/scoreboard"
)

// verdictRow is a verdict with its interval as a picture: a logarithmic axis from half to double, 1 in the middle.
type verdictRow struct {
	race.Verdict
	Column        scoreboard.Column
	Class         string
	Remarks       []string // the verdict's warnings in its measure's unit
	Drawn         bool
	Low, High, At string
	// MarkLow and MarkWidth are the band of 1 ± the minimum effect, of no width for measures that are compared by their difference.
	MarkLow, MarkWidth string
	// Beyond says on which side the ratio lies outside the picture: "less", "more" or "".
	Beyond string
}

func newVerdictRows(r race.Race, class func(string) string) []verdictRow {
	axis := scale{from: .5, to: 2, log: true}
	shared := scoreboard.SharedWarnings(r.Verdicts)
	var out []verdictRow
	for _, v := range r.Verdicts {
		row := verdictRow{Verdict: v, Class: class(v.App), Remarks: scoreboard.Warnings(v, shared, r.CustomMeasures...), Column: scoreboard.ColumnOf(v.Measure, r.CustomMeasures...)}
		if v.Ratio != nil && v.Low != nil && v.High != nil {
			row.Drawn = true
			row.Low, row.High, row.At = percent(axis.at(*v.Low)), percent(axis.at(*v.High)), percent(axis.at(*v.Ratio))
			row.MarkLow, row.MarkWidth = percent(50), percent(0)
			if !row.Column.Difference { // whose smallest effect is no ratio
				low, high := axis.at(1/(1+v.MinimumEffect)), axis.at(1+v.MinimumEffect)
				row.MarkLow, row.MarkWidth = percent(low), percent(high-low)
			}
			switch {
			case *v.Ratio > axis.to:
				row.Beyond = "more"
			case *v.Ratio < axis.from:
				row.Beyond = "less"
			}
		}
		out = append(out, row)
	}
	slices.SortStableFunc(out, func(a, b verdictRow) int { // the primary family first
		switch {
		case a.Primary == b.Primary:
			return 0
		case a.Primary:
			return -1
		}
		return 1
	})
	return out
}

// heatTable holds the p95 of each app in each heat and its ratio to the baseline's: the numbers that the verdict on p95 is computed from.
type heatTable struct {
	Apps []string
	Rows []heatRow
}

type heatRow struct {
	Number int
	Order  []string
	Cells  []heatCell
}

type heatCell struct{ Value, Ratio string }

func newHeatTable(r race.Race) heatTable {
	var t heatTable
	for _, l := range r.Lanes {
		t.Apps = append(t.Apps, l.App)
	}
	for _, h := range r.Heats {
		row := heatRow{Number: h.Number, Order: h.Order}
		base := h.Lanes[r.Baseline].Measures["latency_p95"]
		for _, app := range t.Apps {
			v := h.Lanes[app].Measures["latency_p95"]
			cell := heatCell{Value: latencyText(v)}
			if v != nil && base != nil && *base > 0 && app != r.Baseline {
				cell.Ratio = "× " + strconv.FormatFloat(*v / *base, 'g', 4, 64)
			}
			row.Cells = append(row.Cells, cell)
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}
