package terminal

import (
	"cmp"
	"fmt"
	"io"
	"strings"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/pkg/scoreboard"
	"github.com/photofinish/photofinish/pkg/verdict"
)

// result writes the end of a race, block by block with an empty line between.
type result struct {
	paint paint
	width int
	b     strings.Builder
}

func writeResult(w io.Writer, r race.Race, o Options, files []string) error {
	width, _ := o.size()
	depth := o.Colour
	if !o.TTY {
		depth = NoColour
	}
	out := result{paint: paint{depth, scoreboard.LiveryOf(r)}, width: max(60, min(width, 200)) - 1}
	out.sentences(r)
	out.standings(scoreboard.Standings(r), scoreboard.Footnote(r.Audit))
	out.capacity(r)
	out.verdicts(r)
	out.audit(r.Audit)
	out.files(files)
	_, err := io.WriteString(w, out.b.String())
	return err
}

func (o *result) line(format string, args ...any) { fmt.Fprintf(&o.b, format+"\n", args...) }

func (o *result) title(s string) { o.line("\n%s", o.paint.bold(s)) }

// item writes text behind a bullet, its further lines indented.
func (o *result) item(bullet, text string) {
	for i, l := range wrap(printable(text), o.width-2) {
		if i > 0 {
			bullet = " "
		}
		o.line("%s %s", bullet, l)
	}
}

func (o *result) sentences(r race.Race) {
	o.line("")
	if r.Status != race.Finished {
		why := ""
		if r.Error != nil {
			why = ": " + printable(*r.Error)
		}
		o.item("✗", StatusWord(r.Status)+fmt.Sprintf(" in heat %d of %d", len(r.Heats), r.PlannedHeats)+why)
	}
	for _, s := range scoreboard.Sentences(r) {
		o.item(o.paint.app(s.App, "●"), s.Text)
	}
	if c := scoreboard.Certainty(r); c != "" {
		for _, l := range wrap(c, o.width-2) {
			o.line("  %s", o.paint.dim(l))
		}
	}
}

// standings writes a row per app: the values, beneath them the differences to the baseline, beneath those the words.
// Columns that do not fit beside the others follow in a second table.
func (o *result) standings(t scoreboard.Table, footnote string) {
	if len(t.Columns) == 0 {
		return
	}
	app := columns("baseline")
	for _, r := range t.Rows {
		app = max(app, columns(printable(r.App)), columns(r.Out))
	}
	widths := make([]int, len(t.Columns))
	for i, c := range t.Columns {
		widths[i] = columns(c.Title)
		for _, r := range t.Rows {
			widths[i] = max(widths[i], columns(r.Cells[i].Value), columns(r.Cells[i].Diff), columns(r.Cells[i].Word)+2)
		}
	}
	o.title("Standings")
	for from := 0; from < len(widths); {
		to, used := from, placeWidth+app
		for to < len(widths) && (to == from || used+2+widths[to] <= o.width) {
			used += 2 + widths[to]
			to++
		}
		if from > 0 {
			o.line("")
		}
		o.standingsPart(t, app, widths, from, to)
		from = to
	}
	if footnote != "" {
		o.line("")
		for _, l := range wrap(printable(footnote), o.width) {
			o.line("%s", l)
		}
	}
}

func (o *result) standingsPart(t scoreboard.Table, app int, widths []int, from, to int) {
	head := new(line).to(placeWidth + app)
	for i := from; i < to; i++ {
		head.text("  ").add(right(t.Columns[i].Title, widths[i]), o.paint.dim)
	}
	o.line("%s", head)
	for _, r := range t.Rows {
		place := scoreboard.Absent
		if r.Place > 0 {
			place = fmt.Sprint(r.Place)
		}
		values := new(line).add(right(place, placeWidth-1)+" ", o.paint.bold).add(left(printable(r.App), app), func(x string) string { return o.paint.app(r.App, x) })
		below := cmp.Or(r.Role, r.Out)
		diffs := new(line).to(placeWidth).add(left(below, app), o.paint.dim)
		words := new(line).to(placeWidth + app)
		for i := from; i < to; i++ {
			c := r.Cells[i]
			values.text("  " + right(c.Value, widths[i]))
			diffs.text("  " + right(c.Diff, widths[i]))
			word := ""
			if c.Word != "" {
				word = c.Mark + " " + c.Word
			}
			words.text("  ").add(right(word, widths[i]), func(x string) string { return o.paint.outcome(c.Outcome, x) })
		}
		o.line("%s", values)
		for _, l := range []*line{diffs, words} {
			if strings.TrimSpace(l.String()) != "" && (!r.Baseline || l != words) {
				o.line("%s", strings.TrimRight(l.String(), " "))
			}
		}
	}
}

// capacity writes the highest rate that each app holds.
func (o *result) capacity(r race.Race) {
	lines := scoreboard.Capacity(r)
	if len(lines) == 0 {
		return
	}
	o.title("Capacity")
	for _, l := range lines {
		o.item(o.paint.app(l.App, "●"), l.Text)
	}
}

// verdicts writes, app by app, the primary family, and of the other measures those that differ.
func (o *result) verdicts(r race.Race) {
	var shown []race.Verdict
	for _, v := range r.Verdicts {
		if v.Primary || v.Outcome == race.Faster || v.Outcome == race.Slower {
			shown = append(shown, v)
		}
	}
	if len(r.Verdicts) == 0 {
		return
	}
	o.title("Verdicts against " + printable(scoreboard.Rival(r)))
	shared := scoreboard.SharedWarnings(r.Verdicts)
	widths := verdictWidths(r, shown, o.width)
	app := ""
	for _, v := range shown {
		if v.App != app {
			app = v.App
			o.line("%s", o.paint.app(app, printable(app)))
		}
		l := new(line)
		for i, c := range verdictCells(r, v) {
			switch {
			case widths[i] == 0:
			case i == outcomeCell:
				l.text("  ").add(left(c, widths[i]), func(s string) string { return o.paint.outcome(v.Outcome, s) })
			case i < outcomeCell:
				l.text("  " + left(c, widths[i]))
			default:
				l.text("  " + right(c, widths[i]))
			}
		}
		o.line("%s", strings.TrimRight(l.String(), " "))
		if v.Outcome != race.Same {
			o.warnings(scoreboard.Warnings(v, shared, r.CustomMeasures...))
		}
	}
	for _, w := range shared {
		o.item("·", "all: "+w)
	}
	if rest := len(r.Verdicts) - len(shown); rest > 0 {
		o.line("%s", o.paint.dim(fmt.Sprintf("%s more, same or inconclusive, in the report", scoreboard.Count(rest, "verdict"))))
	}
}

// outcomeCell is the index of the outcome in verdictCells.
const outcomeCell = 1

func verdictCells(r race.Race, v race.Verdict) [4]string {
	needed := ""
	if v.HeatsNeeded != nil {
		needed = "needs " + scoreboard.Count(*v.HeatsNeeded, "heat")
	}
	return [4]string{
		scoreboard.ColumnOf(v.Measure, r.CustomMeasures...).Title, scoreboard.Mark(v.Outcome) + " " + scoreboard.Word(v.Measure, v.Outcome) + scoreboard.Asterisk(r.Audit), verdict.FormatRatio(v), needed,
	}
}

// verdictWidths are those of the cells; the last one goes where there is no room.
func verdictWidths(r race.Race, vs []race.Verdict, room int) (widths [4]int) {
	total := 0
	for i := range widths {
		for _, v := range vs {
			widths[i] = max(widths[i], columns(verdictCells(r, v)[i]))
		}
		total += 2 + widths[i]
	}
	if total > room {
		widths[len(widths)-1] = 0
	}
	return widths
}

func (o *result) warnings(ws []string) {
	for _, w := range ws {
		for i, l := range wrap(printable(w), o.width-6) {
			bullet := "·"
			if i > 0 {
				bullet = " "
			}
			o.line("    %s", o.paint.dim(bullet+" "+l))
		}
	}
}

// audit writes whether the race was fair, and what was found, the gravest first.
func (o *result) audit(a race.Audit) {
	o.title("Audit")
	mark := "✓"
	if !a.Fair {
		mark = "✗"
	}
	o.item(mark, scoreboard.Fairness(a))
	for _, f := range scoreboard.Findings(a) {
		label := string(f.Severity)
		for i, l := range wrap(printable(scoreboard.Remark(f)), o.width-10) {
			if i > 0 {
				label = ""
			}
			o.line("  %s%s", o.paint.severity(f.Severity, left(label, 8)), l)
		}
	}
}

func (o *result) files(files []string) {
	if len(files) == 0 {
		return
	}
	o.line("")
	for _, f := range files {
		o.line("%s", printable(f))
	}
}
