package report

import (
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html/template"
	"strings"
	"time"

	"github.com/photofinish/photofinish/pkg/race"
	"github.com/photofinish/photofinish/pkg/scoreboard"
	"github.com/photofinish/photofinish/pkg/verdict"
)

//go:embed assets
var assets embed.FS

// pageTemplate is parsed once; a template that does not parse is a mistake of this package, found by any test.
var pageTemplate = template.Must(template.New("page.html").Funcs(template.FuncMap{
	"word": scoreboard.Word, "mark": scoreboard.Mark, "thousands": scoreboard.Thousands,
	"memory": memoryText, "exit": exitText, "ratio": ratioText, "latency": latencyText,
}).ParseFS(assets, "assets/page.html", "assets/figures.html"))

// page is what the template shows.
type page struct {
	Race       race.Race
	Name       string
	Status     string
	Facts      []string
	Sentences  []sentence
	Certainty  string
	Fairness   string
	Asterisk   string // behind outcomes that stand by an override, with its footnote
	Footnote   string
	Standings  scoreboard.Table
	Everything scoreboard.Table
	Capacity   capacities
	Ridges     ridges
	Ratios     ratios
	HeatPlots  []heatPlot
	HeatTable  heatTable
	Verdicts   []verdictRow
	Findings   []race.Finding // the gravest first
	Plots      bool
	NoData     string
	Shared     []string // warnings of all verdicts
	Thinned    bool
	Generated  string
	Class      map[string]string // of an app

	CSP             string
	CSS             template.CSS
	PlotJS, PageJS  template.JS
	Payload, Record template.JS
}

type sentence struct{ Class, Text string }

func newPage(d Data) (page, error) {
	r := d.Race
	livery := scoreboard.LiveryOf(r)
	p := page{
		Race: r, Name: r.Name, Status: string(r.Status), Facts: facts(r), Certainty: scoreboard.Certainty(r), Fairness: scoreboard.Fairness(r.Audit),
		Asterisk: scoreboard.Asterisk(r.Audit), Footnote: scoreboard.Footnote(r.Audit),
		Standings: scoreboard.Standings(r), Everything: scoreboard.Everything(r), HeatTable: newHeatTable(r), Generated: clock(&d.Generated), Class: map[string]string{},
	}
	if p.Name == "" {
		p.Name = r.ID
	}
	for i, app := range livery.Apps {
		p.Class[app] = fmt.Sprintf("app-%d", i)
	}
	class := func(app string) string { return p.Class[app] }
	for _, s := range scoreboard.Sentences(r) {
		p.Sentences = append(p.Sentences, sentence{class(s.App), s.Text})
	}
	p.Capacity = newCapacities(r, class)
	p.Ridges, p.Ratios, p.HeatPlots = newRidges(d, class), newRatios(d, class), newHeatPlots(r, class)
	p.Verdicts, p.Shared = newVerdictRows(r, class), scoreboard.SharedWarnings(r.Verdicts)
	p.Findings = scoreboard.Findings(r.Audit)
	return p, p.embed(d, livery)
}

// embed puts style, scripts and data into the page, and allows by their hashes exactly these: a policy against what might slip in with a hostile name.
func (p *page) embed(d Data, livery scoreboard.Livery) error {
	data, thinned := newPayload(d)
	p.Plots, p.Thinned, p.NoData = len(data.Plots) > 0, thinned, noData(d.Race, data.missing)
	for _, part := range []struct {
		to *template.JS
		v  any
	}{{&p.Payload, data}, {&p.Record, d.Race}} {
		// json.Marshal escapes <, >, & and the line separators, so that the text cannot end the script element.
		text, err := json.Marshal(part.v)
		if err != nil {
			return fmt.Errorf("encode for the page: %w", err)
		}
		*part.to = template.JS(text) //nolint:gosec // JSON, escaped for HTML
	}
	var css strings.Builder
	for _, name := range []string{"assets/uplot/uPlot.min.css", "assets/page.css"} {
		text, err := assets.ReadFile(name)
		if err != nil {
			return fmt.Errorf("read an asset: %w", err)
		}
		css.Write(text)
	}
	for i, app := range livery.Apps {
		dash := strings.Trim(fmt.Sprint(livery.Dash(app)), "[]")
		if dash == "" {
			dash = "none"
		}
		fmt.Fprintf(&css, ".app-%d{--app:%s;--dash:%s}\n", i, livery.Colour(app).Hex(), dash)
	}
	plotJS, err := assets.ReadFile("assets/uplot/uPlot.iife.min.js")
	if err != nil {
		return fmt.Errorf("read an asset: %w", err)
	}
	pageJS, err := assets.ReadFile("assets/page.js")
	if err != nil {
		return fmt.Errorf("read an asset: %w", err)
	}
	p.CSS, p.PlotJS, p.PageJS = template.CSS(css.String()), template.JS(plotJS), template.JS(pageJS) //nolint:gosec // our own files and hex colours
	p.CSP = fmt.Sprintf("default-src 'none'; base-uri 'none'; form-action 'none'; img-src data:; style-src %s; script-src %s %s",
		hash(string(p.CSS)), hash(string(p.PlotJS)), hash(string(p.PageJS)))
	return nil
}

// hash names a script or style in a content security policy.
func hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

// facts are the lines under the name: what was raced, when and how.
func facts(r race.Race) []string {
	out := []string{scoreboard.Count(len(r.Lanes), "app") + " · " + scoreboard.Count(len(r.Heats), "heat") + " of " + (time.Duration(r.Load.DurationMS) * time.Millisecond).String()}
	load := r.Load.Executor
	if r.Load.Rate != nil {
		load += fmt.Sprintf(" at %g/s per app", *r.Load.Rate)
	} else if r.Load.VUs != nil {
		load += fmt.Sprintf(" with %d VUs per app", *r.Load.VUs)
	}
	how := map[race.Mode]string{race.Together: "raced together", race.Turns: "raced in turns"}[r.Mode]
	for _, s := range []string{load, how, clock(r.StartedAt)} {
		if s != "" {
			out = append(out, s)
		}
	}
	return out
}

func clock(t *time.Time) string {
	if t == nil || t.IsZero() {
		return ""
	}
	return t.UTC().Format("2 Jan 2006 15:04:05 UTC")
}

func exitText(e *race.Exit) string {
	if words := scoreboard.ExitWords(e); words != "" {
		return words
	}
	return "to the end"
}

func ratioText(v race.Verdict) string {
	if text := verdict.FormatRatio(v); text != "" {
		return text
	}
	return scoreboard.Absent
}

// memoryText writes a limit as people set it: "128 MiB".
func memoryText(bytes int64) string {
	const mebibyte = 1 << 20
	if bytes%mebibyte == 0 {
		return fmt.Sprintf("%d MiB", bytes/mebibyte)
	}
	return scoreboard.Bytes(float64(bytes))
}
