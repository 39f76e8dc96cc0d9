package promql

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Matcher is one label matcher, already escaped.
type Matcher struct{ text string }

func (m Matcher) String() string { return m.text }

// Equal matches series whose label has exactly this value. An empty value also matches series without the label.
func Equal(label, value string) Matcher {
	return Matcher{Label(label) + "=" + Quote(value)}
}

// NotEqual matches series whose label has another value, or is absent where value is not empty.
func NotEqual(label, value string) Matcher {
	return Matcher{Label(label) + "!=" + Quote(value)}
}

// OneOf matches series whose label has one of the values; without values it matches none.
func OneOf(label string, values ...string) Matcher {
	if len(values) == 1 {
		return Equal(label, values[0])
	}
	if len(values) == 0 {
		// A regular expression that nothing matches, not even the empty string.
		return Matcher{Label(label) + "=~" + Quote("[^\\s\\S]")}
	}
	return Matcher{Label(label) + "=~" + Quote(alternatives(values))}
}

// NoneOf matches series whose label has none of the values; "" stands for series without the label.
func NoneOf(label string, values ...string) Matcher {
	return Matcher{Label(label) + "!~" + Quote(alternatives(values))}
}

func alternatives(values []string) string {
	quoted := make([]string, len(values))
	for i, v := range values {
		quoted[i] = regexp.QuoteMeta(v)
	}
	return strings.Join(quoted, "|")
}

// Selector selects the series of one metric name, or of several.
func Selector(names []string, matchers ...Matcher) string {
	parts := make([]string, 0, len(matchers)+1)
	prefix := ""
	if len(names) == 1 && legacyName(names[0]) {
		prefix = names[0]
	} else {
		parts = append(parts, OneOf("__name__", names...).text)
	}
	for _, m := range matchers {
		parts = append(parts, m.text)
	}
	return prefix + "{" + strings.Join(parts, ",") + "}"
}

// SelectorLike selects the series of metrics whose whole name a regular expression matches.
func SelectorLike(names string, matchers ...Matcher) string {
	parts := []string{"__name__=~" + Quote(names)}
	for _, m := range matchers {
		parts = append(parts, m.text)
	}
	return "{" + strings.Join(parts, ",") + "}"
}

// Quote writes a string literal of PromQL, in ASCII. Bytes that are not UTF-8 stay as they are, escaped.
func Quote(s string) string { return strconv.QuoteToASCII(s) }

// Label writes a label's name, quoted where it is not a plain one (Prometheus 3 allows any UTF-8).
func Label(name string) string {
	if legacyName(name) && !strings.Contains(name, ":") {
		return name
	}
	return Quote(name)
}

// Labels writes a list of label names, as in "by (a, b)".
func Labels(names ...string) string {
	written := make([]string, len(names))
	for i, n := range names {
		written[i] = Label(n)
	}
	return "(" + strings.Join(written, ", ") + ")"
}

func legacyName(s string) bool {
	if s == "" {
		return false
	}
	for i, c := range []byte(s) {
		letter := c == '_' || c == ':' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
		if !letter && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return true
}

// Duration writes a duration in whole milliseconds, at least one, which every Prometheus reads.
func Duration(d time.Duration) string {
	if d >= time.Second && d%time.Second == 0 {
		return strconv.FormatInt(int64(d/time.Second), 10) + "s"
	}
	return strconv.FormatInt(max(d.Milliseconds(), 1), 10) + "ms"
}
