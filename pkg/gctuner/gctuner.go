// Package gctuner lets the heap of a process that does much in little memory grow to a size that nobody minds before it is collected as often as
// Go does by default. Collecting a heap of a few megabytes again and again disturbs what is being measured, or costs as much as the work itself.
package gctuner

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sync"
)

// plainGC and rareGC are GOGC: how much the heap may grow, in percent of what is in use, before it is collected. The first is Go's default, the
// second what a small heap gets: beyond it there is little to gain.
const plainGC, rareGC = 100, 400

const liveHeap = "/gc/heap/live:bytes"

// tuner sets how often garbage is collected, anew after each collection.
type tuner struct {
	roomy uint64 // bytes

	mu      sync.Mutex
	percent int
	before  int // what it was, and is again when the tuner stops
	stopped bool
}

// Roomy lets the heap grow to so many bytes before it is collected as often as by default; a heap of more than half of that is left alone.
// So is a GOGC of the user's own. stop takes it back; it may be called again.
func Roomy(bytes uint64) (stop func()) {
	if os.Getenv("GOGC") != "" {
		return func() {}
	}
	t := &tuner{roomy: bytes, before: debug.SetGCPercent(plainGC)}
	t.percent = plainGC
	t.collected()
	return t.stop
}

func (t *tuner) stop() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.stopped {
		t.stopped = true
		debug.SetGCPercent(t.before)
	}
}

// canary dies in the next collection. It holds a pointer, as objects without one share their memory and may live on with a neighbour.
type canary struct{ *tuner }

// collected adapts to what is in use after a collection, and waits for the next one.
func (t *tuner) collected() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.stopped {
		return
	}
	sample := []metrics.Sample{{Name: liveHeap}}
	metrics.Read(sample)
	if p := percent(sample[0].Value.Uint64(), t.roomy); p != t.percent {
		t.percent = p
		debug.SetGCPercent(p)
	}
	runtime.AddCleanup(&canary{t}, (*tuner).collected, t)
}

// percent lets a heap of which so many bytes are in use grow to a roomy one, in steps: changing it stops the process for an instant.
func percent(live, roomy uint64) int {
	const step = 50
	room := (roomy - min(live, roomy)) * 100 / max(live, 1)
	return int(min(max(room/step*step, plainGC), rareGC))
}
