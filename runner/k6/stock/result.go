package stock

import (
	"context"
	"fmt"
	"time"

	"go.k6.io/k6/errext/exitcodes"

	"github.com/photofinish/photofinish/runner/k6"
	"github.com/photofinish/photofinish/runner/k6/stream"
)

const (
	// lastPush bounds the wait for k6's last push to be found in Prometheus.
	lastPush = 3 * time.Second
	// signalled and the signal's number are the code of what a signal ended. Higher codes are k6's own: 255 is an error that it has no name for.
	signalled, lastSignal = 128, 64
)

// finish tells the result of a k6 that has ended, and removes what is left of it.
func (r *running) finish(ctx context.Context, figures *live) {
	var totals k6.StockTotals
	totals, r.summary, r.summaryErr = r.counted()
	code, err := r.program.Code()
	if code == int(exitcodes.ExternalAbort) && r.retired.Load() {
		code = 0
	}
	r.exit, r.exitErr = k6.Ended(code, r.log), err
	if code > signalled && code <= signalled+lastSignal {
		r.exit.Killed, r.exit.Err = true, fmt.Sprintf("ended by signal %d", code-signalled)
	}
	if err := r.program.Remove(ctx); err != nil { // the end of the race tries again
		r.conductor.say(err.Error())
	}
	result := stream.Event{Type: stream.Result, At: time.Now(), Phase: "done", Result: map[string]stream.LaneResult{}}
	switch {
	case r.part.Config.Probe:
		result.Result = r.reached
	case r.summaryErr != nil:
		return // nothing was told: the exit code says why
	default:
		r.tell(figures.end(totals), time.Now()) // the last push came after the last question
		latencies := r.latencies(ctx, totals)
		for app, t := range totals {
			t.Latency = resolved(t.Latency, latencies[app])
			result.Result[app] = stream.LaneResult{Race: t}
		}
	}
	r.events <- result
}

// latencies reads the lanes' latencies from Prometheus, as soon as it holds all that k6 counted.
func (r *running) latencies(ctx context.Context, totals k6.StockTotals) map[string]stream.Histogram {
	deadline := time.Now().Add(lastPush)
	for {
		found, err := r.conductor.prometheus.final(ctx, r.part.Config.RaceID, r.part.Config.Heat, time.Since(r.began)+window)
		whole := err == nil
		for app, t := range totals {
			whole = whole && found[app].Count >= t.Requests
		}
		if whole || time.Now().After(deadline) {
			if err != nil {
				r.conductor.complain(err)
			}
			return found
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// resolved joins k6's exact mean and extremes with the buckets that Prometheus holds.
func resolved(exact, buckets stream.Histogram) stream.Histogram {
	if exact.Count == 0 || buckets.Count == 0 {
		return stream.Histogram{}
	}
	buckets.Sum = exact.Mean() * float64(buckets.Count)
	buckets.Min, buckets.Max = exact.Min, exact.Max
	return buckets
}
