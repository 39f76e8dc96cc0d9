package terminal

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/photofinish/photofinish/pkg/scoreboard"
	"github.com/photofinish/photofinish/pkg/trend"
)

// sparks are eight heights of a line of text.
var sparks = []rune("▁▂▃▄▅▆▇█")

// Trend writes the histories of apps: a line each, and below it every place at which the app changed for good.
func Trend(w io.Writer, histories []trend.History, o Options) error {
	width, _ := o.size()
	depth := o.Colour
	if !o.TTY {
		depth = NoColour
	}
	p := paint{depth: depth}
	var b strings.Builder
	app := ""
	for _, h := range histories {
		points := h.Compared()
		if len(points) == 0 { // of a measure that nobody has
			continue
		}
		if h.App != app {
			app = h.App
			fmt.Fprintf(&b, "\n%s\n", p.bold(printable(app)))
		}
		column := scoreboard.ColumnOf(h.Measure)
		room := max(10, min(width, 200)-40)
		shown := points[max(0, len(points)-room):]
		fmt.Fprintf(&b, "  %s %s %s\n", left(column.Title, 14), right(column.Value(points[len(points)-1].Value), 12), sparkline(shown))
		for _, c := range h.Changes {
			at := points[c.Index]
			fmt.Fprintf(&b, "    %s  %s: %s → %s (%s), mean of %s before and %s after\n", at.At.UTC().Format("2006-01-02 15:04"), printable(at.Race),
				column.Value(&c.Before.Mean), column.Value(&c.After.Mean), column.Diff(&c.After.Mean, &c.Before.Mean),
				scoreboard.Count(c.Before.N, "race"), fmt.Sprint(c.After.N))
			if at.Note != "" {
				fmt.Fprintf(&b, "      the first with %s\n", printable(at.Note))
			}
		}
		if len(h.Changes) == 0 {
			fmt.Fprintf(&b, "    %s\n", p.dim("no change in "+scoreboard.Count(len(points), "race")))
		}
	}
	for _, line := range append(remarks(histories, "left out, ", func(p trend.Point) string { return p.LeftOut }), remarks(histories, "compared all the same, the first with ", func(p trend.Point) string { return p.Note })...) {
		fmt.Fprintf(&b, "\n%s", p.dim(line))
	}
	b.WriteString("\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// sparkline draws values between their lowest and highest.
func sparkline(points []trend.Point) string {
	var values []float64
	for _, p := range points {
		values = append(values, *p.Value)
	}
	low, high := slices.Min(values), slices.Max(values)
	line := make([]rune, len(values))
	for i, v := range values {
		height := 0
		if high > low {
			height = int((v - low) / (high - low) * float64(len(sparks)-1))
		}
		line[i] = sparks[height]
	}
	return string(line)
}

// remarks says of which races there is something to say, once for each thing: why they are left out, or what is noted of them.
func remarks(histories []trend.History, head string, of func(trend.Point) string) (lines []string) {
	var reasons []string
	races := map[string][]string{}
	for _, h := range histories {
		for _, p := range h.Points {
			reason := of(p)
			if reason == "" || slices.Contains(races[reason], p.Race) {
				continue
			}
			if races[reason] == nil {
				reasons = append(reasons, reason)
			}
			races[reason] = append(races[reason], p.Race)
		}
	}
	for _, reason := range reasons {
		const most = 5
		names := races[reason]
		text := strings.Join(names[:min(most, len(names))], ", ")
		if more := len(names) - most; more > 0 {
			text += fmt.Sprintf(" and %d more", more)
		}
		lines = append(lines, printable(head+reason+": "+text))
	}
	return lines
}
