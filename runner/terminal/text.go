package terminal

import (
	"strings"
	"unicode"

	"golang.org/x/text/width"
)

// printable makes text from elsewhere (apps' logs, names, errors) safe to write to a terminal: control and formatting characters,
// which could move the cursor or reverse the line, become a visible mark, tabs a space.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t':
			return ' '
		case r == '\n', r == unicode.ReplacementChar, unicode.IsControl(r), unicode.Is(unicode.Cf, r), r == '\u2028', r == '\u2029':
			return '·'
		}
		return r
	}, s)
}

// columns is how many columns the text takes.
func columns(s string) int {
	n := 0
	for _, r := range s {
		n += runeColumns(r)
	}
	return n
}

func runeColumns(r rune) int {
	if unicode.In(r, unicode.Mn, unicode.Me) {
		return 0
	}
	switch width.LookupRune(r).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return 2
	case width.Neutral, width.EastAsianAmbiguous, width.EastAsianNarrow, width.EastAsianHalfwidth:
	}
	return 1
}

// cut shortens text to at most n columns and marks that with an ellipsis.
func cut(s string, n int) string {
	if columns(s) <= n {
		return s
	}
	var b strings.Builder
	used := 0
	for _, r := range s {
		if used+runeColumns(r) > n-1 {
			break
		}
		used += runeColumns(r)
		b.WriteRune(r)
	}
	if n > 0 {
		b.WriteRune('…')
	}
	return b.String()
}

// left pads on the right to n columns, right pads on the left.
func left(s string, n int) string  { return s + strings.Repeat(" ", max(0, n-columns(s))) }
func right(s string, n int) string { return strings.Repeat(" ", max(0, n-columns(s))) + s }

// wrap breaks text between words into lines of at most n columns; a longer word stays whole.
func wrap(s string, n int) []string {
	var lines []string
	var now strings.Builder
	for _, word := range strings.Fields(s) {
		if now.Len() > 0 && columns(now.String())+1+columns(word) > n {
			lines = append(lines, now.String())
			now.Reset()
		}
		if now.Len() > 0 {
			now.WriteByte(' ')
		}
		now.WriteString(word)
	}
	return append(lines, now.String())
}

// ascii replaces what is drawn by characters of 7 bits, one for one, so that nothing moves.
func ascii() *strings.Replacer {
	return strings.NewReplacer(
		"━", "=", "┿", "+", "┄", "-", "┊", "|", "╌", ".", "┃", "|", "▚", "#", "▐", "[", "█", "#", "▒", ":", "▌", "]",
		"─", "-", "▲", "^", "▼", "v", "✓", "+", "✗", "x", "×", "x", "−", "-", "–", "-", "·", "-", "…", ".", "●", "*",
	)
}
