package container

import (
	"strconv"

	"github.com/photofinish/photofinish/runner/k6/stock"
)

// flags are what k6 of each major version is told beside what all understand. An unknown flag would keep k6 from starting. --no-summary is gone
// in v2; --summary-mode is in both, but its mode legacy in v1 only.
var flags = map[int][]string{
	1: {"--summary-mode=compact"},
	2: {"--summary-mode=compact"},
}

// arguments are the command line of `k6 run` for a script on its standard input.
func arguments(v stock.Version, raceID string, heat int, outputs []string) []string {
	args := []string{"run", "--quiet", "--no-color", "--address=", "--log-output=stderr", "--log-format=json", "--no-usage-report"}
	args = append(args, flags[v.Major]...)
	args = append(args, "--tag", "testid="+raceID, "--tag", "heat="+strconv.Itoa(heat))
	for _, out := range outputs {
		args = append(args, "--out", out)
	}
	return append(args, "-")
}
