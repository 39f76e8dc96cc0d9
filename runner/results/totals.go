package results

import (
	"time"

	"github.com/photofinish/photofinish/runner/k6/stream"
)

// addTotals sums two parts of one lane's counts: two heats, or the same heat seen by two k6 processes.
func addTotals(a, b stream.Totals) stream.Totals {
	a.Requests += b.Requests
	a.Failed += b.Failed
	a.ChecksPassed += b.ChecksPassed
	a.ChecksFailed += b.ChecksFailed
	a.DataSent += b.DataSent
	a.DataReceived += b.DataReceived
	a.Iterations += b.Iterations
	a.Dropped += b.Dropped
	a.Redelivered += b.Redelivered
	a.QueueErrors += b.QueueErrors
	a.MaxVUs = max(a.MaxVUs, b.MaxVUs)
	a.FirstRequest = earliest(a.FirstRequest, b.FirstRequest)
	if b.LastResponse.After(a.LastResponse) {
		a.LastResponse = b.LastResponse
	}
	a.Latency = merged(a.Latency, b.Latency)
	a.LatencyPassed = merged(a.LatencyPassed, b.LatencyPassed)
	a.StartLag = merged(a.StartLag, b.StartLag)
	a.Response = merged(a.Response, b.Response)
	a.Metrics = stream.MergeMetrics(a.Metrics, b.Metrics)
	return a
}

func merged(a, b stream.Histogram) stream.Histogram {
	var sum stream.Histogram
	sum.Merge(a)
	sum.Merge(b)
	return sum
}

func earliest(a, b time.Time) time.Time {
	if a.IsZero() || (!b.IsZero() && b.Before(a)) {
		return b
	}
	return a
}
