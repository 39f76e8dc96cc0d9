package stage

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"runtime/debug"
	"strconv"
	"sync"
	"time"

	"github.com/photofinish/photofinish/pkg/compare"
	"github.com/photofinish/photofinish/pkg/promql"
	"github.com/photofinish/photofinish/runner/coordinator"
	"github.com/photofinish/photofinish/runner/report"
)

// plotted are the measures that the report draws over time.
var plotted = []string{
	"latency_p50", "latency_p95", "latency_p99", "request_rate", "error_rate", "cpu_cores", "memory_working_set", "cpu_ms_per_request",
}

// ReportFile is the name of the report in a race's folder.
const ReportFile = "report.html"

// WriteReport asks Prometheus for the plots over time and writes the report into the race's folder.
func (s *Stage) WriteReport(ctx context.Context, result coordinator.Result) error {
	data := report.Data{Race: result.Record, Generated: time.Now()}
	for _, l := range result.Lanes {
		if pool := l.Pool().Totals.Latency; pool.Count > 0 {
			data.Distributions = append(data.Distributions, report.DistributionOf(l.App, pool))
		}
	}
	series, err := s.series(ctx, result)
	if err != nil {
		s.Race.View.Log(fmt.Sprintf("the report has no plots over time: %v", err))
	}
	data.Series = series
	var page bytes.Buffer
	if err := report.Write(&page, data); err != nil {
		return err
	}
	return s.Folder.Write(ReportFile, page.Bytes())
}

// series are the plots over time, heat by heat, on the clock of the whole race.
func (s *Stage) series(ctx context.Context, result coordinator.Result) ([]report.PlotSeries, error) {
	q, err := promql.New(promql.Config{URL: s.metrics.url, Timeout: queryTimeout})
	if err != nil {
		return nil, err
	}
	info, ok := compare.FromRecord(result.Record)
	if !ok {
		return nil, nil
	}
	defer debug.SetGCPercent(debug.SetGCPercent(frugalGC))
	got, err := compare.TimeSeries(ctx, &oneByOne{querier: q}, compare.Request{
		Races: []compare.RaceInfo{info}, Measures: plotted, Step: time.Second, Elapsed: true, HeatsEach: false,
	})
	if err != nil {
		return nil, err
	}
	// The report counts from the first heat's start, compare from the start of the range it asked for.
	since := result.Record.Heats[0].StartedAt.Sub(info.Start).Seconds()
	times := make([]float64, len(got.Elapsed))
	for i, t := range got.Elapsed {
		times[i] = t - since
	}
	var series []report.PlotSeries
	for _, one := range got.Series {
		p := report.PlotSeries{App: one.App, Measure: one.Measure.ID, Unit: string(one.Measure.Unit), T: times}
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

// frugalGC is GOGC while the report's queries run: what they leave behind is collected twice as often as by Go's default.
const frugalGC = 50

// oneByOne evaluates one query at a time. Each holds the histograms of the whole race in memory, of this very process: the eight at once
// that compare asks for made the runner's memory after a race of ten minutes 364 MB (docs/performance.md).
type oneByOne struct {
	mu      sync.Mutex
	querier promql.Querier
}

// Query implements promql.Querier.
func (o *oneByOne) Query(ctx context.Context, q promql.Query) (promql.Result, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.querier.Query(ctx, q)
}

// queryTimeout bounds one query for the report; the embedded Prometheus answers within milliseconds.
const queryTimeout = 30 * time.Second

func known(v float64) *float64 {
	if math.IsNaN(v) {
		return nil
	}
	return &v
}
