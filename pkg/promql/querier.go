// Package promql asks a Prometheus: the one-method Querier that the comparison needs, its implementation over HTTP,
// and the building blocks of expressions that no label value can break out of.
package promql

import (
	"context"
	"math"
	"time"
)

// Querier evaluates expressions. It may be called concurrently.
type Querier interface {
	// Query evaluates one expression. Its errors are *race.Error with a next step for the user.
	Query(ctx context.Context, q Query) (Result, error)
}

// Query is one evaluation: at Start where Step is 0 (an instant query), else at Start, Start+Step … up to and including End.
type Query struct {
	Expr       string
	Start, End time.Time
	Step       time.Duration
}

// At is an instant query.
func At(expr string, t time.Time) Query { return Query{Expr: expr, Start: t, End: t} }

// Result holds float series only: histograms are reduced to numbers by Prometheus itself. A series whose value is a histogram is an error.
type Result struct {
	Series []Series
	// Warnings are what Prometheus (or Thanos, Mimir, VictoriaMetrics) said about an incomplete or doubtful answer.
	Warnings []string
	// Infos are its remarks on a complete answer.
	Infos []string
}

// Series is one series of a result. An instant query gives it one point, a range selector its raw samples with their own times.
type Series struct {
	Labels map[string]string // with __name__, where the expression keeps it
	Points []Point           // ascending in time
}

// Point is a value at a time in Unix milliseconds. The value may be NaN or infinite.
type Point struct {
	At    int64
	Value float64
}

// Last is the value of the last point, NaN without points.
func (s Series) Last() float64 {
	if len(s.Points) == 0 {
		return math.NaN()
	}
	return s.Points[len(s.Points)-1].Value
}
