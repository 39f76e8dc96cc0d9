// Package store keeps the records of races in folders: races/<id>/race.json. A record is replaced as a whole and at once,
// so a reader, or the next run after a crash, never meets half of one.
package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/photofinish/photofinish/pkg/race"
)

// RecordFile is the name of the record in a race's folder.
const RecordFile = "race.json"

// Folder is where one race is kept.
type Folder struct{ Path string }

// Create makes the folder of a race and proves that it can be written to, so that nobody races for minutes and then has no place for the result.
func Create(path string) (Folder, error) {
	if err := os.MkdirAll(path, 0o755); err != nil { //nolint:gosec // results are for others to read
		return Folder{}, writeError(path, err)
	}
	if _, err := os.Stat(filepath.Join(path, RecordFile)); err == nil {
		return Folder{}, race.Errorf(race.Invalid, "choose another folder with --out, or move the old race away",
			"%s already holds a race", path)
	}
	probe, err := os.CreateTemp(path, ".write-*")
	if err != nil {
		return Folder{}, writeError(path, err)
	}
	return Folder{Path: path}, errors.Join(probe.Close(), os.Remove(probe.Name()))
}

// Save replaces the record.
func (f Folder) Save(r race.Race) error {
	data, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("encode the record of race %s: %w", r.ID, err)
	}
	return f.Write(RecordFile, append(data, '\n'))
}

// ProfileFile is the name of a profile of an app in a race's folder.
func ProfileFile(app string, kind race.ProfileKind) string {
	return filepath.Join("profiles", fmt.Sprintf("%s-%s.pb.gz", app, kind))
}

// SaveProfile keeps a profile of an app, in the format of pprof.
func (f Folder) SaveProfile(_, app string, kind race.ProfileKind, pprof []byte) error {
	name := ProfileFile(app, kind)
	folder := filepath.Join(f.Path, filepath.Dir(name))
	if err := os.MkdirAll(folder, 0o755); err != nil { //nolint:gosec // results are for others to read
		return writeError(folder, err)
	}
	return Folder{Path: folder}.Write(filepath.Base(name), pprof)
}

// Write replaces a file of the folder as a whole: it is written beside, synced and renamed.
func (f Folder) Write(name string, data []byte) (err error) {
	path := filepath.Join(f.Path, name)
	tmp, err := os.CreateTemp(f.Path, "."+name+"-*")
	if err != nil {
		return writeError(path, err)
	}
	defer func() {
		if err != nil {
			_ = os.Remove(tmp.Name())
		}
	}()
	_, err = tmp.Write(data)
	if err = errors.Join(err, tmp.Sync(), tmp.Chmod(0o644), tmp.Close()); err != nil {
		return writeError(path, err)
	}
	if err = os.Rename(tmp.Name(), path); err != nil {
		return writeError(path, err)
	}
	return nil
}

// Discard removes the folder if nothing was saved in it.
func (f Folder) Discard() error {
	left, err := os.ReadDir(f.Path)
	if err == nil && len(left) == 0 {
		err = os.Remove(f.Path)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// asFolder is how a race is named that is kept in a folder.
const asFolder = "name the folder of a race, or the race.json in it"

// Load reads the record of a race's folder, or of the record file itself.
func Load(path string) (race.Race, error) {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		path = filepath.Join(path, RecordFile)
	}
	var r race.Race
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return r, race.Errorf(race.NotFound, asFolder, "no race is recorded at %s", path)
	}
	if err != nil {
		return r, fmt.Errorf("read %s: %w", path, err)
	}
	if err := json.Unmarshal(data, &r); err != nil {
		return r, race.Errorf(race.Invalid, asFolder, "%s is no race record: %w", path, err)
	}
	switch { // anything else that is JSON would be read as a race in which nothing happened
	case r.ID == "":
		return r, race.Errorf(race.Invalid, asFolder, "%s is no race record: it has no id", path)
	case r.Version != race.RecordVersion:
		return r, race.Errorf(race.Invalid, "read it with the photofinish that wrote it, or a newer one",
			"%s is a race record of version %d, and this photofinish reads version %d", path, r.Version, race.RecordVersion)
	}
	return r, nil
}

// MarkInterrupted records that the race in a folder ended with its runner, and says whether it did. A race that had ended, or was never
// saved, stays as it is.
func MarkInterrupted(path, why string, at time.Time) (marked bool, err error) {
	r, err := Load(path)
	if race.CodeOf(err) == race.NotFound {
		return false, nil
	}
	if err != nil || r.Status.Ended() {
		return false, err
	}
	r.Interrupt(at, why)
	err = Folder{Path: path}.Save(r)
	return err == nil, err
}

func writeError(path string, err error) error {
	hint := "choose a writable folder with --out"
	if errors.Is(err, syscall.ENOSPC) {
		hint = "free some disk space, or choose a folder on another disk with --out"
	}
	// The reason alone: the path in it may be the temporary file's, or be said twice.
	var failed *fs.PathError
	var renamed *os.LinkError
	switch {
	case errors.As(err, &failed):
		err = failed.Err
	case errors.As(err, &renamed):
		err = renamed.Err
	}
	return race.Errorf(race.Unavailable, hint, "cannot write %s: %w", path, err)
}
