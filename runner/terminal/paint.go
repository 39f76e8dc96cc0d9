package terminal

import (
	"fmt"
	"strings"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/pkg/scoreboard"
)

// paint puts colours into text, or leaves it alone.
type paint struct {
	depth  Depth
	livery scoreboard.Livery
}

func (p paint) sgr(code, s string) string {
	if p.depth == NoColour || s == "" {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

func (p paint) bold(s string) string { return p.sgr("1", s) }
func (p paint) dim(s string) string  { return p.sgr("2", s) }

func (p paint) colour(c scoreboard.Colour, s string) string {
	if p.depth == TrueColour {
		return p.sgr(fmt.Sprintf("38;2;%d;%d;%d", c.R, c.G, c.B), s)
	}
	return p.sgr(fmt.Sprintf("38;5;%d", c.ANSI256()), s)
}

// app paints text in the app's colour.
func (p paint) app(app, s string) string { return p.colour(p.livery.Colour(app), s) }

// outcome paints text green for better and red for worse; the text itself says the same.
func (p paint) outcome(o race.Outcome, s string) string {
	switch o {
	case race.Faster:
		return p.sgr("32", s)
	case race.Slower:
		return p.sgr("31", s)
	case race.Same, race.Inconclusive:
	}
	return p.dim(s)
}

func (p paint) severity(s race.Severity, text string) string {
	switch s {
	case race.Unfair:
		return p.sgr("1;31", text)
	case race.Warning:
		return p.sgr("33", text)
	case race.Note:
	}
	return p.dim(text)
}

// line is a line of the screen under construction. It knows its own width, which escape codes do not add to.
type line struct {
	b     strings.Builder
	width int
}

// add appends text as it looks when painted; plain is what it looks like without.
func (l *line) add(plain string, painted func(string) string) *line {
	l.width += columns(plain)
	if painted != nil {
		plain = painted(plain)
	}
	l.b.WriteString(plain)
	return l
}

func (l *line) text(s string) *line { return l.add(s, nil) }

// to pads with blanks up to a column.
func (l *line) to(column int) *line { return l.text(strings.Repeat(" ", max(0, column-l.width))) }

func (l *line) String() string { return l.b.String() }
