package cmd

import (
	"fmt"
	"os"

	k6cmd "go.k6.io/k6/cmd"

	"github.com/photofinish/photofinish/runner/k6/confine"
	"github.com/photofinish/photofinish/runner/k6/stopwatch"
)

// IsK6 says whether this process was started to be k6.
func IsK6(args []string) bool { return len(args) > 1 && args[1] == "k6" }

// K6Args are the process's arguments as k6 expects them. k6 reads os.Args itself.
func K6Args(args []string) []string { return args[1:] }

// RunK6 runs k6 with our output, module and executor, as the whole process; it ends the process with k6's exit code.
func RunK6() {
	if err := confine.Apply(); err != nil {
		fmt.Fprintf(os.Stderr, "photofinish: %v\n", err)
		os.Exit(exitNotRun)
	}
	stopwatch.Register()
	k6cmd.Execute()
}
