package ledger_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/ledger"
)

func open(t *testing.T, dir string) *ledger.Ledger {
	t.Helper()
	l, err := ledger.Open(filepath.Join(dir, "ledger"))
	require.NoError(t, err)
	return l
}

func TestLedger(t *testing.T) {
	t.Run("a race of this process is not dead, and is gone after Remove", func(t *testing.T) {
		dir := t.TempDir()
		one, other := open(t, dir), open(t, dir)
		require.NoError(t, one.Add("r", "out"))
		require.Equal(t, race.Conflict, race.CodeOf(one.Add("r", "out")))
		dead, err := other.Dead()
		require.NoError(t, err)
		require.Empty(t, dead)
		lives, err := other.Lives("r")
		require.NoError(t, err)
		require.True(t, lives)
		require.Equal(t, one.Owner(), other.Owner())
		require.NoError(t, one.Remove("r"))
		require.NoError(t, one.Remove("r"), "again")
		lives, err = other.Lives("r")
		require.NoError(t, err)
		require.False(t, lives)
		files, err := os.ReadDir(filepath.Join(dir, "ledger"))
		require.NoError(t, err)
		require.Empty(t, files)
	})
	t.Run("the name of an entry says which race it is, whatever is in it", func(t *testing.T) {
		dir := t.TempDir()
		l := open(t, dir)
		for name, text := range map[string]string{"torn.json": "{", "liar.json": `{"race_id":"../other"}`, "Not an entry": "", ".json": ""} {
			require.NoError(t, os.WriteFile(filepath.Join(dir, "ledger", name), []byte(text), 0o600))
		}
		dead, err := l.Dead()
		require.NoError(t, err)
		var ids []string
		for _, left := range dead {
			ids = append(ids, left.RaceID)
		}
		require.ElementsMatch(t, []string{"torn", "liar"}, ids)
	})
	t.Run("a folder that others may write is refused", func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "ledger")
		require.NoError(t, os.Mkdir(dir, 0o700))
		require.NoError(t, os.Chmod(dir, 0o777))
		_, err := ledger.Open(dir)
		require.Equal(t, race.Unavailable, race.CodeOf(err))
	})
	t.Run("an id that leads elsewhere is refused", func(t *testing.T) {
		require.Error(t, open(t, t.TempDir()).Add("../x", ""))
	})
}
