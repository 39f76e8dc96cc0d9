package heat

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/photofinish/photofinish/runner/k6/stream"
)

// Lane is one app in the heat. All methods may be called concurrently.
type Lane struct {
	App    string
	Worker bool // its requests are messages in a queue
	Blocks []stream.Block

	retired atomic.Bool

	mu      sync.Mutex
	running int
	latest  Phase // of the last iteration that began
	phases  [Measured]lanePhase
}

type lanePhase struct {
	most    int // VUs in an iteration at once, over the whole phase
	recent  int // the same since TakeRecentVUs
	dropped int64
	lag     stream.Histogram
	took    stream.Histogram // from the planned start to the end
}

// Retired says that the app is out of the race: no iteration is to begin any more.
func (l *Lane) Retired() bool { return l.retired.Load() }

// Enter counts a VU into an iteration.
func (l *Lane) Enter(phase Phase) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.running++
	l.latest = phase
	if int(phase) < Measured {
		p := &l.phases[phase]
		p.most = max(p.most, l.running)
		p.recent = max(p.recent, l.running)
	}
}

// Leave counts a VU out of an iteration.
func (l *Lane) Leave() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.running--
}

// Late records how much later than planned an iteration was begun.
func (l *Lane) Late(phase Phase, lag time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.phases[phase].lag.Observe(lag.Seconds())
}

// Ended records how long after its planned start an iteration was over.
func (l *Lane) Ended(phase Phase, took time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.phases[phase].took.Observe(took.Seconds())
}

// Drop counts a planned iteration for which no VU was free.
func (l *Lane) Drop(phase Phase) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.phases[phase].dropped++
}

// Running is the number of VUs that are in an iteration now.
func (l *Lane) Running() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.running
}

// Dropped is the number of planned iterations of a phase for which no VU was free.
func (l *Lane) Dropped(phase Phase) int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.phases[phase].dropped
}

// MostVUs is the highest number of VUs in an iteration at once in a phase.
func (l *Lane) MostVUs(phase Phase) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.phases[phase].most
}

// TakeRecentVUs is the highest number of VUs in an iteration at once since the last call. Those still running count on, unless the
// lane is in another phase by now.
func (l *Lane) TakeRecentVUs(phase Phase) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	recent := l.phases[phase].recent
	l.phases[phase].recent = 0
	if phase == l.latest {
		l.phases[phase].recent = l.running
	}
	return recent
}

// Lag copies the start lags of a phase, in seconds.
func (l *Lane) Lag(phase Phase) stream.Histogram {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.phases[phase].lag.Clone()
}

// Took copies how long after their planned start the iterations of a phase were over, in seconds.
func (l *Lane) Took(phase Phase) stream.Histogram {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.phases[phase].took.Clone()
}
