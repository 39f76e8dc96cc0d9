package coordinator

import (
	"time"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/k6/stream"
	"github.com/photofinish/photofinish/runner/results"
)

// windows are the times in which a lane's counters are charged to its requests, cut at end. In turns they reach beyond
// each block, until its last requests are answered.
func (h *heatRun) windows(l stream.Lane, end time.Time) []results.Window {
	var ws []results.Window
	for i, b := range l.Blocks {
		w := results.Window{From: h.began.Add(b.Start), To: h.began.Add(b.End + h.tail())}
		if next := i + 1; next < len(l.Blocks) && w.To.After(h.began.Add(l.Blocks[next].Start)) {
			w.To = h.began.Add(l.Blocks[next].Start)
		}
		if w.To.After(end) {
			w.To = end
		}
		w.Load = min(b.End-b.Start, w.To.Sub(w.From))
		if w.From.Before(w.To) {
			ws = append(ws, w)
		}
	}
	return ws
}

// tail is how long after a block its last answers are waited for.
func (h *heatRun) tail() time.Duration {
	if h.Plan.Mode == race.Turns {
		return h.Plan.Rhythm.Tail
	}
	return 0
}

// active is how long the lane was given load before end.
func (h *heatRun) active(l stream.Lane, end time.Time) time.Duration {
	var d time.Duration
	for _, b := range l.Blocks {
		to := h.began.Add(b.End)
		if to.After(end) {
			to = end
		}
		d += max(0, to.Sub(h.began.Add(b.Start)))
	}
	return d
}
