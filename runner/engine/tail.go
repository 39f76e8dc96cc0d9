package engine

import (
	"bufio"
	"io"
	"slices"
	"strings"
	"sync"
)

// lineBytes is where a long line is cut.
const lineBytes = 2048

// Tail keeps the last lines of an app's output: at most LogLines of lineBytes each.
type Tail struct {
	mu   sync.Mutex
	ring [LogLines]string
	n    int // lines seen
}

// Read takes lines until r ends.
func (t *Tail) Read(r io.Reader) {
	lines := bufio.NewReaderSize(r, lineBytes)
	for {
		text, more, err := lines.ReadLine()
		if err != nil {
			return
		}
		line := strings.ToValidUTF8(string(text), "�")
		if more {
			line += " …"
		}
		t.Add(line)
		for more && err == nil {
			_, more, err = lines.ReadLine()
		}
	}
}

// Add keeps a line.
func (t *Tail) Add(line string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ring[t.n%len(t.ring)] = line
	t.n++
}

// Lines are those that are kept, oldest first.
func (t *Tail) Lines() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	kept := make([]string, 0, min(t.n, len(t.ring)))
	for i := max(0, t.n-len(t.ring)); i < t.n; i++ {
		kept = append(kept, t.ring[i%len(t.ring)])
	}
	return kept
}

// ReadOnlyComplaint finds the kernel's words for a write to a file system that is read-only (EROFS), which every language hands on.
func ReadOnlyComplaint(lines []string) bool {
	return slices.ContainsFunc(lines, func(line string) bool { return strings.Contains(strings.ToLower(line), "read-only file system") })
}
