package compare

import (
	"github.com/photofinish/photofinish/pkg/promql"
)

// The counters of a client, as columns.
const (
	colRequests = "requests"
	colFailed   = "failed"
	colPassed   = "checks passed"
	colChecks   = "checks"
	colReceived = "received"
	colSent     = "sent"
	colWaited   = "waited" // seconds, the sum of the latencies
)

// lane is one app in one heat, the value of the heat label.
type lane struct{ app, heat string }

// clientRow is what k6 counted for a lane: each column is cumulative. A column that k6 does not write is absent.
type clientRow struct {
	track
	columns map[string][]float64
}

// clientRows reads the answers to countersExpr and seenExpr.
func clientRows(g grid, counters, seen []promql.Series) map[lane]*clientRow {
	rows := map[lane]*clientRow{}
	row := func(s promql.Series) *clientRow {
		key := lane{s.Labels["app"], s.Labels["heat"]}
		if rows[key] == nil {
			rows[key] = &clientRow{track: track{grid: g, seen: gaps(g.n)}, columns: map[string][]float64{}}
		}
		return rows[key]
	}
	for _, s := range seen {
		r := row(s)
		r.seen = g.column(s.Points)
		for i := range r.seen {
			r.seen[i] *= 1000 // timestamp() tells seconds
		}
	}
	for _, s := range counters {
		r := row(s)
		for _, name := range columnsOf(s.Labels) {
			r.columns[name] = add(r.columns[name], g.column(s.Points))
		}
	}
	for _, r := range rows {
		r.findFlushed()
		if r.columns[colRequests] != nil && r.columns[colFailed] == nil && knowsErrors(counters) {
			r.columns[colFailed] = scale(r.columns[colRequests], 0) // a stock k6 writes no series before the first failure
		}
	}
	return rows
}

// findFlushed finds the last push of a heat, which is followed by a stale marker at once: the counts still grew, but the sample's time is hidden.
func (r *clientRow) findFlushed() {
	requests := r.columns[colRequests]
	r.flushed = make([]bool, r.grid.n)
	for i := 1; i < len(requests); i++ {
		r.flushed[i] = !known(r.seen[i]) && requests[i] > requests[i-1]
	}
}

// columnsOf says which columns a counter's series is part of.
func columnsOf(labels map[string]string) []string {
	switch labels["__name__"] {
	case ownRequests, stockRequests:
		if labels["expected_response"] == "false" {
			return []string{colRequests, colFailed}
		}
		return []string{colRequests}
	case ownChecks:
		if labels["result"] == "pass" {
			return []string{colPassed, colChecks}
		}
		return []string{colChecks}
	case ownReceived, stockReceived:
		return []string{colReceived}
	case ownSent, stockSent:
		return []string{colSent}
	case ownWaited:
		return []string{colWaited}
	default:
		return ownColumnsOf(labels)
	}
}

// knowsErrors: k6's system tag expected_response can be switched off; then nobody knows what failed.
func knowsErrors(counters []promql.Series) bool {
	for _, s := range counters {
		if s.Labels["expected_response"] != "" {
			return true
		}
	}
	return false
}
