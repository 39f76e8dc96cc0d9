package cmd_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestWrongUsageNamesTheHelpOfItsCommand(t *testing.T) {
	for _, c := range []struct {
		args []string
		next string
	}{
		{[]string{"race"}, "see photofinish race --help"},
		{[]string{"race", "a.js", "b.js"}, "see photofinish race --help"},
		{[]string{"race", "--colour"}, "see photofinish race --help"},
		{[]string{"races", "override"}, "see photofinish races override --help"},
		{[]string{"walk"}, "see photofinish --help"},
		{[]string{"races", "override", filepath.Join(t.TempDir(), "gone"), "--because", "x"}, "name the folder of a race, or the race.json in it"},
	} {
		f := run(t.Context(), t, "", c.args...)
		require.Equal(t, 2, f.code, c.args)
		require.Contains(t, f.stderr, "\n  "+c.next+"\n", c.args)
	}
}
