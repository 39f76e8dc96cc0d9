package container

import "strconv"

// flags are what k6 of each major version is told beside what all understand. An unknown flag would keep k6 from starting, so a version that
// is not here is refused. --no-summary is gone in v2; --summary-mode is in both, but its mode legacy in v1 only.
var flags = map[int][]string{
	1: {"--summary-mode=compact"},
	2: {"--summary-mode=compact"},
}

func known(v version) bool {
	_, is := flags[v.major]
	return is
}

// run is the command line of `k6 run` for a script on its standard input.
func (v version) run(raceID string, heat int, outputs []string) []string {
	args := []string{"run", "--quiet", "--no-color", "--address=", "--log-output=stderr", "--log-format=json", "--no-usage-report"}
	args = append(args, flags[v.major]...)
	args = append(args, "--tag", "testid="+raceID, "--tag", "heat="+strconv.Itoa(heat))
	for _, out := range outputs {
		args = append(args, "--out", out)
	}
	return append(args, "-")
}
