package store_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/store"
)

func TestARecordIsReadBackAsItWasSaved(t *testing.T) {
	f, err := store.Create(filepath.Join(t.TempDir(), "races", "a"))
	require.NoError(t, err)
	want := race.Race{Version: race.RecordVersion, ID: "a", Status: race.Racing, Heats: []race.Heat{{Number: 1, Order: []string{"x", "y"}}}}
	require.NoError(t, f.Save(want))
	got, err := store.Load(f.Path)
	require.NoError(t, err)
	require.Equal(t, want, got)
	left, err := os.ReadDir(f.Path)
	require.NoError(t, err)
	require.Len(t, left, 1, "only the record itself stays")
}

func TestWhatIsNoRaceRecordIsRefused(t *testing.T) {
	for name, c := range map[string]struct{ text, says string }{
		"anything that is JSON": {`{}`, "it has no id"},
		"another document":      {`{"name": "package", "version": 1}`, "it has no id"},
		"of a later version":    {`{"version": 2, "id": "a"}`, "is a race record of version 2, and this photofinish reads version 1"},
		"without a version":     {`{"id": "a"}`, "is a race record of version 0"},
		"another type":          {`{"version": 1, "id": 7}`, "is no race record"},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), store.RecordFile)
			require.NoError(t, os.WriteFile(file, []byte(c.text), 0o600))
			_, err := store.Load(file)
			require.ErrorContains(t, err, file)
			require.ErrorContains(t, err, c.says)
			require.Equal(t, race.Invalid, race.CodeOf(err))
			_, err = store.MarkInterrupted(filepath.Dir(file), "the runner died", time.Now())
			require.ErrorContains(t, err, c.says, "and it stays as it is")
			left, err := os.ReadFile(file)
			require.NoError(t, err)
			require.Equal(t, c.text, string(left))
		})
	}
}

func TestAFolderThatHoldsARaceIsNotOverwritten(t *testing.T) {
	f, err := store.Create(t.TempDir())
	require.NoError(t, err)
	require.NoError(t, f.Save(race.Race{ID: "a"}))
	_, err = store.Create(f.Path)
	require.ErrorContains(t, err, "already holds a race")
	require.Equal(t, race.Invalid, race.CodeOf(err))
}

func TestAFolderThatCannotBeMadeIsNamed(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	_, err := store.Create(filepath.Join(file, "race"))
	require.ErrorContains(t, err, file)
	require.Equal(t, race.Unavailable, race.CodeOf(err))
	require.Contains(t, race.HintOf(err), "--out")
}

func TestOnlyARaceThatHadNotEndedBecomesInterrupted(t *testing.T) {
	for status, want := range map[race.Status]race.Status{
		race.Racing: race.Interrupted, race.Preparing: race.Interrupted, race.Finished: race.Finished, race.Failed: race.Failed,
	} {
		t.Run(string(status), func(t *testing.T) {
			f, err := store.Create(t.TempDir())
			require.NoError(t, err)
			require.NoError(t, f.Save(race.Race{Version: race.RecordVersion, ID: "a", Status: status, Lanes: []race.Lane{{App: "x", Exit: &race.Exit{Reason: race.Running}}}}))
			marked, err := store.MarkInterrupted(f.Path, "the runner died", time.Now())
			require.NoError(t, err)
			require.Equal(t, want == race.Interrupted, marked)
			got, err := store.Load(f.Path)
			require.NoError(t, err)
			require.Equal(t, want, got.Status)
			if want == race.Interrupted {
				require.Equal(t, race.Stopped, got.Lanes[0].Exit.Reason)
				require.NotNil(t, got.FinishedAt)
			}
		})
	}
	marked, err := store.MarkInterrupted(t.TempDir(), "the runner died", time.Now())
	require.NoError(t, err, "a race that was never saved is no error")
	require.False(t, marked)
}
