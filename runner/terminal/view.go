// Package terminal shows a race to a person at a terminal: live, with a track per app, and at the end the standings, the verdicts and the audit.
// Where the writer is no terminal it writes plain lines instead.
package terminal

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/pkg/scoreboard"
)

const (
	frameEvery = 100 * time.Millisecond // faster than this only costs CPU that the race may need
	plainEvery = 5 * time.Second
)

// View is the live view. Its methods may be called from several goroutines. Close must be called at the end, whatever happened.
type View struct {
	mu     sync.Mutex
	o      Options
	out    io.Writer
	screen screen
	status race.Status
	detail string
	shot   *race.Snapshot // the newest, nil before the first
	drawn  time.Time
	plain  plain
	turns  lastTurns
	err    error // the first error of writing
}

// New makes a view that writes to w.
func New(w io.Writer, o Options) *View {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.ASCII {
		w = asciiWriter{w, ascii()}
	}
	return &View{o: o, out: w, screen: screen{w: w}, turns: lastTurns{}}
}

// asciiWriter writes 7 bits only. Every write holds whole characters.
type asciiWriter struct {
	w io.Writer
	r *strings.Replacer
}

func (a asciiWriter) Write(p []byte) (int, error) {
	if _, err := io.WriteString(a.w, a.r.Replace(string(p))); err != nil {
		return 0, err
	}
	return len(p), nil
}

// Plan says before the start what is going to happen and how long it takes.
func (v *View) Plan(text string) { v.Log(text) }

// Log writes lines that stay.
func (v *View) Log(text string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.write(text)
	v.draw()
}

// write puts lines above the live block. Each line is made safe.
func (v *View) write(text string) {
	var b strings.Builder
	for _, l := range strings.Split(strings.TrimRight(text, "\n"), "\n") {
		b.WriteString(printable(l) + "\n")
	}
	if !v.o.TTY {
		_, err := io.WriteString(v.out, b.String())
		v.keep(err)
		return
	}
	w, h := v.o.size()
	v.keep(v.screen.above(b.String(), w, h))
}

// Status says that the race moved on; detail says what is being done and may be empty.
func (v *View) Status(s race.Status, detail string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if s == v.status && detail == v.detail {
		return
	}
	v.status, v.detail = s, detail
	if v.o.TTY {
		v.draw()
		return
	}
	if v.shot != nil && v.shot.Phase == "done" {
		for _, l := range v.plain.end(*v.shot) {
			v.write(l)
		}
	}
	if detail != "" {
		detail = ": " + detail
	}
	v.write(StatusWord(s) + detail)
}

// Progress shows the race at a moment. Frames that come too fast are left out.
func (v *View) Progress(s race.Snapshot) {
	v.mu.Lock()
	defer v.mu.Unlock()
	before := v.shot
	s = v.turns.fill(s)
	v.shot = &s
	if s.Status != "" && s.Status != v.status {
		v.status, v.detail = s.Status, ""
	}
	if !v.o.TTY {
		for _, l := range v.plain.lines(before, s) {
			v.write(l)
		}
		return
	}
	if now := v.o.Now(); now.Sub(v.drawn) >= frameEvery {
		v.draw()
	}
}

// draw redraws the live block.
func (v *View) draw() {
	if !v.o.TTY || v.status == "" {
		return
	}
	v.drawn = v.o.Now()
	w, h := v.o.size()
	v.keep(v.screen.draw(v.frame(w, h), w, h))
}

func (v *View) frame(width, height int) []*line {
	if v.shot == nil || v.status == race.Preparing && v.shot.Elapsed == 0 {
		text := StatusWord(v.status)
		if v.detail != "" {
			text += " · " + printable(v.detail)
		}
		return []*line{new(line).text(cut(text, width-1))}
	}
	shot := *v.shot
	shot.Status = v.status
	return track{paint: paint{v.o.Colour, liveryOf(shot)}, width: width - 1, height: height}.draw(shot, printable(v.detail))
}

// Close gives the terminal back: the cursor is shown. It may be called again and again; it returns the first error of writing.
func (v *View) Close() error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.o.TTY {
		v.keep(v.screen.restore())
	}
	return v.err
}

// Finish draws the last frame and writes the result. Files are the paths where the record and the report were written.
func (v *View) Finish(r race.Race, files ...string) error {
	v.mu.Lock()
	if v.o.TTY && v.shot != nil {
		v.status, v.detail = r.Status, ""
		v.draw()
	}
	v.mu.Unlock()
	if err := v.Close(); err != nil {
		return fmt.Errorf("write to the terminal: %w", err)
	}
	return writeResult(v.out, r, v.o, files)
}

// WriteResult writes the sentences, the standings, the verdicts and the audit of a race that is over.
func WriteResult(w io.Writer, r race.Race, o Options, files ...string) error {
	if o.ASCII {
		w = asciiWriter{w, ascii()}
	}
	return writeResult(w, r, o, files)
}

func (v *View) keep(err error) { v.err = errors.Join(v.err, firstOf(v.err, err)) }

// firstOf drops an error where there already was one: a closed pipe fails at every frame.
func firstOf(had, err error) error {
	if had != nil {
		return nil
	}
	return err
}

func liveryOf(s race.Snapshot) scoreboard.Livery {
	var l scoreboard.Livery
	for _, lane := range s.Lanes {
		l.Apps = append(l.Apps, lane.App)
		if lane.Baseline {
			l.Baseline = lane.App
		}
	}
	return l
}

// StatusWord is a status as a person reads it.
func StatusWord(s race.Status) string {
	switch s {
	case race.WarmingUp:
		return "Warming up"
	case "":
		return ""
	case race.Queued, race.Preparing, race.Racing, race.Collecting, race.Finished, race.Failed, race.Cancelled, race.Interrupted:
	}
	return strings.ToUpper(string(s[:1])) + string(s[1:])
}
