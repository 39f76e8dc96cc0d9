package terminal

import (
	"fmt"
	"io"
	"strings"
)

// screen redraws a block of lines in place, at the end of what was written before.
type screen struct {
	w      io.Writer
	widths []int // of the lines that stand there now
	hidden bool  // the cursor
}

const (
	hideCursor = "\x1b[?25l"
	showCursor = "\x1b[?25h"
	clearRight = "\x1b[K"
	clearBelow = "\x1b[J"
)

// draw replaces the block. Lines beyond the height of the window are left out, because what has scrolled away cannot be redrawn.
func (s *screen) draw(lines []*line, width, height int) error {
	if len(lines) > height-1 {
		lines = lines[:max(1, height-1)]
	}
	var b strings.Builder
	if !s.hidden {
		b.WriteString(hideCursor)
	}
	b.WriteString(s.home(width, height))
	s.hidden, s.widths = true, s.widths[:0]
	for _, l := range lines {
		b.WriteString(l.String() + clearRight + "\n")
		s.widths = append(s.widths, l.width)
	}
	b.WriteString(clearBelow)
	_, err := io.WriteString(s.w, b.String())
	return err
}

// above writes lines that stay, above the block, which is to be drawn anew.
func (s *screen) above(text string, width, height int) error {
	_, err := io.WriteString(s.w, s.home(width, height)+clearBelow+text)
	s.widths = s.widths[:0]
	return err
}

// home moves to the block's first column. A terminal that became narrower has broken the lines in more pieces.
func (s *screen) home(width, height int) string {
	rows := 0
	for _, w := range s.widths {
		rows += max(1, (w+width-1)/max(1, width))
	}
	rows = min(rows, height-1)
	if rows <= 0 {
		return "\r"
	}
	return fmt.Sprintf("\r\x1b[%dA", rows)
}

// restore shows the cursor again and leaves the block where it stands. It may be called again and again.
func (s *screen) restore() error {
	s.widths = s.widths[:0]
	if !s.hidden {
		return nil
	}
	s.hidden = false
	_, err := io.WriteString(s.w, showCursor)
	return err
}
