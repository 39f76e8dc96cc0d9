// Package scripts is the folder of k6 scripts that a runner serves. Names are relative to it, with slashes, and nothing outside of it can be
// reached by a name, a "..", a link, an import or open().
package scripts

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/runner/k6"
)

const (
	// maxNames bounds the list; a folder of more is not meant to be chosen from.
	maxNames = 1000
	// maxRead bounds how many files are read for the list: a folder of more holds something else than scripts.
	maxRead = 10 * maxNames
	// maxText is the largest script, in bytes.
	maxText = 4 << 20
	// inspectTimeout bounds k6's look at a script: one that loops while it is loaded would hold the runner.
	inspectTimeout = 30 * time.Second
	// freshness is how long a look at a script holds: what it imports may have changed. A race looks again when it starts.
	freshness = time.Minute
)

// Library is the folder. It may be used concurrently.
type Library struct {
	dir  string // absolute, without links
	root *os.Root
	k6   k6.K6

	mu   sync.Mutex // one look at a time: each is a k6 process
	seen map[string]look
}

type look struct {
	at         time.Time
	hash       string
	inspection k6.Inspection
}

// Script is one script of the folder.
type Script struct {
	Name string // as the API calls it
	Path string // absolute, without links
	Text string
	Hash string
}

// Open opens the folder. Unless unconfined, k6 is confined to it and to its own working folder, which is made in temp and Close removes.
func Open(dir, temp string, k k6.K6, unconfined bool) (*Library, error) {
	full, err := filepath.EvalSymlinks(dir)
	if err == nil {
		full, err = filepath.Abs(full)
	}
	if err != nil {
		return nil, race.Errorf(race.Invalid, "make it, or name another one as scripts.folder", "the folder of the scripts cannot be found: %w", err)
	}
	l := &Library{dir: full, k6: k, seen: map[string]look{}}
	if l.root, err = os.OpenRoot(full); err != nil {
		return nil, race.Errorf(race.Invalid, "", "the folder of the scripts cannot be opened: %w", err)
	}
	if l.k6.WorkDir, err = os.MkdirTemp(temp, "scripts-"); err != nil {
		return nil, errors.Join(race.Errorf(race.Unavailable, "", "cannot make a working folder: %w", err), l.root.Close())
	}
	if !unconfined {
		l.k6.Readable = []string{full}
	}
	return l, nil
}

// Close removes the working folder.
func (l *Library) Close() error { return errors.Join(l.root.Close(), os.RemoveAll(l.k6.WorkDir)) }

// K6 is the k6 that may run these scripts, without a working folder.
func (l *Library) K6() k6.K6 {
	k := l.k6
	k.WorkDir = ""
	return k
}

// Names lists the scripts: what k6 could run, by its text, and is not hidden or a package. Others may lie beside them, such as tests and what scripts import.
func (l *Library) Names() ([]string, error) {
	var names []string
	read := 0
	err := fs.WalkDir(l.root.FS(), ".", func(name string, entry fs.DirEntry, err error) error {
		base := path.Base(name)
		switch {
		case err != nil && name == ".":
			return err
		case err != nil: // what cannot be read is not served
			return nil
		case name != "." && (strings.HasPrefix(base, ".") || base == "node_modules"):
			if entry.IsDir() {
				return fs.SkipDir
			}
			return nil
		case entry.IsDir() || !isScript(base):
			return nil
		}
		if info, err := l.root.Stat(filepath.FromSlash(name)); err != nil || !info.Mode().IsRegular() || info.Size() > maxText {
			return nil // a link that leaves the folder, or is no file, or none that Get reads
		}
		if text, err := l.root.ReadFile(filepath.FromSlash(name)); err == nil && runs(text) {
			names = append(names, name)
		}
		if read++; len(names) == maxNames || read == maxRead {
			return fs.SkipAll
		}
		return nil
	})
	if err != nil {
		return nil, race.Errorf(race.Unavailable, "", "the folder of the scripts cannot be read: %w", err)
	}
	return names, nil
}

func isScript(base string) bool {
	return slices.Contains([]string{".js", ".ts", ".mjs", ".cjs"}, path.Ext(base)) && !strings.HasSuffix(base, ".d.ts")
}

// Get reads one script. A name that leaves the folder is race.Invalid, one that is not there race.NotFound.
func (l *Library) Get(name string) (Script, error) {
	local := filepath.FromSlash(name)
	if !filepath.IsLocal(local) || path.Clean(name) != name {
		return Script{}, race.Errorf(race.Invalid, "use a name from the list of scripts", "script %q: a name is relative to the folder of the scripts and stays in it", name)
	}
	if !isScript(path.Base(name)) {
		return Script{}, race.Errorf(race.NotFound, "use a name from the list of scripts", "there is no script %q: scripts end in .js, .ts, .mjs or .cjs", name)
	}
	f, err := l.root.Open(local)
	if errors.Is(err, fs.ErrNotExist) {
		return Script{}, race.Errorf(race.NotFound, "use a name from the list of scripts", "there is no script %q", name)
	}
	if err != nil { // a link out of the folder among others
		return Script{}, race.Errorf(race.Invalid, "", "script %q cannot be opened within the folder of the scripts", name)
	}
	defer f.Close() //nolint:errcheck // it was only read
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return Script{}, race.Errorf(race.NotFound, "use a name from the list of scripts", "%q is no script", name)
	}
	text, err := io.ReadAll(io.LimitReader(f, maxText+1))
	if err != nil || len(text) > maxText {
		return Script{}, race.Errorf(race.Invalid, "", "script %q cannot be read, or is larger than %d MB", name, maxText>>20)
	}
	full, err := filepath.EvalSymlinks(filepath.Join(l.dir, local))
	if err != nil || !strings.HasPrefix(full, l.dir+string(filepath.Separator)) {
		return Script{}, race.Errorf(race.Invalid, "", "script %q leaves the folder of the scripts", name)
	}
	return Script{Name: name, Path: full, Text: string(text), Hash: fmt.Sprintf("%x", sha256.Sum256(text))}, nil
}

// Inspect asks k6 what a script is. Whatever is wrong with the script is race.Invalid.
func (l *Library) Inspect(ctx context.Context, s Script) (k6.Inspection, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if known, ok := l.seen[s.Name]; ok && known.hash == s.Hash && time.Since(known.at) < freshness {
		return known.inspection, nil
	}
	bounded, cancel := context.WithTimeoutCause(ctx, inspectTimeout, race.Errorf(race.Invalid, "", "%s takes more than %v to be loaded", s.Name, inspectTimeout))
	defer cancel()
	found, err := l.k6.Inspect(bounded, s.Path, nil)
	if err != nil {
		if ctx.Err() != nil {
			return found, context.Cause(ctx)
		}
		return found, race.Errorf(race.Invalid, race.HintOf(err), "%s", strings.ReplaceAll(err.Error(), l.dir+string(filepath.Separator), ""))
	}
	if len(l.seen) >= maxNames {
		clear(l.seen)
	}
	l.seen[s.Name] = look{at: time.Now(), hash: s.Hash, inspection: found}
	return found, nil
}

// Unchanged checks that a script is still what was accepted when its race was asked for.
func (l *Library) Unchanged(name, hash string) (Script, error) {
	s, err := l.Get(name)
	if err != nil {
		return s, race.Errorf(race.Unavailable, "put it back, and ask for the race again", "the script is gone since the race was asked for: %w", err)
	}
	if s.Hash != hash {
		return s, race.Errorf(race.Unavailable, "ask for the race again", "%s was changed since the race was asked for", name)
	}
	return s, nil
}
