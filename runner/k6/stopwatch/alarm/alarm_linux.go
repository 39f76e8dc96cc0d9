package alarm

import (
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// newExact makes a timer file descriptor, which wakes Go's poller when it expires. Without one Go's timers have to do.
func newExact() exact {
	fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err != nil {
		return exact{}
	}
	file := os.NewFile(uintptr(fd), "timerfd") // non-blocking, so that it joins the poller
	rings := make(chan struct{}, 1)
	go func() {
		expirations := make([]byte, 8)
		for {
			if _, err := file.Read(expirations); err != nil {
				return // closed
			}
			select {
			case rings <- struct{}{}:
			default:
			}
		}
	}()
	set := func(d time.Duration) {
		// An error is no loss: Go's timer is set as well.
		_ = unix.TimerfdSettime(fd, 0, &unix.ItimerSpec{Value: unix.NsecToTimespec(d.Nanoseconds())}, nil)
	}
	return exact{rings: rings, set: set, close: file.Close}
}
