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

// trail is a lane's last second.
type trail struct {
	slots [slots + 1]stream.Histogram
	next  int
}

func (t *trail) observe(seconds float64) { t.slots[t.next].Observe(seconds) }

// turn gives the last second's latencies and begins a new slot.
func (t *trail) turn() stream.Histogram {
	var second stream.Histogram
	for i := range slots {
		second.Merge(t.slots[(t.next+len(t.slots)-i)%len(t.slots)])
	}
	t.next = (t.next + 1) % len(t.slots)
	t.slots[t.next].Reset()
	return second
}
