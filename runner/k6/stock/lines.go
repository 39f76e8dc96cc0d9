package stock

import "bytes"

// longestLine bounds the wait for the end of a line of k6's output, in bytes: the summary of a hundred lanes is a few hundred kB.
const longestLine = 16 << 20

// lines hands on what is written to it line by line.
type lines struct {
	take func([]byte)
	rest []byte
}

// Write implements io.Writer; it never fails.
func (w *lines) Write(p []byte) (int, error) {
	w.rest = append(w.rest, p...)
	for {
		line, rest, whole := bytes.Cut(w.rest, []byte("\n"))
		if !whole {
			break
		}
		w.take(line)
		w.rest = rest
	}
	if len(w.rest) > longestLine {
		w.rest = nil
	}
	return len(p), nil
}
