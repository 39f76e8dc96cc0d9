// Package ledger remembers which races are run on this machine, so that what a killed runner left behind is found by the next one.
package ledger

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/photofinish/photofinish/pkg/race"
)

// Ledger remembers in a folder of this user which races are run, so that what a killed runner left is found by the next one.
// There is a file per race, and its runner holds a lock on it: the kernel frees the lock with the process, however it ends, and no process id
// that was given again can be taken for a runner. A race whose lock is held is never touched.
type Ledger struct {
	dir string

	mu   sync.Mutex
	held map[string]*os.File // by race id; each holds its lock
}

// Leftover is a race whose runner is dead.
type Leftover struct {
	RaceID string `json:"race_id"`
	OutDir string `json:"out_dir"` // where its record is; "" if the runner did not say
	// Temp are working folders that Sweep removes.
	Temp []string `json:"temp,omitempty"`
	// Runner is the process id that the runner had.
	Runner int       `json:"runner"`
	Since  time.Time `json:"since"`
}

// freshFile is how old an entry that is still being made may be.
const freshFile = time.Minute

// Open opens the ledger in dir; "" is photofinish-<user id> in the folder for temporary files.
func Open(dir string) (*Ledger, error) {
	if dir == "" {
		dir = filepath.Join(os.TempDir(), "photofinish-"+strconv.Itoa(os.Getuid()))
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, race.Errorf(race.Unavailable, "set TMPDIR to a folder that can be written", "cannot make the folder for running races: %w", err)
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return nil, race.Errorf(race.Unavailable, "", "cannot read the folder for running races: %w", err)
	}
	owner, ok := info.Sys().(*syscall.Stat_t)
	if !info.IsDir() || info.Mode().Perm()&0o077 != 0 || !ok || int(owner.Uid) != os.Getuid() {
		return nil, race.Errorf(race.Unavailable, "remove it", "%s is not a private folder of this user, so that what it says cannot be believed", dir)
	}
	return &Ledger{dir: dir, held: map[string]*os.File{}}, nil
}

// Add notes a race of this process: its folder of results, and working folders that are worthless once the process has ended.
func (l *Ledger) Add(raceID, outDir string, temp ...string) error {
	entry := Leftover{RaceID: raceID, Temp: temp, Runner: os.Getpid(), Since: time.Now().UTC()}
	if !race.ValidID(raceID) {
		return race.Errorf(race.Internal, "", "%q is no race id", raceID)
	}
	var err error
	if outDir != "" {
		if entry.OutDir, err = filepath.Abs(outDir); err != nil {
			return fmt.Errorf("note race %s: %w", raceID, err)
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.held[raceID] != nil {
		return race.Errorf(race.Conflict, "", "race %s is noted already", raceID)
	}
	f, err := l.write(entry)
	if err != nil {
		return race.Errorf(race.Unavailable, "set TMPDIR to a folder that can be written", "cannot note race %s: %w", raceID, err)
	}
	l.held[raceID] = f
	return nil
}

// write makes the file and locks it before it gets its name: nobody ever sees it without its lock.
func (l *Ledger) write(entry Leftover) (f *os.File, err error) {
	if f, err = os.CreateTemp(l.dir, ".new-*"); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()), f.Close())
		}
	}()
	if err = lock(f); err != nil {
		return nil, err
	}
	if err = json.NewEncoder(f).Encode(entry); err != nil {
		return nil, err
	}
	return f, os.Rename(f.Name(), l.file(entry.RaceID))
}

// Ensure notes a race that nobody noted.
func (l *Ledger) Ensure(raceID string) error {
	l.mu.Lock()
	noted := l.held[raceID] != nil
	l.mu.Unlock()
	if noted {
		return nil
	}
	return l.Add(raceID, "")
}

// Remove takes a race of this process off the ledger. It may be called again.
func (l *Ledger) Remove(raceID string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	f := l.held[raceID]
	if f == nil {
		return nil
	}
	delete(l.held, raceID)
	if err := errors.Join(os.Remove(l.file(raceID)), f.Close()); err != nil {
		return fmt.Errorf("take race %s off the ledger: %w", raceID, err)
	}
	return nil
}

// Lives says whether the runner of a race lives: this process or any other of this ledger.
func (l *Ledger) Lives(raceID string) (bool, error) {
	f, err := os.Open(l.file(raceID))
	if err != nil {
		return false, ignoreGone(err)
	}
	defer func() { _ = f.Close() }() // nothing was written
	return lock(f) != nil, nil
}

// Owner names this ledger among all whose runners share a Docker Engine.
func (l *Ledger) Owner() string {
	host, err := os.Hostname()
	if err != nil {
		host = "localhost"
	}
	return host + ":" + l.dir
}

// Dead are the races whose runner has ended without taking them off. They stay on the ledger until Sweep has ended what they left.
func (l *Ledger) Dead() ([]Leftover, error) {
	var dead []Leftover
	err := l.each(func(left Leftover) (bool, error) {
		dead = append(dead, left)
		return false, nil
	})
	return dead, err
}

// Sweep hands each dead race to end, and takes it off the ledger if that succeeded.
func (l *Ledger) Sweep(end func(Leftover) error) error {
	return l.each(func(left Leftover) (bool, error) {
		if err := end(left); err != nil {
			return false, err
		}
		for _, dir := range left.Temp {
			if err := os.RemoveAll(dir); err != nil {
				return false, fmt.Errorf("race %s of a dead runner: %w", left.RaceID, err)
			}
		}
		return true, nil
	})
}

// each visits the dead races, each under its lock, so that two runners do not sweep one race. An error at one does not keep it from the next.
func (l *Ledger) each(visit func(Leftover) (remove bool, err error)) error {
	files, err := os.ReadDir(l.dir)
	if err != nil {
		return fmt.Errorf("read the ledger: %w", err)
	}
	var errs []error
	for _, entry := range files {
		if err := l.visit(filepath.Join(l.dir, entry.Name()), visit); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

func (l *Ledger) visit(path string, visit func(Leftover) (remove bool, err error)) (err error) {
	f, err := os.Open(path)
	if err != nil {
		return ignoreGone(err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if lock(f) != nil {
		return nil // its runner lives
	}
	id, named := strings.CutSuffix(filepath.Base(path), ".json")
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return ignoreGone(err) // another runner was quicker
	case strings.HasPrefix(filepath.Base(path), ".new-"):
		if time.Since(info.ModTime()) > freshFile {
			return os.Remove(path)
		}
		return nil
	}
	if !named || !race.ValidID(id) {
		return nil // not ours
	}
	left := Leftover{}
	if json.NewDecoder(f).Decode(&left) != nil {
		left = Leftover{} // the name alone says what to end
	}
	left.RaceID = id
	remove, err := visit(left)
	if remove {
		err = errors.Join(err, os.Remove(path))
	}
	return err
}

func ignoreGone(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

func (l *Ledger) file(raceID string) string { return filepath.Join(l.dir, raceID+".json") }

// lock takes the lock of a file, or fails at once where somebody has it.
func lock(f *os.File) error { return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) }
