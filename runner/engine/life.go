package engine

import (
	"sync"
	"time"

	"github.com/photofinish/photofinish/pkg/race"
)

// Life is what is known of an app from its start until what it held is freed, the same in every engine: a lane embeds it. All methods may be called
// concurrently.
type Life struct {
	// Output is the tail of what the app writes.
	Output Tail

	done chan struct{}

	mu       sync.Mutex
	stopping bool
	freed    bool
	exit     race.Exit
	lost     error
	spent    Counters
}

// NewLife is that of an app that runs.
func NewLife() *Life {
	return &Life{done: make(chan struct{}), exit: race.Exit{Reason: race.Running}}
}

// Logs implements Lane: stdout and stderr.
func (l *Life) Logs() []string { return l.Output.Lines() }

// Done implements Lane. It is closed too when nothing is known of the app any more; see Lost.
func (l *Life) Done() <-chan struct{} { return l.done }

// Exit implements Lane.
func (l *Life) Exit() race.Exit {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.exit
}

// Lost says why nothing is known of the app any more; nil where it runs, or simply ended.
func (l *Life) Lost() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lost
}

// BeginStop marks the end to come as the runner's own doing; false if the app has ended already.
func (l *Life) BeginStop() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.exit.Reason != race.Running {
		return false
	}
	l.stopping = true
	return true
}

// Stopping says whether the end is the runner's own doing.
func (l *Life) Stopping() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.stopping
}

// Ended says whether Done is closed.
func (l *Life) Ended() bool {
	select {
	case <-l.done:
		return true
	default:
		return false
	}
}

// End records how the app ended, now unless exit says when, and closes Done; lost is for Lost. Only the first end counts.
func (l *Life) End(exit race.Exit, lost error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.exit.Reason != race.Running {
		return
	}
	if exit.At == nil {
		now := time.Now().UTC()
		exit.At = &now
	}
	l.exit, l.lost = exit, lost
	l.spent.WorkingSet = nil // nothing is left of it
	if exit.Reason == race.OOM {
		l.spent.OOMKills = max(l.spent.OOMKills, 1)
	}
	close(l.done)
}

// Spend keeps what the app has spent until now.
func (l *Life) Spend(c Counters) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.spent = c
}

// Spent is what Spend was told last. Of an app that has ended nothing is left in memory.
func (l *Life) Spent() Counters {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.spent
}

// Free says that what the app held was removed.
func (l *Life) Free() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.freed = true
}

// Freed says whether what the app held was removed.
func (l *Life) Freed() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.freed
}
