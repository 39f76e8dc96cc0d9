package stock

import (
	"maps"
	"math"
	"time"

	"github.com/prometheus/common/model"

	"github.com/photofinish/photofinish/runner/k6"
	"github.com/photofinish/photofinish/runner/k6/stream"
)

// live makes the figures of the live views out of what k6 pushes: each push holds, for each series, the histogram of all requests so far.
type live struct {
	seen  map[model.Fingerprint]pushed
	lanes map[string]stream.LaneProgress
	newer map[string]time.Time // the last push that held something of a lane
}

// pushed is one series as it was pushed last.
type pushed struct {
	at        model.Time
	histogram stream.Histogram
}

func newLive(apps []string) *live {
	l := &live{seen: map[model.Fingerprint]pushed{}, lanes: map[string]stream.LaneProgress{}, newer: map[string]time.Time{}}
	for _, app := range apps {
		l.lanes[app] = stream.LaneProgress{}
	}
	return l
}

// pushEvery is k6's push interval, and the time over which a lane's first push counts.
const pushEvery = time.Second

// take brings the lanes up to what was pushed until now.
func (l *live) take(matrix model.Matrix, now time.Time) map[string]stream.LaneProgress {
	fresh, newest := map[string]stream.Histogram{}, map[string]time.Time{}
	for _, s := range matrix {
		app := string(s.Metric["app"])
		p, racing := l.lanes[app]
		if !racing || len(s.Histograms) == 0 {
			continue
		}
		last := s.Histograms[len(s.Histograms)-1]
		key := s.Metric.Fingerprint()
		before := l.seen[key]
		if last.Timestamp <= before.at || last.Histogram == nil {
			continue
		}
		after := pushed{at: last.Timestamp, histogram: histogramOf(last.Histogram)}
		l.seen[key] = after
		grown := after.histogram.Count - before.histogram.Count
		if s.Metric["phase"] == "race" {
			p.Requests += grown
			if s.Metric["expected_response"] == "false" {
				p.Failed += grown
			}
			l.lanes[app] = p
		}
		sum := fresh[app]
		sum.Merge(since(before.histogram, after.histogram))
		fresh[app] = sum
		if at := last.Timestamp.Time(); at.After(newest[app]) {
			newest[app] = at
		}
	}
	for app, p := range l.lanes {
		l.lanes[app] = l.recent(app, p, fresh[app], newest[app], now)
	}
	return maps.Clone(l.lanes)
}

// end brings the lanes up to what k6 counted itself.
func (l *live) end(totals k6.StockTotals) map[string]stream.LaneProgress {
	for app, t := range totals {
		p := l.lanes[app]
		p.Requests, p.Failed, p.Dropped, p.Rate = t.Requests, t.Failed, t.Dropped, 0
		l.lanes[app] = p
	}
	return maps.Clone(l.lanes)
}

// recent fills in the figures of the last push; between two pushes the last ones stand.
func (l *live) recent(app string, p stream.LaneProgress, fresh stream.Histogram, at, now time.Time) stream.LaneProgress {
	if fresh.Count == 0 {
		if now.Sub(l.newer[app]) > 2*pushEvery { // nothing comes: other lanes have their turn
			p.Rate, p.P50MS, p.P95MS = 0, 0, 0
		}
		return p
	}
	over := at.Sub(l.newer[app])
	if l.newer[app].IsZero() || over > 2*pushEvery {
		over = pushEvery
	}
	l.newer[app] = at
	p.Rate = float64(fresh.Count) / over.Seconds()
	p.P50MS, p.P95MS = fresh.Quantile(.5)*1000, fresh.Quantile(.95)*1000
	return p
}

// since is what a histogram counted after an earlier state of it.
func since(before, after stream.Histogram) stream.Histogram {
	grown := stream.Histogram{
		Count: after.Count - before.Count, Zero: after.Zero - before.Zero, Sum: after.Sum - before.Sum, Coarse: after.Coarse,
		Buckets: map[int]int64{}, Min: math.Inf(1), Max: math.Inf(-1),
	}
	for i, n := range after.Buckets {
		if n -= before.Buckets[i]; n > 0 {
			grown.Buckets[i] = n
			lower, upper := boundsOf(i, after.Coarse)
			grown.Min, grown.Max = min(grown.Min, lower), max(grown.Max, upper)
		}
	}
	if grown.Zero > 0 {
		grown.Min = 0
		grown.Max = max(grown.Max, 0)
	}
	return grown
}

func boundsOf(bucket, coarse int) (lower, upper float64) {
	h := stream.Histogram{Coarse: coarse}
	first, last := h.Fine(bucket)
	lower, _ = stream.Bounds(first)
	_, upper = stream.Bounds(last)
	return lower, upper
}
