// Package report writes report.html: one self-contained file that needs no network and tells a race from its sentence to its raw numbers.
// Everything in it that can be drawn without JavaScript is; the plots over time are uPlot's.
package report

import (
	"fmt"
	"io"
	"time"

	"github.com/photofinish/photofinish/pkg/race"
)

// Data is what a report tells. Only Race is needed; what else is missing is left out of the page.
type Data struct {
	Race race.Race
	// Series are the plots over time, one per app, measure and heat.
	Series []PlotSeries
	// Distributions are the latencies of each app, pooled over the heats.
	Distributions []Distribution
	Generated     time.Time
}

// PlotSeries is one measure of one app over the time of one heat. T is seconds since the measured part of heat 1 began, ascending;
// V are the values in the measure's unit, nil where a source had nothing. Both are equally long.
// Heat 0 is a line over all heats. Unit is needed only for a measure that pkg/measure does not know.
type PlotSeries struct {
	App     string
	Measure string
	Unit    string
	Heat    int
	T       []float64
	V       []*float64
}

// Distribution is how an app's latencies are spread.
type Distribution struct {
	App string
	// Curve is ascending in both; the percentiles (0-100) should be the same for all apps.
	Curve []Percentile
	// Density is ascending in MS; its scale does not matter, because every app is drawn with the same height.
	Density []Density
}

// Percentile is a point of the cumulative distribution.
type Percentile struct{ Percentile, MS float64 }

// Density is a point of the density per logarithm of latency.
type Density struct{ MS, Density float64 }

// Write writes the report as HTML. Names, log lines and all other text of the race are taken for hostile.
func Write(w io.Writer, d Data) error {
	p, err := newPage(d)
	if err != nil {
		return fmt.Errorf("report of race %s: %w", d.Race.ID, err)
	}
	if err := pageTemplate.Execute(w, p); err != nil {
		return fmt.Errorf("report of race %s: %w", d.Race.ID, err)
	}
	return nil
}
