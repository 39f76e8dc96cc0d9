package pipeline

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/pkg/scoreboard"
)

// Markdown writes races as GitHub and GitLab show them: the sentences, the standings, the audit, and how each race was run.
func Markdown(w io.Writer, races ...race.Race) error {
	var b strings.Builder
	for i, r := range races {
		if i > 0 {
			b.WriteString("\n")
		}
		writeRace(&b, r)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func writeRace(b *strings.Builder, r race.Race) {
	fmt.Fprintf(b, "### Race %s\n\n", escape(r.Name))
	if r.Status != race.Finished {
		fmt.Fprintf(b, "**%s**", escape(string(r.Status)))
		if r.Error != nil {
			fmt.Fprintf(b, ": %s", escape(*r.Error))
		}
		b.WriteString("\n\n")
	}
	for _, s := range scoreboard.Sentences(r) {
		fmt.Fprintf(b, "- %s\n", escape(s.Text))
	}
	if c := scoreboard.Certainty(r); c != "" {
		fmt.Fprintf(b, "\n%s\n", escape(c))
	}
	for i, s := range scoreboard.Capacity(r) {
		if i == 0 {
			b.WriteString("\n**Capacity**\n\n")
		}
		fmt.Fprintf(b, "- %s\n", escape(s.Text))
	}
	writeStandings(b, scoreboard.Standings(r))
	if f := scoreboard.Footnote(r.Audit); f != "" {
		fmt.Fprintf(b, "\n%s\n", escape(f))
	}
	writeAudit(b, r.Audit)
	writeOrigin(b, r)
}

// writeStandings writes a row per app, with the difference to the baseline and the verdict under each value.
func writeStandings(b *strings.Builder, t scoreboard.Table) {
	if len(t.Columns) == 0 {
		return
	}
	b.WriteString("\n| | app |")
	for _, c := range t.Columns {
		fmt.Fprintf(b, " %s |", escape(c.Title))
	}
	b.WriteString("\n|--:|:--|" + strings.Repeat("--:|", len(t.Columns)) + "\n")
	for _, row := range t.Rows {
		place := scoreboard.Absent
		if row.Place > 0 {
			place = fmt.Sprint(row.Place)
		}
		app := escape(row.App)
		if below := cmp.Or(row.Role, row.Out); below != "" {
			app += "<br>" + escape(below)
		}
		fmt.Fprintf(b, "| %s | %s |", place, app)
		for _, c := range row.Cells {
			lines := []string{c.Value, c.Diff}
			if c.Word != "" {
				lines = append(lines, c.Mark+" "+c.Word)
			}
			lines = slices.DeleteFunc(lines, func(l string) bool { return l == "" })
			for i := range lines {
				lines[i] = escape(lines[i])
			}
			fmt.Fprintf(b, " %s |", strings.Join(lines, "<br>"))
		}
		b.WriteString("\n")
	}
}

func writeAudit(b *strings.Builder, a race.Audit) {
	fmt.Fprintf(b, "\n**Audit**: %s\n", escape(scoreboard.Fairness(a)))
	if len(a.Findings) == 0 {
		return
	}
	open := ""
	if !a.Fair {
		open = " open"
	}
	fmt.Fprintf(b, "\n<details%s><summary>What was found</summary>\n\n", open)
	for _, f := range scoreboard.Findings(a) {
		fmt.Fprintf(b, "- %s: %s\n", f.Severity, escape(scoreboard.Remark(f)))
	}
	b.WriteString("\n</details>\n")
}

// writeOrigin writes what it takes to trace the numbers.
func writeOrigin(b *strings.Builder, r race.Race) {
	facts := []string{"race " + r.ID}
	add := func(format string, value string) {
		if value != "" {
			facts = append(facts, fmt.Sprintf(format, value))
		}
	}
	add("script %s", r.Script)
	add("engine %s", r.Engine)
	add("lanes race %s", wayOf(r.Mode))
	facts = append(facts, scoreboard.Count(len(r.Heats), "heat"))
	for _, name := range []string{"photofinish", "k6"} {
		add(name+" %s", r.Versions[name])
	}
	if m := r.Machine; m != nil {
		add("%s", fmt.Sprintf("%s, %s", m.CPUModel, scoreboard.Count(m.CPUs, "CPU")))
	}
	fmt.Fprintf(b, "\n<sub>%s</sub>\n", escape(strings.Join(facts, " · ")))
}

func wayOf(m race.Mode) string {
	if m == race.Turns {
		return "in turns"
	}
	return string(m)
}

var markdown = strings.NewReplacer(
	"\n", " ", "\r", " ", `\`, `\\`, "`", "\\`", "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`, "<", "&lt;", ">", "&gt;", "&", "&amp;", "|", `\|`, "~", `\~`, "#", `\#`,
)

// escape makes any text one that Markdown shows as it is, in one line.
func escape(s string) string { return markdown.Replace(s) }
