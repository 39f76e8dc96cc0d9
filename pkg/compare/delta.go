package compare

import "math"

// track is one source's samples as the grid sees them. seen[i] is the true time (Unix ms) of the newest sample at point i, NaN where there is none.
// A point is fresh where that sample lies within the point's own step; elsewhere the source had nothing and there is no value.
type track struct {
	grid grid
	seen []float64
	// flushed[i]: there is a sample, but a stale marker right behind it hides its time. nil is nowhere.
	flushed []bool
}

func (t track) fresh(i int) bool {
	return t.flushed != nil && t.flushed[i] || t.seen[i] > float64(t.grid.at(i)-t.grid.step) && t.seen[i] <= float64(t.grid.at(i))
}

// spans are the seconds between each fresh sample and the fresh one before it within the window, NaN where there is none before.
func (t track) spans(window span) []float64 {
	out := gaps(t.grid.n)
	before := math.NaN()
	for i := range out {
		if !t.fresh(i) || !known(t.seen[i]) || t.seen[i] <= float64(window.from) {
			continue
		}
		if t.seen[i] > before {
			out[i] = (t.seen[i] - before) / 1000
		}
		before = t.seen[i]
	}
	return out
}

// counted are the increments of a sum of k6's counters at each fresh point. They are counters that start at zero before their first sample,
// so the first increment is the first value, unless the grid begins within the race (whole is false): then it is unknown.
// The sum can only fall where a series was lost from sight; nothing is counted until it is back where it was, so that nothing is counted twice.
func (t track) counted(values []float64, window span, whole bool) []float64 {
	out := gaps(t.grid.n)
	top, started := 0.0, whole
	for i := range out {
		if !t.fresh(i) || t.seen[i] <= float64(window.from) {
			continue
		}
		v := values[i]
		if !known(v) {
			v = 0 // no sample yet
		}
		if started {
			out[i] = max(v-top, 0)
		}
		top, started = max(top, v), true
	}
	return out
}

// grown are the increments of one container's counter between fresh samples within the window. What it had before the first of them is not known
// to belong here. A counter that fell was reset: it started at zero in between.
func (t track) grown(values []float64, window span) []float64 {
	out := gaps(t.grid.n)
	before := math.NaN()
	for i := range out {
		if !t.fresh(i) || t.seen[i] <= float64(window.from) || t.seen[i] > float64(window.to) || !known(values[i]) {
			continue
		}
		switch {
		case !known(before):
		case values[i] < before:
			out[i] = values[i]
		default:
			out[i] = values[i] - before
		}
		before = values[i]
	}
	return out
}

// gauge are the values of a gauge at fresh points within the window.
func (t track) gauge(values []float64, window span) []float64 {
	out := gaps(t.grid.n)
	for i := range out {
		if t.fresh(i) && t.seen[i] > float64(window.from) && t.seen[i] <= float64(window.to) {
			out[i] = values[i]
		}
	}
	return out
}

// add sums two columns; a gap in one of them leaves the other's value.
func add(a, b []float64) []float64 {
	if a == nil {
		return b
	}
	if b == nil {
		return a
	}
	return zip(a, b, func(x, y float64) float64 {
		switch {
		case !known(x):
			return y
		case !known(y):
			return x
		default:
			return x + y
		}
	})
}

// over divides two columns; where nothing can be divided, or divided by, there is a gap.
func over(a, b []float64) []float64 {
	return zip(a, b, func(x, y float64) float64 {
		if y <= 0 {
			return math.NaN()
		}
		return x / y
	})
}

// zip joins two columns point by point; nil is a column that does not exist, and gives one.
func zip(a, b []float64, join func(x, y float64) float64) []float64 {
	if a == nil || b == nil {
		return nil
	}
	out := make([]float64, len(a))
	for i := range a {
		out[i] = join(a[i], b[i])
	}
	return out
}

func scale(a []float64, by float64) []float64 {
	if a == nil {
		return nil
	}
	out := make([]float64, len(a))
	for i := range a {
		out[i] = a[i] * by
	}
	return out
}

// sum of the known values; ok is false where there are none.
func sum(column []float64) (total float64, ok bool) {
	for _, v := range column {
		if known(v) {
			total, ok = total+v, true
		}
	}
	return total, ok
}
