package alarm

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// exact is a timer of the kernel as a file: its expiry wakes Go's poller. One goroutine reads it, so that the wake-up goes straight to
// the one that waits; a hop over another goroutine costs as much CPU as a quarter of a request.
type exact struct {
	fd     int
	file   *os.File
	forget func() bool // the watch on the context

	mu    sync.Mutex
	ended bool
}

// newExact makes a kernel timer, nil if there is none to be had.
func newExact(ctx context.Context) *exact {
	fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err != nil {
		return nil
	}
	e := &exact{fd: fd, file: os.NewFile(uintptr(fd), "timerfd")} // non-blocking, so that it joins the poller
	if err := e.file.SetReadDeadline(time.Time{}); err != nil {
		_ = e.file.Close() // it did not join the poller: reading it would block a thread
		return nil
	}
	e.forget = context.AfterFunc(ctx, e.end)
	return e
}

// end wakes the reader for good.
func (e *exact) end() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.ended = true
	_ = e.file.SetReadDeadline(time.Unix(1, 0)) // it was set before: it cannot fail but for a closed file, which nobody reads
}

// arm sets both timers: the kernel's is exact when the process is idle, Go's (the deadline) is looked at more often when it is busy.
func (e *exact) arm(at time.Time, left time.Duration) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.ended {
		return false
	}
	_ = e.file.SetReadDeadline(at)
	_ = unix.TimerfdSettime(e.fd, 0, &unix.ItimerSpec{Value: unix.NsecToTimespec(left.Nanoseconds())}, nil) // then the deadline wakes
	return true
}

func (e *exact) wait(at time.Time) bool {
	var expirations [8]byte
	for {
		left := time.Until(at)
		if left <= 0 {
			return true
		}
		if !e.arm(at, left) {
			return false
		}
		// Whatever ends the read, the loop looks at the time.
		if _, err := e.file.Read(expirations[:]); err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			return false
		}
	}
}

func (e *exact) close() error {
	e.forget()
	if err := e.file.Close(); err != nil {
		return fmt.Errorf("close a timer: %w", err)
	}
	return nil
}
