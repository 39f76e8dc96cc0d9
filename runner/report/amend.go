package report

import (
	"bytes"
	"html/template"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/pkg/scoreboard"
)

// top is where a page's content begins.
const top = "<main>\n"

var amendment = template.Must(template.New("amendment").Parse(top + `<section class="panel alert" id="override"><p><b>{{.Footnote}}.</b></p>
{{range .Sentences}}<p>{{.Text}}</p>
{{end}}<p class="note">What follows is as it was written when the race ended, with nothing decided; race.json has the verdicts that stand now.</p></section>
`))

// Amend puts on top of the report of an unfair race that somebody let its verdicts stand, and what they are. The plots of a report cannot be drawn
// again once the race's Prometheus is gone, so the rest stays as it was. Errors have the code race.Invalid.
func Amend(page []byte, r race.Race) ([]byte, error) {
	before, after, is := bytes.Cut(page, []byte(top))
	if !is || !r.Audit.Overridden() {
		return page, race.Errorf(race.Invalid, "", "it is no report of an overridden race")
	}
	var b bytes.Buffer
	b.Write(before)
	if err := amendment.Execute(&b, struct {
		Footnote  string
		Sentences []scoreboard.Sentence
	}{scoreboard.Override(r.Audit), scoreboard.Sentences(r)}); err != nil {
		return page, err
	}
	b.Write(after)
	return b.Bytes(), nil
}
