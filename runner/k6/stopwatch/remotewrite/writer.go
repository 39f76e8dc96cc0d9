package remotewrite

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/photofinish/photofinish/runner/k6/stream"
	"github.com/prometheus/prometheus/prompb"
)

// Writer holds series between two pushes. A push that failed loses nothing: counters and histograms are cumulative, and a maximum
// is kept until it was written. It is not safe for concurrent use.
type Writer struct {
	client *client
	series map[string]*series
}

// New makes a writer to a remote-write URL.
func New(url string) *Writer {
	return &Writer{client: newClient(url), series: make(map[string]*series)}
}

// Counter sets a cumulative value. begin is when the series begins: a millisecond before it the counter was 0.
func (w *Writer) Counter(name string, begin time.Time, v float64, labels ...string) {
	s := w.find(name, labels)
	s.zero = begin.UnixMilli() - 1
	s.number, s.fresh = v, true
}

// Histogram sets a cumulative histogram, which the writer keeps. begin is when the series begins, as for Counter.
func (w *Writer) Histogram(name string, begin time.Time, h stream.Histogram, labels ...string) {
	s := w.find(name, labels)
	s.zero = begin.UnixMilli() - 1
	s.histogram, s.counts, s.fresh = true, h, true
}

// Maximum sets the highest value since the last push that succeeded.
func (w *Writer) Maximum(name string, v float64, labels ...string) {
	s := w.find(name, labels)
	if s.fresh {
		v = max(v, s.number)
	}
	s.number, s.fresh = v, true
}

// find looks a series up, or makes it; labels are names and values in turns.
func (w *Writer) find(name string, labels []string) *series {
	key := name + "\xff" + strings.Join(labels, "\xff")
	s, ok := w.series[key]
	if !ok {
		pairs := make([]prompb.Label, 0, len(labels)/2+1)
		for i := 0; i+1 < len(labels); i += 2 {
			pairs = append(pairs, prompb.Label{Name: labels[i], Value: labels[i+1]})
		}
		s = newSeries(name, pairs)
		w.series[key] = s
	}
	return s
}

// Push writes everything that was set since the last push that succeeded.
func (w *Writer) Push(ctx context.Context, now time.Time) error {
	var batch []prompb.TimeSeries
	var sent []*series
	for _, key := range slices.Sorted(maps.Keys(w.series)) {
		if s := w.series[key]; s.fresh {
			batch = append(batch, s.encode(now))
			sent = append(sent, s)
		}
	}
	if len(batch) == 0 {
		return nil
	}
	err := w.client.push(ctx, batch)
	var refused *refusedError
	if err != nil && !errors.As(err, &refused) {
		return err
	}
	for _, s := range sent {
		// What was refused is not sent again, or it would spoil every push to come; what is cumulative comes with the next one.
		s.fresh, s.begun, s.written = false, true, true
	}
	return err
}

// End writes a stale marker to every series, so that none of them outlives the heat.
func (w *Writer) End(ctx context.Context, now time.Time) error {
	var batch []prompb.TimeSeries
	for _, key := range slices.Sorted(maps.Keys(w.series)) {
		if s := w.series[key]; s.written {
			batch = append(batch, s.stale(now))
		}
	}
	if len(batch) == 0 {
		return nil
	}
	return w.client.push(ctx, batch)
}
