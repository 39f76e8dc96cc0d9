package stopwatch

import (
	"os"
	"runtime/debug"
	"runtime/metrics"
)

const (
	// roomyHeap is the heap (bytes) up to which the garbage collector is called less often than by Go's default. Collecting disturbs the
	// requests that are under way, and at 1,000 requests a second of a small script it takes some 8% of k6's CPU (docs/performance.md).
	roomyHeap = 256 << 20
	// plainGC and rareGC are GOGC: how much the heap may grow, in percent of what is in use, before it is collected. The first is Go's
	// default, the second what a small heap gets: beyond it there is little to gain.
	plainGC, rareGC = 100, 400
)

const liveHeap = "/gc/heap/live:bytes"

// collector sets how often garbage is collected. The zero value is ready. A GOGC of the user's own is left alone.
type collector struct {
	percent int
	sample  [1]metrics.Sample
}

// tune adapts to the heap in use.
func (c *collector) tune() {
	if os.Getenv("GOGC") != "" {
		return
	}
	c.sample[0].Name = liveHeap
	metrics.Read(c.sample[:])
	if p := gcPercent(c.sample[0].Value.Uint64()); p != c.percent {
		c.percent = p
		debug.SetGCPercent(p)
	}
}

// gcPercent lets a heap of which so many bytes are in use grow to roomyHeap, in steps: changing it stops k6 for an instant.
func gcPercent(live uint64) int {
	const step = 50
	room := (roomyHeap - min(live, roomyHeap)) * 100 / max(live, 1)
	return int(min(max(room/step*step, plainGC), rareGC))
}
