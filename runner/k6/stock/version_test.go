package stock

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/race"
)

func TestTheVersionIsReadOffWhatK6Says(t *testing.T) {
	for said, want := range map[string]Version{
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
	for said, why := range map[string]string{
		"k6 v0.57.0 (go1.23.4, linux/amd64)": "holds k6 v0.57.0, whose command line is not known", // it has no --summary-mode
		"k6 v3.0.0 (go1.29.4, linux/amd64)":  "holds k6 v3.0.0, whose command line is not known",
		"":                                   "it said nothing",
		strings.Repeat("x", 1000):            "it said \"" + strings.Repeat("x", 200) + "\"",
	} {
		_, err := ReadVersion("mine", said)
		require.ErrorContains(t, err, why)
		require.NotEmpty(t, race.HintOf(err))
	}
}
