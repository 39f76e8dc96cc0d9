package cmd

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/photofinish/photofinish/pkg/compare"
	"github.com/photofinish/photofinish/pkg/promql"
	"github.com/photofinish/photofinish/runner/coordinator"
	"github.com/photofinish/photofinish/runner/k6/stream"
	"github.com/photofinish/photofinish/runner/report"
)

// plotted are the measures that the report draws over time.
var plotted = []string{
	"latency_p50", "latency_p95", "latency_p99", "request_rate", "error_rate", "cpu_cores", "memory_working_set", "cpu_ms_per_request",
}

// writeReport asks Prometheus for the plots over time and writes report.html.
func (s *stage) writeReport(ctx context.Context, result coordinator.Result) error {
	data := report.Data{Race: result.Record, Generated: time.Now()}
	for _, l := range result.Lanes {
		pool := l.Pool().Totals.Latency
		if pool.Count > 0 {
			data.Distributions = append(data.Distributions, report.Distribution{App: l.App, Curve: curve(pool), Density: density(pool)})
		}
	}
	series, err := s.series(ctx, result)
	if err != nil {
		s.race.View.Log(fmt.Sprintf("the report has no plots over time: %v", err))
	}
	data.Series = series
	var page bytes.Buffer
	if err := report.Write(&page, data); err != nil {
		return err
	}
	return s.folder.Write(reportFile, page.Bytes())
}

// series are the plots over time, heat by heat, on the clock of the whole race.
func (s *stage) series(ctx context.Context, result coordinator.Result) ([]report.PlotSeries, error) {
	q, err := promql.New(promql.Config{URL: s.metrics.url, Timeout: queryTimeout})
	if err != nil {
		return nil, err
	}
	info, ok := compare.FromRecord(result.Record)
	if !ok {
		return nil, nil
	}
	got, err := compare.TimeSeries(ctx, q, compare.Request{
		Races: []compare.RaceInfo{info}, Measures: plotted, Step: time.Second, Elapsed: true, HeatsEach: false,
	})
	if err != nil {
		return nil, err
	}
	var series []report.PlotSeries
	for _, one := range got.Series {
		p := report.PlotSeries{App: one.App, Measure: one.Measure.ID, T: got.Elapsed}
		if one.Heat != "" {
			if p.Heat, err = strconv.Atoi(one.Heat); err != nil {
				return nil, fmt.Errorf("heat %q: %w", one.Heat, err)
			}
		}
		for _, v := range one.Values {
			p.V = append(p.V, known(v))
		}
		series = append(series, p)
	}
	return series, nil
}

// queryTimeout bounds one query for the report; the embedded Prometheus answers within milliseconds.
const queryTimeout = 30 * time.Second

func known(v float64) *float64 {
	if math.IsNaN(v) {
		return nil
	}
	return &v
}

// curve reads the percentiles of a distribution: evenly up to the 99th, then ever closer to the maximum.
func curve(h stream.Histogram) []report.Percentile {
	var points []report.Percentile
	add := func(p float64) {
		points = append(points, report.Percentile{Percentile: p, MS: h.Quantile(p/100) * 1000})
	}
	for p := 1.0; p < 99; p++ {
		add(p)
	}
	for _, p := range []float64{99, 99.25, 99.5, 99.75, 99.9, 99.95, 99.99, 100} {
		add(p)
	}
	return points
}

// densityWidth is how many buckets of schema 8 make one point of a density: 16 are 4.4% of latency, fine enough to see two humps
// and coarse enough not to draw noise.
const densityWidth = 16

// density is the share of the responses per logarithm of latency.
func density(h stream.Histogram) []report.Density {
	counts := map[int]int64{}
	first, last := math.MaxInt, math.MinInt
	for _, i := range h.Indexes() {
		bin := int(math.Floor(float64(i) / densityWidth))
		counts[bin] += h.Buckets[i]
		first, last = min(first, bin), max(last, bin)
	}
	var points []report.Density
	for bin := first - 1; bin <= last+1; bin++ {
		low, _ := stream.Bounds(bin*densityWidth + 1)
		_, high := stream.Bounds((bin + 1) * densityWidth)
		points = append(points, report.Density{MS: math.Sqrt(low*high) * 1000, Density: float64(counts[bin]) / float64(h.Count)})
	}
	return points
}
