package tally

import (
	"time"

	"github.com/photofinish/photofinish/runner/k6/stream"
)

// The trailing second of the live views is kept in slots, the newest being filled.
const (
	// Slot is how often Progress moves on.
	Slot  = 200 * time.Millisecond
	slots = 5
)

// trail is a lane's last second: what each slot observed, and their sum by bucket. Minimum and maximum are not kept.
type trail struct {
	slots  [slots][]int // buckets, in the order of the observations
	next   int
	second stream.Histogram
}

func (t *trail) observe(seconds float64) {
	if seconds <= 0 {
		return // no request takes no time
	}
	bucket := stream.Bucket(seconds)
	t.slots[t.next] = append(t.slots[t.next], bucket)
	if t.second.Buckets == nil {
		t.second.Buckets = make(map[int]int64)
	}
	t.second.Buckets[bucket]++
	t.second.Count++
}

// turn forgets the oldest slot, after the last second was read.
func (t *trail) turn() {
	t.next = (t.next + 1) % slots
	for _, bucket := range t.slots[t.next] {
		t.second.Count--
		if t.second.Buckets[bucket]--; t.second.Buckets[bucket] == 0 {
			delete(t.second.Buckets, bucket)
		}
	}
	t.slots[t.next] = t.slots[t.next][:0]
}

// quantile is that of the last second, in seconds; 0 without requests.
func (t *trail) quantile(q float64) float64 {
	indexes := t.second.Indexes()
	if len(indexes) == 0 {
		return 0
	}
	// The bounds of the buckets in use stand for the extremes, between which Quantile keeps.
	t.second.Min, _ = stream.Bounds(indexes[0])
	_, t.second.Max = stream.Bounds(indexes[len(indexes)-1])
	return t.second.Quantile(q)
}

// rate is requests per second over the last second.
func (t *trail) rate() float64 { return float64(t.second.Count) / (slots * Slot).Seconds() }
