package terminal

import (
	"os"
	"strings"
	"time"

	"golang.org/x/term"
)

// Depth is how many colours the terminal has.
type Depth int

// The depths. NoColour also means no bold and no dim: no escape codes but those that move the cursor.
const (
	NoColour Depth = iota
	Colours256
	TrueColour
)

// Options say what the writer is able to show. The zero value writes plain lines.
type Options struct {
	// TTY redraws in place; else plain lines are written and no escape code at all.
	TTY bool
	// Size is asked before each frame, so that the view follows the window; nil or zeros mean 80 columns and 24 rows (lines of a file: 120 columns).
	Size   func() (width, height int)
	Colour Depth
	// ASCII keeps to 7 bits, for terminals that are not UTF-8.
	ASCII bool
	// Now is the clock; nil is time.Now.
	Now func() time.Time
}

// Detect finds out what a file and its environment are able to show. It honours NO_COLOR and TERM=dumb.
func Detect(f *os.File, getenv func(string) string) Options {
	fd := int(f.Fd())
	o := Options{TTY: term.IsTerminal(fd) && getenv("TERM") != "dumb"}
	o.Size = func() (int, int) {
		w, h, err := term.GetSize(fd)
		if err != nil {
			return 0, 0
		}
		return w, h
	}
	o.ASCII = !utf8Locale(getenv)
	if o.TTY && getenv("NO_COLOR") == "" {
		o.Colour = Colours256
		if c := getenv("COLORTERM"); c == "truecolor" || c == "24bit" {
			o.Colour = TrueColour
		}
	}
	return o
}

// utf8Locale reads the locale as POSIX orders it. No locale at all is taken for UTF-8: containers set none, and their terminals are modern.
func utf8Locale(getenv func(string) string) bool {
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if v := getenv(name); v != "" {
			v = strings.ToLower(v)
			return strings.Contains(v, "utf-8") || strings.Contains(v, "utf8")
		}
	}
	return true
}

func (o Options) size() (width, height int) {
	if o.Size != nil {
		width, height = o.Size()
	}
	if width <= 0 {
		width = 80
		if !o.TTY {
			width = plainWidth
		}
	}
	if height <= 0 {
		height = 24
	}
	return width, height
}

// plainWidth is how wide lines are that go to a file or a pipe.
const plainWidth = 120
