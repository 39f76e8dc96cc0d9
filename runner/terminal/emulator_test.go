package terminal_test

import (
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// emulator is as much of a terminal as the view needs: rows that grow downwards, the cursor, and the escape codes that the view writes.
// It fails the test on any other.
type emulator struct {
	t      *testing.T
	rows   [][]rune
	x, y   int
	hidden bool
	widest int
}

var escape = regexp.MustCompile(`^\x1b\[(\??)([0-9;]*)([A-Za-z])`)

func (e *emulator) Write(p []byte) (int, error) {
	s := string(p)
	for s != "" {
		if m := escape.FindStringSubmatch(s); m != nil {
			e.control(m[1], m[2], m[3])
			s = s[len(m[0]):]
			continue
		}
		r := []rune(s)[0]
		s = s[len(string(r)):]
		switch r {
		case '\r':
			e.x = 0
		case '\n':
			e.x, e.y = 0, e.y+1
		case '\x1b':
			e.t.Fatalf("an escape code that no terminal knows before %.10q", s)
		default:
			e.put(r)
		}
	}
	return len(p), nil
}

func (e *emulator) control(private, args, code string) {
	switch private + code {
	case "A":
		n, err := strconv.Atoi(args)
		if err != nil || n > e.y {
			e.t.Fatalf("the cursor leaves the screen: %s rows up from row %d", args, e.y)
		}
		e.y -= n
	case "K":
		if e.y < len(e.rows) {
			e.rows[e.y] = e.rows[e.y][:min(e.x, len(e.rows[e.y]))]
		}
	case "J":
		e.control("", "", "K")
		e.rows = e.rows[:min(len(e.rows), e.y+1)]
	case "?l", "?h":
		if args != "25" {
			e.t.Fatalf("private mode %s", args)
		}
		e.hidden = code == "l"
	case "m":
	default:
		e.t.Fatalf("escape code %s%s%s", private, args, code)
	}
}

func (e *emulator) put(r rune) {
	for len(e.rows) <= e.y {
		e.rows = append(e.rows, nil)
	}
	for len(e.rows[e.y]) <= e.x {
		e.rows[e.y] = append(e.rows[e.y], ' ')
	}
	e.rows[e.y][e.x] = r
	e.x++
	e.widest = max(e.widest, e.x)
}

// reflow makes the window narrower, as most terminals do it: long lines go on in the next row.
func (e *emulator) reflow(width int) {
	var rows [][]rune
	for i, row := range e.rows {
		if i == e.y {
			e.y = len(rows)
		}
		for len(row) > width {
			rows = append(rows, row[:width])
			row = row[width:]
		}
		rows = append(rows, row)
	}
	if e.y >= len(e.rows) {
		e.y = len(rows)
	}
	e.rows = rows
}

func (e *emulator) String() string {
	var b strings.Builder
	for _, r := range e.rows {
		b.WriteString(strings.TrimRight(string(r), " ") + "\n")
	}
	return b.String()
}
