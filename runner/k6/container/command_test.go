package container

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/runner/k6/stock"
)

// understood are the flags of `k6 run` and of k6 itself by major version, as the sources of v1.8.0 and v2.2.0 define them
// (internal/cmd/{root,run,options,runtime_options,config}.go).
var understood = map[int][]string{
	1: {
		"quiet", "no-color", "address", "log-output", "log-format", "no-usage-report", "summary-mode", "tag", "out", "verbose", "config", "secret-source",
		"profiling-enabled", "include-system-env-vars", "compatibility-mode", "type", "env", "no-thresholds", "no-summary", "summary-export",
		"new-machine-readable-summary", "traces-output", "linger", "paused", "vus", "duration", "iterations", "stage",
	},
	2: {
		"quiet", "no-color", "address", "log-output", "log-format", "no-usage-report", "summary-mode", "tag", "out", "verbose", "config", "secret-source",
		"profiling-enabled", "include-system-env-vars", "compatibility-mode", "type", "env", "no-thresholds", "summary-export",
		"new-machine-readable-summary", "traces-output", "linger", "features", "vus", "duration", "iterations", "stage",
	},
}

func TestNoFlagReachesAK6ThatDoesNotKnowIt(t *testing.T) {
	require.ElementsMatch(t, stock.Majors(), slices.Collect(maps.Keys(understood)))
	for major, flags := range understood {
		args := arguments(&stock.Order{Arguments: stock.Arguments(stock.Version{Major: major}, "race-1", 7, []string{"experimental-prometheus-rw"})})
		require.Equal(t, "run", args[0])
		require.Equal(t, "-", args[len(args)-1], "the script comes on the standard input")
		for _, arg := range args {
			if name, is := strings.CutPrefix(arg, "--"); is {
				name, _, _ = strings.Cut(name, "=")
				require.True(t, slices.Contains(flags, name), "k6 v%d does not know --%s", major, name)
			}
		}
		joined := strings.Join(args, " ")
		require.Contains(t, joined, "--tag testid=race-1 --tag heat=7 --out experimental-prometheus-rw")
		require.Contains(t, joined, "--summary-mode=compact", "v2 knows no legacy")
		require.NotContains(t, joined, "--no-summary")
	}
}

func TestOnlyTheBeginningOfALongAnswerIsKept(t *testing.T) {
	var b bounded
	for range 100 {
		n, err := b.Write([]byte(strings.Repeat("x", 1000)))
		require.NoError(t, err)
		require.Equal(t, 1000, n)
	}
	require.Equal(t, mostSaid, b.Len())
}
