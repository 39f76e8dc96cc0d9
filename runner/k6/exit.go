package k6

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"

	"github.com/photofinish/photofinish/pkg/race"
	"go.k6.io/k6/errext/exitcodes"
)

// The exit codes of k6 that mean something to a race.
const (
	thresholdsCrossed = int(exitcodes.ThresholdsHaveFailed)
	setupTimeout      = int(exitcodes.SetupTimeout)
	invalidConfig     = int(exitcodes.InvalidConfig)
	scriptException   = int(exitcodes.ScriptException)
	scriptAborted     = int(exitcodes.ScriptAborted)
)

// Exit is how a k6 process ended.
type Exit struct {
	Code              int  // -1 if a signal ended it
	ThresholdsCrossed bool // the run is whole, but a threshold was crossed
	ScriptError       bool // the script threw outside of its iterations, or ended the test itself
	Killed            bool // by a signal
	// CPU is what k6 used from its start to its end.
	CPU time.Duration
	// Err is one sentence: k6's last error, or the signal; "" after a code of 0.
	Err string
}

func exitOf(waited error, state *os.ProcessState, said *Log) (Exit, error) {
	var ended *exec.ExitError
	if waited != nil && !errors.As(waited, &ended) && !errors.Is(waited, exec.ErrWaitDelay) {
		return Exit{Code: -1}, race.Errorf(race.Internal, "", "wait for k6: %w", waited)
	}
	e := Ended(state.ExitCode(), said)
	e.CPU = state.UserTime() + state.SystemTime()
	if status, ok := state.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		e.Killed, e.Err = true, "ended by the signal "+status.Signal().String()
	}
	return e, nil
}

// Ended is how a k6 ended with a code, after all that it said.
func Ended(code int, said *Log) Exit {
	e := Exit{Code: code}
	switch code {
	case 0:
		return e
	case thresholdsCrossed:
		e.ThresholdsCrossed = true
	case scriptException, scriptAborted, setupTimeout:
		e.ScriptError = true
	}
	e.Err = first(said.lastError(), fmt.Sprintf("k6 ended with code %d", code))
	return e
}
