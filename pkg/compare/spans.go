package compare

import (
	"cmp"
	"slices"
)

// span is a stretch of time in Unix milliseconds, (from, to].
type span struct{ from, to int64 }

func (s span) length() int64 { return s.to - s.from }

// merge joins spans that overlap or are less than silence apart. The result is ascending.
func merge(spans []span, silence int64) []span {
	sorted := slices.SortedFunc(slices.Values(spans), func(a, b span) int { return cmp.Compare(a.from, b.from) })
	var merged []span
	for _, s := range sorted {
		if n := len(merged); n > 0 && s.from-merged[n-1].to < silence {
			merged[n-1].to = max(merged[n-1].to, s.to)
		} else {
			merged = append(merged, s)
		}
	}
	return merged
}

// chunks cuts spans into pieces of at most size.
func chunks(spans []span, size int64) []span {
	var pieces []span
	for _, s := range spans {
		for from := s.from; from < s.to; from += size {
			pieces = append(pieces, span{from, min(from+size, s.to)})
		}
	}
	return pieces
}

// total is the length of all spans.
func total(spans []span) (length int64) {
	for _, s := range spans {
		length += s.length()
	}
	return length
}

// without is what of the spans lies outside of one.
func without(spans []span, out span) (rest []span) {
	for _, s := range spans {
		for _, part := range []span{{s.from, min(s.to, out.from)}, {max(s.from, out.to), s.to}} {
			if part.length() > 0 {
				rest = append(rest, part)
			}
		}
	}
	return rest
}
