// Package compare joins what k6 measured with what the containers spent, from the series that a Prometheus holds.
//
// Find and Lookup work out which races there are from the testid labels, TimeSeries puts measures of several apps on one grid,
// Totals reduces a race to one value per heat, app and measure, Standings ranks the apps.
//
// The rules that all of it follows:
//   - Only phase="race" counts where the series carry a phase label.
//   - k6's counters start at zero before their first sample, so that a count is the last value of each series, then the sum over series.
//   - A container's counter is only known from its first sample on. Its rate is taken per container, over the span between the
//     container's own samples, and summed afterwards; a counter that fell was reset and starts at zero.
//   - Nothing is interpolated: where a source has no sample within a step, the value is a gap.
//   - Cost per request divides two rates, each over its own span.
package compare
