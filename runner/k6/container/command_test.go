package container

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
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
	for major, flags := range understood {
		args := version{major: major}.run("race-1", 7, []string{"experimental-prometheus-rw"})
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

func TestTheVersionIsReadOffWhatK6Says(t *testing.T) {
	for said, want := range map[string]version{
		"k6 v1.8.0 (go1.26.8, linux/amd64)\n":                                                {"v1.8.0", 1},
		"k6 v2.2.0 (commit/devel, go1.26.8, linux/amd64)":                                    {"v2.2.0", 2},
		"k6 v1.0.0-rc1 (commit/a-dirty, go1.24.1, linux/arm64)\nExtensions:\n  a v0.1, k6/x": {"v1.0.0-rc1", 1},
		"xk6-mine v0.57.0 (go1.23.4, linux/amd64)":                                           {"v0.57.0", 0},
	} {
		v, ok := parseVersion(said)
		require.True(t, ok, said)
		require.Equal(t, want, v)
	}
	for _, said := range []string{"", "nginx version: nginx/1.29", "usage: app [flags]", "k6 is not here"} {
		_, ok := parseVersion(said)
		require.False(t, ok, said)
	}
	require.True(t, known(version{major: 1}))
	require.True(t, known(version{major: 2}))
	require.False(t, known(version{major: 0}), "it has no --summary-mode")
	require.False(t, known(version{major: 3}), "nobody has seen its flags")
}

func TestOnlyTheBeginningOfALongAnswerIsKept(t *testing.T) {
	var b bounded
	for range 100 {
		n, err := b.Write([]byte(strings.Repeat("x", 1000)))
		require.NoError(t, err)
		require.Equal(t, 1000, n)
	}
	require.Equal(t, mostSaid, b.Len())
	require.Len(t, b.quote(), 202)
	require.Equal(t, "nothing", (&bounded{}).quote())
}
