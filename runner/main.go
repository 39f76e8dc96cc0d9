// Command photofinish races versions of a service against each other under the same k6 load.
package main

import (
	"os"

	"github.com/photofinish/photofinish/runner/cmd"
)

func main() {
	if cmd.IsK6(os.Args) {
		os.Args = cmd.K6Args(os.Args)
		cmd.RunK6() // k6 exits by itself
		return
	}
	os.Exit(cmd.Main(os.Args[1:], os.Stdout, os.Stderr))
}
