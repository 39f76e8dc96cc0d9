package k6

import (
	"bytes"
	"encoding/json"
	"path"
	"regexp"
	"strings"
	"sync"
)

const (
	// logLines bounds what is kept of k6's output, so that a chatty script cannot fill the runner's memory.
	logLines = 200
	// logLine bounds one line, in bytes.
	logLine = 4096
	// longestLine bounds the wait for the end of a line.
	longestLine = 1 << 20
)

// Log keeps a readable tail of k6's output. It may be written and read concurrently.
type Log struct {
	mu      sync.Mutex
	lines   []string
	lastBad string // message of the last line of level error
	reads   []string
}

// NewLog makes an empty log.
func NewLog() *Log { return &Log{} }

// readMarker begins the line with which a probe tells that setup or teardown read APP_URL; the function's name follows.
const readMarker = "photofinish: APP_URL was read by "

// summaryNotice begins what k6 says of a summaryMode that is our choice, not the user's.
const summaryNotice = `The "legacy" summary mode has been deprecated`

// Writer takes one of k6's two outputs into the log.
func (l *Log) Writer() *Lines { return &Lines{log: l} }

// Lines cuts one of k6's two outputs into the lines of a log. Only one goroutine may use it at a time.
type Lines struct {
	log  *Log
	rest []byte // a line that has not ended yet
}

// Write implements io.Writer; it never fails.
func (w *Lines) Write(p []byte) (int, error) {
	w.rest = append(w.rest, p...)
	for {
		line, rest, whole := bytes.Cut(w.rest, []byte("\n"))
		if !whole {
			break
		}
		w.log.take(line)
		w.rest = rest
	}
	if len(w.rest) > longestLine {
		w.Flush()
	}
	return len(p), nil
}

// Flush takes what is left as a line.
func (w *Lines) Flush() {
	w.log.take(w.rest)
	w.rest = nil
}

func (l *Log) take(line []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var entry struct {
		Level, Msg, Error, Source string
	}
	text := strings.TrimRight(string(line), "\r")
	if json.Unmarshal(line, &entry) == nil && entry.Level != "" {
		if name, marked := strings.CutPrefix(entry.Msg, readMarker); marked && entry.Source == "console" {
			l.reads = append(l.reads, name)
			return
		}
		if strings.HasPrefix(entry.Msg, summaryNotice) {
			return
		}
		message := entry.Msg
		if entry.Error != "" {
			message += ": " + entry.Error
		}
		if entry.Level == "error" || entry.Level == "fatal" || entry.Level == "panic" {
			l.lastBad = message
		}
		text = "level=" + entry.Level + " " + sentence(message)
	}
	if strings.TrimSpace(text) == "" {
		return
	}
	if len(text) > logLine {
		text = strings.ToValidUTF8(text[:logLine], "") + "…"
	}
	l.lines = append(l.lines, text)
	if len(l.lines) > logLines {
		l.lines = append(l.lines[:0:0], l.lines[len(l.lines)-logLines:]...)
	}
}

// Tail is what is kept.
func (l *Log) Tail() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]string(nil), l.lines...)
}

// lastError is the last error that k6 told, as one sentence; where it told none in its own form, its last line.
func (l *Log) lastError() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.lastBad != "":
		return sentence(l.lastBad)
	case len(l.lines) > 0:
		return l.lines[len(l.lines)-1]
	default:
		return ""
	}
}

// Readers names the functions that told to have read APP_URL.
func (l *Log) Readers() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]string(nil), l.reads...)
}

var (
	loadPrefix = regexp.MustCompile(`^(could not initialize '[^']*': |could not load JS test '[^']*': )+`)
	// position is where a JavaScript stack frame stands: file, line and column, and the byte code's offset.
	position = regexp.MustCompile(`file://([^\s()]+):(\d+):(\d+)\(\d+\)`)
	fileURL  = regexp.MustCompile(`file://(/[^\s:'"()]+)`)
	longHelp = regexp.MustCompile(`(couldn't be found on local disk)\. Make sure .*`)
	// generated files are no place in which a user could mend anything.
	generated = regexp.MustCompile(`/(probe|wrapper|environment)\.js$`)
)

// sentence makes one short line of what k6 says: the message, then the place in the user's script. Go's stack is left out.
func sentence(message string) string {
	message = strings.TrimSpace(loadPrefix.ReplaceAllString(message, ""))
	head, stack, _ := strings.Cut(message, "\n")
	head = longHelp.ReplaceAllString(head, "$1")
	head = fileURL.ReplaceAllStringFunc(head, path.Base)
	for _, at := range position.FindAllStringSubmatch(stack, -1) {
		if !generated.MatchString(at[1]) {
			return head + " (" + path.Base(at[1]) + ":" + at[2] + ":" + at[3] + ")"
		}
	}
	return strings.TrimSpace(head)
}

// without takes the folder of generated files out of a message.
func without(message, folder string) string {
	return strings.ReplaceAll(message, folder+"/", "")
}
