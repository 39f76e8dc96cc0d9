package k6

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/photofinish/photofinish/runner/k6/stream"
)

// summaryMarker begins the line in which the wrapper of a stock k6 tells what k6 counted.
const summaryMarker = "photofinish-summary "

// The other metrics that a stock k6's summary is asked to count for each lane.
const (
	latencyMetric    = "http_req_duration"
	checksMetric     = "checks"
	iterationsMetric = "iterations"
	sentMetric       = "data_sent"
	receivedMetric   = "data_received"
)

// droppedMetric counts a scenario's dropped iterations: a stock k6 tags them with the scenario alone, so the warm-up's are among them.
func droppedMetric(scenario string) string { return "dropped_iterations{scenario:" + scenario + "}" }

// StockTotals are what a stock k6 counted for each lane in phase race. Latency has no buckets: the summary holds none.
type StockTotals map[string]stream.Totals

// SumStock is what several k6 counted that shared the load of a heat.
func SumStock(parts []StockTotals) StockTotals {
	sum := StockTotals{}
	for _, part := range parts {
		for app, t := range part {
			s := sum[app]
			s.Requests, s.Failed, s.Dropped, s.Iterations = s.Requests+t.Requests, s.Failed+t.Failed, s.Dropped+t.Dropped, s.Iterations+t.Iterations
			s.ChecksPassed, s.ChecksFailed = s.ChecksPassed+t.ChecksPassed, s.ChecksFailed+t.ChecksFailed
			s.DataSent, s.DataReceived = s.DataSent+t.DataSent, s.DataReceived+t.DataReceived
			s.Latency.Merge(t.Latency)
			sum[app] = s
		}
	}
	return sum
}

// ReadStock reads what a stock k6 printed at the end of a heat; ok is false for lines that are something else.
func (h Heat) ReadStock(line string) (totals StockTotals, summary Summary, ok bool, err error) {
	if len(line) < len(summaryMarker) || line[:len(summaryMarker)] != summaryMarker {
		return nil, Summary{}, false, nil
	}
	var metrics map[string]struct {
		Values     map[string]float64 `json:"values"`
		Thresholds map[string]struct {
			OK bool `json:"ok"`
		} `json:"thresholds"`
	}
	if err := json.Unmarshal([]byte(line[len(summaryMarker):]), &metrics); err != nil {
		return nil, Summary{}, true, fmt.Errorf("k6's summary cannot be read: %w", err)
	}
	totals, summary = StockTotals{}, Summary{Lanes: map[string]LaneSummary{}}
	for _, l := range h.lanes {
		app := l.App
		of := func(metric, value string) float64 { return metrics[submetric(metric, app)].Values[value] }
		t := stream.Totals{
			Requests: int64(of(requestsMetric, "count")), Failed: int64(of(failedMetric, "passes")),
			ChecksPassed: int64(of(checksMetric, "passes")), ChecksFailed: int64(of(checksMetric, "fails")),
			DataSent: of(sentMetric, "count"), DataReceived: of(receivedMetric, "count"), Iterations: int64(of(iterationsMetric, "count")),
		}
		if n := int64(of(latencyMetric, "count")); n > 0 { // the summary's are ms
			t.Latency = stream.Histogram{Count: n, Sum: of(latencyMetric, "avg") * float64(n) / 1000, Min: of(latencyMetric, "min") / 1000, Max: of(latencyMetric, "max") / 1000}
		}
		totals[app] = t
		summary.Lanes[app] = LaneSummary{Requests: t.Requests, Failed: t.Failed}
	}
	for _, scenario := range slices.Sorted(maps.Keys(h.plans)) {
		app := h.plans[scenario].app
		t := totals[app]
		t.Dropped += int64(metrics[droppedMetric(scenario)].Values["count"])
		totals[app] = t
	}
	for _, name := range slices.Sorted(maps.Keys(metrics)) {
		for _, condition := range slices.Sorted(maps.Keys(metrics[name].Thresholds)) {
			summary.Judged = append(summary.Judged, h.judged(name, condition, !metrics[name].Thresholds[condition].OK))
		}
	}
	return totals, summary, true, nil
}
