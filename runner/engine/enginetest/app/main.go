// Command app is every app of the engines' suite of tests, for engines that cannot start the test binary itself.
package main

import (
	"fmt"
	"os"

	"github.com/photofinish/photofinish/runner/engine/enginetest"
)

func main() {
	enginetest.Main()
	fmt.Fprintln(os.Stderr, enginetest.AppVariable+" names no app")
	os.Exit(1)
}
